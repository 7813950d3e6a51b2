"""What must hold for any findings: order is nothing, more logs only take apart, none is lost, nothing common joins."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from investigate.made import DAY, RULES, SECOND, Happened, told
from tocsin.investigate import gather, normal
from tocsin.investigate.gather import drawn
from tocsin.investigate.machines import COMMON
from tocsin.investigate.roles import Role
from tocsin.investigate.table import table
from tocsin.model.incident import Incident

HOSTS = [f"h{number}.example.org" for number in range(6)]
VALUES: dict[Role, list[str]] = {
    "guid": ["{1-1}", "{2-2}", "{3-3}"],
    "parent_guid": ["{1-1}", "{2-2}"],
    "pid": ["100", "200"],
    "parent_pid": ["100"],
    "logon": ["0x11", "0x22", "0x3e7"],
    "new_logon": ["0x11", "0x33"],
    "account": ["HOUSE\\mere", "mere", "SYSTEM"],
    "sid": ["S-1-5-21-1-2-3-1104", "S-1-5-21-1-2-3-1105", "S-1-5-18"],
    "subject": ["HOUSE\\kai", "HOUSE\\mere"],
    "subject_sid": ["S-1-5-21-1-2-3-1105"],
    "peer": ["h1", "h2", "nobody"],
    "peer_address": ["10.0.0.1", "10.0.0.2", "1.2.3.4", "8.8.8.8"],
    "own_address": ["10.0.0.1", "10.0.0.2"],
    "own_port": ["50000", "50001"],
    "peer_port": ["50000", "50001", "445"],
    "domain": ["evil.example", "a.microsoft.com"],
    "hash": ["SHA256=" + "a" * 64],
    "file": [r"C:\Users\Public\a.exe"],
    "image": [r"C:\Users\Public\a.exe", r"C:\Windows\System32\svchost.exe"],
    "parent_image": [r"C:\Windows\System32\services.exe"],
}
TIMES = st.one_of(st.none(), st.integers(0, 3 * DAY), st.integers(0, 90).map(lambda at: at * SECOND))


@st.composite
def records(draw: st.DrawFn, hosts: list[str] = HOSTS, path: str = "made.jsonl", found: bool = True) -> Happened:
    names = draw(st.lists(st.sampled_from(sorted(VALUES)), max_size=6, unique=True))
    act = draw(st.sampled_from(("", "", "start", "logon", "logoff", "contact", "inject")))
    numbers = draw(st.lists(st.integers(0, len(RULES) - 1), max_size=3, unique=True)) if found else []
    return Happened(
        at=draw(TIMES),
        host=draw(st.sampled_from(hosts)),
        rules=tuple(numbers),
        act=act,  # type: ignore[arg-type]
        inward=draw(st.booleans()),
        path=path,
        roles={name: draw(st.sampled_from(VALUES[name])) for name in names},
    )


def gathered(happened: list[Happened]) -> tuple[Incident, ...]:
    with tempfile.TemporaryDirectory() as folder:
        findings, traces = told(happened, Path(folder))
    return gather(findings, RULES, traces)


def numbered(happened: list[Happened]) -> list[Happened]:
    return [replace(one, rec=number) for number, one in enumerate(happened)]


def together(incidents: tuple[Incident, ...]) -> set[tuple[object, ...]]:
    """Pairs of findings of weight that are in one incident."""
    pairs: set[tuple[object, ...]] = set()
    for incident in incidents:
        held = sorted(
            (one.at.path, one.at.rec, one.rule_id)
            for one in incident.findings
            if one.level in {"medium", "high", "critical"}
        )
        pairs.update(combinations(held, 2))
    return pairs


@given(st.lists(records(), max_size=25), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_order_does_not_matter(happened: list[Happened], chance: random.Random) -> None:
    every = numbered(happened)
    turned = list(every)
    chance.shuffle(turned)
    assert gathered(every) == gathered(turned)


@given(st.lists(records(), max_size=25))
@settings(deadline=None, max_examples=60)
def test_every_finding_is_in_exactly_one_incident(happened: list[Happened]) -> None:
    found = gathered(happened)
    wanted = Counter(RULES[number].id for one in happened for number in one.rules)
    held: Counter[str] = Counter()
    for incident in found:
        for one in incident.findings:
            held[one.rule_id] += 1 + one.repeats
        assert len(incident.joins) == len(incident.findings) - 1, "each but the first is joined, and by one reason"
        assert all(join.because and join.weight > 0 for join in incident.joins)
    assert held == wanted
    assert len({incident.id for incident in found}) == len(found)


# Other machines, that speak of none of these by name; accounts, addresses, programs and domains may be the same. What
# rules find there is low: benign.
BENIGN = [f"x{number}.example.org" for number in range(12)]


@st.composite
def benign(draw: st.DrawFn) -> Happened:
    one = draw(records(BENIGN, "more.jsonl"))
    return replace(
        one,
        rules=tuple(number for number in one.rules if RULES[number].level in {"low", "informational"}),
        roles={name: value for name, value in one.roles.items() if name != "peer"},
    )


@given(st.lists(records(), max_size=14), st.lists(benign(), max_size=14))
@settings(deadline=None, max_examples=60)
def test_unrelated_logs_never_merge_incidents(happened: list[Happened], more: list[Happened]) -> None:
    every = numbered(happened)
    with tempfile.TemporaryDirectory() as folder:
        findings, traces = told(every, Path(folder))
        before = together(gather(findings, RULES, traces, quieten=False))
    with tempfile.TemporaryDirectory() as folder:
        findings, traces = told([*every, *numbered(more)], Path(folder))
        after = together(gather(findings, RULES, traces, quieten=False))
    mine = {pair for pair in after if all(end[0] == "made.jsonl" for end in pair)}  # type: ignore[index]
    assert mine <= before


@given(st.lists(records([f"h{at}.example.org" for at in range(14)]), max_size=60))
@settings(deadline=None, max_examples=40)
def test_nothing_common_joins(happened: list[Happened]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        findings, traces = told(happened, Path(folder))
    known = table(findings, traces, RULES)
    if not len(known):
        return
    held = drawn(traces, known, RULES, {}).links.held
    assert (held <= COMMON).all()


def test_an_address_is_one_however_much_stands_around_it() -> None:
    """What is longer than an address ever is, is not remembered; it is read all the same."""
    for text in ("203.0.113.9", " " * 200 + "203.0.113.9", "[::ffff:203.0.113.9]"):
        assert normal.address(text) == "203.0.113.9"
    assert normal.address("127.0.0.1") == normal.address("9" * 10_000) == ""
