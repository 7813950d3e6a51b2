"""Whose machines and which people an incident touches, as far as the lists of assets and people say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tocsin.model.asset import Criticality, Sensitivity
from tocsin.model.citation import Citation

# How far it went with a person, the least first.
How: TypeAlias = Literal["targeted", "possibly reached", "reached", "data left"]
HOWS: tuple[How, ...] = get_args(How)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A machine or address of an incident, and the asset that the list has for it.

    Args:
        name: as the incident calls it; `asset` as the list does, whose line is `line`.
        by: "name" or "address".
        one_of: how many assets of the list this may be. More than one: somebody must be asked.
        services: those that run on it, with who depends on them.
    """

    name: str
    asset: str
    by: str
    owner: str = ""
    authority: str = ""
    sensitivity: Sensitivity | None = None
    protected: bool | None = None
    criticality: Criticality | None = None
    services: tuple[str, ...] = ()
    one_of: int = 1
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A person of the list whom an incident touches.

    Args:
        id: what tells them from others of the same name.
        through: the account or mailbox by which they were found.
        shared_with: ids of others to whom the list gives the same account or mailbox: it may have been either.
        because: what the records show.
        contact: a way to reach them that the intruder cannot read, as the list has it.
    """

    id: str
    name: str
    how: How
    through: tuple[str, ...]
    because: tuple[str, ...]
    role: str = ""
    language: str = ""
    contact: str = ""
    shared_with: tuple[str, ...] = ()
    line: int = 0
    evidence: tuple[Citation, ...] = ()
