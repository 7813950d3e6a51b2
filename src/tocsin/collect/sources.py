"""Names of files, folders, globs and archives in, streams of log bytes out; `-` is standard input."""

from __future__ import annotations

import glob
import io
import os
import re
import stat
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from tocsin.collect import torn_zip, triage
from tocsin.collect.streams import (
    BZIP2,
    GZIP,
    PIECE,
    XZ,
    ZSTANDARD,
    Bounded,
    Digesting,
    Expansion,
    Guarded,
    Inflated,
    Recoded,
    joined,
    peek,
    read_fully,
)
from tocsin.errors import EvidenceError

STDIN = "-"
_MAX_DEPTH = 3  # archives in archives
_MAX_NESTED_BYTES = 512 << 20  # an archive that stands in an archive is held in memory
# Bytes to feed at once to what `zipfile` unpacks without a limit: 45 bytes of bzip2 can stand for 46 MB.
_MOST = {zipfile.ZIP_BZIP2: 64, zipfile.ZIP_LZMA: 4 << 10}
_PACKINGS = tuple(
    (re.compile(magic, re.DOTALL), packing)
    for magic, packing in (
        (rb"\x1f\x8b", GZIP),
        (rb"\x28\xb5\x2f\xfd", ZSTANDARD),
        (rb"BZh[1-9]1AY&SY", BZIP2),
        (rb"\xfd7zXZ\x00", XZ),
    )
)
_TREES = (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE)  # tar headers that say nothing of the next file's name


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One stream of log bytes inside a file. `problems` grows while the stream is read.

    `digest` takes what stands in the evidence, `stream` gives it as UTF-8 where it is text. `changed_us` is when it was
    last written to (UTC microseconds), as its file or archive says; None where nothing does. `host` is the machine that
    the collection says it is from.
    """

    path: str
    stream: BinaryIO
    digest: Digesting
    head: bytes
    problems: list[str]
    changed_us: int | None
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with an archive as a whole, known when all its members were given."""

    path: str
    problems: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What names stand for: files and sizes, sorted; folders that cannot be listed, and why; files met before.

    `twice` tells of a path by which a file is called that has an earlier one, too, which is among the files.
    """

    files: list[tuple[str, int]]
    closed: dict[str, str]
    twice: dict[str, str]


def find(logs: Iterable[str | Path]) -> Found:
    """All files that the names stand for, each once; `-` is standard input.

    Raises:
        EvidenceError: a name stands for nothing.
    """
    found: dict[str, os.stat_result | None] = {}
    closed: dict[str, str] = {}
    for log in map(str, logs):
        if log == STDIN:
            _keep_stdin()
            found[STDIN] = None
            continue
        paths = [log] if os.path.lexists(log) else sorted(glob.glob(log, recursive=True))  # noqa: PTH207  # a Path cannot glob an absolute pattern
        if not paths:
            raise EvidenceError(
                f"{log}: no such file or folder", hint="Check the path; quote globs such as 'logs/**/*.evtx'."
            )
        files = {str(file): file.stat() for path in paths for file in _files(Path(path), closed)}
        if not files and not closed:
            raise EvidenceError(f"{log}: an empty folder", hint="Name files, or a folder that holds some.")
        found |= files
    files_: list[tuple[str, int]] = []
    twice: dict[str, str] = {}
    first: dict[tuple[int, int], str] = {}
    # A link comes after what it leads to, whatever their names are: the file itself is the evidence.
    for path, status in sorted(found.items(), key=lambda one: (Path(one[0]).is_symlink(), one[0])):
        known = first.setdefault((status.st_dev, status.st_ino), path) if status and status.st_ino else path
        if known != path:
            if os.path.abspath(known) != os.path.abspath(path):  # noqa: PTH100  # `./a` and `a` are one name
                twice[path] = known
            continue
        files_.append((path, status.st_size if status else 0))
    return Found(files=sorted(files_), closed=closed, twice=twice)


@cache
def _keep_stdin() -> int:
    """A copy of standard input's descriptor, made before there are workers: they are born with theirs closed."""
    return os.dup(sys.stdin.fileno())


