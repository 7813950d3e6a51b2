"""The cluster of threat actors of the MISP project in, the facts that it tells of groups out; no descriptions.

What it holds is CC0. Countries become codes and targets sectors; what is neither stays as it is told. A value of
another type than it should have is passed over, and an entry without a name or a UUID counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tocsin.learn import countries, sectors, vendors
from tocsin.learn.attack_parts import MOST_NAME, is_uuid, mappings, texts
from tocsin.model.actor import Actor

MOST_NAMES: Final = 500  # of one entry; the longest there is has some 80
_UNKNOWN: Final = frozenset({"", "unknown", "n/a"})


def fits(document: object) -> bool:
    return (
        isinstance(document, dict)
        and document.get("type") == "threat-actor"
        and isinstance(document.get("values"), list)
    )


def read(document: Mapping[str, Any]) -> tuple[dict[str, Actor], Counter[str]]:
    """Actors by their UUIDs, and how much was left out, by reason."""
    found: dict[str, Actor] = {}
    left_out: Counter[str] = Counter()
    for value in mappings(document["values"]):
        uuid, name = value.get("uuid"), value.get("value")
        if not is_uuid(uuid):
            left_out["a threat actor without a UUID"] += 1
        elif not isinstance(name, str) or not name.strip():
            left_out["a threat actor without a name"] += 1
        elif uuid in found:
            left_out["a threat actor that stands there twice"] += 1
        else:
            found[uuid] = _actor(str(uuid), name.strip()[:MOST_NAME], value, left_out)
    return found, left_out


def _actor(uuid: str, name: str, value: Mapping[str, Any], left_out: Counter[str]) -> Actor:
    meta = value.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    names = _names(name, meta)
    if len(names) > MOST_NAMES:
        left_out[f"a name of a threat actor, of more than {MOST_NAMES}"] += len(names) - MOST_NAMES
    victims = [*_told(meta, "cfr-suspected-victims"), *_told(meta, "suspected-victims")]
    places = [(countries.code(one), one) for one in victims]
    aims = [*_told(meta, "cfr-target-category"), *_told(meta, "targeted-sector"), *_told(meta, "sector")]
    motives = [*_told(meta, "cfr-type-of-incident"), *_told(meta, "motive")]
    sponsors = {countries.code(one) or one for one in _told(meta, "cfr-suspected-state-sponsor")}
    return Actor(
        uuid=uuid,
        name=name,
        names=tuple(sorted(names.items())[:MOST_NAMES]),
        countries=tuple(sorted({code for one in _told(meta, "country") if (code := countries.code(one))})),
        sponsors=tuple(sorted(sponsors)),
        victims=tuple(sorted({code for code, _ in places if code})),
        other_victims=tuple(sorted({one for code, one in places if not code})),
        sectors=tuple(sorted({sectors.sector(one) for one in aims})),
        motives=tuple(sorted({one.lower().rstrip(".") for one in motives})),
        confidence=_confidence(meta.get("attribution-confidence")),
    )


def _names(name: str, meta: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Other names, each with the vendors that are told to use it, of the name itself too."""
    told: dict[str, set[str]] = {one: set() for one in texts(meta.get("synonyms")) if one and one != name}
    for one in texts(meta.get("name-attribution")):
        called, _, producer = one.rpartition(":")
        if called and (vendor := vendors.PRODUCERS.get(producer)):
            told.setdefault(called, set()).add(vendor)
    for key, vendor in meta.items():
        if isinstance(key, str) and key.startswith("origin:") and isinstance(vendor, str) and vendor.strip():
            told.setdefault(key.removeprefix("origin:").strip()[:MOST_NAME], set()).add(vendor.strip()[:MOST_NAME])
    return {one: tuple(sorted(by)) for one, by in told.items() if one and (one != name or by)}


def _told(meta: Mapping[str, Any], key: str) -> Iterator[str]:
    """What stands under a key, as one text or several, without those that say that it is not known."""
    value = meta.get(key)
    for one in texts([value] if isinstance(value, str) else value):
        if one.lower() not in _UNKNOWN:
            yield one


def _confidence(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\d{1,3}", value.strip(), re.ASCII):
        return min(int(value), 100)
    return min(value, 100) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
