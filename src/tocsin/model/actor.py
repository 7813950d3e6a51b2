"""An entry of a galaxy of threat actors in, the facts that it tells of a group out: names, and what is suspected."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Sorted, but for the name; `names` are its other names, each with the vendors that use it."""

    uuid: str
    name: str
    names: tuple[tuple[str, tuple[str, ...]], ...] = ()
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2
    sponsors: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()  # countries
    other_victims: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    motives: tuple[str, ...] = ()
    confidence: int | None = None
