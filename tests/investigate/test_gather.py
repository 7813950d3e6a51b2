from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import msgspec
import pytest

from investigate.made import DAY, HOUR, RULES, SECOND, Happened, rule, told
from tocsin.investigate import gather
from tocsin.investigate.machines import COMMON
from tocsin.investigate.roles import Role
from tocsin.model.asset import Asset, Assets
from tocsin.model.correlation import Correlated, Place
from tocsin.model.finding import Finding
from tocsin.model.incident import Incident


def gathered(
    happened: list[Happened], folder: Path, *, quieten: bool = True, assets: Assets | None = None
) -> tuple[Incident, ...]:
    findings, traces = told(happened, folder)
    return gather(findings, RULES, traces, quieten=quieten, assets=assets)


def sizes(incidents: tuple[Incident, ...]) -> list[int]:
    return sorted(sum(1 + one.repeats for one in incident.findings) for incident in incidents)


def test_what_happens_on_one_machine_within_the_hour_is_one(tmp_path: Path) -> None:
    steps = [Happened(at=number * HOUR // 2, host="a", rules=(rule("high", number),)) for number in range(3)]
    (incident,) = gathered(steps, tmp_path)
    assert [join.because.split(",")[0] for join in incident.joins] == ["both on a", "both on a"]
    assert incident.patient_zero == "a"
    assert incident.dwell_us == HOUR


def test_what_happens_days_later_on_the_same_machine_is_another(tmp_path: Path) -> None:
    steps = [Happened(at=number * 2 * DAY, host="a", rules=(rule("high", number),)) for number in range(2)]
    assert sizes(gathered(steps, tmp_path)) == [1, 1]


def test_a_process_joins_whatever_the_time_between(tmp_path: Path) -> None:
    steps = [
        Happened(at=0, host="a", rules=(rule("high"),), roles={"guid": "{1-2}"}),
        Happened(at=SECOND, host="a", act="start", roles={"guid": "{3-4}", "parent_guid": "{1-2}"}),
        Happened(at=20 * DAY, host="a", rules=(rule("high", 1),), roles={"guid": "{3-4}"}),
    ]
    (incident,) = gathered(steps, tmp_path)
    assert incident.joins[0].entity.kind == "process"
    assert [process.parent for process in incident.processes] == [-1, 0]


@pytest.mark.parametrize("image", [r"C:\Windows\System32\services.exe", "/usr/lib/systemd/systemd"])
def test_a_launcher_is_nobodys_kin(tmp_path: Path, image: str) -> None:
    steps = [
        Happened(
            at=number * DAY,
            host="a",
            act="start",
            rules=(rule("high", number),),
            roles={"guid": f"{{{number}-7}}", "parent_guid": "{9-9}", "parent_image": image},
        )
        for number in range(2)
    ]
    assert sizes(gathered(steps, tmp_path)) == [1, 1]


def test_a_number_of_a_process_is_given_out_anew(tmp_path: Path) -> None:
    steps = [
        Happened(at=0, host="a", act="start", roles={"pid": "500"}),
        Happened(at=SECOND, host="a", rules=(rule("high"),), roles={"pid": "0x1f4"}),
        Happened(at=2 * HOUR, host="a", act="start", roles={"pid": "500"}),
        Happened(at=3 * HOUR, host="a", rules=(rule("high", 1),), roles={"pid": "500"}),
    ]
    assert sizes(gathered(steps, tmp_path)) == [1, 1]


def test_a_session_that_came_from_another_machine_joins_both(tmp_path: Path) -> None:
    logon = {"new_logon": "0x99", "peer": "A", "account": "HOUSE\\mere", "how": "3"}
    steps = [
        Happened(at=0, host="a.example.org", rules=(rule("high"),)),
        Happened(at=60 * SECOND, host="b.example.org", act="logon", inward=True, roles=logon),
        Happened(at=7 * HOUR, host="b.example.org", rules=(rule("high", 1),), roles={"logon": "0x99"}),
    ]
    (incident,) = gathered(steps, tmp_path)
    assert incident.joins[0].because.startswith("HOUSE\\mere came from a.example.org to b.example.org over the network")
    assert [(move.source, move.target) for move in incident.moves] == [("a.example.org", "b.example.org")]
    assert incident.patient_zero == "a.example.org"
    assert incident.still_open[0].startswith("logon session 0x99 of HOUSE\\mere")


def test_an_account_on_two_machines_joins_nothing(tmp_path: Path) -> None:
    steps = [
        Happened(at=number, host=host, rules=(rule("high", number),), roles={"account": "HOUSE\\mere"})
        for number, host in enumerate("ab")
    ]
    assert sizes(gathered(steps, tmp_path)) == [1, 1]


def test_an_account_on_one_machine_joins_for_a_working_day(tmp_path: Path) -> None:
    names = ("HOUSE\\mere", "mere@house.example", "HOUSE\\mere", "SYSTEM", "SYSTEM")
    steps = [
        Happened(at=at * HOUR, host="a", rules=(rule("high", at % 4),), roles={"account": account})
        for at, account in zip((0, 7, 20, 30, 34), names, strict=True)
    ]
    assert sizes(gathered(steps, tmp_path)) == [1, 1, 1, 2]


def test_an_account_that_came_from_another_machine_joins_both(tmp_path: Path) -> None:
    logon = {"peer": "a", "account": "HOUSE\\mere", "how": "3"}
    steps = [
        Happened(at=0, host="a", rules=(rule("high"),)),
        Happened(at=60 * SECOND, host="b", act="logon", inward=True, roles=logon),
        Happened(at=5 * HOUR, host="b", rules=(rule("high", 1),), roles={"account": "HOUSE\\mere"}),
    ]
    (incident,) = gathered(steps, tmp_path)
    assert incident.joins[0].because.startswith("HOUSE\\mere came from a to b over the network")


def test_a_program_of_their_own_joins_what_it_started(tmp_path: Path) -> None:
    own = r"C:\Users\Public\a.exe"
    steps = [
        Happened(at=at * HOUR, host="a", rules=(rule("high", at % 4),), roles={role: own})
        for at, role in ((0, "image"), (9, "parent_image"), (20, "file"))
    ]
    (incident,) = gathered(steps, tmp_path)
    assert {join.because.split(",")[0] for join in incident.joins} == {rf"the same file {own}"}


def meeting(client: str, server: str, port: str, at: int = 30 * SECOND) -> list[Happened]:
    """One connection as both sides write it down, from a network whose addresses others use too."""
    ends = {"own_address": "10.0.0.5", "own_port": port, "peer_address": "10.0.0.1"}
    turned = {"peer_address": "10.0.0.5", "peer_port": port, "own_address": "10.0.0.1"}
    return [
        Happened(at=at, host=client, act="contact", roles=ends),
        Happened(at=at + SECOND, host=server, act="contact", inward=True, roles=turned),
    ]


def test_who_wrote_down_the_same_connection_met(tmp_path: Path) -> None:
    found = [Happened(at=0, host=host, rules=(rule("high"),)) for host in ("a1", "b1", "a2", "b2")]
    (one, other) = gathered([*found, *meeting("a1", "b1", "50001"), *meeting("a2", "b2", "50002")], tmp_path)
    assert {frozenset(host.name for host in incident.hosts) for incident in (one, other)} == {
        frozenset({"a1", "b1"}),
        frozenset({"a2", "b2"}),
    }


def test_a_clock_that_differs_is_told(tmp_path: Path) -> None:
    found = [Happened(at=0, host=host, rules=(rule("high"),)) for host in ("a", "b")]
    seen = [meeting("a", "b", str(50_000 + number)) for number in range(3)]
    late = [
        Happened(
            at=one.at + (40 * SECOND if one.host == "b" else 0),
            host=one.host,
            act=one.act,
            inward=one.inward,
            roles=one.roles,
        )
        for pair in seen
        for one in pair
        if one.at is not None
    ]
    (incident,) = gathered([*found, *late], tmp_path)
    (skew,) = incident.skews
    assert (skew.host, skew.against, skew.ahead_us, skew.events) == ("a", "b", -41 * SECOND, 3)


def test_a_directory_is_no_link_between_those_who_ask_it(tmp_path: Path) -> None:
    machines = [f"desk{number}" for number in range(COMMON + 1)]
    found = [Happened(at=0, host=host, rules=(rule("high"),)) for host in [*machines[:2], "dc"]]
    asks = [one for number, host in enumerate(machines) for one in meeting(host, "dc", str(50_000 + number))]
    assert sizes(gathered([*found, *asks], tmp_path)) == [1, 1, 1]
    assert sizes(gathered([*found, *asks[:4]], tmp_path)) == [3]


@pytest.mark.parametrize(
    ("role", "value", "joins"),
    [
        ("hash", "SHA256=" + "a" * 64, True),
        ("domain", "evil.example", True),
        ("domain", "ctldl.windowsupdate.com", False),
        ("peer_address", "1.2.3.4", True),
        ("peer_address", "8.8.8.8", False),
        ("peer_address", "10.1.2.3", False),
        ("file", r"C:\Users\Public\a.exe", True),
        ("file", r"C:\Windows\System32\cmd.exe", False),
        ("file", r"C:\Users\mere\AppData\Local\Microsoft\Windows\WebCache\V01.log", False),
    ],
)
def test_rare_things_join_machines(tmp_path: Path, role: str, value: str, joins: bool) -> None:
    steps = [
        Happened(at=number * DAY, host=host, rules=(rule("high", number),), roles={role: value})  # type: ignore[dict-item]
        for number, host in enumerate("ab")
    ]
    assert sizes(gathered(steps, tmp_path)) == ([2] if joins else [1, 1])


def test_common_things_do_not(tmp_path: Path) -> None:
    steps = [
        Happened(at=number, host=f"h{number}", rules=(rule("high"),), roles={"domain": "evil.example"})
        for number in range(COMMON + 1)
    ]
    assert sizes(gathered(steps, tmp_path)) == [1] * (COMMON + 1)
    assert sizes(gathered(steps[:-1], tmp_path)) == [COMMON]


def test_low_findings_lead_no_further(tmp_path: Path) -> None:
    steps = [Happened(at=number * HOUR // 2, host="a", rules=(rule("low"),)) for number in range(1, 8)]
    ends = [Happened(at=at, host="a", rules=(rule("high"),)) for at in (0, 4 * HOUR)]
    found = gathered([ends[0], *steps, ends[1]], tmp_path)
    assert len([one for one in found if one.level == "high"]) == 2
    assert sum(sizes(found)) == 9


def test_repeats_are_folded_and_told(tmp_path: Path) -> None:
    steps = [Happened(at=number * SECOND, host="a", rules=(rule("high"),)) for number in range(30)]
    (incident,) = gathered(steps, tmp_path)
    assert [one.repeats for one in incident.findings] == [29]
    (folded,) = incident.folded
    assert (folded.count, len(folded.citations), folded.index) == (29, 5, 0)
    (loud,) = gathered(steps, tmp_path, quieten=False)
    assert len(loud.findings) == 30
    assert not loud.folded


def test_what_happens_everywhere_every_day_is_lowered_and_told(tmp_path: Path) -> None:
    steps = [
        Happened(at=day * DAY + number * SECOND, host=f"h{number}", rules=(rule("high"),))
        for day in range(5)
        for number in range(COMMON + 1)
    ]
    found = gathered(steps, tmp_path)
    assert {one.score for one in found} == {0.0}
    assert all("every day" in one.folded[0].because for one in found)
    assert all(one.score > 0 for one in gathered(steps, tmp_path, quieten=False))
    # In one night on all machines it is no custom.
    assert all(one.score > 0 for one in gathered(steps[: COMMON + 1], tmp_path))


def test_two_high_rules_are_to_be_acted_on(tmp_path: Path) -> None:
    steps = [
        Happened(at=0, host="a", rules=(rule("high"), rule("high", 1))),
        Happened(at=0, host="b", rules=(rule("high"),)),
    ]
    now, later = gathered(steps, tmp_path)
    assert (now.rank, later.rank) == ("act now", "review")
    assert now.because[0] == "2 rules of level high"


def test_without_time_or_traces(tmp_path: Path) -> None:
    findings, traces = told([Happened(at=None, host="a", rules=(rule("high"),))], tmp_path)
    (incident,) = gather(findings, RULES, traces)
    assert (incident.first_us, incident.dwell_us) == (None, None)
    assert any("no time" in sentence for sentence in incident.not_seen)
    assert len(gather(findings, RULES)) == 1
    # Traces of something else: no finding may be lost.
    _, others = told([Happened(at=0, host="z", path="other.jsonl", rules=(rule("high"),))], tmp_path)
    assert sizes(gather(findings, RULES, others)) == [1]


def test_nothing_found(tmp_path: Path) -> None:
    assert gather([], RULES) == ()
    assert gathered([Happened(at=0, host="a", act="start", roles={"pid": "7"})], tmp_path) == ()


def test_an_incident_reads_back(tmp_path: Path) -> None:
    found = gathered([Happened(at=0, host="a", rules=(rule("high"), rule("low")))], tmp_path)
    assert msgspec.json.decode(msgspec.json.encode(found), type=tuple[Incident, ...]) == found


def test_patient_zero_is_where_they_came_from(tmp_path: Path) -> None:
    logon = {"new_logon": "0x99", "peer": "a", "account": "HOUSE\\mere", "how": "3"}
    steps = [
        Happened(at=SECOND, host="b", act="logon", inward=True, roles=logon),
        Happened(at=2 * SECOND, host="b", rules=(rule("high", 1),), roles={"logon": "0x99"}),
        Happened(at=60 * SECOND, host="a", rules=(rule("high"),)),
    ]
    (incident,) = gathered(steps, tmp_path)
    assert incident.patient_zero == "a"


def test_a_sid_and_the_name_that_the_machine_gives_it_are_one_account(tmp_path: Path) -> None:
    sid, logon = "S-1-5-21-1-2-3-1104", {"account": "HOUSE\\mere", "sid": "S-1-5-21-1-2-3-1104", "how": "2"}
    steps = [
        Happened(at=0, host="a", rules=(rule("high"),), roles={"sid": sid}),
        Happened(at=HOUR, host="a", act="logon", inward=True, roles=logon),
        Happened(at=3 * HOUR, host="a", rules=(rule("high", 1),), roles={"account": "HOUSE\\mere"}),
    ]
    (incident,) = gathered(steps, tmp_path)
    (account,) = incident.accounts
    assert (account.name, account.also, account.findings) == ("HOUSE\\mere", (sid,), 2)
    assert incident.joins[0].because.startswith("HOUSE\\mere on a")
    elsewhere = [steps[0], replace(steps[1], host="b"), steps[2]]
    assert sizes(gathered(elsewhere, tmp_path)) == [1, 1], "what another machine says makes no two accounts one here"


@pytest.mark.parametrize("sid", ["S-1-5-18", "S-1-5-32-544", "S-1-5-90-0-1", "S-1-5-21-1-2-3-1001"])
def test_the_sid_of_the_system_or_of_a_machine_joins_nothing(tmp_path: Path, sid: str) -> None:
    told_ = Happened(at=0, host="a", act="logon", inward=True, roles={"account": "HOUSE\\A$", "sid": sid, "how": "2"})
    steps = [
        Happened(at=at * HOUR, host="a", rules=(rule("high", at),), roles={"sid": sid, "account": name})
        for at, name in ((0, ""), (3, "HOUSE\\A$"))
    ]
    assert sizes(gathered([told_, *steps], tmp_path)) == [1, 1]


def correlation(findings: list[Finding], events: Sequence[int]) -> Finding:
    """One that stands on the events of these findings."""
    places = tuple(
        Place(ts_us=one.ts_us or 0, path=one.path, rec=one.rec, chunk=one.chunk)
        for one in (findings[at] for at in events)
    )
    correlated = Correlated(
        type="event_count", value=float(len(events)), group={}, first_us=0, last_us=0, count=len(events), events=places
    )
    return replace(findings[events[-1]], rule=rule("critical"), correlated=correlated)


def test_a_correlation_is_joined_by_all_its_events(tmp_path: Path) -> None:
    steps = [Happened(at=number * DAY, host=f"h{number}", rules=(rule("high", number % 4),)) for number in range(3)]
    findings, traces = told(steps, tmp_path)
    assert sizes(gather(findings, RULES, traces)) == [1, 1, 1]
    joined = gather([*findings, correlation(findings, (0, 2))], RULES, traces)
    assert sizes(joined) == [1, 3]
    assert {seen.name for seen in joined[0].hosts} == {"h0", "h2"}


def test_a_correlation_over_more_machines_than_may_join_is_joined_by_its_last(tmp_path: Path) -> None:
    steps = [Happened(at=number * DAY, host=f"h{number}", rules=(rule("high"),)) for number in range(COMMON + 1)]
    findings, traces = told(steps, tmp_path)
    assert sizes(gather([*findings, correlation(findings, range(COMMON + 1))], RULES, traces)) == [1] * COMMON + [2]


@pytest.mark.parametrize(("machines", "hours", "joins"), [(2, 60, True), (2, 70, False), (8, 3, True), (8, 4, False)])
def test_what_more_machines_have_must_be_nearer_in_time(tmp_path: Path, machines: int, hours: int, joins: bool) -> None:
    steps = [
        Happened(at=number * hours * HOUR, host=f"h{number}", rules=(rule("high"),), roles={"domain": "evil.example"})
        for number in range(machines)
    ]
    assert sizes(gathered(steps, tmp_path)) == ([machines] if joins else [1] * machines)


CAME = {"peer": "b", "account": "HOUSE\\mere", "how": "3"}


@pytest.mark.parametrize(
    ("seconds", "roles", "tactic"),
    [
        (30, CAME, "lateral-movement"),
        (90, CAME, "execution"),  # a minute later it may be for anything
        (-5, CAME, "execution"),
        (30, {**CAME, "how": "2"}, "execution"),  # at the keyboard
        (30, {**CAME, "peer": ""}, "execution"),  # nobody knows from where
    ],
)
def test_what_follows_a_logon_from_another_machine_is_movement(
    tmp_path: Path, seconds: int, roles: dict[Role, str], tactic: str
) -> None:
    seen = [Happened(at=0, host="b", act="contact", roles={"pid": "7"})]
    came = [*seen, Happened(at=0, host="a", act="logon", inward=True, roles=roles)]
    found = Happened(at=seconds * SECOND, host="a", rules=(rule("medium"),))
    assert [one.tactic for one in gathered([*came, found], tmp_path)] == [tactic]
    many = [replace(came[1], at=HOUR, roles={**CAME, "peer": f"x{number}"}) for number in range(COMMON + 1)]
    machines = [Happened(at=0, host=f"x{number}", act="contact", roles={"pid": "7"}) for number in range(COMMON + 1)]
    busy = gathered([*came, found, *machines, *many], tmp_path)
    assert [one.tactic for one in busy] == ["execution"], "on a machine that many ask, somebody always has just come"


def test_a_process_that_another_machine_asks_moves_whatever_the_time(tmp_path: Path) -> None:
    own = {"guid": "{1-2}", "image": r"C:\Windows\System32\mshta.exe"}
    steps = [
        Happened(at=0, host="b", act="contact", roles={"pid": "7"}),
        Happened(at=0, host="a", rules=(rule("high"),), act="start", roles=own),
        Happened(at=HOUR, host="a", act="contact", inward=True, roles={**own, "peer": "b"}),
    ]
    (incident,) = gathered(steps, tmp_path)
    assert incident.tactic == "lateral-movement"
    served = [replace(one, roles={**one.roles, "image": r"C:\Windows\System32\svchost.exe"}) for one in steps]
    (other,) = gathered(served, tmp_path)
    assert other.tactic == "execution", "a launcher serves everybody"


def test_a_connection_that_came_in_and_is_told_the_other_way_round(tmp_path: Path) -> None:
    own = {"guid": "{1-2}", "image": r"C:\Windows\System32\mshta.exe"}
    ends = {"peer": "A", "peer_address": "10.0.0.5", "own_address": "10.0.0.9", "own_port": "50001"}
    steps = [
        Happened(at=0, host="a", rules=(rule("high"),), act="start", roles=own),
        Happened(at=SECOND, host="a", act="contact", inward=True, roles={**own, **ends}),
    ]
    (incident,) = gathered(steps, tmp_path)
    assert incident.tactic == "lateral-movement", "what writes its own name first was asked by the other side"


def test_an_address_of_our_own_joins_nothing_and_neither_does_one_of_many_people(tmp_path: Path) -> None:
    def steps(address: str, people: int) -> list[Happened]:
        crowd = [
            Happened(
                at=HOUR, host="", kind="m365", act="logon", roles={"address": address, "principal": f"p{number}@a.b"}
            )
            for number in range(people)
        ]
        told = [
            Happened(
                at=number * HOUR,
                host="",
                kind="m365",
                rules=(rule("high", number),),
                roles={"address": address, "principal": f"q{number}@a.b"},
            )
            for number in range(2)
        ]
        return [*told, *crowd]

    house = Assets([Asset(name="edge", addresses=("198.51.100.1",))])
    assert sizes(gathered(steps("198.51.100.1", 0), tmp_path)) == [2]
    assert sizes(gathered(steps("198.51.100.1", 0), tmp_path, assets=house)) == [1, 1]
    assert sizes(gathered(steps("198.51.100.7", 0), tmp_path, assets=house)) == [2]
    assert sizes(gathered(steps("198.51.100.7", 9), tmp_path, assets=house)) == [1, 1]


def test_a_tree_of_processes_is_called_by_what_started_first_however_logs_were_read(tmp_path: Path) -> None:
    outer = {"image": r"C:\Tools\outer.exe", "guid": "{o}", "pid": "10"}
    inner = {"image": r"C:\Tools\inner.exe", "guid": "{i}", "pid": "11", "parent_guid": "{o}", "parent_pid": "10"}
    last = {"image": r"C:\Tools\last.exe", "guid": "{l}", "pid": "12", "parent_guid": "{i}", "parent_pid": "11"}
    happened = [
        Happened(at=at * 2 * HOUR, host="a", rules=(rule("medium", at),), act="start", roles=roles, rec=at)  # type: ignore[arg-type]
        for at, roles in enumerate((outer, inner, last))
    ]
    for order in permutations(happened):
        findings, traces = told(order, tmp_path)
        (one,) = gather(findings, RULES, traces)
        assert {join.because.partition(", ")[2] for join in one.joins} == {r"from outer.exe, 2 hours apart"}


def test_two_people_of_one_home_days_apart_are_two_and_on_one_day_one(tmp_path: Path) -> None:
    """A cloud names no machine, so that neither of two findings has one says nothing."""
    for days, count in ((4, 2), (1, 1)):
        home = [
            Happened(
                at=at * DAY,
                host="",
                kind="m365",
                path="audit.json",
                rules=(rule("medium", at % 4),),
                roles={"principal": who, "address": "203.0.113.9"},
            )
            for at, who in ((0, "mere@house.example"), (days, "hana@house.example"))
        ]
        findings, traces = told(home, tmp_path)
        assert len(gather(findings, RULES, traces)) == count
