"""What our server offers over TAXII 2.1: its collections, who may ask, and what is kept from those who do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tocsin.model.collection import Collection
from tocsin.model.guest import Guest


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The server.

    Args:
        own: ids of the identities that are us.
        assets: the file of machines to keep unnamed, and `people` that of people; None where there is none.
    """

    title: str
    description: str
    contact: str
    own: frozenset[str]
    collections: Sequence[Collection]
    guests: Sequence[Guest]
    assets: Path | None
    people: Path | None
