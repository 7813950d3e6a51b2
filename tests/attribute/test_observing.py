"""An incident becomes what was seen of somebody: by tags of rules, addresses outside, and what logs could show."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tocsin.attribute.observing import observe, view
from tocsin.attribute.rhythm import HOUR_US, zone
from tocsin.model.asset import Asset, Assets
from tocsin.model.coverage import RuleCoverage
from tocsin.model.incident import Citation, Cited, Incident, Seen
from tocsin.model.rule import Level, Rule


def rule(name: str, *techniques: str, tags: tuple[str, ...] = (), logsource: str = "windows/process_creation") -> Rule:
    return Rule(
        id=name,
        title=name,
        level="high",
        status="stable",
        path="r.yml",
        line=1,
        logsource=logsource,
        tags=tags,
        techniques=techniques,
    )


def finding(name: str, level: Level = "high", *techniques: str, **fields: str) -> Cited:
    at = Citation(src="a.evtx", path="", rec=1, chunk=0, ts_us=1_700_000_000_000_000)
    return Cited(
        rule_id=name,
        title=name,
        level=level,
        techniques=techniques,
        tactics=(),
        host="WS1",
        kind="windows",
        at=at,
        fields=fields,
    )


def incident(*findings: Cited, addresses: tuple[str, ...] = ()) -> Incident:
    return Incident(
        id="i1",
        title="Somebody was here",
        rank="act now",
        score=1.0,
        because=(),
        level="high",
        first_us=1_690_000_000_000_000,
        last_us=1_700_000_000_000_000,
        findings=findings,
        addresses=tuple(Seen(name=one, first_us=None, last_us=None, findings=1) for one in addresses),
    )


OURS = Assets([Asset(name="www.ours.example", addresses=("198.51.100.0/24",))])


def seen(one: Incident, *rules: Rule) -> list[tuple[str, str, str]]:
    looked = view(rules, [], ours=OURS, is_outside=lambda text: not text.startswith("10."))
    return [(trait.kind, trait.value, trait.grade) for trait in observe(one, looked).traits]


def test_rules_tell_software_and_vulnerabilities_by_their_tags_and_never_groups() -> None:
    told = rule("r", tags=("attack.s0002", "cve.2021-44228", "attack.g0049", "attack.execution", "cve.2021.34527"))
    assert seen(incident(finding("r")), told) == [
        ("software", "S0002", "C2"),
        ("vulnerability", "CVE-2021-44228", "C3"),
        ("vulnerability", "CVE-2021-34527", "C3"),
    ]
    assert not seen(incident(finding("r", "low")), told), "what is low says nothing of anybody"
    assert not seen(incident(finding("another")), told)


def test_addresses_outside_are_infrastructure_and_ours_are_not() -> None:
    found = seen(incident(finding("r"), addresses=("203.0.113.7", "10.1.2.3", "198.51.100.9", "no address")))
    assert found == [("infrastructure", "address:203.0.113.7", "B3")]


def test_domains_of_addresses_in_fields_are_infrastructure() -> None:
    command = "curl HTTPS://user:word@C2.Example./x https://www.ours.example/y http://localhost/z http://c2.example:80/"
    assert seen(incident(finding("r", CommandLine=command))) == [("infrastructure", "domain:c2.example", "B3")]


def test_a_value_that_many_findings_tell_is_one_with_the_best_grade() -> None:
    found = seen(incident(finding("a", "medium", "T1003"), finding("b", "critical", "T1003")))
    assert found == [("technique", "T1003", "B2")]


def test_a_command_line_cannot_flood_it() -> None:
    flood = " ".join(f"http://h{number}.example/" for number in range(5000))
    assert len(seen(incident(finding("r", CommandLine=flood)))) <= 200


def test_what_logs_could_show_is_told_with_where_to_look_else() -> None:
    rules = [rule("a", "T1003"), rule("b", "T1059", "T1003"), rule("c", "T1059", logsource="windows//powershell")]
    coverage = [
        RuleCoverage(rule=0, state="silent"),
        RuleCoverage(rule=1, state="no log source"),
        RuleCoverage(rule=2, state="field absent"),
    ]
    found = observe(incident(finding("a")), view(rules, coverage, ours=OURS, is_outside=lambda text: False))
    assert found.watched == {"T1003"}
    assert found.sensors == {"T1059": ("windows//powershell", "windows/process_creation")}


DAY_US = 24 * HOUR_US


def test_office_hours_somewhere_tell_a_zone() -> None:
    far = [day * DAY_US + hour * HOUR_US for day in range(8) for hour in range(10)]  # 00 to 09 UTC
    assert zone(far) == "UTC+8"
    assert zone([day * DAY_US + hour * HOUR_US for day in range(8) for hour in range(8, 18)]) == "UTC"


def test_few_hours_or_days_or_all_hours_tell_nothing() -> None:
    assert zone([]) == ""
    assert zone([hour * HOUR_US for hour in range(24)]) == ""
    assert zone([day * DAY_US + hour * HOUR_US for day in range(9) for hour in range(24)]) == ""
    assert zone([day * DAY_US + 5 * HOUR_US for day in range(30)]) == "", "one hour each day fits ten zones"
    assert (
        zone([second for day in range(4) for second in range(day * DAY_US, day * DAY_US + 9 * HOUR_US, 60_000_000)])
        == ""
    )


@given(st.lists(st.integers(-(2**60), 2**60), max_size=60), st.randoms(use_true_random=False))
def test_any_times_give_a_zone_or_none_in_any_order(times: list[int], chosen) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(times)
    chosen.shuffle(shuffled)
    assert zone(times) == zone(shuffled)
