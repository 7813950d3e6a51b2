"""Messages that a program writes after a fixed text in, the values between its words out; one by one and by columns.

A `Template` is the text with names in braces, words separated by one space each:
`Deny {protocol} src {src_interface}:{src_ip}/{src_port} dst ...`. A name and what stands beside it in its word are
told apart at the word's first colon, its last slash and its brackets. A last `{name...}` is the rest of the line, and
`{name=word}` a value that it must have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from tocsin.collect.lines import Lines, Mask, Spans
from tocsin.collect.marks import Marks, holds, is_number, unless
from tocsin.model.event import Longs

_PART: Final = re.compile(r"\{(\w+)(?:=([^{}]+))?\}|([^{}]+)")
_REST: Final = re.compile(r" \{(\w+)\.\.\.\}$")


class Part(NamedTuple):
    """A piece of a word: a name, a text, or a name that must hold a text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Template:
    """A text with names in braces; `pattern` reads one message."""

    text: str
    pattern: re.Pattern[str] = field(init=False)
    words: tuple[tuple[Part, ...], ...] = field(init=False)
    rest: str = field(init=False)

    def __post_init__(self) -> None:
        rest = _REST.search(self.text)
        fixed = self.text[: rest.start()] if rest else self.text
        words = tuple(
            tuple(Part(found[1] or "", found[2] or found[3] or "") for found in _PART.finditer(word))
            for word in fixed.split(" ")
        )
        pattern = " ".join(map(_pattern, words)) + (f"(?: (?P<{rest[1]}>.*))?" if rest else "")
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "rest", rest[1] if rest else "")
        object.__setattr__(self, "pattern", re.compile(pattern, re.ASCII | re.DOTALL))


def _pattern(word: tuple[Part, ...]) -> str:
    parts = []
    for (part, text), (_, behind) in zip(word, (*word[1:], Part("", "")), strict=True):
        if text:
            parts.append(f"(?P<{part}>{re.escape(text)})" if part else re.escape(text))
        elif behind == ":":
            parts.append(rf"(?P<{part}>[^\s:]+)")
        elif behind == "/" or len(word) == 1:
            parts.append(rf"(?P<{part}>\S+)")
        else:
            parts.append(rf"(?P<{part}>[^\s/()]+)")
    return "".join(parts)


class Matched(NamedTuple):
    """Lines that are of a template, as numbers, and where their values stand."""

    rows: Longs
    spans: dict[str, Spans]


def match(block: Lines, marks: dict[str, Marks], rows: Longs, starts: Longs, template: Template) -> Matched:
    """Those of some lines whose message is of a template, and has but digits where a port or the like stands.

    Args:
        marks: of a space, `:`, `/` and `(`.
        starts: where the messages of these lines begin.
    """
    some = {letter: of.of_lines(rows) for letter, of in marks.items()}
    spaces, stops = some[" "], block.stops[rows]
    first = spaces.before(starts)
    good: Mask = np.ones(len(rows), bool)
    spans: dict[str, Spans] = {}
    start = end = starts
    for at, word in enumerate(template.words):
        if at:
            good &= end < stops
            start = end + 1
        end = np.where(first + at < spaces.count, spaces.at(first + at), stops)
        good &= end > start
        good &= _split(block, some, start, end, word, spans)
    if template.rest:
        there = end < stops
        spans[template.rest] = unless(~there, end + 1, stops)
    else:
        good &= end == stops
    return Matched(rows[good], {name: Spans(span.starts[good], span.stops[good]) for name, span in spans.items()})


def _split(
    block: Lines, marks: dict[str, Marks], at: Longs, end: Longs, word: tuple[Part, ...], spans: dict[str, Spans]
) -> Mask:
    """Put where the names of a word stand; whether it is of the form."""
    good: Mask = np.ones(len(at), bool)
    for (part, text), (_, behind) in zip(word, (*word[1:], Part("", "")), strict=True):
        if text:
            good &= holds(block, at, text)
            if part:
                spans[part] = Spans(at, at + len(text))
            at = at + len(text)
            continue
        stop = end
        if behind in (":", "("):
            stop = marks[behind].at(marks[behind].before(at))
        elif behind == "/":
            stop = marks["/"].at(marks["/"].before(end) - 1)
        elif behind:
            stop = end - len(behind)
        if behind not in (":", "/") and len(word) > 1:
            good &= is_number(block, at, stop) if behind != "(" else _has_none(marks, at, stop)
        good &= (stop > at) & (stop <= end)
        spans[part] = Spans(at, stop)
        at = stop
    good &= at == end
    return good


def _has_none(marks: dict[str, Marks], starts: Longs, stops: Longs) -> Mask:
    none: Mask = marks["/"].before(starts) == marks["/"].before(stops)
    return none
