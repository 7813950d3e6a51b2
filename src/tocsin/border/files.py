"""Paths in, the indicators of the files there out, whatever they are: STIX, MISP, CSV or plain lists."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tocsin.border import lists, misp, stix
from tocsin.errors import IndicatorError
from tocsin.model.indicator import Intelligence

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


def _read(path: Path, *, observed: bool) -> Intelligence:
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise IndicatorError(
                f"{path}: {size >> 20:,} MiB are more than the {MOST_BYTES >> 20} that are read of one file",
                hint="Divide it into several files; --indicators may be repeated.",
            )
        content = path.read_bytes()
    except OSError as fault:
        raise IndicatorError(
            f"{path}: cannot be read: {fault.strerror or fault}", hint="Name a file of indicators."
        ) from fault
    try:
        return _parsed(content, str(path), observed=observed)
    except ValueError as fault:
        raise IndicatorError(
            f"{path}: {fault}", hint="STIX bundles, MISP events, CSV with a header and plain lists are read."
        ) from fault


def _parsed(content: bytes, path: str, *, observed: bool) -> Intelligence:
    head = content[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:1] in (b"{", b"[") and not _looks_listed(head):
        body = content.removeprefix(b"\xef\xbb\xbf")
        if _MISP.search(head) and not _BUNDLE.search(head):
            return misp.read(body, path)
        return stix.read(body, path, observed=observed)
    return lists.read(content, path)


def _looks_listed(head: bytes) -> bool:
    """A list may begin with an address in brackets, `[2001:db8::1]`."""
    return re.match(rb"\[[0-9A-Fa-f:.]+\]\s", head) is not None
