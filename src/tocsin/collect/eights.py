"""The bytes of a block in, eight of them at any place as one number out: one comparison does for eight."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from tocsin.model.event import Longs

Numbers: TypeAlias = npt.NDArray[np.uint64]

WORDS: Final = 4  # of eight bytes each can be read before and behind every place
_BELOW: Final = np.array([0] + [(1 << 8 * n) - 1 for n in range(1, 9)], np.uint64)  # masks of so many bytes


class Eights:
    """A block with zeros around it; `octets` are its bytes and the zeros behind them."""

    __slots__ = ("_numbers", "data", "octets")

    def __init__(self, data: bytes) -> None:
        around = bytes(8 * WORDS)
        padded = np.frombuffer(b"".join((around, data, around)), np.uint8)
        self.data = data
        self.octets: Any = padded[len(around) :]
        self._numbers: Any = np.ndarray((len(padded) - 7,), "<u8", padded.data, strides=(1,))

    def before(self, places: Longs, word: int = 0) -> Numbers:
        """The eight bytes before each place, or those `word` times eight further ahead."""
        found: Numbers = self._numbers[places + 8 * (WORDS - 1 - word)]
        return found

    def behind(self, places: Longs, word: int = 0) -> Numbers:
        """The eight bytes from each place on, or those `word` times eight further on."""
        found: Numbers = self._numbers[places + 8 * (WORDS + word)]
        return found


def cut(numbers: Numbers, sizes: Longs) -> Numbers:
    """Numbers of which only so many bytes are kept, none to all eight."""
    kept: Numbers = numbers & _BELOW[np.minimum(np.maximum(sizes, 0), 8)]
    return kept


def first_bytes(numbers: Numbers, size: int) -> Numbers:
    """Numbers of which as many bytes are kept of each; all eight if it is more."""
    kept: Numbers = numbers & _BELOW[min(size, 8)]
    return kept
