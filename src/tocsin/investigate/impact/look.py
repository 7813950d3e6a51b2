"""Events in, what of them may show what was taken, on disk: in a worker, table by table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocsin.investigate.impact import archives, credentials, databases, directory, files, flows, heard, mail, picks
from tocsin.investigate.impact.asked import Asked
from tocsin.investigate.impact.scene import Around
from tocsin.model.event import Events

# In the order in which they are told. What is new is named here and in model/impact.py.
CLAIMING: Final = (mail, files, archives, databases, directory, credentials)

_GATES: Final = {module.SORT: module.GATES for module in CLAIMING}
KINDS: Final = flows.KINDS | frozenset(gate.kind for gates in _GATES.values() for gate in gates)
FIELDS: Final = flows.FIELDS.union(
    picks.WHO, picks.WHERE_FROM, *(gate.fields for gates in _GATES.values() for gate in gates)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where workers keep what they found, a file for each task in each of the folders."""

    folder: Path

    @property
    def picks(self) -> Path:
        return self.folder / "picks"

    @property
    def flows(self) -> Path:
        return self.folder / "flows"

    @property
    def heard(self) -> Path:
        return self.folder / "heard"

    def made(self) -> Kept:
        for folder in (self.picks, self.flows, self.heard):
            folder.mkdir(parents=True)
        return self

    def forget(self, name: str) -> None:
        for folder in (self.picks, self.flows, self.heard):
            (folder / name).unlink(missing_ok=True)


def keep(kept: Kept, name: str, events: Events, around: Around, asked: Asked | None = None) -> None:
    """Keep what may show what was taken; and sums of what was sent and read in all, where a claim asks for them."""
    if len(around.windows):
        with (kept.picks / name).open("ab") as file:
            file.writelines(picks.lines(events, _GATES, around))
        with (kept.flows / name).open("ab") as file:
            file.writelines(flows.frames(events, around))
    if asked is not None:
        with (kept.heard / name).open("ab") as file:
            file.writelines(heard.told(events, asked))
