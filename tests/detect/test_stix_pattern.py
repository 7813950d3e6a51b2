"""STIX patterns: the engine agrees with the reference matcher, and says of what it cannot do why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle import stix
from tocsin.collect import read_bytes
from tocsin.detect import correlate, prepare, stix_pattern, streams
from tocsin.detect.patterns import joined
from tocsin.detect.terms import Unusable
from tocsin.model.indicator import Indicator
from tocsin.model.rule import PATTERN, Rule, RuleSet

NOTHING = RuleSet(rules=(), patterns=(), variants=())
SYSMON = "Microsoft-Windows-Sysmon/Operational"
START = 1_600_000_000
SHA256 = ("a" * 64, "b" * 64)

# Few values, so that patterns and events meet. What systems compare without case is written in small letters.
IMAGES = ("c:\\windows\\cmd.exe", "c:\\temp\\evil.exe", "evil.exe", "c:\\temp\\x_y%.exe")
LINES = ("cmd /c whoami", "CMD /c", "evil.exe --x 'a'", "a\\b", "100%_x")
ADDRESSES = ("10.0.0.1", "10.0.1.9", "192.0.2.7", "2001:db8::1")
USERS = ("corp\\anna", "corp\\bob", "anna")
PORTS = (80, 443, 4444)


def compiled(pattern: str, **more: Any) -> RuleSet:
    one = Indicator(id="indicator--1", title="t", pattern=pattern, **more)
    rule = Rule(id=one.id, title="t", level="high", status="", path="", line=0, logsource=PATTERN, indicator=one)
    return joined(NOTHING, [stix_pattern.compiled(one, rule)])


def told(events: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(
        json.dumps(
            {
                **{name: value for name, value in event.items() if name != "second"},
                "Channel": SYSMON,
                "UtcTime": datetime.fromtimestamp(event["second"], UTC).strftime("%Y-%m-%d %H:%M:%S.000"),
                "@timestamp": datetime.fromtimestamp(event["second"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        ).encode()
        + b"\n"
        for event in events
    )


def rows(pattern: str, events: Sequence[dict[str, Any]], **more: Any) -> list[int]:
    """Events in which a pattern of one observation is found."""
    rules = compiled(pattern, **more)
    assert not rules.correlations
    detector = prepare(rules)
    found = detector.scan(read_bytes(told(events), projection=detector.projection))
    return sorted({row for _, some in found.rows for row in some.tolist()})


def sequences(pattern: str, events: Sequence[dict[str, Any]], folder: Path) -> int:
    """How often a pattern of several observations is found."""
    rules = compiled(pattern)
    detector = prepare(rules)
    read = read_bytes(told(events), projection=detector.projection)
    found = detector.scan(read)
    single = sum(len(some) for number, some in found.rows if rules.variants[number].rule not in rules.quiet)
    path = folder / "seen"
    with path.open("wb") as file:
        file.writelines(streams.frames(detector, read, found))
    sightings = streams.read([path])
    bursts = correlate.correlate(rules.correlations, sightings.streams, sightings.vocabulary)
    return single + sum(map(len, bursts))


def process(second: int = 0, **fields: Any) -> dict[str, Any]:
    return {"EventID": 1, "second": START + second, **fields}


def connection(second: int = 0, **fields: Any) -> dict[str, Any]:
    return {"EventID": 3, "second": START + second, **fields}


# ------------------------------------------------------------------------------------------ random


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _texts(values: Sequence[str]) -> st.SearchStrategy[str]:
    """Tests of a property that holds text."""
    value = st.sampled_from(values).map(_quoted)
    part = st.sampled_from(values).flatmap(lambda text: st.integers(0, len(text)).map(lambda at: text[at:] or text))
    like = st.tuples(part, st.sampled_from(("%{}", "{}%", "%{}%", "{}", "_{}", "%_{}"))).map(
        lambda drawn: _quoted(drawn[1].format(drawn[0]))
    )
    regex = st.sampled_from(("^c", "e$", "x", "[0-9]+", "a.*b", "^$", "evil\\.exe", "^.{3,8}$")).map(_quoted)
    return st.one_of(
        st.tuples(st.sampled_from(("=", "!=", "NOT =")), value).map(" ".join),
        st.tuples(st.sampled_from(("LIKE", "NOT LIKE")), like).map(" ".join),
        st.tuples(st.sampled_from(("MATCHES", "NOT MATCHES")), regex).map(" ".join),
        st.lists(value, min_size=1, max_size=3).map(lambda some: f"IN ({', '.join(some)})"),
        st.lists(value, min_size=1, max_size=3).map(lambda some: f"NOT IN ({', '.join(some)})"),
    )


def _path(kind: str, path: str, tests: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return tests.map(lambda test: f"{kind}:{path} {test}")


NUMBERS = st.tuples(st.sampled_from(("=", "!=", "<", "<=", ">", ">=", "NOT <")), st.sampled_from((79, *PORTS))).map(
    lambda drawn: f"{drawn[0]} {drawn[1]}"
)
NETWORKS = st.sampled_from(("ISSUBSET '10.0.0.0/8'", "ISSUBSET '10.0.0.0/24'", "NOT ISSUBSET '10.0.0.0/16'"))
V4 = ADDRESSES[:3]
NAMES = tuple(one.rpartition("\\")[2] for one in IMAGES)
TESTS = {
    "process": st.one_of(
        _path("process", "command_line", _texts(LINES)),
        _path("process", "image_ref.name", _texts(NAMES)),
        _path("process", "parent_ref.command_line", _texts(LINES)),
        _path("process", "creator_user_ref.account_login", _texts(("anna", "bob"))),
        _path("process", "pid", NUMBERS),
    ),
    "file": st.one_of(
        _path("file", "name", _texts(NAMES)),
        _path("file", "hashes.'SHA-256'", st.sampled_from(SHA256).map(lambda text: f"= '{text}'")),
        _path("file", "parent_directory_ref.path", _texts(("c:\\windows", "c:\\temp"))),
    ),
    "directory": _path("directory", "path", _texts(("c:\\windows", "c:\\temp"))),
    "user-account": st.one_of(
        _path("user-account", "account_login", _texts(("anna", "bob"))),
        _path("user-account", "user_id", _texts(USERS)),
    ),
    "ipv4-addr": _path("ipv4-addr", "value", st.one_of(_texts(V4), NETWORKS)),
    "ipv6-addr": _path("ipv6-addr", "value", _texts(ADDRESSES[3:])),
    "network-traffic": st.one_of(
        _path("network-traffic", "dst_port", NUMBERS),
        _path("network-traffic", "src_port", NUMBERS),
        _path("network-traffic", "dst_ref.value", _texts(ADDRESSES)),
        _path("network-traffic", "src_ref.value", _texts(ADDRESSES)),
        _path("network-traffic", "protocols[*]", _texts(("tcp", "udp"))),
    ),
}
KINDS = tuple(TESTS)


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(KINDS))
    text = draw(TESTS[kind])
    for _ in range(draw(st.integers(0, 2))):
        # AND over objects of two types is never true; the reference matcher says so too.
        other = draw(TESTS[kind if draw(st.integers(0, 5)) else draw(st.sampled_from(KINDS))])
        sign = draw(st.sampled_from(("AND", "OR")))
        text = draw(st.sampled_from((f"{text} {sign} {other}", f"({text} {sign} {other})", f"{other} {sign} {text}")))
    return f"[{text}]"


def _maybe(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from((*values, None))


def _event(kind: int, fields: dict[str, Sequence[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    drawn = st.fixed_dictionaries({name: _maybe(values) for name, values in fields.items()})
    seconds = st.integers(0, 12)
    return st.tuples(drawn, seconds).map(
        lambda one: {
            "EventID": kind,
            "second": START + one[1],
            **{name: value for name, value in one[0].items() if value is not None},
        }
    )


EVENTS = st.one_of(
    _event(
        1,
        {
            "Image": IMAGES,
            "CommandLine": LINES,
            "ParentImage": IMAGES,
            "ParentCommandLine": LINES,
            "User": USERS,
            "ProcessId": PORTS,
            "Hashes": tuple(f"MD5={'c' * 32},SHA256={one}" for one in SHA256),
        },
    ),
    _event(
        3,
        {
            "SourceIp": ADDRESSES,
            "DestinationIp": ADDRESSES,
            "SourcePort": PORTS,
            "DestinationPort": PORTS,
            "Protocol": ("tcp", "udp"),
        },
    ),
)


@given(comparisons(), st.lists(EVENTS, min_size=1, max_size=5))
def test_an_observation_is_found_where_the_reference_matcher_finds_it(pattern: str, events: list[Any]) -> None:
    expected = [row for row, event in enumerate(events) if stix.matches(pattern, [event])]
    try:
        found = rows(pattern, events)
    except Unusable as fault:
        found = [] if "two types" in str(fault) or "single object" in str(fault) else [-1]
    assert found == expected


SINGLE = st.one_of(
    st.sampled_from(V4).map(lambda text: f"[ipv4-addr:value = '{text}']"),
    st.sampled_from(("10.0.0.0/8", "192.0.2.0/24")).map(lambda text: f"[ipv4-addr:value ISSUBSET '{text}']"),
    st.sampled_from(PORTS).map(lambda port: f"[network-traffic:dst_port = {port}]"),
)


@st.composite
def several(draw: st.DrawFn) -> str:
    parts = [draw(SINGLE) for _ in range(draw(st.integers(2, 3)))]
    signs = [draw(st.sampled_from(("AND", "OR", "FOLLOWEDBY"))) for _ in parts[1:]]
    text = parts[0]
    for sign, part in zip(signs, parts[1:], strict=True):
        if draw(st.integers(0, 3)) == 0:
            part = f"({part} REPEATS {draw(st.integers(2, 3))} TIMES)"
        text = f"({text}) {sign} {part}" if draw(st.booleans()) else f"{text} {sign} {part}"
    return draw(st.sampled_from((text, f"({text}) WITHIN {draw(st.integers(1, 6))} SECONDS")))


CONNECTIONS = _event(3, {"SourceIp": ADDRESSES[:2], "DestinationIp": V4, "DestinationPort": PORTS})


@given(pattern=several(), events=st.lists(CONNECTIONS, min_size=1, max_size=6))
def test_several_observations_are_found_when_the_reference_matcher_finds_them(
    pattern: str, events: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    found: bool | None
    try:
        found = sequences(pattern, events, tmp_path_factory.mktemp("seen")) > 0
    except Unusable as fault:
        found = stix.matches(pattern, events) if "more than" in str(fault) else None
    assert found == stix.matches(pattern, events), pattern


# ------------------------------------------------------------------------------------------ by hand


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[process:command_line LIKE 'cmd%' AND process:parent_ref.image_ref.name = 'WINWORD.EXE']", [0]),
        ("[process:image_ref.name = 'CMD.EXE']", [0]),  # Windows does not tell them apart
        ("[process:command_line = 'CMD /C WHOAMI']", []),  # but the standard does, where no system says otherwise
        ("[process:command_line MATCHES '(?i)^CMD']", [0]),
        ("[file:hashes.MD5 = 'CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC' AND file:name = 'cmd.exe']", [0]),
        ("[file:hashes.'SHA-256' IN ('x', 'y')]", []),
        ("[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\Software\\\\Run']", [2]),
        ("[windows-registry-key:values[*].name = 'evil' AND windows-registry-key:values[0].data LIKE '%.exe']", [2]),
        ("[network-traffic:dst_ref.value = 'c2.evil.example' AND network-traffic:dst_port = 443]", [1]),
        ("[network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 80]", []),
        ("[ipv4-addr:value ISSUBSET '192.0.2.0/24']", [1]),
        ("[ipv4-addr:value ISSUPERSET '192.0.2.1/32']", [1]),
        ("[ipv4-addr:value ISSUPERSET '192.0.2.1/24' OR domain-name:value = 'C2.EVIL.example']", [1]),
        (
            "[ipv4-addr:value = '192.0.2.1' AND domain-name:value = 'c2.evil.example'] OR [process:pid >= 7]",
            [0],
        ),
        ("[EXISTS windows-registry-key:values[*].name]", [2]),
        ("[NOT EXISTS process:cwd]", [0]),
        ("[user-account:account_login = 'anna']", [0]),
    ],
)
def test_by_hand(pattern: str, found: list[int]) -> None:
    events = [
        process(
            Image="C:\\Windows\\cmd.exe",
            CommandLine="cmd /c whoami",
            ParentImage="C:\\Office\\winword.exe",
            User="CORP\\Anna",
            ProcessId=7,
            Hashes=f"MD5={'C' * 32}",
        ),
        connection(
            SourceIp="10.0.0.1", DestinationIp="192.0.2.1", DestinationHostname="C2.evil.example", DestinationPort=443
        ),
        {"EventID": 13, "second": START, "TargetObject": "HKLM\\Software\\Run\\evil", "Details": "C:\\evil.exe"},
    ]
    assert rows(pattern, events) == found


A, B, C = (f"[ipv4-addr:value = '192.0.2.{number}']" for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("pattern", "seconds", "found"),
    [
        (f"{A} FOLLOWEDBY {B}", {1: [0], 2: [100_000]}, True),
        (f"{A} FOLLOWEDBY {B}", {1: [5], 2: [4]}, False),
        (f"{A} FOLLOWEDBY {B}", {1: [5], 2: [5]}, True),
        (f"({A} FOLLOWEDBY {B}) WITHIN 5 SECONDS", {1: [0], 2: [5]}, True),
        (f"({A} FOLLOWEDBY {B}) WITHIN 5 SECONDS", {1: [0], 2: [6]}, False),
        (f"({A} FOLLOWEDBY {B}) WITHIN 5 SECONDS", {1: [0, 2], 2: [1, 7]}, True),
        (f"{A} FOLLOWEDBY {A}", {1: [0]}, False),
        (f"{A} FOLLOWEDBY {A}", {1: [0, 0]}, True),
        (f"{A} AND {A}", {1: [0]}, False),
        (f"({A} AND {B} AND {C}) WITHIN 2 SECONDS", {1: [2], 2: [1], 3: [3]}, True),
        (f"({A} AND {B}) FOLLOWEDBY {C}", {1: [2], 2: [1], 3: [3]}, True),
        (f"({A} AND {B}) FOLLOWEDBY {C}", {1: [2], 2: [4], 3: [3]}, False),
        (f"{A} REPEATS 3 TIMES WITHIN 10 SECONDS", {1: [0, 5, 10]}, True),
        (f"{A} REPEATS 3 TIMES WITHIN 10 SECONDS", {1: [0, 5, 11]}, False),
        (f"({A} REPEATS 2 TIMES) FOLLOWEDBY {B}", {1: [0, 1], 2: [2]}, True),
        (f"({A} REPEATS 2 TIMES) FOLLOWEDBY {B}", {1: [0, 3], 2: [2]}, False),
        (f"({A} OR {B}) FOLLOWEDBY {C}", {2: [0], 3: [1]}, True),
        (f"({A} FOLLOWEDBY {B}) OR {C}", {3: [1]}, True),
        (f"{A} START t'2020-09-13T12:26:45Z' STOP t'2020-09-13T12:26:50Z'", {1: [5]}, True),
        (f"{A} START t'2020-09-13T12:26:45Z' STOP t'2020-09-13T12:26:50Z'", {1: [10]}, False),
    ],
)
def test_sequences_by_hand(pattern: str, seconds: dict[int, list[int]], found: bool, tmp_path: Path) -> None:
    events = [connection(at, DestinationIp=f"192.0.2.{number}") for number, times in seconds.items() for at in times]
    assert stix.matches(pattern, events) is found, "the reference matcher says otherwise"
    assert (sequences(pattern, events, tmp_path) > 0) is found


def test_only_while_it_is_valid() -> None:
    events = [connection(second, DestinationIp="192.0.2.1") for second in (0, 5, 10)]
    span = {"since_us": (START + 5) * 1_000_000, "until_us": (START + 10) * 1_000_000}
    assert rows("[ipv4-addr:value LIKE '192.%']", events, **span) == [1]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("[ipv4-addr:value = ", "not a STIX pattern"),
        ("[ipv4-addr:value = '192.0.2.1' AND file:name = 'x']", "two types"),
        ("[artifact:payload_bin = 'x']", "'artifact'"),
        ("[file:size > 5]", "file:size"),
        ("[process:pid = 'x']", "is a number"),
        ("[process:command_line > 'a']", "compared by size"),
        ("[process:command_line MATCHES '(']", "the expression"),
        ("[ipv4-addr:value ISSUBSET 'x']", "no network"),
        ("[file:name = t'2020-01-01T00:00:00Z']", "a time"),
        ("[process:arguments[3] = 'x']", "one place in a list"),
        (f"({A} WITHIN 5 SECONDS REPEATS 2 TIMES WITHIN 3 SECONDS) FOLLOWEDBY {B}", "WITHIN inside"),
        (f"({A} FOLLOWEDBY {B}) REPEATS 2 TIMES", "REPEATS of more"),
        (f"{A} START t'2021-01-01T00:00:00Z' STOP t'2020-01-01T00:00:00Z'", "never true"),
        ("[" + "(" * 50 + "file:name = 'x'" + ")" * 50 + "]", "levels deep"),
        ("[" + " OR ".join(["a:b=1"] * 2000) + "]", "comparisons"),
    ],
)
def test_what_cannot_be_used_is_said(pattern: str, why: str) -> None:
    with pytest.raises(Unusable) as fault:
        compiled(pattern)
    assert why in str(fault.value)


@given(st.text(alphabet="[]()'\\ab:.=<>! ANDORLIKEINtT0123*", max_size=60))
def test_any_text_is_a_pattern_or_says_why_not(text: str) -> None:
    with suppress(Unusable):
        compiled(text)