def label(path: str) -> str:
    """A path as text that can be written anywhere; bytes of a name that are no UTF-8 are shown as escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _files(path: Path, closed: dict[str, str]) -> Iterator[Path]:
    def refused(error: OSError) -> None:
        closed[str(error.filename)] = f"a folder that cannot be listed: {error.strerror}"

    if path.is_dir():
        for folder, folders, names in os.walk(path, onerror=refused):
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
        return os.fdopen(os.dup(_keep_stdin()), "rb")
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise EvidenceError(f"{path}: {error.strerror}", hint="Check its permissions.") from error


def changed_us(file: BinaryIO) -> int | None:
    """When a file on disk was last written to; None for a pipe."""
    status = os.fstat(file.fileno())
    return status.st_mtime_ns // 1000 if stat.S_ISREG(status.st_mode) else None


def leaves(path: str, file: BinaryIO, changed_us: int | None = None, host: str = "") -> Iterator[Leaf | Fault]:
    """The log streams in a file, one after another; each must be read before the next is asked for."""
    packed = _Packed(path=path, file=file, problems=[], expansion=lambda: 1.0, changed_us=changed_us, host=host)
    yield from _unpack(packed, 0)


def member_leaves(path: str, member: str, changed_us: int | None = None, host: str = "") -> Iterator[Leaf | Fault]:
    """The log streams in one member of a zip file on disk; in all of them, should several have the name."""
    empty = cast(BinaryIO, io.BytesIO())
    packed = _Packed(path=label(path), file=empty, problems=[], expansion=lambda: 1.0, changed_us=changed_us, host=host)
    try:
        archive, entries, hosts = _directory(path, Path(path).stat().st_mtime_ns)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        yield Fault(path=f"{packed.path}!{member}", problems=[f"changed while it was read ({error})"])
        return
    yield from _members(packed, archive, entries.get(member, []), hosts, 0)


_Directory: TypeAlias = tuple[zipfile.ZipFile, dict[str, list[zipfile.ZipInfo]], dict[str, str]]


@lru_cache(maxsize=1)
def _directory(path: str, _mtime_ns: int) -> _Directory:
    """Read once for all members: collections have tens of thousands."""
    archive = zipfile.ZipFile(path)
    entries: dict[str, list[zipfile.ZipInfo]] = {}
    for entry in archive.infolist():
        if not entry.is_dir():
            entries.setdefault(entry.filename, []).append(entry)
    return archive, entries, triage.hosts_in(archive)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    """A stream that may be an archive, or compressed."""

    path: str
    file: BinaryIO
    problems: list[str]
    expansion: Expansion
    changed_us: int | None
    host: str = ""
    unpacked: bool = False  # of a compressed file: the name is still that file's


def _unpack(packed: _Packed, depth: int) -> Iterator[Leaf | Fault]:
    stream, head = peek(packed.file)
    if depth <= _MAX_DEPTH:
        for magic, packing in _PACKINGS:
            if magic.match(head):
                inner = Inflated(stream, packed.problems, packing, packed.expansion)
                opened = replace(packed, file=cast(BinaryIO, inner), expansion=inner.expansion, unpacked=True)
                yield from _unpack(opened, depth + packed.unpacked)  # an archive and its compression are one
                return
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            yield from _unzip(replace(packed, file=packed.file if packed.file.seekable() else stream), depth)
            return
        if head[257:262] == b"ustar":
            yield from _untar(replace(packed, file=stream), depth)
            return
    digest = Digesting(stream)
    text = cast(BinaryIO, digest)
    encoding = _utf16(head)
    if encoding:
        text, head = peek(cast(BinaryIO, Recoded(text, encoding)))
    path = f"{packed.path}!{Path(packed.path.rpartition('!')[2]).stem}" if packed.unpacked else packed.path
    yield Leaf(
        path=path,
        stream=text,
        digest=digest,
        head=head,
        problems=packed.problems,
        changed_us=packed.changed_us,
        host=packed.host,
    )


def _unzip(packed: _Packed, depth: int) -> Iterator[Leaf | Fault]:
    file = packed.file
    if not file.seekable():
        content = read_fully(file, _MAX_NESTED_BYTES + 1)
        file = io.BytesIO(content)
        if len(content) > _MAX_NESTED_BYTES:  # too much to hold: without its directory, from front to back
            yield from _untorn(replace(packed, file=joined(content, packed.file)), depth)
            return
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        packed.problems.append(f"zip archive without a readable directory ({error})")
        file.seek(0)
        yield from _untorn(replace(packed, file=file), depth)
        return
    with archive:
        yield from _members(packed, archive, archive.infolist(), triage.hosts_in(archive), depth)
    if packed.problems:
        yield Fault(path=packed.path, problems=packed.problems)


def _members(
    packed: _Packed, archive: zipfile.ZipFile, entries: Iterable[zipfile.ZipInfo], hosts: Mapping[str, str], depth: int
) -> Iterator[Leaf | Fault]:
    for entry in entries:
        if entry.is_dir():
            continue
        faults: list[str] = []
        try:
            opened = cast(BinaryIO, archive.open(entry))
        except (RuntimeError, zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            faults.append(f"archive member that cannot be opened ({error})")
            opened = cast(BinaryIO, io.BytesIO())
        most = _MOST.get(entry.compress_type, PIECE)
        if isinstance(opened, zipfile.ZipExtFile):
            opened.MIN_READ_SIZE = min(most, opened.MIN_READ_SIZE)
        guarded = Guarded(opened, faults, partial(int, entry.compress_size), packed.expansion, most)
        inner = _inner(packed, entry.filename, guarded, guarded.expansion, faults, _dos_time(entry.date_time))
        inner = replace(inner, host=triage.host_under(hosts, entry.filename) or packed.host)
        yield from _unpack(inner, depth + 1)


def _untorn(packed: _Packed, depth: int) -> Iterator[Leaf | Fault]:
    for entry in torn_zip.members(packed.file, packed.problems):
        guarded = Guarded(cast(BinaryIO, entry.body), entry.problems, entry.taken, packed.expansion)
        yield from _unpack(_inner(packed, entry.name, guarded, guarded.expansion, entry.problems), depth + 1)
        guarded.skip()
    yield Fault(path=packed.path, problems=packed.problems)


def _inner(
    packed: _Packed,
    name: str,
    file: object,
    expansion: Expansion,
    problems: list[str],
    changed_us: int | None = None,
) -> _Packed:
    return _Packed(
        path=f"{packed.path}!{name}",
        file=cast(BinaryIO, file),
        expansion=expansion,
        problems=problems,
        changed_us=packed.changed_us if changed_us is None else changed_us,
        host=triage.uac_host(name) or packed.host,
    )


def _dos_time(parts: tuple[int, int, int, int, int, int]) -> int | None:
    """A zip's time of a member, in whatever zone it was packed; None where it says 1980, which is its nothing."""
    try:
        moment = datetime(*parts, tzinfo=UTC)
    except ValueError:
        return None
    return None if moment.year == 1980 else int(moment.timestamp()) * 1_000_000


