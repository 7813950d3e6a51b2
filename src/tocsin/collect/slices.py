"""Where records stand in a block in, the records out, without a copy of the block."""

from __future__ import annotations

import numpy as np

from tocsin.model.event import Longs


class Slices:
    """Records as slices of their block, below the header that stands before them."""

    __slots__ = ("_data", "_starts", "_stops", "header")

    def __init__(self, data: bytes, starts: Longs, stops: Longs, header: bytes = b"") -> None:
        self._data, self._starts, self._stops, self.header = data, starts, stops, header

    def record(self, at: int) -> bytes:
        return self._data[self._starts[at] : self._stops[at]].rstrip(b"\r")

    def joined(self) -> tuple[bytes, Longs]:
        first = int(self._starts[0])
        return self._data[first : int(self._stops[-1])], self._starts - first

    def sizes(self) -> Longs:
        sizes = self._stops - self._starts
        returns = np.frombuffer(self._data, np.uint8)[self._stops - 1] == ord("\r")
        sizes[returns] = [len(self.record(at)) for at in np.flatnonzero(returns).tolist()]
        return sizes
