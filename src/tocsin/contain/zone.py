"""Domains in, a response policy zone out: to questions for them and for all names below, no such name is the answer.

In the form that the draft "DNS Response Policy Zones" of ISC and Farsight describes, which unbound and BIND read. The
zone is written whole, and belongs to Tocsin alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tocsin.contain.guard import normal
from tocsin.model.action import Block, Place, Probed, Step, Text, Verb

VERBS: Final[frozenset[Verb]] = frozenset({"block domain"})
_SERIALS: Final = 1 << 32
_NO_SUCH_NAME: Final = "NXDOMAIN"
_ASKED: Final = re.compile(r"^;([a-z0-9_.-]+)\.[ \t]+IN[ \t]+A$", re.MULTILINE)
_STATUS: Final = re.compile(r"->>HEADER<<-.*?status: ([A-Z]+)")


def zone(blocks: Sequence[Block], now_us: int) -> str:
    """The serial is the tenth of a second in which it was made, so that a later zone has a higher one (RFC 1982)."""
    names = sorted({normal(block.target) for block in blocks if not block.until_us or block.until_us > now_us})
    lines = [
        "$TTL 60",
        f"@ IN SOA localhost. root.localhost. {now_us // 100_000 % _SERIALS} 60 60 86400 60",
        "@ IN NS localhost.",
    ]
    for name in names:
        lines += [f"{name} IN CNAME .", f"*.{name} IN CNAME ."]
    return "\n".join(lines) + "\n"


def render(blocks: Sequence[Block], place: Place, now_us: int) -> tuple[Text, ...]:
    return (Text(name=f"{place.zone}.zone", content=zone(blocks, now_us)),)


def steps(after: Sequence[Block], place: Place, now_us: int, reload: tuple[str, ...]) -> tuple[Step, ...]:
    """Write the zone, then have it read again by whoever answers."""
    written = Step(what=f"write the zone with {len(after)} names", path=place.zone_file, text=zone(after, now_us))
    return written, Step(what="have the resolver read the zone again", argv=(*place.run, *reload))


def probes(blocks: Sequence[Block], place: Place) -> tuple[Step, ...]:
    """Ask the resolver for each name. The names stand on standard input, not among the words of the program."""
    argv = (*place.run, "dig", f"@{place.ask}", "-p", str(place.port), "+time=2", "+tries=1", "-f", "-")
    names = sorted({normal(block.target) for block in blocks})
    return (Step(what="ask the resolver for each name", argv=argv, text="".join(f"{one} A\n" for one in names)),)


def seen(said: Sequence[str], blocks: Sequence[Block]) -> tuple[Probed, ...]:
    answers: dict[str, str] = {}
    for whole in said:
        for answer in whole.split("; <<>> DiG")[1:]:
            asked, status = _ASKED.search(answer), _STATUS.search(answer)
            if asked and status:
                answers[asked[1]] = status[1]
    return tuple(
        Probed(target=block.target, stands=answers.get(block.target.value) == _NO_SUCH_NAME) for block in blocks
    )
