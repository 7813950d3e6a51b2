"""The drawer of outputs: one plain module for each form that a run can be written in."""

from __future__ import annotations

from tocsin.output.formats import coverage, csv, custody, jsonl, navigator, timesketch
from tocsin.output.writer import Writer

# In the order in which they are offered to people.
WRITERS: tuple[Writer, ...] = (jsonl, csv, timesketch, navigator, coverage, custody)
