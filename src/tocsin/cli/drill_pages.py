"""A drill's truth and its figures in, pages on the terminal out: who plays, what happened, what of it was found."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from tocsin.output.screen import shown

if TYPE_CHECKING:
    from rich.console import Console

    from tocsin.exercise import Exercise
    from tocsin.rehearse import Made, Progress

_FOUND: Final = Text("●", style="green")
_MISSED: Final = Text("○", style="red")
_UNSEEN: Final = Text("·", style="bright_black")

# In words; docs/drill.md says how each is made.
_FIGURES: Final = {
    "step_recall": "steps of attacks that were found",
    "event_precision": "cited records that belong to an attack",
    "grouping_f1": "steps put together as they belong (F1)",
    "act_now_false_per_host_month": "false incidents to act on now, per host and month",
    "review_queue_per_week": "incidents to review, per week and 300 hosts",
    "impact_error": "how far off what was concluded of the harm is",
    "seconds": "seconds from the first log to the last case",
    "peak_mb": "megabytes of memory at most",
}


def today(made: Progress) -> str:
    """Which day it is in the drill, and what is on."""
    day = made.date
    return f"{day:%a} {day.day} {day:%b}{', the house sits' if made.sits else ''}, {made.records:,} records"


def opening(console: Console, made: Made, seed: int) -> None:
    console.print()
    console.print("Two parliamentary bodies go about their work.", style="bold")
    console.print(
        f"{made.hosts} machines, {made.days} days, {made.records:,} records (seed {seed}). In them is a story."
    )


def story(
    console: Console,
    truth: Mapping[str, Any],
    figures: Mapping[str, Any],
    name: str,
    told: Mapping[str, Any] | None = None,
) -> None:
    """What truly happened, in its order, and beside each step whether it was found.

    Args:
        told: figures of rules that the story was told for already: only what these see otherwise is told again.
    """
    missed = _missed(figures)
    groups = {one["id"]: one["group"] for one in truth["campaigns"]}
    console.print()
    what = "What happened, and what was found" if told is None else "Seen otherwise"
    console.print(f"{what} with rules: {shown(name)}", style="bold")
    if told is None:
        marks = (_FOUND, " found  ", _MISSED, " missed  ", _UNSEEN, " left no record; times are UTC")
        console.print(Text.assemble(*marks, style="bright_black"))
    other = missed ^ _missed(told) if told is not None else None
    if other is not None and not other:
        console.print("Nothing.", style="bright_black")
    for incident in truth["incidents"]:
        steps = [one for one in incident["steps"] if other is None or (incident["id"], one["id"]) in other]
        if not steps:
            continue
        group = groups.get(incident["campaign"])
        by = f" — {group['name']}" if group else ""
        console.print()
        title = Text(shown(f"{incident['title']}{by}"), style="bold cyan")
        if told is None:
            seen = [one for one in steps if one["observable"]]
            found = sum((incident["id"], one["id"]) not in missed for one in seen)
            title.append(f"  {found} of {len(seen)} steps found", style="not bold bright_black")
        console.print(title)
        _steps(console, incident["id"], steps, missed)


def _missed(figures: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(one["incident"], one["step"]) for one in figures["missed"]}


def _steps(console: Console, incident: str, steps: Sequence[Mapping[str, Any]], missed: set[tuple[str, str]]) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(no_wrap=True, style="bright_black")
    table.add_column(ratio=1)
    table.add_column(no_wrap=True, style="bright_black")
    day = ""
    for step in steps:
        at = datetime.fromisoformat(step["at"])
        date = f"{at:%a} {at.day} {at:%b}"
        mark = _UNSEEN if not step["observable"] else _MISSED if (incident, step["id"]) in missed else _FOUND
        what = Text(shown(step["what"], 160))
        if step["decoy"]:
            what.append(" (planted to mislead)", style="yellow")
        where = str(step["host"]).partition(".")[0]
        table.add_row(mark, f"{'' if date == day else date:>10} {at:%H:%M}", what, shown(where, 16))
        day = date
    console.print(table)


def verdict(console: Console, figures: Mapping[str, Mapping[str, Any]]) -> None:
    """The figures of each rule set beside each other, and what must never go wrong."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("Scored against the truth")
    for name in figures:
        table.add_column(shown(name), justify="right")
    for key, words in _FIGURES.items():
        table.add_row(words, *(_number(one[key]) for one in figures.values()))
    console.print()
    console.print(table)
    for name, one in figures.items():
        pairs = "; ".join(" and ".join(pair) for pair in one["campaigns_merged"])
        said = f"TAKEN FOR ONE: {pairs}" if pairs else "never taken for one"
        console.print(Text(shown(f"  {name}: campaigns of different groups were {said}"), style="red" if pairs else ""))
        judged = one["claim_contradicted"]
        told = {True: "contradicted, as it should be", False: "NOT judged rightly", None: "not judged"}[judged]
        console.print(Text(f"  {shown(name)}: the claim to the press was {told}", style="" if judged else "red"))


def contained(console: Console, told: Exercise | None) -> None:
    """How the cases would be contained, and what of it was really tried."""
    if told is None:
        return
    console.print()
    console.print("How it would be contained", style="bold")
    plans = "1 case" if told.plans == 1 else f"{told.plans} cases"
    ways = "1 way" if told.open == 1 else f"{told.open} ways"
    console.print(f"  plans for {plans}: {told.actions} actions, {ways} left open; {told.seconds:.2f} s at most")
    if told.left_out:
        console.print(Text(f"  nothing was really blocked: {shown(told.left_out, 300)}"))
        return
    good = told.held == told.tried and told.lived and told.undone
    console.print(
        Text(
            f"  really blocked in namespaces of this machine: {told.held} of {told.tried} addresses fell silent, "
            f"{told.stopped} packets were stopped, what is not theirs {'went on' if told.lived else 'WAS CUT OFF'}; "
            f"lifted again{', to the byte' if told.undone else ' BUT NOT AS IT WAS'}",
            style="" if good else "red",
        )
    )


def closing(console: Console, report: Path) -> None:
    console.print()
    console.print(Text(f"The report: {shown(os.fspath(report))}", style="bold"), soft_wrap=True)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}".rstrip("0").rstrip(".") or "0"
