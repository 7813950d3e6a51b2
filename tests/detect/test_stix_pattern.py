"""STIX patterns: the engine agrees with the reference matcher, and says of what it cannot do why."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
        assert "two types" in str(fault) or "single object" in str(fault)
        found = []
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
    try:
        found = sequences(pattern, events, tmp_path_factory.mktemp("seen")) > 0
    except Unusable as fault:
        assert "more than" in str(fault)
        return
    assert found == stix.matches(pattern, events), pattern
