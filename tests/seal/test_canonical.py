"""Canonical JSON as RFC 8785 has it."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import SealError
from tocsin.seal.canonical import canonical, decoded


def test_the_example_of_section_3_2_3() -> None:
    text = r"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""
    # §3.2.4 gives the bytes.
    told = (
        "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333"
        "333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c"
        "225c5c5c5c5c222f227d"
    )
    assert canonical(json.loads(text)) == bytes.fromhex(told)


def test_keys_are_sorted_by_their_utf_16() -> None:
    # §3.2.3: a smiley beyond the basic plane sorts before U+FB33, as its first surrogate is smaller.
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    assert list(json.loads(canonical(dict.fromkeys(names, 0)))) == [
        "\r",
        "1",
        "\u0080",
        "\u00f6",
        "\u20ac",
        "\U0001f600",
        "\ufb33",
    ]


# Appendix B: the bits of a double, and how it is written.
APPENDIX_B = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "written"), APPENDIX_B)
def test_numbers_of_appendix_b(bits: str, written: str) -> None:
    assert canonical(struct.unpack(">d", bytes.fromhex(bits))[0]) == written.encode()


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53, -(2**53), {1: 2}, {"\ud800": 1}, "\udfff", {"a": {1, 2}}, b"bytes"],
    ids=repr,
)
def test_what_json_cannot_hold(value: Any) -> None:
    with pytest.raises(SealError, match="cannot be written"):
        canonical(value)


def test_depth_is_an_error_and_no_crash() -> None:
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(SealError, match="nested"):
        canonical(deep)
    with pytest.raises(SealError):
        decoded(b"[" * 100_000 + b"]" * 100_000)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_a_value_has_one_form(value: Any) -> None:
    text = canonical(value)
    assert canonical(decoded(text)) == text
    assert decoded(text) == value


@pytest.mark.parametrize(
    "text", [b'{"a":1,"a":1}', b'{"b":1,"a":2}', b'{"a": 1}', b"1.0", b'"\\u0041"', b"{}\n", b"[1,]", b"", b"\xff"]
)
def test_any_other_form_is_refused(text: bytes) -> None:
    with pytest.raises(SealError):
        decoded(text)


_TEXT = st.text(st.characters(codec="ascii") | st.sampled_from("\u20ac\ufb33\U0001f600\x7f"), max_size=4)
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(_ANY, st.booleans(), st.booleans(), st.sampled_from([(",", ":"), (", ", ":")]))
def test_no_form_but_the_canonical_one_is_read(value: Any, ascii_only: bool, ordered: bool, marks: Any) -> None:
    """Whatever other writers make of a value: it is read if it is, byte for byte, what RFC 8785 makes of it."""
    text = json.dumps(value, ensure_ascii=ascii_only, sort_keys=ordered, separators=marks).encode()
    if text == canonical(value):
        assert decoded(text) == value
    else:
        with pytest.raises(SealError):
            decoded(text)
    assert decoded(canonical(value)) == value


_LOOKS_PLAIN = [b"NaN", b"-0", b"1.0", b"[9007199254740993]", b'{"a":1,"a":1}', b'"\\ud800"', b'"\\u0041"']


@pytest.mark.parametrize("text", _LOOKS_PLAIN)
def test_forms_that_look_plain_and_are_not(text: bytes) -> None:
    with pytest.raises(SealError):
        decoded(text)
