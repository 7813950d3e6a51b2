"""A file-like in, another file-like out: look ahead, decompress, decode, digest."""

from __future__ import annotations

import bz2
import codecs
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO, NamedTuple, TypeAlias, cast

import zstandard

HEAD_BYTES = 64 << 10
PIECE = 1 << 20
_MAX_EXPANSION = 250  # logs shrink 10- to 60-fold; bombs a thousandfold
_BOMB_BYTES = 256 << 20  # expansion is judged only beyond this
_BOMB = f"expands more than {_MAX_EXPANSION}-fold; the rest is not read"

# How many bytes came of one byte on disk, through all layers so far: bombs in bombs multiply.
Expansion: TypeAlias = Callable[[], float]


class Packing(NamedTuple):
    """A compression: a new engine, and how many bytes to feed it at once (see `Inflated`)."""

    start: Callable[[], object]
    feed_bytes: int


GZIP = Packing(lambda: zlib.decompressobj(wbits=31), 32 << 10)
ZSTANDARD = Packing(lambda: zstandard.ZstdDecompressor(max_window_size=128 << 20).decompressobj(), 1 << 10)
# Little at once: 45 bytes of bzip2 can stand for 46 MB.
BZIP2 = Packing(bz2.BZ2Decompressor, 64)
XZ = Packing(lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=256 << 20), 1 << 10)


class _Ahead(io.RawIOBase):
    """A stream whose beginning was read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            size = 1 << 62
        if not self._head:
            return self._rest.read(size)
        part, self._head = self._head[:size], self._head[size:]
        if len(part) < size:
            part += self._rest.read(size - len(part))
        return part


def joined(head: bytes, rest: BinaryIO) -> BinaryIO:
    """A stream that gives `head`, then the rest."""
    return cast(BinaryIO, _Ahead(head, rest))


def peek(file: BinaryIO, size: int = HEAD_BYTES) -> tuple[BinaryIO, bytes]:
    """The first bytes, and a stream that still gives them."""
    head = read_fully(file, size)
    return joined(head, file), head


class Digesting(io.RawIOBase):
    """A stream that takes the SHA-256 of what passes. Its first end is its last, though the file may still grow."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._sha256 = file, hashlib.sha256()
        self._ended = False
        self.size = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        if self._ended:
            return b""
        part = self._file.read(size)
        self._ended = not part and size != 0
        self._sha256.update(part)
        self.size += len(part)
        return part

    def drain(self) -> None:
        """Read what is left, so that the digest is of all of it."""
        while self.read(PIECE):
            continue

    def hexdigest(self) -> str:
        return self._sha256.hexdigest()


