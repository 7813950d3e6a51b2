"""Logs of containers whose programs have no form that is known in, Events out: what was said, when, on which stream.

Docker's JSON File logging driver and the form of the Kubernetes Container Runtime Interface (`collect/containers.py`).
Where a reader knows what a program wrote, that reader gets it without the wrapper; this one has the rest. The time is
the runtime's: when the line was written.
"""

from __future__ import annotations

from typing import Final

from tocsin.collect import containers
from tocsin.collect.clock import Clock
from tocsin.collect.lines import Parsed
from tocsin.collect.text_lines import TextLog
from tocsin.collect.times import one

NAME = "container"
KIND = "application"

_NO_ENTRY: Final = "not an entry of a container's log"


def sniff(head: bytes) -> bool:
    return containers.is_wrapped(head)


def ranges(head: bytes, size: int, unit_bytes: int) -> list[tuple[int, int]]:
    return [(0, size)]


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    found = containers.entry(text.encode("utf-8", "replace"))
    if found is None:
        return _NO_ENTRY
    time, stream, said = found
    return Parsed(one(time), {"log": "container", "stream": stream, "message": said.decode("utf-8", "replace")})


_LOG: Final = TextLog(parse=_parse)
cut, decoder, fields = _LOG.cut, _LOG.decoder, _LOG.fields
