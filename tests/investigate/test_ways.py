"""Who came from where joins what was done, on machines that many deal with, too; and a taken machine stays taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from investigate.made import DAY, HOUR, RULES, SECOND, Happened, rule, told
from tocsin.investigate import gather
from tocsin.model.asset import Asset, Assets
from tocsin.model.incident import Incident
from tocsin.model.rule import Rule

CROWD = [
    Happened(at=0, host=f"c{number}", act="contact", roles={"peer": "dc"}, path="crowd.jsonl") for number in range(9)
]
# Rules that are after different things, and say so.
VARIED = tuple(
    replace(one, tactics=(f"aim-{number % 4}",), techniques=(f"T{number % 4:04}",)) for number, one in enumerate(RULES)
)


def gathered(
    happened: Sequence[Happened], folder: Path, rules: Sequence[Rule] = RULES, assets: Assets | None = None
) -> tuple[Incident, ...]:
    findings, traces = told(happened, folder)
    return gather(findings, rules, traces, assets=assets)


def came(at: int, source: str = "a", **roles: str) -> Happened:
    who = {"account": "HOUSE\\adm", "peer": source, **roles}
    return Happened(at=at, host="dc", act="logon", inward=True, roles=who)  # type: ignore[arg-type]


def test_an_account_from_a_machine_where_it_is_seldom_joins_what_it_did(tmp_path: Path) -> None:
    steps = [
        Happened(at=0, host="a", rules=(rule("high"),)),
        Happened(at=3 * HOUR + 3 * SECOND, host="dc", rules=(rule("high", 1),)),
    ]
    (one,) = gathered([*steps, came(3 * HOUR), *CROWD], tmp_path)
    assert one.joins[0].because.startswith("HOUSE\\adm came from a to dc")
    assert one.joins[0].via
    assert len(gathered([*steps, *CROWD], tmp_path)) == 2


def test_an_account_that_comes_every_day_joins_nothing(tmp_path: Path) -> None:
    steps = [
        Happened(at=6 * DAY, host="a", rules=(rule("high"),)),
        Happened(at=6 * DAY + 3 * HOUR + 3 * SECOND, host="dc", rules=(rule("high", 1),)),
    ]
    comes = [came(day * DAY + 3 * HOUR) for day in range(7)]
    assert len(gathered([*steps, *comes, *CROWD], tmp_path)) == 2
    # But what the account did itself before it came is its own doing.
    steps[0] = replace(steps[0], roles={"account": "HOUSE\\adm"})
    assert len(gathered([*steps, *comes, *CROWD], tmp_path)) == 1


def test_what_one_account_did_from_one_odd_machine_is_one(tmp_path: Path) -> None:
    steps = [Happened(at=day * DAY + SECOND, host="dc", rules=(rule("high", day % 4),)) for day in (0, 9)]
    assert (
        len(
            gathered([*steps, came(0), came(9 * DAY), Happened(at=0, host="a", rules=(rule("low"),)), *CROWD], tmp_path)
        )
        == 2
    )
    assert len(gathered([*steps, came(0), came(9 * DAY, "b"), *CROWD], tmp_path)) == 2


@pytest.mark.parametrize(("minutes", "joins"), [(10, True), (30, False)])
def test_two_things_of_weight_within_minutes_on_a_busy_machine(tmp_path: Path, minutes: int, joins: bool) -> None:
    steps = [Happened(at=number * minutes * 60 * SECOND, host="dc", rules=(rule("high", number),)) for number in (0, 1)]
    assert (len(gathered([*steps, *CROWD], tmp_path)) == 1) == joins
    lesser = [replace(one, rules=(rule("medium", number),)) for number, one in enumerate(steps)]
    assert len(gathered([*lesser, *CROWD], tmp_path)) == 2


def test_a_machine_that_was_taken_stays_taken(tmp_path: Path) -> None:
    took = [Happened(at=number * SECOND, host="a", rules=(rule("high", number),)) for number in (0, 1)]
    later = Happened(at=6 * DAY, host="a", rules=(rule("high", 2),))
    assert len(gathered([*took, later], tmp_path, VARIED)) == 1
    assert len(gathered([took[0], later], tmp_path, VARIED)) == 2, "one rule errs now and then"
    assert len(gathered([*took, replace(later, at=30 * DAY)], tmp_path, VARIED)) == 2
    with_hash = {"hash": "b" * 32}
    more = [replace(took[0], roles=with_hash), Happened(at=SECOND, host="b", rules=(rule("medium"),), roles=with_hash)]
    elsewhere = replace(later, host="b")
    assert len(gathered([*more, took[1], elsewhere], tmp_path, VARIED)) == 1, "with all that it led to"
    assert len(gathered([*more[:1], took[1], elsewhere], tmp_path, VARIED)) == 2
    again = [replace(one, at=6 * DAY + one.at) for one in took]
    assert len(gathered([*took, *again], tmp_path, VARIED)) == 2, "those may be two intruders"


def test_who_comes_from_a_taken_machine_for_the_first_time_is_who_took_it(tmp_path: Path) -> None:
    took = [Happened(at=3 * DAY + number * SECOND, host="a", rules=(rule("high", number),)) for number in (0, 1)]
    later = Happened(at=6 * DAY + SECOND, host="dc", rules=(rule("medium", 2),))
    before = Happened(at=0, host="b", rules=(rule("low"),))

    def parts(*more: Happened) -> int:
        found = gathered([*more, *CROWD], tmp_path, VARIED)
        return sum(any(seen.name in {"a", "dc"} for seen in one.hosts) for one in found)

    assert parts(before, *took, later, came(6 * DAY)) == 1
    assert parts(before, *took, later, came(6 * DAY), came(DAY)) == 2, "it came from there before"
    assert parts(before, *took, later, came(6 * DAY, "b")) == 2, "it came from elsewhere"
    assert parts(before, took[0], later, came(6 * DAY)) == 2, "one rule errs now and then"
    assert parts(*(replace(one, at=one.at - 3 * DAY) for one in (*took, later, came(6 * DAY)))) == 2, "no time before"
    far = [replace(one, at=one.at + 12 * DAY) for one in (later, came(6 * DAY))]
    assert parts(before, *took, *far) == 2, "two weeks are over"


def test_one_act_seen_from_both_sides_is_to_review(tmp_path: Path) -> None:
    def at(*hosts: str) -> set[str]:
        steps = [
            Happened(at=number * SECOND, host=host, rules=(rule("high", number),), roles={"hash": "a" * 32})
            for number, host in enumerate(hosts)
        ]
        return {one.rank for one in gathered(steps, tmp_path, VARIED)}

    assert at("a", "b") == {"review"}
    assert at("a", "a") == {"act now"}
    assert at("a", "b", "c") == {"act now"}


def test_the_folder_of_a_log_names_its_machine(tmp_path: Path) -> None:
    assets = Assets([Asset(name="WEB1", also=("web1.house.example",), addresses=("10.0.0.9",))])
    steps = [
        Happened(at=0, host="", rules=(rule("high"),), path="/e/web/web1/access.log"),
        Happened(at=SECOND, host="", rules=(rule("high", 1),), path="/e/linux/web1/audit.log"),
        Happened(at=2 * SECOND, host="web1.house.example", rules=(rule("high", 2),)),
    ]
    (one,) = gathered(steps, tmp_path, assets=assets)
    assert [seen.name for seen in one.hosts] == ["web1.house.example"]
    assert len(gathered(steps[:2], tmp_path)) == 2, "without a list a path is a path"


def test_a_remote_desktop_names_the_machine_itself_and_the_address_it_came_from(tmp_path: Path) -> None:
    assets = Assets([Asset(name="a", addresses=("10.0.0.7",))])
    logon = came(HOUR, peer="dc", peer_address="10.0.0.7", new_logon="0x77")
    steps = [
        Happened(at=0, host="a", rules=(rule("high"),)),
        Happened(at=HOUR + SECOND, host="dc", rules=(rule("high", 1),), roles={"logon": "0x77"}),
    ]
    (one,) = gathered([*steps, logon, *CROWD], tmp_path, assets=assets)
    assert one.moves[0].source == "a"
