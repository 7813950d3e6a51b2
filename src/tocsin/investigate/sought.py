"""What workers are to look for when evidence is read once more, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from tocsin.model.event import Events, Longs


class Sought(Protocol):
    """Records that are wanted, of which kinds and times, by which fields."""

    @property
    def kinds(self) -> frozenset[str]: ...

    @property
    def fields(self) -> frozenset[str]: ...

    @property
    def needs(self) -> frozenset[str]:
        """Of these fields a record must have one; none where any will do."""

    @property
    def windows(self) -> Longs:
        """Rows of (since, until)."""

    def forget(self, name: str) -> None:
        """What a worker that died at this task has kept."""

    def keep(self, name: str, events: Events) -> None:
        """Keep those records of a table that are wanted, under the name of the task."""


def set_down(path: Path, rows: Sequence[int], record: Callable[[int], object | None], most_bytes: int) -> None:
    """Add records to what a worker keeps, a line each; once it holds so much, the number of the rest as its last line.

    Whoever writes the evidence may name one thing in all of it.

    Args:
        record: what is kept of a row; None for nothing.
    """
    with path.open("ab") as file:
        for number, row in enumerate(rows):
            if file.tell() >= most_bytes:
                file.write(msgspec.json.encode(len(rows) - number) + b"\n")
                break
            if (one := record(row)) is not None:
                file.write(msgspec.json.encode(one) + b"\n")
