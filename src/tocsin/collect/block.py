"""A piece of a source that can be read by itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from tocsin.model.event import Longs


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whole records, cut out of a source.

    Args:
        data: the bytes; what comes before them and is needed to read them (an EVTX header) is in `head`.
        offset: where `data` begins in the source.
        ends: for documents that are not one to a line: (start, stop) of each in `data`.
        damaged: records that could not even be cut out, by reason.
        places: for data that was gathered from several places: where each piece begins in it, in order, and how far
            it stood behind there before. None where all of it stood together.
        rest: lines of syslog that stood among the records, for whoever knows them.
    """

    data: bytes
    offset: int
    head: bytes = b""
    spans: tuple[tuple[int, int], ...] | None = None
    damaged: Counter[str] = field(default_factory=Counter)
    places: tuple[Longs, Longs] | None = None
    rest: Block | None = None

    def in_source(self, starts: Longs) -> Longs:
        """Where in the source stands what begins in `data` at `starts`."""
        if self.places is None:
            return starts + self.offset
        begins, moved = self.places
        return starts + moved[np.searchsorted(begins, starts, "right") - 1] + self.offset
