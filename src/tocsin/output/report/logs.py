"""Which logs were seen in, the rows that a page tells of them out: by machine where it matters, else by kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from tocsin.model.coverage import SeenLog

_NAMED: Final = 4  # logs of one kind that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`who` is a machine, or how many there are; `log` a kind, with the first of its logs."""

    who: str
    log: str
    records: int
    first_us: int | None
    last_us: int | None


def of_machines(seen: Iterable[SeenLog], hosts: Collection[str]) -> tuple[Row, ...]:
    """A row for each kind of log of each of these machines."""
    wanted = {_short(host) for host in hosts}
    found: dict[tuple[str, str], list[SeenLog]] = {}
    for log in seen:
        if log.host and _short(log.host) in wanted:
            found.setdefault((log.host, log.kind), []).append(log)
    return tuple(_row(host, kind, logs) for (host, kind), logs in sorted(found.items()))


def by_kind(seen: Iterable[SeenLog]) -> tuple[Row, ...]:
    """A row for each kind of log."""
    found: dict[str, list[SeenLog]] = {}
    for log in seen:
        found.setdefault(log.kind, []).append(log)
    return tuple(_row(_machines(logs), kind, logs) for kind, logs in sorted(found.items()))


def _machines(logs: Iterable[SeenLog]) -> str:
    count = len({log.host for log in logs if log.host})
    return "names none" if not count else "1 machine" if count == 1 else f"{count:,} machines"


def _row(who: str, kind: str, logs: list[SeenLog]) -> Row:
    names = sorted({log.channel for log in logs if log.channel})
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return Row(
        who=who,
        log=kind + (f": {', '.join(names[:_NAMED])}{more}" if names else ""),
        records=sum(log.records for log in logs),
        first_us=min((log.first_us for log in logs if log.first_us is not None), default=None),
        last_us=max((log.last_us for log in logs if log.last_us is not None), default=None),
    )


def _short(host: str) -> str:
    return host.casefold().partition(".")[0] if any(letter.isalpha() for letter in host) else host
