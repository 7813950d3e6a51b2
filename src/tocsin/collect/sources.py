"""Names of files, folders, globs and archives in, streams of log bytes out; `-` is standard input."""

from __future__ import annotations

import codecs
import glob
import io
import os
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import zstandard

from tocsin.collect.streams import Digesting, peek
from tocsin.errors import EvidenceError

STDIN = "-"
_PIECE = 1 << 20
_MAX_DEPTH = 3  # archives in archives
_MAX_NESTED_BYTES = 512 << 20  # an archive that stands in an archive is held in memory
_MAX_EXPANSION = 250  # logs shrink 10- to 60-fold; bombs a thousandfold
_BOMB_BYTES = 256 << 20  # expansion is judged only beyond this


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One stream of log bytes inside a file. `problems` grows while the stream is read."""

    path: str
    stream: Digesting
    head: bytes
    problems: list[str]


def find(logs: Iterable[str | Path]) -> list[tuple[str, int]]:
    """Paths and sizes of all files that the names stand for, each once, sorted; `-` is standard input.

    Raises:
        EvidenceError: a name stands for nothing.
    """
    found: dict[str, int] = {}
    for log in map(str, logs):
        if log == STDIN:
            found[STDIN] = 0
            continue
        paths = [log] if os.path.lexists(log) else sorted(glob.glob(log, recursive=True))  # noqa: PTH207  # a Path cannot glob an absolute pattern
        if not paths:
            raise EvidenceError(
                f"{log}: no such file or folder", hint="Check the path; quote globs such as 'logs/**/*.evtx'."
            )
        for path in paths:
            for file in _files(Path(path)):
                found[str(file)] = file.stat().st_size
    return sorted(found.items())


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names) if Path(folder, name).is_file())
    elif path.is_file():
        yield path
    else:
        raise EvidenceError(
            f"{path}: not a regular file",
            hint="Devices and sockets are not read; use `-` for standard input.",
        )


def open_path(path: str) -> BinaryIO:
    """Raises EvidenceError if the file cannot be opened."""
    if path == STDIN:
        return sys.stdin.buffer
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise EvidenceError(f"{path}: {error.strerror}", hint="Check its permissions.") from error


def zip_members(path: str) -> list[tuple[str, int]] | None:
    """Names and sizes of a zip file's members, None if it is not one that can be listed."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [(entry.filename, entry.file_size) for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return None


def leaves(path: str, file: BinaryIO, member: str | None = None) -> Iterator[Leaf]:
    """The log streams in a file, one after another; each must be read before the next is asked for."""
    yield from _unpack(path, file, 0, [], member)


def _unpack(
    path: str,
    file: BinaryIO,
    depth: int,
    problems: list[str],
    member: str | None = None,
    packed: bool = False,
) -> Iterator[Leaf]:
    stream, head = peek(file)
    if depth <= _MAX_DEPTH:
        if head.startswith(b"\x1f\x8b"):
            inner = _Inflated(stream, problems, _gzip, 32 << 10)
            yield from _unpack(path, cast(BinaryIO, inner), depth + 1, problems, packed=True)
            return
        if head.startswith(b"\x28\xb5\x2f\xfd"):
            inner = _Inflated(stream, problems, _zstandard, 1 << 10)
            yield from _unpack(path, cast(BinaryIO, inner), depth + 1, problems, packed=True)
            return
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from _unzip(path, file if file.seekable() else _in_memory(stream, problems), depth, member, problems)
            return
        if head[257:262] == b"ustar":
            yield from _untar(path, stream, depth, problems)
            return
    encoding = _utf16(head)
    if encoding:
        stream, head = peek(cast(BinaryIO, _Recoded(stream, encoding)))
    name = f"{path}!{Path(path.rpartition('!')[2]).stem}" if packed else path
    yield Leaf(path=name, stream=Digesting(stream), head=head, problems=problems)


