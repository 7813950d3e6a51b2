"""Findings of correlations in, a few of them with the events they stand on, for the terminal, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from tocsin.model.correlation import Correlated, Place
from tocsin.model.finding import Finding
from tocsin.output.plain import clock
from tocsin.output.screen import shown

_MOST_EVENTS: Final = 3
_LONGEST: Final = 60  # of one value from a log


def described(findings: Sequence[Finding], titles: Sequence[str], width: int) -> Iterator[Text]:
    """What came together, and the first of its events: each a line, cut at the width."""
    for finding, title in zip(findings, titles, strict=True):
        one = finding.correlated
        if one is None:
            continue
        line = Text.assemble((shown(title, 2 * _LONGEST), "bold"), "  ", _group(one), no_wrap=True, overflow="ellipsis")
        yield line
        yield Text(f"  {one.count:,} events, {_value(one)}, {_span(one)}", no_wrap=True, overflow="ellipsis")
        for place in one.events[:_MOST_EVENTS]:
            yield Text(f"    {_place(place, width)}", "bright_black", no_wrap=True, overflow="ellipsis")
        if one.count > _MOST_EVENTS:
            yield Text(f"    and {one.count - _MOST_EVENTS:,} more, in the findings", "bright_black")


def _group(one: Correlated) -> str:
    return ", ".join(f"{shown(name, _LONGEST)}={shown(text, _LONGEST)}" for name, text in one.group.items())


def _value(one: Correlated) -> str:
    words = {"event_count": "at most {} within the timespan", "value_count": "at most {} different values"}
    if one.type.startswith("temporal"):
        return f"of {one.value:g} rules"
    return words.get(one.type, f"{one.type.removeprefix('value_')} at most {{}}").format(f"{one.value:,g}")


def _span(one: Correlated) -> str:
    first, last = (clock(us) for us in (one.first_us, one.last_us))
    return f"{first} to {last}" if first != last else first


def _place(place: Place, width: int) -> str:
    where = f"at byte {place.rec}" if place.chunk < 0 else f"record {place.rec}"
    return f"{clock(place.ts_us)}  {where}  {shown(place.path, max(width - 50, 20))}"
