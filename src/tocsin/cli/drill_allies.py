"""The drill's third act in, what three nations told each other out: lines as it happens, a verdict, and files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from tocsin import third_act
from tocsin.errors import ShareError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from rich.console import Console

    from tocsin.nation import Step
    from tocsin.rehearse import Made, Profile

_NOT_KEPT = ("evidence", "lake", "logs", "node", "taxii.db", "taxii.db-shm", "taxii.db-wal", "share/pseudonyms.key")


def performed(made: Made, habits: Profile | None, folder: Path, scratch: Path, console: Console) -> dict[str, Any]:
    """Play it in a scratch folder, and keep what people may want to read of it; its figures."""
    console.print()
    console.print("The third act: an ally shares, and two nations find themselves in it", style="bold")
    console.print("Three processes, each with a node, a lake and agreements of its own, meet at a server.")
    try:
        figures = third_act.play(made, habits, scratch, on_step=lambda step: _step(console, step))
    except (ShareError, OSError) as unable:
        why = unable.message if isinstance(unable, ShareError) else f"{unable.strerror or unable}"
        console.print(Text(f"  left out: {shown(why, 300)}", style="red"))
        return {"left_out": why}
    for path in (scratch, *(each for each in scratch.iterdir() if each.is_dir())):
        for name in _NOT_KEPT:
            shutil.rmtree(path / name) if (path / name).is_dir() else (path / name).unlink(missing_ok=True)
    for path in scratch.glob("*.looked"):
        path.unlink()
    (scratch / "over").unlink()
    scratch.rename(folder)
    _verdict(console, figures)
    console.print(f"  written: {shown(os.fspath(folder))}", soft_wrap=True)
    return figures


def _step(console: Console, step: Step) -> None:
    console.print(Text(f"  {step.at_s:7.1f} s  {shown(step.who, 40)} {shown(step.what, 300)}"))


def _verdict(console: Console, figures: Mapping[str, Any]) -> None:
    for name, called in third_act.CALLED.items():
        if name in figures["indicators_met"]:
            met, sent = figures["indicators_met"][name], figures["sightings_sent"][name]
            mark = Text("● ", style="green") if met else Text("○ ", style="red")
            words = f"{called} met {met} of what the ally knows; {sent or 'no'} sightings went back"
            console.print(Text.assemble("  ", mark, words))
    agreed = figures["sightings_as_agreed"] and figures["reached_whom_it_may"]
    said = "what was agreed was told" if agreed else "WHAT WAS AGREED WAS NOT KEPT"
    left = figures["left_though_forbidden"]
    where = f"{figures['messages']:,} messages of {figures['bytes']:,} bytes in all"
    found = "none of them is there" if not left else f"{left} ARE THERE: {', '.join(figures['what_left'])}"
    lines = [
        (f"{said}; {figures['looked_for']:,} names and words that may not leave were looked for in {where}: {found}"),
        f"what was taken back is known to {len(figures['revocation_known_to'])} of 2",
    ]
    for line, good in zip(lines, (agreed and not left, len(figures["revocation_known_to"]) == 2), strict=True):
        console.print(Text(f"  {shown(line, 600)}", style="" if good else "red"))
    for value in figures["never_here_but_seen"]:
        console.print(Text(f"  {shown(value, 80)}: told as seen, though it was never here", style="red"))
    console.print(f"  {figures['seconds']:,} s for all of it", style="bright_black")
