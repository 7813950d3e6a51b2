"""The drill's second and fourth act in, what an ally's word brought to light out: files, and pages on the terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from tocsin import attribution
from tocsin.cli import hunt_files, progress, report_files
from tocsin.fourth_act import Spoken, speak
from tocsin.output import hunts as pages
from tocsin.output.screen import shown
from tocsin.second_act import recall

if TYPE_CHECKING:
    from rich.console import Console

    from tocsin.rehearse import Made


def performed(
    made: Made,
    folder: Path,
    lake: Path,
    jobs: int,
    console: Console,
    third: Callable[[], dict[str, Any]],
    *,
    quiet: bool,
) -> None:
    """Play them, their files below `folder`, the score of all acts behind the first among them.

    Args:
        third: plays the third act, once the second was told, and gives its figures.
    """
    folder.mkdir()
    answers = pages.Answers()
    _begins(console, "The second act: an ally shares what it knows")
    with ExitStack() as stack:
        with progress.live(quiet=quiet) as on_progress:
            done = stack.enter_context(recall(made, lake, jobs=jobs, on_progress=on_progress))
        with progress.word("writing what the hunt found", quiet=quiet):
            who = report_files.compared(done.hunted.response, attribution.Team(known=attribution.known()))
            hunt_files.write(done.hunted, folder, report_files.Asked("clear"), answers, who)
        with progress.word("telling people, and speaking with other nations", quiet=quiet):
            spoken = speak(made, done.hunted.response, folder, since=done.asked_at)
        records, files = done.taken.records, len(done.taken.custody)
        asked = len(done.hunt.rules.rules)
    truth = json.loads(made.truth.read_bytes())
    console.print(
        f"{records:,} records of {files:,} sources lie in a lake. A bundle of {asked - 1} indicators and one rule"
        f" arrives from an ally that two of the groups visited, too."
    )
    _tell(console, truth, done.figures, folder)
    told = {**done.figures, "third_act": third(), "fourth_act": _figures(spoken)}
    (folder / "score.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    _spoken(console, spoken, folder)


def _begins(console: Console, act: str) -> None:
    """Told before it is played, so that whoever waits knows for what."""
    console.print()
    console.print(act, style="bold")


def _figures(spoken: Spoken) -> dict[str, Any]:
    return {
        "cases": spoken.cases,
        "register_seconds": spoken.register_s,
        "entries": spoken.entries,
        "undecided": spoken.undecided,
        "stands": spoken.stands,
        "named": list(spoken.named),
        "reservation_kept": spoken.reserved,
    }


def _spoken(console: Console, spoken: Spoken, folder: Path) -> None:
    """The clock runs from the moment at which the ally's word came."""
    _begins(console, "The fourth act: people are told, and nations speak together")
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, justify="right", min_width=9, style="bright_black")
    table.add_column(ratio=1)
    for step in spoken.steps:
        table.add_row(f"{step.at_s:.1f} s", Text(shown(step.what, 300)))
    console.print(table)
    for why in spoken.left_out:
        console.print(Text(f"  left out: {shown(why, 300)}", style="bright_black"))
    if spoken.named:
        console.print(f"  named in public: {', '.join(spoken.named)}; a reservation stays with those who sealed it")
    console.print(f"  written: {shown(os.fspath(folder))}", soft_wrap=True)


def _tell(console: Console, truth: Mapping[str, Any], figures: Mapping[str, Any], folder: Path) -> None:
    titles = {one["id"]: one["title"] for one in truth["incidents"]}
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(width=1)
    table.add_column(ratio=1)
    table.add_column(no_wrap=True, justify="right")
    for name, one in figures["by_campaign"].items():
        found = bool(one["steps_found"])
        what = f"{name}: {'; '.join(titles[each] for each in one['incidents_found']) or 'not found'}"
        mark = Text("●", style="green") if found else Text("○", style="red")
        table.add_row("", mark, Text(shown(what, 300)), f"{one['steps_found']} of {one['steps']} steps")
    console.print(table)
    right = f"{figures['event_precision']:.0%}"
    console.print(f"  {right} of the records that stand belong to an attack", end="")
    console.print(f"; {figures['counts']['records_lowered']:,} more are told as meaning little")
    for key, words in (
        ("never_here_but_seen", "told as seen, though it was never here"),
        ("shared_but_not_seen", "both met it, and it was not seen"),
    ):
        for value in figures[key]:
            console.print(Text(f"  {shown(value, 80)}: {words}", style="red"))
    console.print(
        f"  {figures['import_seconds']:,} s to take all of it in, {figures['hunt_seconds']:,} s to ask",
        style="bright_black",
    )
    console.print(f"  written: {shown(os.fspath(folder))}", soft_wrap=True)
