"""Expressions that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from tocsin.collect.later import later


def test_does_what_the_expression_does() -> None:
    form, same = later(r"(?P<key>\w+)=(?P<value>\S*)", re.ASCII), re.compile(r"(?P<key>\w+)=(?P<value>\S*)", re.ASCII)
    text = "a=1 é=2 b="
    assert [found.groupdict() for found in form.finditer(text)] == [found.groupdict() for found in same.finditer(text)]
    assert (form.pattern, form.flags, form.groupindex) == (same.pattern, same.flags, same.groupindex)
    assert form.sub("x", text) == same.sub("x", text)
    assert later(rb"\d+").findall(b"1 22") == [b"1", b"22"]


def test_nothing_is_compiled_before() -> None:
    wrong = later("(")
    with pytest.raises(re.error):
        wrong.match("")
