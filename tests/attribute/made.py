"""Knowledge bases and observations for tests: small, made from a seed, with nothing of a real group."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from tocsin.model.observation import Observation, Trait, TraitKind


def kb(seed: int, groups: int = 50) -> dict[str, dict[str, Any]]:
    """Groups with habits of their own, common techniques, own and shared software."""
    chosen = random.Random(seed)
    techniques = [f"T{1000 + number}" for number in range(300)]
    shared = [f"S{9000 + number}" for number in range(6)]
    made = {}
    for number in range(groups):
        years = 2012 + chosen.randrange(8)
        sources = [f"Report {number}-{one} {years + chosen.randrange(4)}" for one in range(3 + chosen.randrange(6))]
        own = chosen.sample(techniques, 25) + chosen.sample(techniques[:20], 8)
        software = [f"S{8000 + 10 * number + one}" for one in range(3)] + chosen.sample(shared, 1)
        made[f"G{number:04}"] = {
            "name": f"Group {number}",
            "aliases": [],
            "techniques": {
                name: chosen.sample(sources, 1 + chosen.randrange(len(sources))) for name in sorted(set(own))
            },
            "software": {name: chosen.sample(sources, 1) for name in software},
            "sponsor": chosen.choice(["", "AA", "BB", "ambiguous"]),
            "victims": chosen.sample(["DE", "FR", "NZ", "NO"], 2),
            "sectors": ["energy"] if chosen.random() < 0.5 else [],
        }
    return made


def seen(
    techniques: Iterable[str] = (), software: Iterable[str] = (), *, last: str = "2018", others: Iterable[Trait] = ()
) -> Observation:
    return Observation(
        id="seen",
        traits=(
            *(trait("technique", value) for value in techniques),
            *(trait("software", value) for value in software),
            *others,
        ),
        last_seen=last,
    )


def trait(kind: TraitKind, value: str, grade: str = "B2", sources: tuple[str, ...] = ("log",)) -> Trait:
    return Trait(kind=kind, value=value, grade=grade, sources=sources)
