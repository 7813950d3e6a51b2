"""A run in, a table for spreadsheets out, in which nothing is a formula."""

from __future__ import annotations

from typing import TextIO

from tocsin.model.run import Run
from tocsin.output.plain import KEYS, as_json, rows, write_table

NAME = "csv"
SUFFIX = ".csv"


def write(run: Run, file: TextIO) -> None:
    """The columns of the JSON lines; techniques are divided by blanks, fields are JSON."""
    write_table(
        KEYS,
        (
            [*{**row, "techniques": " ".join(row["techniques"]), "fields": as_json(row["fields"])}.values()]
            for row in rows(run)
        ),
        file,
    )
