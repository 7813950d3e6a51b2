from __future__ import annotations

import re
import sys
import time
from functools import cache
from pathlib import Path

import hyperscan
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detect.compiled import compiled_pack
from tocsin.detect import prefilter

# What Python and Hyperscan read differently, or Hyperscan not at all.
EXPRESSIONS = (
    "", "a", "a?", "^$", "^a$", "a$", r"a\Z", r"\Aa", "(?m)^a$", "(?m)^", "(?m)a$", "a.b", "(?s)a.b",
    "^.{3}$", "^..$", r"\s", r"\S", r"[^\s]", r"[\s-]a", r"\d", r"[^\d]", r"\w{3}", r"\W", r"\bab\b",
    r"a\Bb", r"[^\w]a", r"\x00", r"\x1c", "[\x1c-\x1f]", "é", "é{2}", "[à-ü]", "[^é]", "^[^a]$",
    "[^\x00-\x7f]", "(?i)k", "(?i)[k-m]x", "(?i)s", "(?i)ſ", "(?i)i", "(?i)İ", "(?i)É", "(?i)[é]",
    "(?i)[^k]", "(?i)ß", "(?i)straße", "(?i)µ", "(?i)σ", "(?i:a)b", "(?i)a(?-i:b)c", r"(?a)\w",
    r"(?ai)k", r"(a)b\1", r"(a)?b(?(1)c|d)", "(?=a)[ab]", "(?!a)b", "(?<=a)b", "(?<!a)b", "(?>a+)b",
    "a++b", "a*?b", "[[:alpha:]]", "a{,3}b", "a{2}", "a{2,}", "a{40}", "a{40,50}", "(?:ab){30,60}c",
    ".{200}", "(?:a|b|)c", "a|^b", "x*^a", "(a|b)*c", "(?:(?:a{1,50}){1,50}){1,50}", "[]a]", r"[\]a]",
    r"[\b]", r"\a\f\v", r"\0", r"\07", r"\u00e9", r"\U0001f600", r"\N{EURO SIGN}", "(?#c)a",
    "(?x) a  b # c", "😀", "[😀-😂]", "(?P<n>a)(?P=n)", r"[+-\-]", r"[\d\-x]", "\n", "a\nb", "[^\n]a",
    "(?!)", r"[^\s\S]", "\ud800", "a{0}b", "(?:){3}a",
)  # fmt: skip
PIECES = (
    "a", "b", "ab", "aa", "A", "B", "c", "d", "k", "K", "K", "s", "S", "ſ", "i", "I", "İ", "ı", "é",
    "É", "ß", "ss", "straße", "STRASSE", "µ", "μ", "σ", "ς", "Σ", "\n", "\r", "\0", "\x07", "\x08",
    "\x0b", "\x1c", "\x1f", "\x85", "\xa0", "\u2028", " ", "-", "]", ":", "€", "😀", "٣", "_", "a" * 45,
    "ab" * 35, "é" * 60, "l", "x", "\ud800", "1", "#",
)  # fmt: skip

values = st.one_of(st.lists(st.sampled_from(PIECES), max_size=5).map("".join), st.text(max_size=8))


pytestmark = pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")


@cache
def opened(expressions: tuple[str, ...]) -> tuple[hyperscan.Database, hyperscan.Scratch]:
    database = hyperscan.loadb(prefilter.database(dict(enumerate(expressions))), hyperscan.HS_MODE_BLOCK)
    return database, hyperscan.Scratch(database)


def reported(expressions: tuple[str, ...], value: str) -> set[int]:
    found: list[int] = []
    database, scratch = opened(expressions)
    database.scan(
        value.encode("utf-8", "surrogatepass"),
        match_event_handler=lambda number, *_: found.append(number),
        scratch=scratch,
    )
    assert len(found) == len(set(found))
    return set(found)


@given(values)
def test_what_python_finds_is_reported(value: str) -> None:
    wanted = {number for number, text in enumerate(EXPRESSIONS) if re.search(text, value)}
    assert wanted <= reported(EXPRESSIONS, value)


