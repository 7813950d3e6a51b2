"""A file, a folder or an address of ATT&CK or of a galaxy in, its JSON documents out: bounded, and told from where.

Files are hostile. orjson refuses what is nested deeper than it can follow, and bytes that are not UTF-8.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

import orjson

from tocsin.errors import RuleError, TocsinError
from tocsin.learn import fetch

MOST_BYTES: Final = 256 << 20  # of one file, unpacked; the largest bundle there is has 60 MB
MOST_VALUES: Final = 5_000_000  # about; the bundle of 18.1 has 0.75 million, and each costs some 100 bytes
MOST_FILES: Final = 1000  # of one folder

_NAMED: Final = re.compile(r"(?P<name>\d{1,3}(?:\.\d{1,3})?)=(?P<path>.+)", re.ASCII | re.DOTALL)
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """`told` is the release that whoever named it said it is; `by_chance` is what a folder just happened to hold."""

    place: str
    name: str
    sha256: str
    size_bytes: int
    told: str
    by_chance: bool
    content: Any


def documents(source: str) -> Iterator[Document]:
    """Each JSON document of a source; `19=SOURCE` says which release it is of.

    Raises:
        TocsinError: it cannot be read or fetched, is no JSON, or is larger than anything of its kind.
    """
    told, place = "", source
    if (named := _NAMED.fullmatch(source)) and not Path(source).exists():
        told, place = named["name"], named["path"]
    if re.match(r"https?://", place, re.IGNORECASE):
        yield _fetched(place, told)
        return
    path = Path(place)
    inside = sorted(one for one in path.iterdir() if _is_json(one)) if path.is_dir() else [path]
    if len(inside) > MOST_FILES:
        raise TocsinError(f"{path}: more than {MOST_FILES} files", hint="Name the files that are meant.")
    for one in inside:
        try:
            with one.open("rb") as file:
                content = _unpacked(file, str(one))
        except OSError as fault:
            raise TocsinError(f"{one}: {fault.strerror}", hint="Name a file to read.") from fault
        yield _document(content, place=str(one), name=one.name, told=told, by_chance=path.is_dir())


def _fetched(address: str, told: str) -> Document:
    place = fetch.shown(address)
    with tempfile.TemporaryFile() as file:
        try:
            fetch.fetch(address, file, is_wanted=_may_be_json, what="JSON file")
        except RuleError as fault:
            raise TocsinError(fault.message, hint=fault.hint) from fault
        file.seek(0)
        content = _unpacked(file, place)
    return _document(content, place=place, name=Path(urlsplit(place).path).name, told=told, by_chance=False)


def _may_be_json(head: bytes) -> bool:
    return head.startswith(b"\x1f\x8b") or head.lstrip()[:1] in (b"{", b"[")


def _is_json(path: Path) -> bool:
    return path.name.lower().endswith((".json", ".json.gz")) and not path.name.startswith(".") and path.is_file()


def _document(content: bytes, *, place: str, name: str, told: str, by_chance: bool) -> Document:
    if sum(map(content.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise TocsinError(f"{place}: more than {MOST_VALUES:,} values in it", hint="No release is that large.")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        raise TocsinError(f"{place}: not JSON ({fault.msg})", hint="Was it fetched to its end?") from fault
    return Document(
        place=place,
        name=name.removesuffix(".gz"),
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        told=told,
        by_chance=by_chance,
        content=document,
    )


def _unpacked(file: IO[bytes], place: str) -> bytes:
    """What it holds, unpacked if it is gzip, with an end to what that makes of it."""
    head = file.read(2)
    unpack = zlib.decompressobj(wbits=31) if head == b"\x1f\x8b" else None
    pieces, size, packed = [], 0, head
    try:
        while packed:
            piece = unpack.decompress(packed, MOST_BYTES + 1 - size) if unpack else packed
            pieces.append(piece)
            size += len(piece)
            if size > MOST_BYTES:
                raise TocsinError(f"{place}: more than {MOST_BYTES >> 20} MiB", hint="No release is that large.")
            packed = file.read(_PIECE)
    except zlib.error as fault:
        raise TocsinError(f"{place}: {fault}", hint="Was it fetched to its end?") from fault
    if unpack and not unpack.eof:
        raise TocsinError(f"{place}: ends too early", hint="Was it fetched to its end?")
    return b"".join(pieces)
