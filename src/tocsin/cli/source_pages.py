"""Log sources that rules name in, a table of them out: for the terminal, or as Markdown for the manual."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocsin.detect.census import Named
from tocsin.output.screen import shown

_STYLES: Final = {"read": "green", "mapped": "yellow", "no reader": "red"}
_MEANS: Final = {
    "read": "a reader gives these events the fields that rules ask for",
    "mapped": "events of a more general kind are searched",
    "no reader": "nothing reads these logs yet",
}


def listed(console: Console, found: Sequence[Named]) -> None:
    table = Table(box=None, header_style="bright_black", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("rules", justify="right", no_wrap=True)
    for name in ("product", "category", "service"):
        table.add_column(name, overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("events", overflow="fold")
    for one in found:
        names = (shown(text, 60) or "-" for text in (one.product, one.category, one.service))
        events = Text(", ".join(one.kinds) or shown(one.reason, 200))
        table.add_row(f"{one.rules:,}", *names, Text(one.state, _STYLES[one.state]), events)
    console.print(table)
    for line in _summary(found):
        console.print(line)


def markdown(found: Sequence[Named]) -> str:
    """The whole page, ending in a newline."""
    rows = [
        f"| {one.rules} | {_cell(one.product)} | {_cell(one.category)} | {_cell(one.service)} | {one.state} "
        f"| {_cell(', '.join(one.kinds) or one.reason)} |"
        for one in found
    ]
    return "\n".join(
        [
            "# Log sources that rules name, and what reads them",
            "",
            "Made by `tocsin rules sources --markdown` from SigmaHQ's rules; a test compares it.",
            "",
            *(f"- {line}" for line in _summary(found)),
            "",
            "| rules | product | category | service | state | events |",
            "| ---: | --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _summary(found: Sequence[Named]) -> list[str]:
    rules: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    for one in found:
        rules[one.state] += one.rules
        sources[one.state] += 1
    return [
        f"{state}: {sources[state]} log sources of {rules[state]:,} rules ({_MEANS[state]})"
        for state in _MEANS
        if sources[state]
    ]


def _cell(text: str) -> str:
    return shown(text, 300).replace("|", "\\|") or " "
