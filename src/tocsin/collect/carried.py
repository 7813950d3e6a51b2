"""Lines that carry a record of another form behind a syslog header in, what the header says out.

A record such as `CEF:0|...` stands where syslog has a tag, and is none. So the header is read as if a tag stood
there; of what it says, time and host are kept. Lines without a header, or with a priority alone, are as good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tocsin.collect import syslog
from tocsin.collect.clock import Clock, assumed
from tocsin.collect.firewall import behind_priority
from tocsin.collect.lines import Lines, Mask, Spans
from tocsin.model.event import NO_TIME, Longs


class Head(NamedTuple):
    """What stands before the record of one line."""

    ts: int = NO_TIME
    host: str | None = None
    mended: str = ""


class Heads(NamedTuple):
    """What stands before the records of all lines; true for those that `usual` marks."""

    usual: Mask
    ts: Longs
    host: Spans
    no_year: Mask
    no_zone: Mask

    def mended(self, used: Mask) -> dict[str, int]:
        """What was assumed of the times of the lines that use them, for `Split.mended`."""
        told: dict[str, int] = {}
        for year in (True, False):
            for zone in (True, False):
                count = int((used & (self.ts != NO_TIME) & (self.no_year == year) & (self.no_zone == zone)).sum())
                if count and (text := assumed(year=year, zone=zone)):
                    told[text] = count
        return told


def before(text: str, clock: Clock) -> Head:
    """Read what stands before a record."""
    head = syslog.header(f"{text}x: ", clock) if text else None
    return Head(head.ts, head.host, head.mended) if head else Head()


def all_before(block: Lines, starts: Longs, tags: Mapping[bytes, bytes], clock: Clock) -> Heads:
    """Read what stands before the records that begin at `starts`.

    Args:
        tags: how records begin, and a syslog tag of the same length.
    """
    bare = starts == behind_priority(block)
    nothing = np.full(len(block), -1, np.int64)
    if bare.all():
        no = np.zeros(len(block), bool)
        return Heads(bare, np.full(len(block), NO_TIME, np.int64), Spans(nothing, nothing), no, no)
    data = block.data
    for beginning, tag in tags.items():
        data = data.replace(beginning, tag)
    heads = syslog.headers(block.rewritten(data), clock)
    usual = bare | (heads.usual & ((heads.tag == starts) | (heads.message == starts)))
    host = heads.spans["host"]
    host = Spans(np.where(bare, -1, host.starts), np.where(bare, -1, host.stops))
    return Heads(usual, np.where(bare, NO_TIME, heads.ts), host, heads.no_year, heads.no_zone)
