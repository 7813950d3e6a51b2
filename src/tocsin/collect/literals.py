"""Texts that may stand in a block in, which of them do, and where, out; all are sought in one pass.

Vectorscan (docs/decisions/0006-expressions.md) passes over a block some four times as fast as an automaton that tells
every match, as long as little is found.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import hyperscan
import numpy as np

from tocsin.model.event import Longs


class Literals:
    """Seeks texts of bytes.

    Args:
        told: their places are told.
        seen: only whether they are there.
    """

    __slots__ = ("_database", "_lock", "_sizes")

    def __init__(self, told: Sequence[bytes], seen: Sequence[bytes] = ()) -> None:
        texts = [*told, *seen]
        self._lock = Lock()  # what a pass needs of memory serves one at a time
        self._sizes = np.array([*map(len, told), *(0 for _ in seen)], np.int64)
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        flags = [0] * len(told) + [hyperscan.HS_FLAG_SINGLEMATCH] * len(seen)
        self._database.compile(
            expressions=list(map(_written, texts)), ids=list(range(len(texts))), elements=len(texts), flags=flags
        )

    def find(self, data: bytes) -> tuple[Longs, Longs]:
        """Which texts stand in a block, by number, and where each begins, in the order of their ends.

        Those that are only seen are told once, with their end.
        """
        found: list[int] = []

        def take(number: int, _: int, end: int, *__: object) -> None:
            found.append(number)
            found.append(end)

        with self._lock:
            self._database.scan(data, match_event_handler=take)
        numbers, ends = np.array(found, np.int64).reshape(-1, 2).T
        return numbers, ends - self._sizes[numbers]


def _written(text: bytes) -> bytes:
    """The expression that finds a text: what compiles texts as they are ends them at their first NUL."""
    return b"".join(b"\\x%02x" % byte for byte in text)
