r"""Logs of containers in, what the programs in them wrote out: the wrapper that a runtime puts around every line.

Docker's *JSON File logging driver* (`{"log":"...\n","stream":"stdout","time":"..."}`), and the form of the Kubernetes
Container Runtime Interface that containerd and CRI-O write (`2026-11-28T10:00:00.1Z stdout F ...`). Lines that a
runtime cut (without a new line at the end, or marked `P`) are put together again. What is no entry passes as it
is: the reader of the log says what became of it. A log that no reader knows keeps its wrapper, which tells the time
(`formats/container.py`).
"""

from __future__ import annotations

import re
from typing import BinaryIO, Final

import orjson

from tocsin.collect.streams import PIECE, Pieces

# Formats whose lines have no time of their own: their readers get the wrapper as well, which tells it.
TIMELESS: Final = frozenset({"coredns"})

_CRI: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d) (?:stdout|stderr) ([FP]) ")
_DOCKER_KEYS: Final = frozenset({"log", "stream", "time", "attrs"})
_MOST_SNIFFED: Final = 20  # lines
_LONGEST: Final = 16 << 20  # of a line; what goes on beyond is no entry


def is_wrapped(head: bytes) -> bool:
    """Whether all of the first lines are entries of a container's log."""
    lines = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", _MOST_SNIFFED)
    whole = [line for line in lines[:-1] if line.strip()] or [line for line in lines if line.strip()]
    return bool(whole) and all(_text_of(line) is not None for line in whole)


def inside(head: bytes) -> bytes:
    """What stands in the entries that the beginning of a container's log holds."""
    whole, _, _ = head.rpartition(b"\n")
    return b"".join(map(_inner, (whole or head).split(b"\n")))


def entry(line: bytes) -> tuple[str, str, bytes] | None:
    """The time, the stream and the text of an entry; None for what is none."""
    if found := _CRI.match(line):
        time, stream = line[: found.end()].split(b" ")[:2]
        return time.decode(), stream.decode(), line[found.end() :].rstrip(b"\r")
    if _text_of(line) is None:
        return None
    told = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    time, stream = (told.get(key) for key in ("time", "stream"))
    return (
        time if isinstance(time, str) else "",
        stream if isinstance(stream, str) else "",
        told["log"].encode("utf-8", "replace").rstrip(b"\r\n"),
    )


class Unwrapped(Pieces):
    """The text inside the entries."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file
        self._tail = b""

    def _piece(self, size: int) -> bytes:
        while True:
            fresh = self._file.read(PIECE)
            lines = (self._tail + fresh).split(b"\n")
            self._tail = b"" if not fresh else lines.pop()
            if len(self._tail) > _LONGEST:
                lines, self._tail = [self._tail], b""
            text = b"".join(map(_inner, lines))
            if text or not fresh:
                return text


def _inner(line: bytes) -> bytes:
    text = _text_of(line)
    if text is None:
        return line + b"\n" if line.strip() else b""
    return text


def _text_of(line: bytes) -> bytes | None:
    """What a program wrote, None for what is no entry."""
    if found := _CRI.match(line):
        return line[found.end() :].rstrip(b"\r") + (b"\n" if found[1] == b"F" else b"")
    if not line.lstrip(b"\xef\xbb\xbf").startswith(b'{"'):
        return None
    try:
        entry = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None
    text = entry.get("log")
    if not isinstance(text, str) or not _DOCKER_KEYS.issuperset(entry) or not {"stream", "time"} & entry.keys():
        return None
    return text.encode("utf-8", "replace")
