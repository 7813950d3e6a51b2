"""A run in, a table for spreadsheets out, in which nothing is a formula."""

from __future__ import annotations

from typing import Any, TextIO

from tocsin.model.run import Run
from tocsin.output.plain import KEYS, as_json, rows, write_table

NAME = "csv"
SUFFIX = ".csv"


def write(run: Run, file: TextIO) -> None:
    """The columns of the JSON lines; techniques are divided by blanks, fields, correlation and indicator are JSON.

    The events that a correlation stands on are counted: no cell holds them all.
    """
    write_table(
        KEYS,
        (
            [
                *{
                    **row,
                    "techniques": " ".join(row["techniques"]),
                    "fields": as_json(row["fields"]),
                    "correlation": _without_events(row["correlation"]),
                    "indicator": as_json(row["indicator"]) if row["indicator"] else "",
                }.values()
            ]
            for row in rows(run)
        ),
        file,
    )


def _without_events(correlation: dict[str, Any] | None) -> str:
    return as_json({name: value for name, value in correlation.items() if name != "events"}) if correlation else ""