def _untar(packed: _Packed, depth: int) -> Iterator[Leaf | Fault]:
    """Member by member; unlike `tarfile`, what a torn archive still holds is given."""
    name, stream = "", packed.file
    while len(header := read_fully(stream, 512)) == 512 and header.strip(b"\0"):
        try:
            entry = tarfile.TarInfo.frombuf(header, "utf-8", "replace")
        except tarfile.HeaderError:
            packed.problems.append("tar archive with a damaged header: what stands behind it is not read")
            break
        faults: list[str] = []
        body = Bounded(stream, entry.size, faults, 512)
        if entry.type == tarfile.GNUTYPE_LONGNAME:
            name = body.read(4096).rstrip(b"\0").decode("utf-8", "replace")
        elif entry.type == tarfile.XHDTYPE:
            name = _pax_path(body.read(65_536)) or name
        elif entry.type not in _TREES:
            if entry.isreg():
                changed = int(entry.mtime * 1_000_000) or None
                inner = _inner(packed, name or entry.name, body, packed.expansion, faults, changed)
                yield from _unpack(inner, depth + 1)
            name = ""
        body.skip()
    if len(header) not in (0, 512):
        packed.problems.append("tar archive that ends early")
    if packed.problems:
        yield Fault(path=packed.path, problems=packed.problems)


def _pax_path(records: bytes) -> str:
    for record in records.split(b"\n"):
        _, _, pair = record.partition(b" ")
        if pair.startswith(b"path="):
            return pair[5:].decode("utf-8", "replace")
    return ""


def _utf16(head: bytes) -> str | None:
    """PowerShell writes UTF-16 with a byte-order mark."""
    return {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(head[:2])
