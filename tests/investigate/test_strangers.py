"""Two that came to one machine within an hour, from elsewhere and as others, are two; one intruder stays one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from investigate.made import RULES, SECOND, Happened, rule, told
from tocsin.investigate import gather
from tocsin.model.incident import Incident

MINUTE = 60 * SECOND
HERE, THERE = "203.0.113.9", "198.51.100.7"
# Rules of different aims: two of them on one machine weigh enough.
AIMED = [replace(one, tactics=(tactic,)) for one in RULES for tactic in ("execution",)]
for _number, _tactic in enumerate(("execution", "credential-access", "persistence", "collection")):
    AIMED[rule("high", _number)] = replace(AIMED[rule("high", _number)], tactics=(_tactic,))


def intruder(
    at: int, who: str, session: str, address: str, rules: Sequence[int] = (0, 1), host: str = "a", **roles: str
) -> Iterator[Happened]:
    """Somebody logs on from an address, and does as many things as there are rules, two minutes apart."""
    came = {"account": who, "new_logon": session} | ({"peer_address": address} if address else {})
    yield Happened(at=at, host=host, act="logon", inward=True, roles=came)  # type: ignore[arg-type]
    for number, which in enumerate(rules):
        did = {"account": who, "logon": session, **roles}
        yield Happened(at=at + (2 * number + 1) * MINUTE, host=host, rules=(rule("high", which),), roles=did)  # type: ignore[arg-type]


def gathered(happened: Sequence[Happened], folder: Path) -> list[Incident]:
    findings, traces = told(happened, folder)
    return [one for one in gather(findings, AIMED, traces) if one.rank != "background"]


def test_two_from_elsewhere_as_others_are_two(tmp_path: Path) -> None:
    one, other = intruder(0, "mere", "0x111", HERE), intruder(3 * MINUTE, "tane", "0x222", THERE, (2, 3))
    found = gathered([*one, *other], tmp_path)
    assert sorted(len(each.findings) for each in found) == [2, 2]
    assert {seen.name for each in found for seen in each.accounts} == {"mere", "tane"}
    for each in found:
        assert len(each.accounts) == 1
        assert any("kept apart from another incident on a" in why for why in each.because), "and that is told"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"address": HERE}, "both came from one address"),
        ({"who": "mere"}, "both are one account"),
        ({"address": ""}, "where one of them came from is not in the logs"),
        ({"rules": (2,)}, "one thing may be a part of the other"),
        ({"hash": "a" * 64}, "both use one program"),
    ],
)
def test_one_intruder_stays_one(tmp_path: Path, changed: dict[str, object], why: str) -> None:
    shared = {"hash": changed.pop("hash")} if "hash" in changed else {}
    one = intruder(0, "mere", "0x111", HERE, **shared)  # type: ignore[arg-type]
    asked = {
        "at": 3 * MINUTE,
        "who": "tane",
        "session": "0x222",
        "address": THERE,
        "rules": (2, 3),
        **changed,
        **shared,
    }
    other = intruder(**asked)  # type: ignore[arg-type]
    assert len(gathered([*one, *other], tmp_path)) == 1, why


def test_who_came_by_a_machine_of_ours_is_told_by_it(tmp_path: Path) -> None:
    """Both came from one machine: as far as the records go, that may be one hand with two accounts."""
    steps = [*intruder(0, "mere", "0x111", "", host="a"), *intruder(3 * MINUTE, "tane", "0x222", "", (2, 3), host="a")]
    steps = [replace(one, roles={**one.roles, "peer": "b"}) if one.act == "logon" else one for one in steps]
    assert len(gathered(steps, tmp_path)) == 1


def test_what_is_between_two_makes_them_no_one(tmp_path: Path) -> None:
    """A finding of nobody in particular goes to the nearer of them, and leads no further."""
    one, other = intruder(0, "mere", "0x111", HERE), intruder(6 * MINUTE, "tane", "0x222", THERE, (2, 3))
    between = Happened(at=4 * MINUTE, host="a", rules=(rule("medium"),))
    found = gathered([*one, *other, between], tmp_path)
    assert sorted(len(each.findings) for each in found) == [2, 3]


@settings(max_examples=40, deadline=None)
@given(order=st.permutations(range(9)))
def test_the_order_of_the_input_changes_nothing(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    one, other = intruder(0, "mere", "0x111", HERE), intruder(3 * MINUTE, "tane", "0x222", THERE, (2, 3))
    third = intruder(5 * MINUTE, "rua", "0x333", "192.0.2.7", (0, 3))
    steps = [replace(step, rec=number) for number, step in enumerate([*one, *other, *third])]
    folder = tmp_path_factory.mktemp("order")
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    assert gathered([steps[at] for at in order], folder / "a") == gathered(steps, folder / "b")


def test_children_of_a_web_server_are_each_of_whoever_asked(tmp_path: Path) -> None:
    """One process serves everybody: that two programs came of it eight days apart makes them no one doing."""
    day = 24 * 60 * MINUTE
    server = {"guid": "{s}", "image": r"C:\Windows\System32\inetsrv\w3wp.exe"}
    steps = [Happened(at=0, host="a", act="start", roles=server)]  # type: ignore[arg-type]
    for number in range(2):
        child = {
            "guid": f"{{{number}-1}}",
            "parent_guid": "{s}",
            "parent_image": server["image"],
            "image": r"C:\Windows\System32\cmd.exe",
        }
        at = number * 8 * day
        steps.append(Happened(at=at, host="a", act="start", rules=(rule("high", number),), roles=child))  # type: ignore[arg-type]
        below = {
            "guid": f"{{{number}-2}}",
            "parent_guid": f"{{{number}-1}}",
            "image": r"C:\Windows\System32\whoami.exe",
        }
        steps.append(Happened(at=at, host="a", act="start", rules=(rule("high", 2 + number),), roles=below))  # type: ignore[arg-type]
    found = gathered(steps, tmp_path)
    assert sorted(len(each.findings) for each in found) == [2, 2]
