"""An incident and words in, names in them that are of whom it happened to out: such words do not leave.

What people write is looked at, for what programs write holds no names. A machine whose name is a plain word, such as
`mail`, is not looked for: it would be found everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tocsin.model.incident import Incident, Seen

_SHORTEST: Final = 3
_EVERYBODYS: Final = frozenset("system administrator admin root guest anonymous service network local user".split())


def named(incident: Incident, texts: Iterable[str]) -> tuple[str, ...]:
    """Machines, accounts, people and assets of the incident that texts name, sorted."""
    told = "\n".join(texts).casefold()
    return tuple(
        sorted({name for name in _names(incident) if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", told)})
    )


def _names(incident: Incident) -> Iterator[str]:
    machines = [*_called((*incident.hosts, *incident.perhaps_hosts)), *(one.name for one in incident.assets)]
    machines += [name.partition(".")[0] for name in machines if "." in name]
    accounts = [*_called((*incident.accounts, *incident.perhaps_accounts)), *(one.name for one in incident.people)]
    accounts += [each.name for some in incident.addressed for each in some.all]
    accounts += [name.rpartition("\\")[2] for name in accounts if "\\" in name]
    yield from (name for name in machines if len(name) >= _SHORTEST and not name.isalpha())
    yield from (name for name in accounts if len(name) >= _SHORTEST and name.casefold() not in _EVERYBODYS)


def _called(some: Iterable[Seen]) -> Iterator[str]:
    for one in some:
        yield one.name
        yield from one.also
