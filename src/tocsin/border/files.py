"""Paths in, the indicators of the files there out: STIX, MISP, CSV or plain lists; or all that a bundle says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tocsin.border import lists, misp, misp_parcel, stix, stix_parcel
from tocsin.errors import IndicatorError
from tocsin.model.indicator import Intelligence
from tocsin.model.parcel import Parcel

MOST_BYTES: Final = 256 << 20
MOST_FILES: Final = 20_000  # of one folder

_HEAD: Final = 4096
_BUNDLE: Final = re.compile(rb'"type"\s*:\s*"bundle"|"spec_version"|"objects"\s*:')
_MISP: Final = re.compile(rb'"(?:Event|response|Attribute)"\s*:')
_BESIDE: Final = ("manifest.json", "hashes.csv")  # of a feed of MISP's: what its events are, not what they say


def read(names: Iterable[str], *, observed: bool = False) -> Intelligence:
    """Read files, and the files of folders.

    Raises:
        IndicatorError: one of them cannot be read, or is nothing of that kind.
    """
    found = [_read(path, observed=observed) for name in names for path in _files(Path(name))]
    return Intelligence(
        indicators=tuple(one for each in found for one in each.indicators),
        left_out=tuple(one for each in found for one in each.left_out),
    )


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    found = sorted(
        path for path in place.rglob("*") if path.is_file() and path.suffix.lower() in (".json", ".csv", ".txt")
    )
    found = [path for path in found if path.name not in _BESIDE]
    if not found or len(found) > MOST_FILES:
        raise IndicatorError(
            f"{place}: holds {len(found):,} files of indicators",
            hint=f"Name a folder of 1 to {MOST_FILES:,} files that end in .json, .csv or .txt.",
        )
    return found


def parcel(path: Path) -> Parcel:
    """All that a STIX bundle or a MISP event says.

    Raises:
        IndicatorError: it cannot be read, or is neither.
    """
    content = _content(path).removeprefix(b"\xef\xbb\xbf")
    try:
        return misp_parcel.read(content, str(path)) if _is_misp(content) else stix_parcel.read(content, str(path))
    except ValueError as fault:
        raise IndicatorError(f"{path}: {fault}", hint="Bundles of STIX 2.1 and events of MISP are read.") from fault


def _read(path: Path, *, observed: bool) -> Intelligence:
    content = _content(path)
    try:
        return _parsed(content, str(path), observed=observed)
    except ValueError as fault:
        raise IndicatorError(
            f"{path}: {fault}", hint="STIX bundles, MISP events, CSV with a header and plain lists are read."
        ) from fault


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise IndicatorError(
                f"{path}: {size >> 20:,} MiB are more than the {MOST_BYTES >> 20} that are read of one file",
                hint="Divide it into several files; --indicators may be repeated.",
            )
        return path.read_bytes()
    except OSError as fault:
        raise IndicatorError(
            f"{path}: cannot be read: {fault.strerror or fault}", hint="Name a file of indicators."
        ) from fault


def _is_misp(content: bytes) -> bool:
    head = content[:_HEAD]
    return _MISP.search(head) is not None and not _BUNDLE.search(head)


def _parsed(content: bytes, path: str, *, observed: bool) -> Intelligence:
    head = content[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] in (b"{", b"[") and not _looks_listed(head):
        body = content.removeprefix(b"\xef\xbb\xbf")
        if _is_misp(body):
            return misp.read(body, path)
        return stix.read(body, path, observed=observed)
    return lists.read(content, path)


def _looks_listed(head: bytes) -> bool:
    """A list may begin with an address in brackets, `[2001:db8::1]`."""
    return re.match(rb"\[[0-9A-Fa-f:.]+\]\s", head) is not None
