"""A zip archive without its directory in, its members out, by the header in front of each (APPNOTE.TXT 4.3.7)."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from tocsin.collect.streams import Bounded, Pieces

_HEADER = struct.Struct("<4xHHH4x4xIIHH")
_ENCRYPTED, _SIZE_BEHIND, _UTF8 = 1, 8, 0x800
_IN_EXTRA = 0xFFFFFFFF
_FEED_BYTES = 4 << 10  # one byte can stand for a thousand


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """`body` must be read to its end before the next member is asked for; `taken`: packed bytes read so far."""

    name: str
    body: Pieces
    taken: Callable[[], int]
    problems: list[str]


def members(file: BinaryIO, problems: list[str]) -> Iterator[Member]:
    """Members from front to back, until one cannot be told from what follows it."""
    front = _Front(file)
    while (header := front.read(30)).startswith(b"PK\x03\x04") and len(header) == 30:
        _, flags, method, packed, _, name_bytes, extra_bytes = _HEADER.unpack(header)
        name = front.read(name_bytes).decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        extra = front.read(extra_bytes)
        if packed == _IN_EXTRA:
            packed = _large_size(extra)
        unknown = bool(flags & _SIZE_BEHIND) and not packed
        if unknown and method != zipfile.ZIP_DEFLATED:
            problems.append("zip archive with a member of unknown size: what stands behind it is not read")
            return
        faults: list[str] = []
        before = front.given
        source = cast(BinaryIO, front) if unknown else cast(BinaryIO, Bounded(cast(BinaryIO, front), packed, faults))
        body: Pieces = _Plain(source)
        if flags & _ENCRYPTED or method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            faults.append("archive member that cannot be opened (encrypted, or packed in a way that is not known)")
            body = _Plain(cast(BinaryIO, Bounded(cast(BinaryIO, front), 0, faults)))
        elif method == zipfile.ZIP_DEFLATED:
            body = _Deflated(source, front if unknown else None, faults)
        if name.endswith("/"):
            body.skip()
        else:
            yield Member(name=name, body=body, taken=_since(front, before), problems=faults)
        body.skip()
        if not unknown:
            cast(Pieces, source).skip()
        if flags & _SIZE_BEHIND:
            front.pass_sizes()


def _since(front: _Front, before: int) -> Callable[[], int]:
    return lambda: front.given - before


def _large_size(extra: bytes) -> int:
    """The packed size of a member beyond 4 GiB: second of two numbers in extra field 1."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1 and size >= 16 and at + 20 <= len(extra):
            return int(struct.unpack_from("<Q", extra, at + 12)[0])
        at += 4 + size
    return 0


class _Front(Pieces):
    """The archive, of which bytes can be given back."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self.given = 0

    def _piece(self, size: int) -> bytes:
        return self._file.read(size)

    def read(self, size: int = -1) -> bytes:
        part = super().read(size)
        self.given += len(part)
        return part

    def give_back(self, part: bytes) -> None:
        self._rest = part + self._rest
        self.given -= len(part)

    def pass_sizes(self) -> None:
        """Pass over what may stand behind a member: a mark, a checksum, two sizes of 4 or 8 bytes."""
        behind = self.read(24)
        marked = 4 if behind.startswith(b"PK\x07\x08") else 0
        for size in (12, 20):
            if behind[marked + size :].startswith(b"PK") or len(behind) <= marked + size:
                self.give_back(behind[marked + size :])
                return
        self.give_back(behind[marked + 12 :])


class _Plain(Pieces):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def _piece(self, size: int) -> bytes:
        return self._file.read(size)


class _Deflated(Pieces):
    """Decompressed bytes of a member; what was read beyond its end is given back to `front`."""

    def __init__(self, file: BinaryIO, front: _Front | None, problems: list[str]) -> None:
        super().__init__()
        self._file, self._front, self._problems = file, front, problems
        self._engine = zlib.decompressobj(wbits=-15)
        self._ended = False

    def _piece(self, size: int) -> bytes:
        while not self._ended:
            packed = self._file.read(_FEED_BYTES)
            if not packed:
                self._stop("compressed data that ends early")
                break
            try:
                piece = self._engine.decompress(packed)
            except zlib.error as error:
                self._stop(f"compressed data that cannot be read further ({error})")
                break
            if self._engine.eof:
                self._ended = True
                if self._front is not None:
                    self._front.give_back(self._engine.unused_data)
            if piece:
                return piece
        return b""

    def _stop(self, problem: str) -> None:
        self._ended = True
        self._problems.append(problem)
