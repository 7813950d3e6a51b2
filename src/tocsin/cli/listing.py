"""Rows in, a table for people or lines with tabs for programs out: which of them, standard output decides."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from tocsin.output.screen import shown

_LONGEST = 200  # of a text in a table, before the width of the terminal cuts it


def show(header: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> None:
    """Print a table. `nothing` is what is said, to whoever looks, where there are no rows."""
    if not rows:
        typer.echo(shown(nothing), err=True)
    elif sys.stdout.isatty():
        _table(header, rows)
    else:
        for row in (header, *rows):
            typer.echo("\t".join(shown(text) for text in row))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bright_black", pad_edge=False, padding=(0, 2, 0, 0))
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(text, _LONGEST)) for text in row))
    Console(highlight=False, emoji=False, markup=False).print(table)
