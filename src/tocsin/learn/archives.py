"""A zip or tar archive in, its wanted members out; an archive that could do harm is refused as a whole.

Archives are hostile: nothing is ever unpacked to disk, and names, kinds, sizes and numbers of members are
bounded before anything is made of them. What a file is, its content tells and not its name.
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal, NoReturn, cast

from tocsin.errors import RuleError

MOST_ARCHIVE_BYTES: Final = 256 << 20
MOST_BYTES: Final = 256 << 20  # of all members together, unpacked
MOST_MEMBER_BYTES: Final = 4 << 20
MOST_MEMBERS: Final = 100_000

Wanted = Callable[[str], bool]

HEAD_BYTES: Final = 512  # tell what a file is
_PIECE: Final = 1 << 20
_CENTRAL_ENTRY: Final = b"PK\x01\x02"  # before each entry of a zip's list of members
_ENCRYPTED: Final = 0x1
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
    IndexError,
)


def sniff(head: bytes) -> Literal["zip", "tar", "tar.gz", ""]:
    """What the first `HEAD_BYTES` of a file say it is."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "tar.gz"
    return "tar" if head[257:262] == b"ustar" else ""


def read(path: Path, wanted: Wanted, *, called: str = "") -> dict[str, bytes]:
    """The contents of the members whose names are wanted, sorted by name.

    Args:
        called: how people know the archive, where that is not its path.

    Raises:
        RuleError: the file is no archive, or one that is broken or must not be trusted.
    """
    archive = _Archive(called or str(path), wanted)
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MOST_ARCHIVE_BYTES:
                archive.refuse("", f"it is larger than {MOST_ARCHIVE_BYTES >> 20} MiB")
            kind = sniff(file.read(HEAD_BYTES))
            file.seek(0)
            if kind == "zip":
                found = dict(archive.unzipped(file))
            elif kind:
                found = dict(archive.untarred(file, zipped=kind == "tar.gz"))
            else:
                raise RuleError(
                    f"{archive.path}: neither a zip nor a tar.gz archive",
                    hint="Its content decides, not its name.",
                )
    except _BROKEN as fault:
        word = str(fault) or type(fault).__name__
        raise RuleError(
            f"{archive.path}: the archive cannot be read ({word})",
            hint="It may be cut short: fetch it again.",
        ) from fault
    return dict(sorted(found.items()))


@dataclass(slots=True)
class _Archive:
    """One archive while it is read."""

    path: str
    wanted: Wanted
    members: int = 0
    size: int = 0

    def unzipped(self, file: BinaryIO) -> Iterator[tuple[str, bytes]]:
        # zipfile makes an object of every entry before anybody can count them.
        if _count(file, _CENTRAL_ENTRY) > MOST_MEMBERS:
            self.refuse("", f"it holds more than {MOST_MEMBERS:,} members")
        with zipfile.ZipFile(file) as archive:
            names: set[str] = set()
            for entry in archive.infolist():
                name = self._admit(entry.orig_filename)
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
                    self.refuse(name, "is a link or a device, not a file")
                if entry.is_dir() or not self.wanted(name):
                    continue
                if name in names:
                    self.refuse(name, "stands in it twice")
                names.add(name)
                if entry.flag_bits & _ENCRYPTED:
                    self.refuse(name, "is encrypted")
                self._bound(name, entry.file_size)
                with archive.open(entry) as member:
                    yield name, self._read(name, cast("BinaryIO", member))

    def untarred(self, file: BinaryIO, *, zipped: bool) -> Iterator[tuple[str, bytes]]:
        plain = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if zipped else file
        names: set[str] = set()
        # As a stream, so that what unpacks to too much is stopped on its way.
        stream = _Bounded(plain, self)
        with tarfile.open(fileobj=cast("BinaryIO", stream), mode="r|") as archive:
            for entry in archive:
                name = self._admit(entry.name)
                if not (entry.isreg() or entry.isdir()):
                    self.refuse(name, "is a link or a device, not a file")
                if not entry.isreg() or not self.wanted(name):
                    continue
                if name in names:
                    self.refuse(name, "stands in it twice")
                names.add(name)
                self._bound(name, entry.size)
                member = archive.extractfile(entry)
                assert member is not None
                yield name, self._read(name, cast("BinaryIO", member))
        while stream.read(_PIECE):  # the checksum stands at the very end, behind what tarfile reads
            pass

    def _admit(self, name: str) -> str:
        """The name of a member, in its shortest form, if it stays inside the archive."""
        self.members += 1
        if self.members > MOST_MEMBERS:
            self.refuse("", f"it holds more than {MOST_MEMBERS:,} members")
        parts = name.split("/")
        if _CONTROL.search(name):
            self.refuse(name, "has control characters in its name")
        if "\\" in name:
            self.refuse(name, "has a backslash in its name")
        if name.startswith("/") or ".." in parts or _DRIVE.match(name):
            self.refuse(name, "leads out of the archive")
        return "/".join(part for part in parts if part not in ("", ".")) if "." in parts or "" in parts else name

    def _bound(self, name: str, size: int) -> None:
        if size > MOST_MEMBER_BYTES:
            self.refuse(name, f"is larger than {MOST_MEMBER_BYTES >> 20} MiB")
        self.size += size
        if self.size > MOST_BYTES:
            self.refuse(name, f"brings it to more than {MOST_BYTES >> 20} MiB unpacked")

    def _read(self, name: str, member: BinaryIO) -> bytes:
        content = member.read(MOST_MEMBER_BYTES + 1)
        if len(content) > MOST_MEMBER_BYTES:  # whatever it declared
            self.refuse(name, f"is larger than {MOST_MEMBER_BYTES >> 20} MiB")
        return content

    def refuse(self, name: str, why: str) -> NoReturn:
        member = f"its member {name!a} " if name else ""
        raise RuleError(
            f"{self.path}: refused, {member}{why}",
            hint="Nothing of it was used. If you trust it, unpack it yourself and name the folder.",
        )


class _Bounded:
    """A stream that ends an archive's reading when it has given too much."""

    def __init__(self, stream: BinaryIO, archive: _Archive) -> None:
        self._stream, self._archive, self._given = stream, archive, 0

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._given += len(content)
        if self._given > MOST_BYTES:
            self._archive.refuse("", f"it unpacks to more than {MOST_BYTES >> 20} MiB")
        return content


def _count(file: BinaryIO, mark: bytes) -> int:
    found, tail = 0, b""
    while piece := file.read(_PIECE):
        piece = tail + piece
        found += piece.count(mark)
        tail = piece[-(len(mark) - 1) :]
    file.seek(0)
    return found


def write(file: BinaryIO, contents: Mapping[str, bytes]) -> None:
    """A zip of the contents, the same bytes for the same contents whenever it is written.

    Nothing is compressed: packs are read at every start, and so it takes half the time.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            archive.writestr(zipfile.ZipInfo(name), contents[name])
