"""Records beside an incident's findings: no rule sees anything in them, and whoever looks into it would read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tocsin.model.citation import Citation

LeadKind: TypeAlias = Literal[
    "process",  # by its GUID
    "program",  # a file on one machine, `machine|path`
    "arrival",  # an account that comes from one address, `account|address`
    "address",  # outside
    "domain",
    "application",  # of a cloud, by its id
    "person",  # of a cloud within an hour, `principal|hour since 1970`
    "record",  # of a finding itself, `path|chunk|offset`: what else stands in it leads on
]
LEAD_KINDS: tuple[LeadKind, ...] = get_args(LeadKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Records of one log on one day that name the same thing.

    Args:
        kind: what the thing is, and `name` which.
        because: how the thing came into the incident.
        log: the kind of log source.
        count: of all such records; `citations` are the first few.
    """

    kind: LeadKind
    name: str
    because: str
    log: str
    count: int
    first_us: int | None
    last_us: int | None
    citations: tuple[Citation, ...]