@pytest.mark.parametrize("expression", [one for one in EXPRESSIONS if one not in ("(?!)", r"[^\s\S]", "\ud800")])
def test_what_an_expression_was_made_to_find(expression: str) -> None:
    place = EXPRESSIONS.index(expression)

    @settings(max_examples=settings().max_examples // 5)  # of each of a hundred expressions
    @given(st.from_regex(expression))
    def found(value: str) -> None:
        assert place in reported(EXPRESSIONS, value)

    found()


RUNS = {
    ".": "0-;", "[^,]": "0 ;", r"[^\\/]": "0 ,", "[^a-z]": "0;,", r"\s": " \t", r"\S": "0;-", r"\w": "0_9",
    r"\W": " ;-", r"\d": "019", r"\D": ";-_", "[ -~]": "0-;", "(?:0|;)": "0;",
}  # fmt: skip


@st.composite
def stretched(draw: st.DrawFn) -> tuple[str, str]:
    """An expression of short words with runs between them, and a text that it finds, with long runs."""
    words = draw(st.lists(st.text("abcxyz/&", min_size=1, max_size=4), min_size=1, max_size=4))
    text = expression = ""
    for number, word in enumerate(words):
        if number:
            kind = draw(st.sampled_from(sorted(RUNS)))
            expression += kind + draw(st.sampled_from(["*", "+", "*?", "{1,}"]))
            text += draw(st.sampled_from(RUNS[kind])) * draw(st.sampled_from([1, 7, 15, 16, 31, 33, 64, 70, 140]))
        expression += re.escape(word)
        text += draw(st.sampled_from([str.upper, str.lower]))(word)
    around = draw(st.sampled_from(["", "0" * 20, ";" * 70]))
    return f"(?i){expression}", around + text + draw(st.sampled_from(["", " " * 40]))


@settings(deadline=None)
@given(st.lists(stretched(), min_size=1, max_size=8))
def test_long_runs_between_short_words(drawn: list[tuple[str, str]]) -> None:
    expressions = tuple(dict.fromkeys(["route\\s+print", *(expression for expression, _ in drawn)]))
    for _, text in drawn:
        wanted = {number for number, one in enumerate(expressions) if re.search(one, text)}
        assert wanted
        assert wanted <= reported(expressions, text)


def test_the_expressions_of_the_public_pack(shared: Path) -> None:
    ruleset = compiled_pack(shared)
    expressions = tuple(sorted({one.text for one in ruleset.patterns if one.kind == "regex"}))
    assert len(expressions) > 120
    assert prefilter.ALWAYS not in map(prefilter._written, expressions)

    @given(st.data())
    def found(data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(expressions) - 1))
        before, after = data.draw(values), data.draw(values)
        value = data.draw(st.from_regex(expressions[place], fullmatch=True))
        for whole in (value, value.upper(), value.lower(), before + value + after):
            wanted = {number for number, text in enumerate(expressions) if re.search(text, whole)}
            assert wanted <= reported(expressions, whole)

    found()


def test_the_numbers_are_those_of_the_patterns(shared: Path) -> None:
    ruleset = compiled_pack(shared)
    database = hyperscan.loadb(ruleset.regex_database, hyperscan.HS_MODE_BLOCK)
    found: set[int] = set()
    database.scan(b"", match_event_handler=lambda number, *_: found.add(number), scratch=hyperscan.Scratch(database))
    value = b"cmd /c echo %PATH:~0,1% ^s^e^t && powershell -enc aGVsbG8gd29ybGQ= (New-Object Net.WebClient)"
    database.scan(value, match_event_handler=lambda number, *_: found.add(number), scratch=hyperscan.Scratch(database))
    assert found
    assert {ruleset.patterns[number].kind for number in found} == {"regex"}


def test_it_sorts_out() -> None:
    assert reported(EXPRESSIONS, "zzz") < set(range(len(EXPRESSIONS)))
    assert reported(("evil", "(?i)evil", r"e\w+l"), "good") == set()


def test_what_python_folds_into_ascii_is_known() -> None:
    everything = "".join(map(chr, (*range(0xD800), *range(0xE000, sys.maxunicode + 1))))
    for letter in "abcdefghijklmnopqrstuvwxyz":
        beyond = [one for one in re.findall(f"(?i){letter}", everything) if ord(one) > 127]
        assert bool(beyond) == (ord(letter) in prefilter._FOLDED)


def test_what_cannot_be_written_is_always_reported() -> None:
    expressions = (r"(?a)\w", "(?!)", "a")
    assert reported(expressions, "") == {0, 1}
    assert reported(expressions, "x") == {0, 1}


def test_none_for_none() -> None:
    assert prefilter.database({}) == b""


def test_large_counts_are_bounded() -> None:
    began = time.process_time()
    prefilter.database({0: "(?:(?:(?:a.{1,1000}){1,1000}b){1,1000}c){5,1000}", 1: "(?:[a-z]{1,9999}[0-9]{1,9999}){99}"})
    assert time.process_time() - began < 10
