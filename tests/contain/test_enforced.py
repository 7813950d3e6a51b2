"""Really enforced: hosts are network namespaces, traffic flows, the plan is applied, and only the intruder's dies."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from containing.making import BAD, OWN, PEOPLE, allow, case, planned, talking
from containing.nets import Net, run
from tocsin import enforce, planning, watched
from tocsin.act import journal
from tocsin.act.run import run as done
from tocsin.contain import ENFORCERS
from tocsin.model.action import Block, Place, Target

NFTABLES = next(one for one in ENFORCERS if one.NAME == "nftables")
KNOWN = tuple(PEOPLE.values())
CLIENT = "203.0.113.81"
# What an administrator already has there: it must be the same afterwards, to the byte.
THEIRS = """table inet theirs {
  chain forward { type filter hook forward priority 0; policy accept; ip daddr 192.0.2.66 drop; }
}
"""


def _place(net: Net) -> Place:
    return Place(enforcer="nftables", run=net.within("router"))


def _applied(net: Net, tmp_path: Path, name: str = "inc1") -> Path:
    folder = case(tmp_path, talking(name))
    kept = planned(folder)
    allow(folder, kept)
    enforce.apply(folder, kept, [_place(net)], OWN, KNOWN, "Ben")
    return folder


def test_the_intruders_channel_dies_and_the_service_lives(net: Net, tmp_path: Path) -> None:
    run(*net.within("router"), "nft", "-f", "-", text=THEIRS)
    before = net.ruleset("router")
    assert net.reaches("web", BAD)
    assert net.reaches("evil", "192.0.2.10")
    assert net.reaches("client", "192.0.2.10")

    folder = _applied(net, tmp_path)

    assert not net.reaches("web", BAD)
    assert not net.reaches("evil", "192.0.2.10")
    assert net.reaches("client", "192.0.2.10")
    assert net.reaches("web", CLIENT)
    (seen,) = watched.probed(folder, [_place(net)])
    assert (seen.target.value, seen.stands) == (BAD, True)
    assert seen.stopped is not None
    assert seen.stopped >= 2

    enforce.undo(folder, [_place(net)], "Ben")
    assert net.ruleset("router") == before
    assert net.reaches("web", BAD)


def test_an_element_expires_by_itself_and_undo_still_leaves_nothing(net: Net, tmp_path: Path) -> None:
    before = net.ruleset("router")
    now = planning.now_us()
    block = Block(
        verb="block address",
        target=Target(kind="address", value=BAD),
        since_us=now,
        until_us=now + 2_000_000,
        cases=("inc1",),
    )
    for step in NFTABLES.steps((), (block,), _place(net), now):
        assert done(step).well
    assert not net.reaches("web", BAD)
    time.sleep(2.5)
    assert net.reaches("web", BAD)
    for step in NFTABLES.steps((block,), (), _place(net), now):
        assert done(step).well
    assert net.ruleset("router") == before


def test_a_router_that_was_started_anew_is_told_all_that_stands(net: Net, tmp_path: Path) -> None:
    _applied(net, tmp_path, "inc1")
    run(*net.within("router"), "nft", "flush", "ruleset")
    assert net.reaches("web", BAD)
    other = case(tmp_path, talking("inc2"))
    kept = planned(other)
    allow(other, kept)
    enforce.apply(other, kept, [_place(net)], OWN, KNOWN, "Ben")
    assert not net.reaches("web", BAD)


def test_what_an_enforcer_lost_is_put_back_by_applying_again(net: Net, tmp_path: Path) -> None:
    folder = _applied(net, tmp_path)
    kept = planning.chosen(folder)
    for lost in ("flush ruleset", f"delete element inet tocsin address4 {{ {BAD} }}"):
        run(*net.within("router"), "nft", "-f", "-", text=f"{lost}\n")
        assert net.reaches("web", BAD)
        (seen,) = watched.probed(folder, [_place(net)])
        assert not seen.stands
        enforce.apply(folder, kept, [_place(net)], OWN, KNOWN, "Ben")
        assert not net.reaches("web", BAD)


def test_two_cases_that_share_a_block_do_not_lift_each_others(net: Net, tmp_path: Path) -> None:
    before = net.ruleset("router")
    one, other = _applied(net, tmp_path, "inc1"), _applied(net, tmp_path, "inc2")
    left = enforce.undo(one, [_place(net)], "Ben")
    assert [block.cases for block in left] == [("inc2",)]
    assert not net.reaches("web", BAD)
    assert enforce.undo(other, [_place(net)], "Ben") == ()
    assert net.ruleset("router") == before


def _blocks(count: int, now: int, networks: int = 0) -> tuple[Block, ...]:
    values = [("address", f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}") for n in range(count)]
    values += [("network", f"203.{n}.0.0/16") for n in range(networks)]
    return tuple(
        Block(
            verb="block address" if kind == "address" else "block network",
            target=Target(kind=kind, value=value),  # type: ignore[arg-type]
            since_us=now,
            until_us=now + 3_600_000_000,
            cases=("inc1",),
        )
        for kind, value in values
    )


def test_many_elements_and_networks_that_lie_in_each_other(net: Net) -> None:
    before, now, place = net.ruleset("router"), planning.now_us(), _place(net)
    blocks = _blocks(10_000, now, networks=3)
    inner = replace(blocks[-1], target=Target(kind="network", value="203.2.7.0/24"))
    blocks = (*blocks, inner)
    for step in NFTABLES.steps((), blocks, place, now):
        assert done(step).well
    seen = NFTABLES.seen([run(*NFTABLES.probes(blocks, place)[0].argv)], blocks)
    assert all(one.stands for one in seen)
    half = blocks[5_000:]
    for step in NFTABLES.steps(blocks, half, place, now):
        assert done(step).well
    seen = NFTABLES.seen([run(*NFTABLES.probes(blocks, place)[0].argv)], blocks)
    assert [one.stands for one in seen] == [False] * 5_000 + [True] * (len(blocks) - 5_000)
    # The wider one goes: the one within it must stand by itself.
    for step in NFTABLES.steps(half, (inner,), place, now):
        assert done(step).well
    seen = NFTABLES.seen([run(*NFTABLES.probes((inner,), place)[0].argv)], (inner,))
    assert seen[0].stands
    for step in NFTABLES.steps((inner,), (), place, now):
        assert done(step).well
    assert net.ruleset("router") == before


def test_from_anything_to_anything_and_back_to_nothing(net: Net) -> None:
    """What a real ruleset holds after a walk through random sets of blocks is what each of them says."""
    before, now, place, dice = net.ruleset("router"), planning.now_us(), _place(net), random.Random(8)
    values = [("address", f"203.0.113.{number}") for number in range(1, 8)]
    values += [("address", f"2001:db8::{number}") for number in range(1, 4)]
    values += [("network", text) for text in ("203.0.0.0/16", "203.0.113.0/24", "198.51.100.0/25", "2001:db8:1::/48")]
    standing: tuple[Block, ...] = ()
    for _ in range(12):
        wanted = tuple(
            Block(
                verb="block address" if kind == "address" else "block network",
                target=Target(kind=kind, value=value),  # type: ignore[arg-type]
                since_us=now,
                until_us=dice.choice([0, now + 3_600_000_000, now + 7_200_000_000]),
                cases=("inc1",),
            )
            for kind, value in dice.sample(values, dice.randrange(len(values)))
        )
        for step in NFTABLES.steps(standing, wanted, place, now):
            assert done(step).well, done(step).said
        if wanted:
            said = [run(*NFTABLES.probes(wanted, place)[0].argv)]
            assert all(one.stands for one in NFTABLES.seen(said, wanted))
            gone = [block for block in standing if block.target not in {one.target for one in wanted}]
            narrow = [one for one in gone if one.target.kind == "address"]
            assert not any(one.stands for one in NFTABLES.seen(said, narrow))
        standing = wanted
    for step in NFTABLES.steps(standing, (), place, now):
        assert done(step).well
    assert net.ruleset("router") == before


def test_a_step_that_fails_is_told_and_taken_up_again(net: Net, tmp_path: Path) -> None:
    folder = case(tmp_path, talking())
    kept = planned(folder)
    allow(folder, kept)
    gone = Place(enforcer="nftables", run=("ip", "netns", "exec", "no-such-place"))
    with pytest.raises(enforce.ActError, match="could not make the table"):
        enforce.apply(folder, kept, [gone], OWN, KNOWN, "Ben")
    now = journal.read(enforce.enforced(folder))
    assert now.pending is not None
    assert now.failed
    assert now.standing == {}
