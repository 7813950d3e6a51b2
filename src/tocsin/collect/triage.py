"""What a collection tells of itself in: the machine it is from, which of its files it holds twice, and what is no log.

Velociraptor's offline collector writes `client_info.json` beside `uploads/` and `results/` and keeps files under names
with `%3A` for a colon, often twice, by two ways of reading the disk (its manual, "Offline collections"); UAC calls its
archive `uac-HOST-SYSTEM-TIME.tar.gz` (its manual, "Output file format").
"""

from __future__ import annotations

import hashlib
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

import orjson

CLIENT: Final = "client_info.json"
_MOST_TOLD: Final = 64 << 10  # of what a collection says of itself
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_UAC: Final = re.compile(
    r"uac-(.+)-(?:aix|android|esxi|freebsd|linux|macos|netbsd|netscaler|openbsd|solaris)-\d{8,14}\b"
)
_PIECE: Final = 1 << 20
_MOST_COMPARED: Final = 4 << 30
_MOST_EXPANSION: Final = 250
_ERRORS: Final = (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError)
_BROKEN: Final = (*_ERRORS, zlib.error, lzma.LZMAError)
_MOST_CLIENTS: Final = 10_000

# What collections hold besides logs, by its first bytes.
_NO_LOGS: Final = (
    (b"regf", "a registry hive"),
    (b"FILE0", "a file table of NTFS"),
    (b"SCCA", "a prefetch file"),
    (b"MAM\x04", "a prefetch file"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "a shortcut"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"%PDF-", "a document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document or jump list"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"7z\xbc\xaf\x27\x1c", "an archive of 7-Zip, which is not opened: unpack it first"),
    (b"Rar!\x1a\x07", "an archive of RAR, which is not opened: unpack it first"),
    (b"EMDMP", "a memory image"),
    (b"PAGEDU", "a memory image"),
    (b"bplist00", "a property list"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zip:
    """The members of a zip file and their sizes.

    Args:
        same: those that hold what an earlier member does -> that member, and the SHA-256 of both.
    """

    members: Sequence[tuple[str, int]]
    same: dict[str, tuple[str, str]] = field(default_factory=dict)


def survey(path: str) -> Zip | None:
    """What a zip file holds, None if it is not one that can be listed."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries: dict[str, list[zipfile.ZipInfo]] = {}  # a name may stand there twice
            for entry in archive.infolist():
                if not entry.is_dir():
                    entries.setdefault(entry.filename, []).append(entry)
            single = [one[0] for one in entries.values() if len(one) == 1]
            return Zip(
                members=[(name, sum(entry.file_size for entry in each)) for name, each in entries.items()],
                same=_same(archive, single),
            )
    except _ERRORS:
        return None


def _same(archive: zipfile.ZipFile, entries: Iterable[zipfile.ZipInfo]) -> dict[str, tuple[str, str]]:
    """Members of one content in one collection: two machines may well have written the same.

    A checksum can be forged: members of equal ones are compared by their digests.
    """
    alike: dict[tuple[str, int, int], list[zipfile.ZipInfo]] = {}
    hosts = hosts_in(archive)
    for entry in entries:
        if 0 < entry.file_size <= min(_MOST_COMPARED, entry.compress_size * _MOST_EXPANSION):
            place = _folder(hosts, entry.filename)
            top = entry.filename.partition("/")[0] if "/" in entry.filename else ""
            alike.setdefault((top if place is None else f"{place}/", entry.CRC, entry.file_size), []).append(entry)
    same: dict[str, tuple[str, str]] = {}
    for group in alike.values():
        first: dict[str, str] = {}
        for entry in group if len(group) > 1 else ():
            if digest := _digest(archive, entry):
                known = first.setdefault(digest, entry.filename)
                if known != entry.filename:
                    same[entry.filename] = (known, digest)
    return same


def _digest(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    """'' where it cannot be read: what is wrong is told when it is read as evidence."""
    digest = hashlib.sha256()
    try:
        with archive.open(entry) as body:
            while piece := body.read(_PIECE):
                digest.update(piece)
    except _BROKEN:
        return ""
    return digest.hexdigest()


def hosts_in(archive: zipfile.ZipFile) -> dict[str, str]:
    """The machines that the collections in a zip file are from, by the folder of each."""
    found = {}
    clients = [entry for entry in archive.infolist() if PurePosixPath(entry.filename).name == CLIENT]
    for entry in clients[:_MOST_CLIENTS]:
        try:
            with archive.open(entry) as body:
                host = client_host(body.read(_MOST_TOLD))
        except _BROKEN:
            continue
        if host:
            found[entry.filename.removesuffix(CLIENT)] = host
    return found


def host_under(hosts: Mapping[str, str], name: str) -> str:
    """The machine of a member: of the innermost collection that it is in, or of the archive of UAC that it is."""
    inside = _folder(hosts, name)
    return uac_host(name) or ("" if inside is None else hosts[inside])


def _folder(hosts: Mapping[str, str], name: str) -> str | None:
    """The innermost collection that a member is in."""
    return max((folder for folder in hosts if name.startswith(folder)), key=len, default=None)


def uac_host(path: str) -> str:
    """The machine that an archive of UAC is from, or a folder to which one was unpacked, by its name."""
    for part in reversed(path.split("/")):
        named = _UAC.match(part)
        if named and _HOST.fullmatch(named[1]):
            return named[1]
    return ""


def client_host(told: bytes) -> str:
    """The name of the machine in Velociraptor's `client_info.json`: an object, or rows of a table."""
    try:
        value: Any = orjson.loads(told.split(b"\n")[0] if told.lstrip()[:1] == b"{" and b"}\n{" in told else told)
    except orjson.JSONDecodeError:
        return ""
    while isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return ""
    inner = value.get("os_info")
    places = [value, inner] if isinstance(inner, dict) else [value]
    names = [one.get(key) for one in places for key in ("Hostname", "hostname", "Fqdn", "fqdn")]
    return next((name for name in names if isinstance(name, str) and _HOST.fullmatch(name)), "")


def hosts(paths: Iterable[str]) -> dict[str, str]:
    """The machine that each file is from, where a collection says so: one that was unpacked, or an archive of UAC."""
    paths = list(paths)
    folders: dict[Path, str] = {}
    for path in paths:
        if Path(path).name == CLIENT:
            try:
                with Path(path).open("rb") as file:
                    folders[Path(path).parent] = client_host(file.read(_MOST_TOLD))
            except OSError:
                continue
    found = {}
    for path in paths:
        inside = next((folders[folder] for folder in Path(path).parents if folder in folders), "") if folders else ""
        if host := inside or uac_host(path):
            found[path] = host
    return found


def no_log(head: bytes) -> str:
    """What a file is that collections hold besides logs; '' where that is not known."""
    if head[4:8] == b"SCCA":
        return "a prefetch file"
    return next((what for magic, what in _NO_LOGS if head.startswith(magic)), "")
