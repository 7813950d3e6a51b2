"""The passes over values and over raw records find what trying every pattern on every text finds."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detect import compiled as rule_sets
from tocsin.collect import read_bytes
from tocsin.detect import matcher, predicates, prefilter, prepare
from tocsin.detect.literals import Literals, is_literal
from tocsin.detect.predicates import predicate
from tocsin.model.event import Column
from tocsin.model.rule import All, Kind, Leaf, Pattern, Rule, RuleSet, Variant

LITERAL_KINDS: tuple[Kind, ...] = ("equals", "contains", "startswith", "endswith", "wildcard")

# What text must not be able to pass for: the byte between values (0xFF, and what a tool may make of it), NUL;
# letters of which case changes the length, or which become ASCII: İ, the Kelvin sign, ß, the long s.
AWKWARD = ("a", "b", "A", "ab", "\0", "ÿ", "\x7f", "|", "\ufffd", "İ", "i̇", "i", "\u212a", "k", "ß", "ẞ", "ſ", "s", "é")
MORE = ("\\", "/", '"', "'", "<", "&", "\n", "\t", "%", " ", "needle", "Needle", "nee", "dle", "😀", "x" * 9)


def rules_of(patterns: Sequence[Pattern]) -> RuleSet:
    """A rule for each pattern, for any Windows event."""
    return RuleSet(
        rules=tuple(
            Rule(id=str(at), title="", level="low", status="", path="", line=1, logsource="windows//")
            for at in range(len(patterns))
        ),
        patterns=tuple(patterns),
        variants=tuple(
            Variant(rule=at, name="", kind="windows", gate=All(()), condition=Leaf(at)) for at in range(len(patterns))
        ),
        regex_database=prefilter.database(
            {at: pattern.text for at, pattern in enumerate(patterns) if pattern.kind == "regex"}
        ),
    )


def found(patterns: Sequence[Pattern], log: bytes) -> dict[int, set[int]]:
    """Rows by pattern, read as the pipeline reads; patterns without rows are left out."""
    detector = prepare(rules_of(patterns))
    matches = detector.scan(read_bytes(log, projection=detector.projection))
    return {number: set(rows.tolist()) for number, rows in matches.rows}


def naively(patterns: Sequence[Pattern], rows: Sequence[Sequence[str]]) -> dict[int, set[int]]:
    """Rows by pattern, every pattern tried on every text."""
    tests = {at: predicate(pattern) for at, pattern in enumerate(patterns)}
    wanted = {at: {row for row, texts in enumerate(rows) if any(map(test, texts))} for at, test in tests.items()}
    return {at: held for at, held in wanted.items() if held}


def log_of(events: Iterable[dict[str, object]]) -> bytes:
    return b"".join(json.dumps({"Channel": "c", "EventID": 7, **event}).encode() + b"\n" for event in events)


def text_of(pieces: Sequence[str], most: int = 6) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces), max_size=most).map("".join)


@st.composite
def literal_patterns(draw: st.DrawFn, field: str | None, pieces: Sequence[str]) -> Pattern:
    kind = draw(st.sampled_from(LITERAL_KINDS))
    cased = draw(st.booleans())
    parts = draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=4))
    if kind == "wildcard":
        escaped = [part.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?") for part in parts]
        wild = draw(st.lists(st.sampled_from(("*", "?", "")), min_size=len(parts), max_size=len(parts)))
        text = "*" + "".join(part + one for part, one in zip(escaped, wild, strict=True)) + "?*"
    else:
        text = "".join(parts)
    return Pattern(field, kind, text if cased else text.lower(), cased)


# --- one pass over values


@given(
    patterns=st.lists(literal_patterns("F", AWKWARD), min_size=1, max_size=12),
    values=st.lists(st.one_of(text_of(AWKWARD), st.lists(text_of(AWKWARD), max_size=3)), max_size=12),
)
def test_a_pass_over_values(patterns: list[Pattern], values: list[str | list[str]]) -> None:
    texts: list[str | None] = [None, None]
    texts += [value if isinstance(value, str) else json.dumps(value) for value in values]
    lists = {at: tuple(value) for at, value in enumerate(values, 2) if isinstance(value, list)}
    column = Column(codes=np.arange(2, len(texts), dtype=np.int32), values=texts, lists=lists)
    for cased in (False, True):
        asked = {at: one for at, one in enumerate(patterns) if one.cased is cased and is_literal(one)}
        if not asked:
            continue
        given_out = Literals(asked, cased=cased).find(column)
        for at, pattern in asked.items():
            if pattern.kind == "wildcard":  # the pass only narrows it down
                continue
            test = predicate(pattern)
            wanted = [
                code
                for code, value in enumerate(values, 2)
                if any(map(test, [value] if isinstance(value, str) else value))
            ]
            assert given_out.get(at, np.zeros(0)).tolist() == wanted, pattern


@given(
    patterns=st.lists(literal_patterns("F", AWKWARD), min_size=1, max_size=8),
    values=st.lists(st.one_of(text_of(AWKWARD), st.lists(text_of(AWKWARD), max_size=3)), min_size=1, max_size=8),
)
def test_patterns_on_events(patterns: list[Pattern], values: list[str | list[str]]) -> None:
    texts = [[value] if isinstance(value, str) else value for value in values]
    assert found(patterns, log_of({"F": value} for value in values)) == naively(patterns, texts)


def test_text_cannot_pass_for_the_end_of_a_value() -> None:
    """Whatever bytes or escapes stand for, `evil` inside a longer value is not `evil`."""
    values = (
        b'"x\xffevil\xff"', rb'"x\u00ffevil\u00ff"', rb'"x\u0000evil\u0000"', rb'"x\udcffevil\udcff"', rb'"\ud800evil"',
        rb'"\udcfeevil"', b'"x\\nevil\\n"', b'["x\xffevil\xff"]', rb'["x\udcffevil\udcff", "\u0000evil"]',
    )  # fmt: skip
    log = b"".join(b'{"Channel":"c","EventID":1,"F":%s}\n' % value for value in (*values, b'"evil"', b'["evil"]'))
    kinds: tuple[Kind, ...] = ("equals", "startswith", "wildcard")
    asked = [Pattern("F", kind, "evil", cased) for kind in kinds for cased in (False, True)]
    assert found(asked, log) == {key: {len(values), len(values) + 1} for key in range(6)}


def test_a_list_matches_by_any_element_and_an_empty_one_by_none() -> None:
    log = log_of([{"F": ["one", "two"]}, {"F": []}, {"F": [""]}, {"F": "one"}, {"F": '["one"]'}, {"F": ""}, {}])
    asked: list[Pattern] = [
        Pattern("F", "equals", "one"),
        Pattern("F", "endswith", "wo"),
        Pattern("F", "contains", '["'),  # of the text that stands for the list
        Pattern("F", "equals", ""),
        Pattern("F", "wildcard", "*"),
        Pattern("F", "exists", ""),
        Pattern("F", "regex", "^t"),
        Pattern("F", "contains", "one,"),
    ]
    rows = found(asked, log)
    assert rows.get(0) == {0, 3}
    assert rows.get(1) == {0}
    assert rows.get(2) == {4}
    assert rows.get(3) == {2, 5}
    assert rows.get(4) == {0, 2, 3, 4, 5}
    assert rows.get(5) == {0, 1, 2, 3, 4, 5}
    assert rows.get(6) == {0}
    assert 7 not in rows


def test_thousands_of_patterns_that_overlap() -> None:
    chance = random.Random(3)
    texts = {"".join(chance.choices("ab", k=chance.randint(1, 14))) for _ in range(9_000)}
    patterns = [Pattern("F", kind, text) for text in sorted(texts) for kind in LITERAL_KINDS[:4]][:5_000]
    assert len(patterns) == 5_000
    values = ["".join(chance.choices("ab", k=20)) for _ in range(40)]
    values += ["a" * 300, "", *chance.sample(sorted(texts), 20)]
    wanted = naively(patterns, [[value] for value in values])
    start = time.monotonic()
    assert found(patterns, log_of({"F": value} for value in values)) == wanted
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("most", ["_PASS_BYTES", "_WINDOW_BYTES"])
@pytest.mark.parametrize("size", [1, 3, 10])
def test_values_beyond_one_pass(most: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"tocsin.detect.literals.{most}", size)
    values = ["one", "x" * 50 + "one", "", "on", "e", "one" * 9]
    log = log_of({"F": value} for value in values)
    assert found([Pattern("F", "equals", "one"), Pattern("F", "contains", "one")], log) == {0: {0}, 1: {0, 1, 5}}


def test_text_that_holds_patterns_everywhere_takes_bounded_memory() -> None:
    """8 MB of `^` once took 1.8 GB: a match costs 150 bytes before it is an array."""

    class Watched:
        most = 0

        def find_matches_as_indexes(self, window: bytes, *, overlapping: bool) -> list[tuple[int, int, int]]:
            matches: list[tuple[int, int, int]] = automaton.find_matches_as_indexes(window, overlapping=overlapping)
            self.most = max(self.most, len(matches))
            return matches

    literals = Literals({size: Pattern("F", "contains", "^" * size) for size in (1, 2, 3)}, cased=False)
    automaton, watched = literals._automaton, Watched()
    literals._automaton = watched
    column = Column(codes=np.array([2, 3], np.int32), values=[None, None, "^" * 3_000_000, "^^"])
    given_out = {size: codes.tolist() for size, codes in literals.find(column).items()}
    assert given_out == {1: [2, 3], 2: [2, 3], 3: [2]}
    assert 0 < watched.most < 2_000_000


# --- one pass over raw records


@st.composite
def json_text(draw: st.DrawFn, pieces: Sequence[str]) -> tuple[str, str]:
    """A text, and one of the many ways to write it in JSON."""
    text = draw(text_of(pieces))
    chance = random.Random(draw(st.integers(0, 1 << 32)))
    escapes = chance.random() < 0.5
    return text, '"' + "".join(_written(one, chance, escapes) for one in text) + '"'


def _written(one: str, chance: random.Random, escapes: bool) -> str:
    ways = [json.dumps(one, ensure_ascii=False)[1:-1]]
    if escapes:
        units = json.dumps("\uffff" + one).replace("\\uffff", "")[1:-1]
        hexadecimal = units if units.startswith("\\u") else f"\\u{ord(one):04x}"
        ways += [hexadecimal, "\\u" + hexadecimal[2:].upper() if len(one.encode()) < 4 else hexadecimal]
        ways += ["\\/"] if one == "/" else []
    return chance.choice(ways)


@given(
    patterns=st.lists(
        st.one_of(literal_patterns(None, AWKWARD + MORE), literal_patterns("Message", AWKWARD + MORE)),
        min_size=1,
        max_size=6,
    ),
    events=st.lists(st.tuples(json_text(AWKWARD + MORE), json_text(AWKWARD + MORE)), min_size=1, max_size=6),
)
def test_keywords_and_what_stays_in_the_raw_record(
    patterns: list[Pattern], events: list[tuple[tuple[str, str], tuple[str, str]]]
) -> None:
    log = "".join(f'{{"Channel":"c","EventID":7,"F":{f},"Message":{message}}}\n' for (_, f), (_, message) in events)
    keywords = [at for at, pattern in enumerate(patterns) if pattern.field is None]
    whole = naively(patterns, [("c", "7", f, message) for (f, _), (message, _) in events])
    left = naively(patterns, [(message,) for _, (message, _) in events])
    wanted = {at: rows for at, rows in whole.items() if at in keywords}
    wanted |= {at: rows for at, rows in left.items() if at not in keywords}
    assert found(patterns, log.encode()) == wanted


@pytest.mark.parametrize(
    ("written", "keyword"),
    [
        (rb"ne\u0065dle", "needle"),
        (rb"\u006E\u0045edle", "needle"),
        ("nee\u212a".encode(), "neek"),
        (rb"nee\u212A", "neek"),
        (rb"NEE\u212a", "neek"),
        (rb"need\u0130x", "needi̇"),
        ("needİx".encode(), "needi̇"),
        (rb"C:\\needle\/x", "c:\\needle/x"),
        (rb"a\u002fneedle\u005cb", "a/needle\\b"),
        (rb"\"needle\"", '"needle"'),
        (rb"\u0022needle\u0022", '"needle"'),
        (rb"Stra\u00dfe 12345", "straße"),
        ("STRASSE ÄÖÜ".encode(), "äöü"),
        (rb"<needle> & more", "<needle> & more"),
        (rb"\u003cneedle\u003e \u0026 more", "<needle> & more"),
        (rb"\ud83d\ude00 needle", "😀 needle"),
        (rb"tab\tneedle", "tab\tneedle"),
    ],
)
@pytest.mark.parametrize("field", [None, "Message"])
def test_every_way_to_write_a_keyword(written: bytes, keyword: str, field: str | None) -> None:
    log = b'{"Channel":"c","EventID":7,"Message":"other"}\n{"Channel":"c","EventID":7,"Message":"%s"}\n' % written
    assert found([Pattern(field, "contains", keyword)], log) == {0: {1}}


def test_a_key_is_no_value() -> None:
    log = log_of([{"needle": "x"}, {"x": "needle"}])
    assert found([Pattern(None, "contains", "needle")], log) == {0: {1}}


def test_a_record_that_is_nothing_but_the_keyword_takes_little_memory() -> None:
    log = log_of([{"F": "abc" * 200_000}, {"F": "x"}, {"Message": "abc" * 100}])
    assert found([Pattern(None, "contains", "abc")], log) == {0: {0, 2}}


# --- expressions on hostile text

SLOW = "^(a+)+(?=!!)"  # Hyperscan finds what it begins with, so that Python has to try
HOSTILE = "a" * 40


@pytest.fixture
def short_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predicates, "_LONGEST_MATCH_S", 0.1)


@pytest.mark.usefixtures("short_tries")
@pytest.mark.parametrize("field", ["F", "Message", None])
def test_a_hostile_value_is_given_up_and_others_are_tried(field: str | None) -> None:
    name = field or "F"
    log = log_of([{name: HOSTILE}, {name: "aa!!"}, {name: [HOSTILE, "a!!"]}, {name: ["a!!", HOSTILE]}, {name: "b"}])
    detector = prepare(rules_of([Pattern(field, "regex", SLOW)]))
    matches = detector.scan(read_bytes(log))
    assert [(number, rows.tolist()) for number, rows in matches.rows] == [(0, [1, 2, 3])]
    assert matches.gave_up == {0: 1}


@pytest.mark.usefixtures("short_tries")
def test_many_hostile_values_take_bounded_time_and_all_are_counted() -> None:
    log = log_of([{"F": "aa!!"}, *({"F": f"{HOSTILE}{at}"} for at in range(3_000))])
    detector = prepare(rules_of([Pattern("F", "regex", SLOW)]))
    start = time.monotonic()
    matches = detector.scan(read_bytes(log))
    assert time.monotonic() - start < 20
    assert sum(matches.gave_up.values()) + sum(len(rows) for _, rows in matches.rows) == 3_001
    assert matches.gave_up[0] >= matcher._MOST_GIVEN_UP


@pytest.mark.usefixtures("short_tries")
def test_who_was_given_up_on_does_not_spoil_the_next_table() -> None:
    detector = prepare(rules_of([Pattern("F", "regex", SLOW)]))
    detector.scan(read_bytes(log_of({"F": f"{HOSTILE}{at}"} for at in range(200))))
    matches = detector.scan(read_bytes(log_of([{"F": f"{HOSTILE}x"}, {"F": "aa!!"}])))
    assert [rows.tolist() for _, rows in matches.rows] == [[1]]
    assert matches.gave_up == {0: 1}


@pytest.mark.parametrize(
    ("keyword", "holds"), [("' Failed'", True), ("'sshd[7]: Failed'", True), ("'web1 sshd'", True), ("' web2'", False)]
)
def test_a_keyword_is_looked_for_in_the_line_across_its_fields(keyword: str, holds: bool) -> None:
    ruleset = rule_sets.compiled(
        rule_sets.text_of(f"s: [{keyword}]\ncondition: s", logsource="{product: linux, service: sshd}")
    )
    events = read_bytes(b"Mar  5 12:00:00 web1 sshd[7]: Failed password for root from 203.0.113.9 port 1 ssh2\n")
    assert bool(prepare(ruleset).scan(events).rows) == holds
