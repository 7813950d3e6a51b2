"""What workers are to look for when evidence is read once more, whoever asks."""

from __future__ import annotations

from typing import Protocol

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