def _unzip(path: str, file: BinaryIO, depth: int, only: str | None, problems: list[str]) -> Iterator[Leaf]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        problems.append(f"zip archive that cannot be opened ({error})")
        yield Leaf(path=path, stream=Digesting(cast(BinaryIO, io.BytesIO())), head=b"", problems=problems)
        return
    with archive:
        for entry in archive.infolist():
            if entry.is_dir() or (only is not None and entry.filename != only):
                continue
            faults: list[str] = []
            try:
                opened = cast(BinaryIO, archive.open(entry))
            except (RuntimeError, zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
                faults.append(f"archive member that cannot be opened ({error})")
                opened = cast(BinaryIO, io.BytesIO())
            guarded = _Guarded(opened, faults, entry.compress_size)
            yield from _unpack(f"{path}!{entry.filename}", cast(BinaryIO, guarded), depth + 1, faults)


def _untar(path: str, stream: BinaryIO, depth: int, problems: list[str]) -> Iterator[Leaf]:
    """Member by member; unlike `tarfile`, what a torn archive still holds is given."""
    name = ""
    while len(header := _read_fully(stream, 512)) == 512 and header.strip(b"\0"):
        try:
            entry = tarfile.TarInfo.frombuf(header, "utf-8", "replace")
        except tarfile.HeaderError:
            problems.append("tar archive with a damaged header")
            break
        body = _Bounded(stream, entry.size, problems)
        if entry.type == tarfile.GNUTYPE_LONGNAME:
            name = body.read(4096).rstrip(b"\0").decode("utf-8", "replace")
        elif entry.type == tarfile.XHDTYPE:
            name = _pax_path(body.read(65_536)) or name
        elif entry.isreg():
            yield from _unpack(f"{path}!{name or entry.name}", cast(BinaryIO, body), depth + 1, problems)
            name = ""
        body.skip()
    if not header.strip(b"\0") and len(header) not in (0, 512):
        problems.append("tar archive that ends early")


def _pax_path(records: bytes) -> str:
    for record in records.split(b"\n"):
        _, _, pair = record.partition(b" ")
        if pair.startswith(b"path="):
            return pair[5:].decode("utf-8", "replace")
    return ""


def _in_memory(stream: BinaryIO, problems: list[str]) -> BinaryIO:
    content = _read_fully(stream, _MAX_NESTED_BYTES + 1)
    if len(content) > _MAX_NESTED_BYTES:
        problems.append(f"archive in an archive larger than {_MAX_NESTED_BYTES >> 20} MiB")
        content = b""
    return cast(BinaryIO, io.BytesIO(content))


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _utf16(head: bytes) -> str | None:
    """PowerShell writes UTF-16 with a byte-order mark."""
    return {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(head[:2])


def _gzip() -> zlib._Decompress:
    return zlib.decompressobj(wbits=31)


def _zstandard() -> object:
    return zstandard.ZstdDecompressor(max_window_size=128 << 20).decompressobj()


class _Reading(io.RawIOBase):
    """A stream made from pieces; `_piece` gives the next, b'' at the end."""

    def __init__(self) -> None:
        self._rest = b""

    def readable(self) -> bool:
        return True

    def _piece(self, size: int) -> bytes:
        raise NotImplementedError

    def read(self, size: int = -1) -> bytes:
        want = size if size is not None and size >= 0 else 1 << 62
        parts, have = [self._rest], len(self._rest)
        while have < want and (piece := self._piece(min(want - have, _PIECE))):
            parts.append(piece)
            have += len(piece)
        whole = b"".join(parts)
        self._rest = whole[want:]
        return whole[:want]


class _Guarded(_Reading):
    """Ends, with a word why, where its source fails or expands like a bomb."""

    def __init__(self, file: BinaryIO, problems: list[str], compressed_bytes: int) -> None:
        super().__init__()
        self._file, self._problems, self._compressed, self._given = file, problems, compressed_bytes, 0

    def _piece(self, size: int) -> bytes:
        try:
            piece = self._file.read(size)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            self._problems.append(f"compressed data that cannot be read further ({error})")
            self._file = cast(BinaryIO, io.BytesIO())
            return b""
        self._given += len(piece)
        if self._given > max(_BOMB_BYTES, self._compressed * _MAX_EXPANSION):
            self._problems.append(f"expands more than {_MAX_EXPANSION}-fold; the rest is not read")
            self._file = cast(BinaryIO, io.BytesIO())
            return b""
        return piece


class _Inflated(_Reading):
    """Decompressed bytes of a gzip or Zstandard stream, also of several joined ones and of a torn one.

    Fed with little at a time: 4 bytes of Zstandard can stand for 128 KiB, 1 byte of deflate for 1 KiB.
    """

    def __init__(self, file: BinaryIO, problems: list[str], start: Callable[[], object], feed_bytes: int) -> None:
        super().__init__()
        self._file, self._problems, self._start, self._feed_bytes = file, problems, start, feed_bytes
        self._engine: object | None = None
        self._pending = b""
        self._taken = self._given = 0

    def _piece(self, size: int) -> bytes:
        while True:
            compressed = self._pending or self._file.read(self._feed_bytes)
            self._pending = b""
            if not compressed:
                if self._engine is not None:
                    self._stop("compressed data that ends early")
                return b""
            self._taken += len(compressed)
            engine = self._engine = self._engine or self._start()
            try:
                piece: bytes = engine.decompress(compressed)  # type: ignore[attr-defined]
            except (zlib.error, zstandard.ZstdError) as error:
                self._stop(f"compressed data that cannot be read further ({error})")
                return b""
            if engine.eof:  # type: ignore[attr-defined]
                # Padding behind a stream, or a newline that some tool left there, is no second stream.
                self._pending = engine.unused_data.lstrip(b"\0\r\n")  # type: ignore[attr-defined]
                self._taken -= len(self._pending)
                self._engine = None
            self._given += len(piece)
            if self._given > max(_BOMB_BYTES, self._taken * _MAX_EXPANSION):
                self._stop(f"expands more than {_MAX_EXPANSION}-fold; the rest is not read")
                return b""
            if piece:
                return piece

    def _stop(self, problem: str) -> None:
        self._problems.append(problem)
        self._file, self._engine, self._pending = cast(BinaryIO, io.BytesIO()), None, b""


class _Bounded(_Reading):
    """The next `size` bytes of a tar archive, and the padding behind them."""

    def __init__(self, file: BinaryIO, size: int, problems: list[str]) -> None:
        super().__init__()
        self._file, self._left, self._padding, self._problems = file, size, -size % 512, problems

    def _piece(self, size: int) -> bytes:
        piece = self._file.read(min(size, self._left))
        if not piece and self._left:
            self._problems.append("tar archive that ends early")
            self._left = 0
        self._left -= len(piece)
        return piece

    def skip(self) -> None:
        while self.read(_PIECE):
            pass
        _read_fully(self._file, self._padding)


class _Recoded(_Reading):
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
