"""Numbers in, few bytes out, and back."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array: TypeAlias = npt.NDArray[Any]
Packed: TypeAlias = tuple[int, int, bytes]  # bytes of a number, how many numbers, and these

_LEVEL: Final = 3  # of zstd
_LARGEST: Final = 1 << 36  # bytes of an array: what claims more is damaged


def packed(array: Array) -> Packed:
    """In as few bytes a number as the largest needs, all first bytes before all second ones: these are alike."""
    most = int(array.max()) if len(array) else 0
    width = next(width for width in (1, 2, 4, 8) if most < 1 << (8 * width))
    planes = array.astype(f"<u{width}").view(np.uint8).reshape(-1, width).T
    return width, len(array), squeezed(np.ascontiguousarray(planes))


def unpacked(width: int, count: int, content: bytes) -> Array:
    """Numbers as they were.

    Raises:
        ValueError, OSError: the bytes are damaged.
    """
    planes = np.frombuffer(loosened(content, width * count), np.uint8)
    return np.ascontiguousarray(planes.reshape(width, -1).T).view(f"<u{width}")[:, 0]


def squeezed(content: Any) -> bytes:
    return bytes(pa.Codec("zstd", _LEVEL).compress(content, asbytes=True))


def loosened(content: bytes, size: int) -> bytes:
    """What was squeezed, of so many bytes."""
    if not 0 <= size <= _LARGEST:
        raise ValueError("its head is damaged")
    return bytes(pa.Codec("zstd").decompress(content, size, asbytes=True))
