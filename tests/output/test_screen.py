from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.output.screen import cut, shown

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates, too
ACTING = st.text(st.characters(categories=("Cc", "Cf", "Cs", "Zl", "Zp")))


@given(ANY_TEXT | ACTING)
def test_nothing_that_acts_survives(text: str) -> None:
    assert not {unicodedata.category(char) for char in shown(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    shown(text).encode()


def test_every_character_that_acts_is_known() -> None:
    acting = [
        chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]
    assert [char for char in acting if shown(char) == char] == []


@given(ANY_TEXT | ACTING, st.integers(8, 60))
def test_twice_is_once(text: str, limit: int) -> None:
    assert shown(shown(text)) == shown(text)
    assert shown(shown(text, limit), limit) == shown(text, limit)
    assert len(shown(text, limit)) <= limit


@given(st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="\u3164\u115f\u1160\uffa0\u2800")))
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[2Ja", "\\x1b[2Ja"),
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("\x9b31m", "\\x9b31m"),
        ("gnp\u202eexe", "gnp\\u202eexe"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
        ("Überschrift 日本", "Überschrift 日本"),
    ],
)
def test_escapes(text: str, seen: str) -> None:
    assert shown(text) == seen


def test_both_ends_of_a_long_text_stay() -> None:
    assert cut("C:\\Windows\\System32\\cmd.exe", 11) == "C:\\Wi…d.exe"
    assert cut("short", 5) == "short"
