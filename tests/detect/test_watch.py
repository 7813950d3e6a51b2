"""Indicators are found in events: where each may stand, as a word, in its time, and nowhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.collect import plan, read_bytes, read_units
from tocsin.detect import tokens
from tocsin.detect.indicators import level_of, prepared
from tocsin.detect.observed_fields import FIELDS
from tocsin.detect.watch import Watch
from tocsin.detect.words import Words
from tocsin.model.indicator import Indicator, Intelligence, Observable
from tocsin.model.rule import RuleSet
from tocsin.observe.known_good import KnownGood, compiled
from tocsin.observe.what import what_is

NOTHING = RuleSet(rules=(), patterns=(), variants=())
SYSMON = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1}


def watch(*observables: Observable, ever: bool = False, **more: Any) -> Watch:
    indicators = tuple(
        Indicator(id=f"{number}", title="t", observables=(one,), **more) for number, one in enumerate(observables)
    )
    return Watch(prepared(Intelligence(indicators=indicators), NOTHING).rules, ever=ever)


def seen(one: Watch, *events: Mapping[str, Any]) -> list[tuple[int, int, list[str]]]:
    """Row, indicator, and the fields in which it stands."""
    content = b"".join(json.dumps({**SYSMON, **event}).encode() + b"\n" for event in events)
    found = one.scan(read_bytes(content, projection=one.projection))
    named = [[found.names[at] for at in places] for places in found.fields]
    return list(zip(found.rows.tolist(), found.rules.tolist(), named, strict=True))


def held(kind: str, value: str, field: str, text: Any) -> bool:
    return bool(seen(watch(Observable(kind, value)), {field: text}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "field", "text", "expected"),
    [
        ("address", "192.0.2.1", "DestinationIp", "192.0.2.1", True),
        ("address", "192.0.2.1", "DestinationIp", "::ffff:192.0.2.1", True),
        ("address", "192.0.2.1", "DestinationIp", "192.0.2.1:443", True),
        ("address", "192.0.2.1", "DestinationIp", "192.0.2.10", False),
        ("address", "2001:db8::1", "DestinationIp", "2001:0DB8:0:0:0:0:0:1", True),
        ("address", "192.0.2.1", "x-forwarded-for", "10.0.0.1, 192.0.2.1", True),
        ("address", "192.0.2.1", "c-uri", "http://192.0.2.1:8080/x", True),
        ("address", "192.0.2.1", "CommandLine", "curl http://192.0.2.1/x", True),
        ("address", "192.0.2.1", "CommandLine", "ping 1192.0.2.1", False),
        ("address", "192.0.2.1", "CommandLine", "ping 8.192.0.2.1", False),
        ("address", "192.0.2.1", "CommandLine", "ping 192.0.2.1.", True),
        ("address", "192.0.2.1", "CommandLine", "ping 192.0.2.1.5", False),
        ("network", "192.0.2.0/24", "SourceIp", "192.0.2.77", True),
        ("network", "192.0.2.0/24", "SourceIp", "192.0.3.77", False),
        ("network", "2001:db8::/32", "SourceIp", "2001:db8:5::1", True),
        ("domain", "evil.example", "QueryName", "EVIL.example.", True),
        ("domain", "evil.example", "QueryName", "a.b.evil.example", True),
        ("domain", "evil.example", "QueryName", "notevil.example", False),
        ("domain", "b.evil.example", "QueryName", "evil.example", False),
        ("domain", "evil.example", "c-uri", "https://sub.evil.example:8443/x?y", True),
        ("domain", "evil.example", "c-uri", "https://good.example/?next=evil.example", False),
        ("domain", "evil.example", "CommandLine", "iwr https://sub.Evil.Example/x", True),
        ("domain", "evil.example", "CommandLine", "iwr https://evil.example.org/x", False),
        ("domain", "evil.example", "CommandLine", "see evil.example.", True),
        ("domain", "xn--bcher-kva.example", "QueryName", "bücher.example", True),
        ("domain", "evil.example", "sender", "anna@evil.example", True),
        ("url", "http://evil.example/a", "c-uri", "HTTP://EVIL.example:80/a#top", True),
        ("url", "http://evil.example/a", "c-uri", "http://evil.example/A", False),
        ("url", "http://evil.example/a", "c-uri", "http://evil.example/ab", False),
        ("url", "http://evil.example/a", "CommandLine", "iwr 'http://evil.example/a'", True),
        ("url", "http://evil.example/a", "CommandLine", "iwr http://evil.example/a/b", False),
        ("url", "http://evil.example/", "CommandLine", 'iwr "http://evil.example"', True),
        ("url", "http://evil.example/", "CommandLine", 'iwr "http://evil.example/"', True),
        ("url", "http://evil.example/", "CommandLine", 'iwr "http://evil.example/x"', False),
        ("md5", "a" * 32, "Hashes", f"MD5={'A' * 32},IMPHASH={'B' * 32}", True),
        ("md5", "b" * 32, "Hashes", f"MD5={'A' * 32},IMPHASH={'B' * 32}", False),
        ("sha1", "ab" * 20, "tls.fingerprint", ":".join(["AB"] * 20), True),
        ("md5", "c" * 32, "tls.ja3.hash", "C" * 32, True),
        ("ja4", "t13d1516h2_8daaf6152771_b186095e22b6", "ja4", "T13d1516h2_8daaf6152771_b186095e22b6", True),
        ("ja4", "t13d1516h2_8daaf6152771_b186095e22b6", "ja4", "t13d1516h2_8daaf6152771_b186095e22b7", False),
        ("imphash", "b" * 32, "Hashes", f"MD5={'A' * 32},IMPHASH={'B' * 32}", True),
        ("sha256", "c" * 64, "Hashes", f"SHA256={'C' * 64}", True),
        ("sha256", "c" * 64, "CommandLine", f"x {'c' * 65}", False),
        ("file", "evil.exe", "Image", "C:\\Temp\\EVIL.exe", True),
        ("file", "evil.exe", "Image", "C:\\Temp\\notevil.exe", False),
        ("file", "evil.exe", "CommandLine", "start evil.exe -x", True),
        ("file", "evil.exe", "CommandLine", "start evil.exe.config", False),
        ("path", "c:\\temp\\evil.exe", "Image", "C:\\Temp\\evil.exe", True),
        ("account", "corp\\anna", "User", "CORP\\Anna", True),
        ("account", "anna", "User", "CORP\\Anna", True),
        ("account", "corp\\anna", "User", "OTHER\\Anna", False),
        ("sid", "s-1-5-21-1-2-3-500", "TargetUserSid", "S-1-5-21-1-2-3-500", True),
        ("key", "hklm\\software\\evil", "TargetObject", "HKLM\\Software\\Evil\\Run", True),
        ("key", "hkey_local_machine\\software\\evil", "TargetObject", "HKLM\\Software\\Evil", True),
        ("key", "hklm\\software\\evil", "TargetObject", "HKLM\\Software\\Evil2", False),
        ("mail", "anna@evil.example", "recipients", ["bob@good.example", "Anna@Evil.example"], True),
        ("agent", "Evil/1.0", "c-useragent", "Evil/1.0", True),
    ],
)
def test_where_it_stands(kind: str, value: str, field: str, text: Any, expected: bool) -> None:
    assert held(kind, value, field, text) is expected


def test_one_finding_for_each_event_and_indicator() -> None:
    one = watch(Observable("domain", "evil.example"), Observable("address", "192.0.2.1"))
    found = seen(
        one,
        {"QueryName": "evil.example", "CommandLine": "nslookup evil.example", "DestinationIp": "192.0.2.1"},
        {"QueryName": "good.example"},
        {"QueryName": "x.evil.example"},
    )
    assert found == [(0, 0, ["CommandLine", "QueryName"]), (0, 1, ["DestinationIp"]), (2, 0, ["QueryName"])]


def test_only_in_its_time() -> None:
    events = [{"QueryName": "evil.example", "@timestamp": f"2024-01-0{day}T00:00:00Z"} for day in (1, 2, 3)]
    events.append({"QueryName": "evil.example"})
    span = {"since_us": 1_704_153_600_000_000, "until_us": 1_704_240_000_000_000}  # 2024-01-02 up to 2024-01-03
    one = watch(Observable("domain", "evil.example"), **span)
    content = b"".join(json.dumps({**SYSMON, **event}).encode() + b"\n" for event in events)
    read = read_bytes(content, projection=one.projection)
    found = one.scan(read)
    assert found.rows.tolist() == [1, 3], "what has no time may be of any"
    assert found.outside == {0: 2}
    assert watch(Observable("domain", "evil.example"), ever=True, **span).scan(read).rows.tolist() == [0, 1, 2, 3]


# ------------------------------------------------------------------------------------------ words

PIECES = st.lists(
    st.sampled_from(
        (
            *("evil.example", "192.0.2.1", "a@evil.example", "x.exe", "2001:db8::1", "[", "]:443"),
            *(" ", ".", "-", "/", "0", "a", "\n", "é", ":"),
        )
    ),
    max_size=8,
).map("".join)
WANTED = (
    Observable("domain", "evil.example"),
    Observable("address", "192.0.2.1"),
    Observable("mail", "a@evil.example"),
    Observable("file", "x.exe"),
    Observable("address", "2001:db8::1"),
)
BEYOND = "\u0080-\U0010ffff"
SLOW = {
    "domain": rf"(?<![A-Za-z0-9_{BEYOND}-])evil\.example(?![A-Za-z0-9_{BEYOND}-])(?!\.[A-Za-z0-9])",
    "192.0.2.1": r"(?<![A-Za-z0-9_])(?<![0-9]\.)192\.0\.2\.1(?![A-Za-z0-9_])(?!\.[A-Za-z0-9])",
    "2001:db8::1": r"(?<![A-Za-z0-9_])(?<![0-9]\.)2001:db8::1(?![A-Za-z0-9_])(?!\.[A-Za-z0-9])(?!:[0-9a-f:])",
    "mail": r"(?<![A-Za-z0-9._+-])a@evil\.example(?![A-Za-z0-9_-])(?!\.[A-Za-z0-9])",
    "file": rf"(?<![A-Za-z0-9._{BEYOND}-])x\.exe(?![A-Za-z0-9_{BEYOND}-])(?!\.[A-Za-z0-9])",
}


@given(st.lists(PIECES, max_size=4))
def test_words_are_found_as_an_expression_finds_them(texts: Sequence[str]) -> None:
    named = [one.value if one.type == "address" else one.type for one in WANTED]
    found = {(at, named[word]) for at, word in Words(WANTED).find(texts)}
    assert found == {(at, kind) for at, text in enumerate(texts) for kind, one in SLOW.items() if re.search(one, text)}


# ------------------------------------------------------------------------------------------ levels and known-good


@pytest.mark.parametrize(
    ("confidence", "level"),
    [(None, "medium"), (100, "high"), (70, "high"), (30, "medium"), (29, "low"), (0, "informational")],
)
def test_levels(confidence: int | None, level: str) -> None:
    one = Indicator(id="1", title="t", confidence=confidence, observables=(Observable("domain", "evil.example"),))
    assert level_of(one) == level


def test_a_mere_name_is_low() -> None:
    assert level_of(Indicator(id="1", title="t", confidence=90, observables=(Observable("file", "x.exe"),))) == "low"


def test_what_is_known_to_be_good() -> None:
    lists = KnownGood(
        [
            compiled({"type": "cidr", "list": ["8.8.8.8"], "matching_attributes": ["ip-dst"]}, "public-dns-v4"),
            compiled({"type": "hostname", "list": ["good.example"], "matching_attributes": ["domain", "url"]}, "top"),
            compiled({"type": "cidr", "list": ["192.0.2.0/24"], "matching_attributes": ["ip-dst"]}, "amazon-aws"),
        ]
    )
    texts = ("8.8.8.8", "good.example", "sub.good.example", "http://good.example/x", "192.0.2.1", "evil.example")
    indicators = tuple(
        Indicator(id=text, title=text, confidence=90, observables=(one,)) for text in texts if (one := what_is(text))
    )
    told = prepared(Intelligence(indicators=indicators), NOTHING, known_good=lists)
    assert [(one.id, one.reason, one.text) for one in told.left_out] == [
        ("8.8.8.8", "known good", "on public-dns-v4"),
        ("good.example", "known good", "on top"),
    ]
    levels = {rule.id: rule.level for rule in told.rules.rules}
    assert levels == {
        "sub.good.example": "low",
        "http://good.example/x": "low",
        "192.0.2.1": "low",
        "evil.example": "high",
    }
    assert [told.rules.rules[at].id for at in told.lowered] == [
        "sub.good.example",
        "http://good.example/x",
        "192.0.2.1",
    ]
    every = prepared(Intelligence(indicators=indicators), NOTHING, known_good=lists, even_known_good=True)
    assert len(every.rules.rules) == 6
    assert every.left_out == ()


# ------------------------------------------------------------------------------------------ real logs


def test_planted_values_are_found_exactly_where_they_stand(shared: Path) -> None:
    """Addresses, hashes and file names of real logs, and what a plain look at every record finds of them."""
    place = shared / "corpus" / "security-datasets" / "atomic" / "windows" / "credential_access"
    units = tuple(plan([str(place)], 1))
    tables = list(read_units(units, None, lambda _: None, lambda *_: None))
    expected: dict[Observable, set[tuple[int, int]]] = {}
    fields = {
        "address": ("DestinationIp", "SourceIp", "DestAddress", "SourceAddress", "IpAddress"),
        "sha256": ("Hashes",),
    }
    wanted = {name: kind for kind, names in fields.items() for name in names}
    for number, events in enumerate(tables):
        for row in range(0, len(events), 7):
            for name, value in events.all_fields(row).items():
                if name in wanted and isinstance(value, str):
                    texts = re.findall(r"SHA256=(\w{64})", value) if wanted[name] == "sha256" else [value]
                    for text in texts:
                        one = what_is(text)
                        if one is not None and one.type == wanted[name]:
                            expected.setdefault(one, set()).add((number, row))
    assert len(expected) > 50
    chosen = sorted(expected)[::5]
    one = watch(*chosen)
    for number, events in enumerate(tables):
        found = one.scan(events)
        pairs = set(zip(found.rows.tolist(), found.rules.tolist(), strict=True))
        for at, observable in enumerate(chosen):
            rows = {row for table, row in expected[observable] if table == number}
            assert rows <= {row for row, rule in pairs if rule == at}, observable
        # And nothing is found that does not stand in the record at all.
        for row, rule in sorted(pairs)[:200]:
            told = json.dumps(events.all_fields(row)).lower()
            assert chosen[rule].value in told or ":" in chosen[rule].value, "IPv6 has many spellings"


MESSAGES = [
    b"Nov 28 10:00:08 mx1 postfix/smtpd[4100]: warning: hostname evil.example does not resolve to address 192.0.2.1",
    b"Nov 28 10:00:12 ns1 named[812]: zone a.example/IN: transferred by 192.0.2.1, see http://evil.example/x",
    b"<166>Nov 28 2026 10:00:01 fw1 : %ASA-4-199999: odd peer 192.0.2.1 said evil.example",
]


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("connected to 198.51.100.7:443", True),
        ("connected to [2001:db8::1]:443", True),
        ("from 2001:db8::1: 11: Bye", True),
        ("from 2001:db8::1:2", False),
        ("from 198.51.100.70:443", False),
    ],
)
def test_a_port_behind_an_address_hides_nothing(text: str, is_there: bool) -> None:
    wanted = (Observable("address", "198.51.100.7"), Observable("address", "2001:db8::1"))
    assert bool(list(Words(wanted).find([text]))) == is_there
    assert not is_there or any(set(tokens.wanted(one)) & tokens.of_value(("text",), text) for one in wanted)


@pytest.mark.parametrize("line", MESSAGES)
def test_indicators_are_found_in_messages_as_whole_words(line: bytes) -> None:
    one = watch(Observable("address", "192.0.2.1"), Observable("domain", "evil.example"))
    for content, wanted in (
        (line, [0, 1]),
        (line.replace(b"192.0.2.1", b"192.0.2.10").replace(b"evil.example", b"evil.example.org"), []),
    ):
        events = read_bytes(content, projection=one.projection | {"host"})
        assert sorted(set(one.scan(events).rules.tolist())) == wanted


def test_the_message_of_windows_is_searched_where_it_is_all_there_is() -> None:
    said = {"Channel": "Application", "EventID": 1, "Message": "Lost 198.51.100.7:443\r\nand evil.example."}
    fields = {**said, "EventData": {"IpAddress": "203.0.113.1"}}
    one = watch(Observable("address", "198.51.100.7"), Observable("domain", "evil.example"))
    events = read_bytes(
        b"".join(json.dumps(each).encode() + b"\n" for each in (said, fields)), projection=one.projection
    )
    found = one.scan(events)
    assert sorted(zip(found.rows.tolist(), found.rules.tolist(), strict=True)) == [(0, 0), (0, 1)]
    assert {found.names[at] for some in found.fields for at in some} == {"Message"}


def test_names_of_fields_are_written_once() -> None:
    assert all(len(set(holds)) == len(holds) for holds in FIELDS.values())
