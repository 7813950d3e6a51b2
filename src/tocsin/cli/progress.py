"""How far a run is in, a line on the terminal that says so out; nothing where standard error is no terminal.

Drawn only when there is news: a thread that redraws would be forked, with its locks, into the workers.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.ledger import Progress

_EVERY_S: Final = 0.1


@contextmanager
def live(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    if quiet or not _is_terminal():
        yield lambda progress: None
        return
    from rich.console import Console

    from tocsin.cli.bar import Bar

    bar = Bar(Console(stderr=True, highlight=False))
    drawn = 0.0

    def draw(progress: Progress) -> None:
        nonlocal drawn
        now = time.monotonic()
        if now - drawn >= _EVERY_S:
            drawn = now
            bar.draw(progress)

    try:
        yield draw
    finally:
        bar.close()


@contextmanager
def word(text: str, *, quiet: bool) -> Iterator[None]:
    """A word on what is being done, gone when it is done."""
    text = shown(text, 78)
    told = not quiet and _is_terminal()
    if told:
        sys.stderr.write(text + "\r")
        sys.stderr.flush()
    try:
        yield
    finally:
        if told:
            sys.stderr.write(" " * len(text) + "\r")
            sys.stderr.flush()


@contextmanager
def counted(what: str, unit: str, *, quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """A bar for work of which it is known how much there is: call it with what is done, the whole, and where it is."""
    if quiet or not _is_terminal():
        yield lambda done, whole, where: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        *(TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn()),
        TextColumn("{task.description}", style="bright_black", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True, highlight=False), auto_refresh=False, transient=True) as bar:
        task = bar.add_task("", total=None)

        def draw(done: int, whole: int, where: str) -> None:
            bar.update(task, completed=done, total=whole, description=shown(where, 60), refresh=True)

        yield draw


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
