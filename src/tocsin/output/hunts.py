"""What a hunt found in, a page for the terminal and lines of JSON out: what was seen, and where a "no" is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocsin.model.hunt import Answer, Cell, Told
from tocsin.output.plain import clock
from tocsin.output.screen import shown

_MOST_FOUND: Final = 15
_MOST_GAPS: Final = 12
_MOST_DAYS: Final = 6
_MOST_LISTED: Final = 100_000
_MOST_TERMS: Final = 6
_WORDS: Final[Mapping[Answer, str]] = {
    "seen": "seen",
    "not seen": "not seen",
    "partly visible": "partly visible",
    "could not be seen": "not known",
}


@dataclass(slots=True)
class Answers:
    """Cells, counted as they are written: (type, answer) -> months of a log of a host."""

    months: Counter[tuple[str, Answer]] = field(default_factory=Counter)
    gaps: dict[tuple[str, str, str], int] = field(default_factory=dict)  # kind, log and why -> months
    days: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)  # kind, log, host -> days without records

    def pass_on(self, cells: Iterable[Cell]) -> Iterator[Cell]:
        for cell in cells:
            count = _months(cell)
            self.months[cell.type, cell.answer] += count
            if cell.answer == "could not be seen":
                key = (cell.kind, cell.log, cell.because)
                self.gaps[key] = self.gaps.get(key, 0) + count
            if cell.gaps and len(self.days) < _MOST_LISTED:
                self.days.setdefault((cell.kind, cell.log, cell.host), set()).update(cell.gaps)
            yield cell


def _months(cell: Cell) -> int:
    (a, b), (c, d) = (map(int, month.split("-")) for month in (cell.since, cell.until))
    return (c - a) * 12 + d - b + 1


def write_cells(cells: Iterable[Cell], file: TextIO) -> None:
    """One line of JSON for each; the same hunt gives the same bytes."""
    file.writelines(msgspec.json.encode(cell).decode() + "\n" for cell in cells)


def write_told(told: Sequence[Told], file: TextIO) -> None:
    file.write(msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n")


def show(console: Console, told: Sequence[Told], answers: Answers, notes: Sequence[str]) -> None:
    """Print what was found, then for each type of observable how far a "no" goes."""
    console.print(Text(f"\nFOUND  {len(told):,}", style="bold red" if told else "bold"))
    for one in told[:_MOST_FOUND]:
        _show_one(console, one)
    if len(told) > _MOST_FOUND:
        console.print(Text(f"  and {len(told) - _MOST_FOUND:,} more: with --out they are in hunt.json"))
    if answers.months:
        console.print(Text("\nHOW FAR A NO GOES", style="bold"))
        console.print(_table(answers.months))
        console.print(
            Text("  counted in months of one log of one host; a day without records makes a month partly visible")
        )
    order = sorted(answers.gaps.items(), key=lambda one: (-one[1], one[0]))
    for (kind, log, because), count in order[:_MOST_GAPS]:
        place = f"{kind}/{log}" if log else kind
        console.print(Text(f"  not known: {shown(place, 70)}, {count:,} months of hosts: {because}"))
    if len(order) > _MOST_GAPS:
        console.print(Text(f"  and {len(order) - _MOST_GAPS:,} more logs: with --out all are in answers.jsonl"))
    for (kind, log, host), days in sorted(answers.days.items())[:_MOST_GAPS]:
        place = f"{kind}/{log}" if log else kind
        on = f" on {shown(host, 60)}" if host else ""
        told_days = ", ".join(sorted(days)[:_MOST_DAYS]) + (" and others" if len(days) > _MOST_DAYS else "")
        console.print(Text(f"  not known: {shown(place, 70)}{on}, {told_days}: no records"))
    if len(answers.days) > _MOST_GAPS:
        console.print(Text(f"  and {len(answers.days) - _MOST_GAPS:,} more with days missing: see answers.jsonl"))
    for note in notes:
        console.print(Text(f"  {note}"), soft_wrap=False)


def _show_one(console: Console, one: Told) -> None:
    head = f"\n  {shown(one.title, 100)}"
    if one.score is not None:
        head += f"   says {one.score} of 100"
    console.print(Text(head, style="bold"))
    page = Table.grid(padding=(0, 1))
    page.add_column(width=10, no_wrap=True, style="bright_black")
    page.add_column()
    if one.value and one.value not in one.title:
        page.add_row("    value", Text(shown(one.value, 200)))
    span = "at no time that was told" if one.first_us is None else f"{clock(one.first_us)} to {clock(one.last_us)}"
    page.add_row("    seen", Text(f"{one.events:,} event{'' if one.events == 1 else 's'}, {span}"))
    page.add_row("    on", Text(_hosts(one)))
    if one.whens:
        page.add_row("    when", Text(", ".join(f"{count:,} {when}" for when, count in one.whens.items())))
    for factor, because in one.terms[:_MOST_TERMS]:
        page.add_row("", Text(f"x {factor:.2f}  {shown(because, 200)}"))
    console.print(page)


def _hosts(one: Told) -> str:
    named = [shown(host, 60) or "(no host told)" for host in one.hosts[:6]]
    more = one.host_count - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more > 0 else "") + f"  in {', '.join(one.kinds)} logs"


def _table(months: Mapping[tuple[str, Answer], int]) -> Table:
    table = Table(box=None, header_style="bright_black", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("  type", *_WORDS.values()):
        table.add_column(name, justify="left" if name == "  type" else "right")
    for kind in dict.fromkeys(kind for kind, _ in months):
        table.add_row(f"  {kind}", *(f"{months.get((kind, answer), 0):,}" for answer in _WORDS))
    return table
