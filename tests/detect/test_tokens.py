"""What `watch` finds in a value shares a token with it: the index can miss nothing that a look would find."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect import tokens
from tocsin.detect.observed_fields import FIELDS
from tocsin.detect.watch import Watch
from tocsin.model.event import Column, Events, RawRecords, Source
from tocsin.model.indicator import Indicator, Observable, ObservableType
from tocsin.model.rule import INDICATOR, Rule, RuleSet
from tocsin.observe.addresses import span
from tocsin.observe.what import normal

VALUES: dict[ObservableType, list[str]] = {
    "address": ["192.0.2.1", "10.1.2.3", "2001:db8::1", "::1", "2001:db8:0:1:2:3:4:5"],
    "domain": ["evil.example", "a.evil.example", "xn--bcher-kva.example", "_x.evil.example", "e-vil.example"],
    "url": [
        "http://evil.example/a",
        "http://evil.example/",
        "https://evil.example:8443/a.php?x=(1)",
        "http://192.0.2.1/x.exe",
        "ftp://u@evil.example/b",
        "http://host/x",
        "http://bücher.example/ä.b",
    ],
    "md5": ["d41d8cd98f00b204e9800998ecf8427e"],
    "sha1": ["da39a3ee5e6b4b0d3255bfef95601890afd80709"],
    "sha256": ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    "imphash": ["d41d8cd98f00b204e9800998ecf8427e"],
    "ssdeep": ["3:abc:def"],
    "ja4": ["t13d1516h2_8daaf6152771_b186095e22b6", "t130200_1301_a56c5b993250"],
    "mail": ["a@evil.example", "first.last@evil.example", "x=y@evil.example"],
    "account": ["corp\\anna", "anna@corp.example", "anna"],
    "sid": ["s-1-5-21-1-2-3-1001"],
    "file": ["evil.exe", "my tool.exe", "evil", ".evil.rc", "é.exe", "a.b-c.dll", "x.exe copy"],
    "path": [
        "c:\\temp\\evil.exe",
        "\\temp\\evil tool.exe",
        "/tmp/.x/evil.sh",
        "/usr/bin/evil",
        "%temp%\\a.b\\evil",
        "temp.d\\evil.exe",
    ],
    "key": ["hklm\\software\\evil", "hkey_local_machine\\software\\evil\\run", "software\\evil"],
    "mutex": ["Global\\Evil", "evil.mutex"],
    "agent": ["Evil/1.0 (x)"],
}
EDGES = [
    "",
    " ",
    ".",
    "-",
    "_",
    "/",
    "\\",
    '"',
    ",",
    ";",
    ":",
    "(",
    ")",
    "é",
    "x",
    "1",
    "@",
    "=",
    "\n",
    "|",
    "..",
    ".-",
    "'",
    "[.]",
]
FIELD_NAMES = [
    "DestinationIp",
    "Hashes",
    "CommandLine",
    "Image",
    "User",
    "TargetObject",
    "sender",
    "c-uri",
    "UserAgent",
    "Details",
    "query",
]

OBSERVABLES = [one for kind, values in VALUES.items() for value in values if (one := normal(kind, value)) is not None]
piece = st.sampled_from(EDGES)
value_of = st.sampled_from([one.value for one in OBSERVABLES])


@st.composite
def texts(draw: st.DrawFn) -> str:
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        value = draw(value_of)
        if draw(st.booleans()):
            value = draw(st.sampled_from([value.upper(), value.title(), f"sub.{value}", f"SHA1={value}"]))
        parts += [draw(piece), draw(piece), value, draw(piece), draw(piece)]
    return "".join(parts)


def _events(name: str, values: list[str]) -> Events:
    size = len(values)
    return Events(
        kind="windows",
        sources=(Source(path="x"),),
        ts=np.zeros(size, np.int64),
        src=np.zeros(size, np.int32),
        rec=np.arange(size),
        chunk=np.full(size, -1),
        raw=RawRecords(),
        columns={name: Column(codes=np.arange(2, size + 2, dtype=np.int32), values=[None, None, *values])},
        fields_of=(),
    )


def _rules(observables: list[Observable]) -> RuleSet:
    every = tuple(
        Rule(
            id=str(at),
            title="",
            level="low",
            status="",
            path="",
            line=0,
            logsource=INDICATOR,
            indicator=Indicator(id=str(at), title="", observables=(one,)),
        )
        for at, one in enumerate(observables)
    )
    return RuleSet(rules=every, patterns=(), variants=())


WATCH = Watch(_rules(OBSERVABLES))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FIELD_NAMES), st.lists(texts(), min_size=1, max_size=4))
def test_tokens_miss_nothing_that_a_look_would_find(name: str, values: list[str]) -> None:
    seen = WATCH.scan(_events(name, values))
    for row, rule in zip(seen.rows.tolist(), seen.rules.tolist(), strict=True):
        wanted = tokens.wanted(OBSERVABLES[rule])
        if wanted:  # the others are looked for in full
            held = tokens.of_value(FIELDS[name], values[row])
            assert held & {*wanted, tokens.CROWDED}, (values[row], OBSERVABLES[rule], sorted(held))


def test_most_of_what_is_asked_for_is_answered_by_the_index() -> None:
    in_full = {one.value for one in OBSERVABLES if not tokens.wanted(one)}
    assert in_full == {
        "http://host/x",  # a host without a dot
        "evil",
        "/usr/bin/evil",
        "%temp%\\a.b\\evil",
        "software\\evil",
        "Global\\Evil",
        "evil.mutex",
    }


@given(st.sampled_from(FIELD_NAMES), st.lists(texts() | piece, max_size=6), st.integers(1, 60))
def test_texts_together_hold_what_each_holds_alone(name: str, values: list[str], lot: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_LOT_CHARS", lot)
        together = tokens.of_values(FIELDS[name], values)
    assert together == [tokens.of_value(FIELDS[name], value) for value in values]


@given(st.sampled_from(["10.1.0.0/16", "192.0.2.0/24", "2001:db8::/32"]), texts())
def test_addresses_of_networks_are_tokens(net: str, text: str) -> None:
    one = Observable("network", net)
    seen = Watch(_rules([one])).scan(_events("DestinationIp", [text]))
    version, first, last = span(net) or (0, 0, 0)
    inside = [
        value
        for kind, value in tokens.of_value(FIELDS["DestinationIp"], text)
        if kind == tokens.TYPE_OF["address"]
        and (found := span(value))
        and found[0] == version
        and first <= found[1] <= last
    ]
    assert bool(len(seen.rows)) <= bool(inside)


def test_a_text_with_more_words_than_are_indexed_is_looked_at_whatever_is_asked() -> None:
    text = " ".join(f"a{at}.example" for at in range(10_000))
    assert tokens.of_value(("text",), text) == {tokens.CROWDED}
    assert (tokens.WORD, "a9.example") in tokens.wanted(Observable("domain", "a9.example"))
