"""Files of ATT&CK in, facts about its releases out.

Only facts are kept: ids, names, aliases, tactics, what took the place of what, links and whom they cite.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson

from tocsin.errors import TocsinError
from tocsin.learn import attack_galaxy, attack_stix
from tocsin.learn.attack_parts import Parts, Reading, assembled
from tocsin.model.attack import Facts, Link, Release

MOST_BYTES: Final = 512 << 20  # of one file, unpacked; the largest bundle there is has 60 MB

_NAMED: Final = re.compile(r"(?P<name>\d{1,3}(?:\.\d{1,3})?)=(?P<path>.+)", re.ASCII | re.DOTALL)
_IN_FILE_NAME: Final = re.compile(r"attack[-_ ]v?(\d{1,3}\.\d{1,3})(?=\D|$)", re.ASCII)
_PIECE: Final = 1 << 20
_SAY_WHICH: Final = "Say which release it is: write 19=PATH."


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Facts, and of each release how much of its files was left out, by reason."""

    facts: Facts
    left_out: Mapping[str, Mapping[str, int]]


def build(sources: Sequence[str]) -> Learned:
    """Read releases, each from one or more files.

    Args:
        sources: STIX bundles, clusters of MISP galaxies, or folders of them, plain or gzip; `19=PATH` says
            which release it is where neither the file nor its name does.

    Raises:
        TocsinError: a file cannot be read, is neither, or nothing says which release it is.
    """
    files: dict[str, list[_File]] = {}
    for source in sources:
        for name, file in _files(source):
            files.setdefault(name, []).append(file)
    readings = [_reading(name, files[name]) for name in sorted(files, key=_order)]
    return Learned(
        facts=_joined(_dated(readings)),
        left_out={one.release.name: one.left_out for one in readings},
    )


def added(known: Facts, more: Facts) -> Facts:
    """What was known, with releases added, or those of the same name replaced."""
    names = {one.name for one in more.releases}
    links: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    for facts, dropped in ((known, names), (more, set[str]())):
        for link in facts.links:
            if stays := set(link.releases) - dropped:
                citations, releases = links.setdefault((link.source, link.target), (set(), set()))
                citations.update(link.citations)
                releases |= stays
    cited = {name for citations, _ in links.values() for name in citations}
    reports = {**known.reports, **more.reports}
    every = (*(one for one in known.releases if one.name not in names), *more.releases)
    return Facts(
        releases=tuple(sorted(every, key=lambda one: _order(one.name))),
        links=tuple(
            Link(source=a, target=b, citations=tuple(sorted(citations)), releases=tuple(sorted(held, key=_order)))
            for (a, b), (citations, held) in sorted(links.items())
        ),
        reports={name: reports[name] for name in sorted(cited)},
    )


def _order(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))


# --------------------------------------------------------------------------------- from files


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path: Path
    sha256: str
    document: Mapping[str, Any]


def _files(source: str) -> Iterator[tuple[str, _File]]:
    """Each file with the release it belongs to."""
    told, path = "", Path(source)
    if (named := _NAMED.fullmatch(source)) and not path.exists():
        told, path = named["name"], Path(named["path"])
    inside = sorted(one for one in path.iterdir() if _is_json(one)) if path.is_dir() else [path]
    found = 0
    for one in inside:
        content = _read(one)
        document = _json(one, content)
        if attack_stix.fits(document):
            name = told or attack_stix.version(document)
        elif attack_galaxy.fits(document):
            name = told
        elif path.is_dir():
            continue  # a galaxy holds much else
        else:
            raise TocsinError(
                f"{one}: neither a STIX bundle nor a cluster of a MISP galaxy of ATT&CK",
                hint="MITRE's bundles are called enterprise-attack.json, the clusters mitre-attack-pattern.json.",
            )
        if not name and (match := _IN_FILE_NAME.search(one.name)):
            name = match[1]
        if not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", name, re.ASCII):
            raise TocsinError(f"{one}: nothing says which release of ATT&CK this is", hint=_SAY_WHICH)
        found += 1
        yield name, _File(path=one, sha256=hashlib.sha256(content).hexdigest(), document=document)
    if not found:
        raise TocsinError(f"{path}: no file of ATT&CK in it", hint="Name a STIX bundle, or a folder of clusters.")


def _is_json(path: Path) -> bool:
    return path.name.lower().endswith((".json", ".json.gz")) and not path.name.startswith(".") and path.is_file()


def _json(path: Path, content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as fault:
        raise TocsinError(f"{path}: not JSON ({fault.msg})", hint="Was it fetched to its end?") from fault


def _read(path: Path) -> bytes:
    """A file, unpacked if it is gzip, with an end to what that makes of it."""
    try:
        with path.open("rb") as file:
            head = file.read(2)
            unpack = zlib.decompressobj(wbits=31) if head == b"\x1f\x8b" else None
            pieces, size, packed = [], 0, head
            while packed:
                piece = unpack.decompress(packed, MOST_BYTES + 1 - size) if unpack else packed
                pieces.append(piece)
                size += len(piece)
                if size > MOST_BYTES:
                    raise TocsinError(f"{path}: more than {MOST_BYTES >> 20} MiB", hint="No release is that large.")
                packed = file.read(_PIECE)
            if unpack and not unpack.eof:
                raise TocsinError(f"{path}: ends too early", hint="Was it fetched to its end?")
    except (OSError, zlib.error) as fault:
        raise TocsinError(
            f"{path}: {getattr(fault, 'strerror', None) or fault}", hint="Name a file to read."
        ) from fault
    return b"".join(pieces)


def _reading(name: str, files: Sequence[_File]) -> Reading:
    parts = Parts()
    for file in files:
        if attack_stix.fits(file.document):
            parts.merge(attack_stix.read(file.document))
    if clusters := [file.document for file in files if attack_galaxy.fits(file.document)]:
        parts.merge(attack_galaxy.read(clusters))
    reading = assembled(name, parts, tuple(sorted((file.path.name.removesuffix(".gz"), file.sha256) for file in files)))
    if not reading.release.entries:
        raise TocsinError(f"{files[0].path}: holds nothing of Enterprise ATT&CK", hint="Name an Enterprise bundle.")
    return reading


def _dated(readings: Sequence[Reading]) -> list[Reading]:
    """Where a release does not tell what is deprecated, what the one before it told still holds."""
    found: list[Reading] = []
    for reading in readings:
        if not reading.tells_deprecated and found:
            entries = attack_galaxy.with_deprecated(reading.release.entries, found[-1].release.by_uuid)
            release = Release(name=reading.release.name, entries=entries, sources=reading.release.sources)
            reading = replace(reading, release=release)
        found.append(reading)
    return found


def _joined(readings: Sequence[Reading]) -> Facts:
    facts = Facts()
    for reading in readings:
        links = tuple(
            Link(source=source, target=target, citations=tuple(sorted(cited)), releases=(reading.release.name,))
            for (source, target), cited in sorted(reading.links.items())
        )
        facts = added(facts, Facts(releases=(reading.release,), links=links, reports=reading.reports))
    return facts
