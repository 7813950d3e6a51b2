"""A run in, one line of JSON for each rule and event out."""

from __future__ import annotations

from typing import TextIO

from tocsin.model.run import Run
from tocsin.output.plain import as_json, rows

NAME = "jsonl"
SUFFIX = ".jsonl"


def write(run: Run, file: TextIO) -> None:
    file.writelines(as_json(row) + "\n" for row in rows(run))