def read_fully(stream: BinaryIO, size: int) -> bytes:
    """So many bytes, or all that are left: streams may give less than they are asked for."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Pieces(io.RawIOBase):
    """A stream made from pieces; `_piece` gives the next, b'' at the end."""

    def __init__(self) -> None:
        self._rest = b""

    def readable(self) -> bool:
        return True

    def _piece(self, size: int) -> bytes:
        raise NotImplementedError

    def skip(self) -> None:
        """Pass over what is left."""
        while self.read(PIECE):
            pass

    def read(self, size: int = -1) -> bytes:
        want = size if size is not None and size >= 0 else 1 << 62
        parts, have = [self._rest], len(self._rest)
        while have < want and (piece := self._piece(min(want - have, PIECE))):
            parts.append(piece)
            have += len(piece)
        whole = b"".join(parts)
        self._rest = whole[want:]
        return whole[:want]


class Guarded(Pieces):
    """Ends, with a word why, where its source fails or expands like a bomb."""

    def __init__(
        self, file: BinaryIO, problems: list[str], taken: Callable[[], int], expansion: Expansion, most: int = PIECE
    ) -> None:
        """Args: taken: compressed bytes so far; most: bytes to ask for at once."""
        super().__init__()
        self._file, self._problems, self._taken, self._outer, self._most = file, problems, taken, expansion, most
        self._given = 0

    def expansion(self) -> float:
        return self._outer() * max(self._given / max(self._taken(), 1), 1)

    def _piece(self, size: int) -> bytes:
        try:
            piece = self._file.read(min(size, self._most))
        except (
            zipfile.BadZipFile,
            zlib.error,
            lzma.LZMAError,
            EOFError,
            OSError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            self._problems.append(f"compressed data that cannot be read further ({error})")
            self._file = cast(BinaryIO, io.BytesIO())
            return b""
        self._given += len(piece)
        if self._given > _BOMB_BYTES and self.expansion() > _MAX_EXPANSION:
            self._problems.append(_BOMB)
            self._file = cast(BinaryIO, io.BytesIO())
            return b""
        return piece


class Inflated(Pieces):
    """Decompressed bytes of a gzip, bzip2, xz or Zstandard stream, also of several joined ones and of a torn one.

    Fed with little at a time: 4 bytes of Zstandard can stand for 128 KiB, 1 byte of deflate for 1 KiB.
    """

    def __init__(self, file: BinaryIO, problems: list[str], packing: Packing, expansion: Expansion) -> None:
        super().__init__()
        self._file, self._problems, self._packing, self._outer = file, problems, packing, expansion
        self._engine: object | None = None
        self._pending = b""
        self._taken = self._given = 0

    def expansion(self) -> float:
        return self._outer() * max(self._given / max(self._taken, 1), 1)

    def _piece(self, size: int) -> bytes:
        while True:
            compressed = self._pending or self._file.read(self._packing.feed_bytes)
            self._pending = b""
            if not compressed:
                if self._engine is not None:
                    self._stop("compressed data that ends early")
                return b""
            if self._engine is None and self._taken:
                # Padding behind a stream, or a newline that some tool left there, is no second stream.
                compressed = compressed.lstrip(b"\0\r\n")
                if not compressed:
                    continue
            self._taken += len(compressed)
            engine = self._engine = self._engine or self._packing.start()
            try:
                piece: bytes = engine.decompress(compressed)  # type: ignore[attr-defined]
            except (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError) as error:
                self._stop(f"compressed data that cannot be read further ({error})")
                return b""
            if engine.eof:  # type: ignore[attr-defined]
                self._pending = engine.unused_data  # type: ignore[attr-defined]
                self._taken -= len(self._pending)
                self._engine = None
            self._given += len(piece)
            if self._given > _BOMB_BYTES and self.expansion() > _MAX_EXPANSION:
                self._stop(_BOMB)
                return b""
            if piece:
                return piece

    def _stop(self, problem: str) -> None:
        self._problems.append(problem)
        self._file, self._engine, self._pending = cast(BinaryIO, io.BytesIO()), None, b""


class Bounded(Pieces):
    """The next `size` bytes of an archive, and the padding behind them."""

    def __init__(self, file: BinaryIO, size: int, problems: list[str], unit: int = 1) -> None:
        super().__init__()
        size = max(size, 0)  # a header can say anything
        self._file, self._left, self._padding, self._problems = file, size, -size % unit, problems

    def _piece(self, size: int) -> bytes:
        piece = self._file.read(min(size, self._left))
        if not piece and self._left:
            self._problems.append("archive that ends early")
            self._left = 0
        self._left -= len(piece)
        return piece

    def skip(self) -> None:
        super().skip()
        read_fully(self._file, self._padding)


class Recoded(Pieces):
    """UTF-16 text as UTF-8."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        super().__init__()
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._begun = False

    def _piece(self, size: int) -> bytes:
        while encoded := self._file.read(size + size % 2 + 2):
            text = self._decoder.decode(encoded)
            if not self._begun:
                text, self._begun = text.removeprefix("\ufeff"), True
            if text:
                return text.encode("utf-8", "replace")
        return self._decoder.decode(b"", True).encode("utf-8", "replace")
