"""A hunt equals a scan of the logs themselves; a gap is named; what expired finds what happened in its time."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.making import ADDRESSES, DOMAINS, HASHES, HOSTS, write_logs
from tocsin import pipeline, respond, retrohunt
from tocsin.errors import LakeError
from tocsin.intake import LOOKS, take_in
from tocsin.lake import journal, upkeep
from tocsin.lake.store import Lake, open_lake
from tocsin.model.finding import Finding
from tocsin.model.hunt import Asked, Cell
from tocsin.model.rule import RuleSet, RuleText
from tocsin.retrohunt import Hunted

NO_RULES = RuleSet(rules=(), patterns=(), variants=())
RULES = """
title: Tool in a temporary folder
id: 11111111-1111-4111-8111-111111111111
logsource: {product: windows, category: process_creation}
detection: {one: {Image|contains: '\\\\Temp\\\\'}, condition: one}
level: high
---
title: Words in a log of text
id: 22222222-2222-4222-8222-222222222222
logsource: {product: linux}
detection: {words: ['evil.sh', 'good.example'], condition: words}
level: low
---
title: A list holds it
id: 33333333-3333-4333-8333-333333333333
logsource: {product: zeek, service: dns}
detection: {one: {answers: '10.0.0.1'}, none: {service: null}, condition: one and none}
level: low
---
title: Many look-ups
name: look_up
id: 44444444-4444-4444-8444-444444444444
logsource: {product: windows, category: dns_query}
detection: {one: {QueryName|endswith: 'example'}, condition: one}
level: low
---
title: Many of them
id: 55555555-5555-4555-8555-555555555555
correlation: {type: event_count, rules: [look_up], group-by: [Computer], timespan: 1d, condition: {gte: 2}}
level: medium
"""


def asked(**more: Any) -> Asked:
    return Asked(**{"by": "Ben", "authority": "a test", "purpose": "", "names": ("x",), **more})


@contextmanager
def hunting(lake: Lake, names: Sequence[Path], rules: RuleSet = NO_RULES, **more: Any):  # type: ignore[no-untyped-def]
    hunt = retrohunt.prepared([str(name) for name in names], rules)
    hosts = more.pop("hosts", ())
    with retrohunt.retrohunt(lake, hunt, asked(**more), hosts=hosts, jobs=1) as hunted:
        yield hunted


def found(findings: Sequence[Finding], rules: RuleSet) -> Counter[tuple[Any, ...]]:
    return Counter(
        (
            rules.rules[one.rule].id,
            one.variant,
            one.ts_us,
            one.host,
            one.kind,
            one.src,
            one.path,
            one.rec,
            tuple(sorted(one.fields.items())),
            one.correlated.count if one.correlated else None,
        )
        for one in findings
    )


def scanned(logs: Path, names: Sequence[Path], rules: RuleSet = NO_RULES, **more: Any) -> Counter[tuple[Any, ...]]:
    """What the logs themselves hold: every event is looked at."""
    hunt = retrohunt.prepared([str(name) for name in names], rules)
    with pipeline.detect([logs], hunt.rules, indicators=hunt.told, ever=True, jobs=1, **more) as run:
        return found(list(run.findings), hunt.rules)


def defanged(text: str) -> str:
    return text.replace("http", "hxxp").replace(".", "[.]")


INDICATORS = [
    *ADDRESSES,
    *DOMAINS,
    *HASHES,
    "192.0.2.0/24",
    "2001:db8::/48",
    "203.0.113.0/25",
    "http://evil.example/3.php",
    "https://good.example/a",
    "http://xn--bcher-kva.example/1.php",
    "evil.exe",
    "my tool.exe",
    "cmd.exe",
    "C:\\Temp\\evil.exe",
    "/tmp/evil.sh",
    "CORP\\boris",
    "*.evil.example",
    "absent.example",
]
SPELLINGS: list[Callable[[str], str]] = [str, str.upper, str.lower, defanged, lambda text: f'"{text}"']


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    chosen=st.lists(st.tuples(st.sampled_from(INDICATORS), st.sampled_from(SPELLINGS)), min_size=1, max_size=8),
    compacted=st.booleans(),
    window=st.none() | st.tuples(st.integers(0, 3), st.integers(1, 3)),
)
def test_a_hunt_is_a_scan(
    seed: int, chosen: list[tuple[str, Callable[[str], str]]], compacted: bool, window: tuple[int, int] | None
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_logs(root / "logs", seed)
        (root / "list.txt").write_text("\n".join(spelt(text) for text, spelt in chosen) + "\nnever.seen.example\n")
        take_in([root / "logs"], root / "lake", jobs=1)
        lake = open_lake(root / "lake")
        if compacted:
            upkeep.compact(lake, LOOKS)
        more: dict[str, Any] = {}
        if window:
            first = datetime(2021, 3, 1, 7, tzinfo=UTC) + timedelta(days=window[0])
            more = {"since_us": _us(first), "until_us": _us(first + timedelta(days=window[1]))}
        with hunting(lake, [root / "list.txt"], **more) as hunted:
            got = found(list(hunted.response.run.findings), hunted.response.run.rules)
        assert got == scanned(root / "logs", [root / "list.txt"], **more)


def _us(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    for seed in range(3):
        write_logs(tmp_path / "logs", seed, files=4)
    take_in([tmp_path / "logs"], tmp_path / "lake", jobs=1)
    return open_lake(tmp_path / "lake")


def compiled() -> RuleSet:
    rules = pipeline.compile_rules([RuleText(path="rules.yml", content=RULES.encode())])
    assert not rules.problems
    return rules


def test_what_windows_says_in_words_alone_is_found(tmp_path: Path) -> None:
    head = {"EventTime": "2021-03-02 10:00:00", "Hostname": HOSTS[0], "Channel": "Application", "EventID": 7}
    said = {**head, "Message": "Asked evil.example for\r\n192.0.2.77:443"}
    lines = [said, {**said, "Image": "C:\\a.exe"}, {**head, "Message": "Nothing"}]
    (tmp_path / "one.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "list.txt").write_text("evil.example\n192.0.2.77\n")
    take_in([tmp_path / "one.json"], tmp_path / "lake", jobs=1)
    with hunting(open_lake(tmp_path / "lake"), [tmp_path / "list.txt"]) as hunted:
        findings = list(hunted.response.run.findings)
    assert [(one.rec, set(one.fields)) for one in findings] == [(0, {"Message"})] * 2


def test_rules_keywords_lists_and_correlations_over_a_lake_are_a_scan(tmp_path: Path, lake: Lake) -> None:
    rules = compiled()
    with hunting(lake, [], rules) as hunted:
        run = hunted.response.run
        got = found(list(run.findings), run.rules)
        assert {rules.rules[one.rule].id[0] for one in run.findings} == {"1", "2", "3", "5"}  # 4 is there for 5
        counts = Counter(one.rule for one in run.findings)
        told = {one.rule: one.findings for one in run.coverage.rules if one.state == "fired"}
        assert {rule: told.get(rule) for rule in counts} == counts
    assert got == scanned(tmp_path / "logs", [], rules)


SILENT = """
title: A tool that nobody has
id: 66666666-6666-4666-8666-666666666666
logsource: {product: windows, category: process_creation}
detection: {one: {Image|endswith: '\\\\rubeus.exe'}, two: {Image|contains: evil}, condition: one and not two}
level: high
---
title: Of which there is no log
id: 77777777-7777-4777-8777-777777777777
logsource: {product: windows, category: wmi_event}
detection: {one: {EventType: WmiConsumerEvent}, condition: one}
level: high
---
title: A field that no event of this sort has
id: 88888888-8888-4888-8888-888888888888
logsource: {product: windows, category: process_creation}
detection: {one: {QueryName: evil.example}, condition: one}
level: high
"""


@pytest.mark.parametrize("compacted", [False, True])
def test_what_the_vocabulary_rules_out_is_not_read_and_all_is_told_as_by_a_scan(
    tmp_path: Path, lake: Lake, compacted: bool
) -> None:
    if compacted:
        upkeep.compact(lake, LOOKS)
    for text in (SILENT, RULES + "---" + SILENT):
        rules = pipeline.compile_rules([RuleText(path="rules.yml", content=text.encode())])
        assert not rules.problems
        with hunting(lake, [], rules) as hunted:
            told = hunted.response.run.coverage
            got = found(list(hunted.response.run.findings), rules)
        with pipeline.detect([tmp_path / "logs"], rules, jobs=1) as run:
            assert told.rules == run.coverage.rules
            assert got == found(list(run.findings), rules)
        if text is SILENT:
            states = [one.state for one in told.rules]
            assert states == ["silent", "no log source", "field absent"]
            assert not got
            assert 0 < hunted.parts_read < hunted.parts


def test_patterns_and_revoked_and_expired_indicators(tmp_path: Path, lake: Lake) -> None:
    bundle = {
        "type": "bundle",
        "id": "bundle--1",
        "objects": [
            _indicator(1, "[domain-name:value = 'evil.example']", until="2021-03-31T00:00:00Z", confidence=80),
            _indicator(2, "[domain-name:value = 'good.example']", revoked=True, confidence=80),
            _indicator(3, "[network-traffic:dst_ref.value LIKE '192.0.2.%']", confidence=50),
            _indicator(4, "[domain-name:value = 'xn--bcher-kva.example']", since="2033-01-01T00:00:00Z", confidence=80),
        ],
    }
    (tmp_path / "bundle.json").write_text(json.dumps(bundle))
    with hunting(lake, [tmp_path / "bundle.json"]) as hunted:
        told = {one.id[-1]: one for one in hunted.told}
        levels = {one.id[-1]: hunted.response.run.rules.rules[one.rule].level for one in hunted.told}
        titles = {one.id[-1]: hunted.response.run.rules.rules[one.rule].title for one in hunted.told}
    assert set(told) == {"1", "2", "3", "4"}
    # An indicator that expired years ago says of events of its time what it said then.
    assert told["1"].score == 80
    assert told["1"].whens["in its time"] > 0
    assert levels["1"] == "high"
    assert told["2"].revoked
    assert told["2"].score == 16
    assert levels["2"] == "informational"
    assert "revoked" in titles["2"]
    assert set(told["4"].whens) == {"before its time"}
    assert levels["4"] == "low"
    assert any("before it began to hold" in because for _, because in told["4"].terms)
    assert "outside the time" in titles["4"]
    for one in told.values():
        value = 100.0
        for factor, _ in one.terms:
            value *= factor
        assert one.score == (round(value) if one.terms else None)


def _indicator(
    number: int, pattern: str, *, since: str = "2021-01-01T00:00:00Z", until: str | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--00000000-0000-4000-8000-00000000000{number}",
        "created": "2021-01-01T00:00:00Z",
        "modified": "2021-01-01T00:00:00Z",
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": since,
        **({"valid_until": until} if until else {}),
        **more,
    }


def test_a_hunt_ends_in_incidents(tmp_path: Path, lake: Lake) -> None:
    (tmp_path / "list.txt").write_text("evil.example\n192.0.2.1\n")
    with hunting(lake, [tmp_path / "list.txt"], compiled()) as hunted:
        findings = list(hunted.response.run.findings)
        assert findings
        incidents = hunted.response.incidents
        assert {one.src for one in findings} <= set(lake.state.evidence.values())
        assert {host.name for one in incidents for host in one.hosts} & set(HOSTS)


def test_a_hunt_and_a_response_order_what_they_found_in_one_way(tmp_path: Path, lake: Lake) -> None:
    rules = compiled()
    with hunting(lake, [], rules) as hunted, respond.respond([tmp_path / "logs"], rules, jobs=1) as response:
        for answer in (hunted.response, response):
            assert answer.background, "context of low level stands behind the queue"
            assert not any(one.rank == "background" for one in answer.incidents)
        titles = [Counter((one.rank, one.title) for one in answer.incidents) for answer in (hunted.response, response)]
        assert titles[0] == titles[1]
        counts = [sum(one.count for one in answer.background) for answer in (hunted.response, response)]
        assert counts[0] == counts[1]


def test_what_stands_in_a_text_of_too_many_words_is_found(tmp_path: Path) -> None:
    words = " ".join(f"n{number}.example" for number in range(6000))
    line = {"EventTime": "2021-03-01 00:00:00", "Hostname": "x", "Channel": "Security", "EventID": 4688}
    (tmp_path / "one.json").write_text(json.dumps({**line, "CommandLine": words}) + "\n" + json.dumps(line))
    (tmp_path / "list.txt").write_text("n4711.example\nabsent.example\n")
    take_in([tmp_path / "one.json"], tmp_path / "lake", jobs=1)
    with hunting(open_lake(tmp_path / "lake"), [tmp_path / "list.txt"]) as hunted:
        assert [(one.value, one.events) for one in hunted.told] == [("n4711.example", 1)]


# --------------------------------------------------------------------------------- what could not be seen

DAYS = [date(2021, 3, 1) + timedelta(days=number) for number in range(61)]  # March and April
SOURCES = [("windows", host) for host in HOSTS] + [("zeek", "sensor1"), ("zeek", "sensor2")]


def _record(kind: str, host: str, day: date, number: int) -> dict[str, Any]:
    if kind == "windows":
        return {
            "EventTime": f"{day} 12:00:00",
            "Hostname": host,
            "SourceName": "Microsoft-Windows-Sysmon",
            "Channel": "Microsoft-Windows-Sysmon/Operational",
            "EventID": 3,
            "DestinationIp": f"10.0.0.{number % 250}",
        }
    ts = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
    ends = {"id_orig_h": "10.9.9.9", "id_orig_p": 1, "id_resp_h": f"10.0.1.{number % 250}", "id_resp_p": 53}
    return {"@stream": "conn", "@system": host, "@proc": "zeek", "ts": ts, "uid": f"C{number}", **ends}


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_each_gap_is_named(data: st.DataObject) -> None:
    """Random days, kinds and hosts are taken away; for each day of each source the answer is what is left of it."""
    gone_kinds = data.draw(st.sets(st.sampled_from(["zeek"]), max_size=1))
    gone_hosts = data.draw(st.sets(st.sampled_from(HOSTS), max_size=2))
    gone_days = {source: data.draw(st.sets(st.sampled_from(DAYS), max_size=20)) for source in SOURCES}
    gone_days[SOURCES[0]] -= {DAYS[0], DAYS[-1]}  # so that the lake goes from the first day to the last
    gone_hosts -= {HOSTS[0]}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        left: dict[tuple[str, str], set[date]] = {}
        for kind, host in SOURCES:
            if kind in gone_kinds or host in gone_hosts:
                continue
            left[kind, host] = set(DAYS) - gone_days[kind, host]
            lines = [_record(kind, host, day, at) for at, day in enumerate(sorted(left[kind, host]))]
            (root / f"{kind}-{host}.json").write_text("\n".join(map(json.dumps, lines)))
        (root / "list.txt").write_text("203.0.113.99\n")
        take_in(sorted(root.glob("*.json")), root / "lake", jobs=1)
        with hunting(open_lake(root / "lake"), [root / "list.txt"], hosts=HOSTS) as hunted:
            cells = list(hunted.cells())
            absent = hunted.absent_kinds
    assert set(gone_kinds) <= set(absent)
    for kind, host in SOURCES:
        if kind in gone_kinds or (kind == "zeek" and not any(source[0] == "zeek" for source in left)):
            continue
        mine = [cell for cell in cells if cell.kind == kind and cell.host == host and cell.type == "address"]
        for day in DAYS:
            cell = _of_month(mine, str(day)[:7])
            visible = day in left.get((kind, host), set())
            assert _visible(cell, day) == visible, (kind, host, day, cell)


def _of_month(cells: list[Cell], month: str) -> Cell:
    (cell,) = [one for one in cells if one.since <= month <= one.until]
    return cell


def _visible(cell: Cell, day: date) -> bool:
    """What the answer says of one day."""
    for gap in cell.gaps:
        first, _, last = gap.partition("/")
        if first <= str(day) <= (last or first):
            return False
    return cell.answer != "could not be seen"


def test_a_type_that_no_field_could_hold_is_not_known(tmp_path: Path, lake: Lake) -> None:
    (tmp_path / "list.txt").write_text("somebody@absent.example\n192.0.2.200\n")
    with hunting(lake, [tmp_path / "list.txt"]) as hunted:
        cells = list(hunted.cells())
    assert {cell.type for cell in cells} == {"address", "mail"}
    assert {"not seen", "partly visible", "could not be seen"} >= {cell.answer for cell in cells}
    assert "could not be seen" in {cell.answer for cell in cells}


# --------------------------------------------------------------------------------- the journal


def test_each_hunt_stands_in_the_journal(tmp_path: Path, lake: Lake) -> None:
    (tmp_path / "list.txt").write_text("evil.example\n")
    with hunting(lake, [tmp_path / "list.txt"], authority="order 7", purpose="a partner asks"):
        pass
    asked_, answered = journal.entries(lake)
    assert (asked_["what"], asked_["authority"], asked_["purpose"], asked_["by"]) == (
        "asked",
        "order 7",
        "a partner asks",
        "Ben",
    )
    assert answered["what"] == "answered"
    assert answered["found"] == 1
    path = lake.folder / "hunts.jsonl"
    path.write_bytes(path.read_bytes().replace(b"order 7", b"order 8"))
    with pytest.raises(LakeError, match="was changed"), hunting(lake, [tmp_path / "list.txt"]):
        pass


def test_the_same_hunt_gives_the_same_answer(tmp_path: Path, lake: Lake) -> None:
    (tmp_path / "list.txt").write_text("\n".join(INDICATORS))
    answers: list[tuple[Any, ...]] = []
    for _ in range(2):
        with hunting(lake, [tmp_path / "list.txt"]) as hunted:
            answers.append(_whole(hunted))
    assert answers[0] == answers[1]
    assert journal.entries(lake)[1]["digest"] == journal.entries(lake)[3]["digest"]


def _whole(hunted: Hunted) -> tuple[Any, ...]:
    return hunted.told, tuple(hunted.response.run.findings), hunted.response.incidents, tuple(hunted.cells())
