"""A ledger in, the matrix of competing hypotheses out: what fits whom, what tells them apart, and what is missing.

Analysis of Competing Hypotheses (Heuer, "Psychology of Intelligence Analysis", 1999, chapter 8): one asks of each
thing seen how well it fits each hypothesis, and works with what speaks against. Here that is read off the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tocsin.attribute.ledger import Ledger, Weighed
from tocsin.attribute.survival import without
from tocsin.model.attribution import Reading, Row
from tocsin.model.observation import Observation

COLUMNS: Final = 5
SENTENCES: Final = 5

_STRONG: Final = 4_000  # millidecibans, about a factor of two and a half
_WEAK: Final = 500


def columns(ledger: Ledger, only: Sequence[int] = ()) -> tuple[int, ...]:
    """The groups that are compared: those that were asked for, else the likeliest."""
    chosen = list(only) or range(len(ledger.evidence))
    return tuple(sorted(chosen, key=lambda one: (-ledger.weights[one], -ledger.evidence[one], one))[:COLUMNS])


def rows(ledger: Ledger, compared: Sequence[int]) -> tuple[Row, ...]:
    """What tells the hypotheses apart first; "unknown" is a column too, against which nothing weighs anything."""
    found = []
    for weighed in ledger.traits:
        weights = tuple(weighed.capped[one] for one in compared)
        found.append(
            Row(
                kind=weighed.trait.kind,
                value=weighed.trait.value,
                grade=weighed.trait.grade,
                readings=tuple(reading(weight) for weight in weights),
                millidecibans=weights,
                diagnosticity=max((0, *weights)) - min((0, *weights)),
                name=ledger.scene.profiles.names.get(weighed.trait.value, ""),
            )
        )
    return tuple(sorted(found, key=lambda row: (-row.diagnosticity, row.kind, row.value)))


def reading(weight: int) -> Reading:
    if abs(weight) < _WEAK:
        return "."
    if weight > 0:
        return "++" if weight >= _STRONG else "+"
    return "--" if weight <= -_STRONG else "-"


def against(ledger: Ledger, leader: int) -> tuple[str, ...]:
    """What speaks against the leading group, the weightiest first."""
    speaking = sorted(
        (weighed for weighed in ledger.traits if weighed.capped[leader] <= -_WEAK),
        key=lambda weighed: (weighed.capped[leader], weighed.trait.kind, weighed.trait.value),
    )
    return tuple(_sentence(weighed, ledger, leader) for weighed in speaking[:SENTENCES])


def _sentence(weighed: Weighed, ledger: Ledger, leader: int) -> str:
    told = weighed.kind.because(weighed.trait.value, ledger.scene, leader)
    return f"{_called(weighed, ledger)}: {told}"


def _called(weighed: Weighed, ledger: Ledger) -> str:
    return f"{weighed.trait.kind} {ledger.scene.profiles.called(weighed.trait.value)}"


def gaps(ledger: Ledger, leader: int) -> tuple[str, ...]:
    """What the leading group is told to do most and was not seen, and whether it could have been."""
    profile = ledger.scene.profiles.groups[leader]
    observed = ledger.scene.observation
    missing = sorted(
        (name for name in profile.techniques if name not in ledger.scene.techniques),
        key=lambda name: (-profile.techniques[name], -ledger.scene.profiles.rarity[name], name),
    )
    return tuple(
        f"{profile.name} would also be expected to use {ledger.scene.profiles.called(name)}, told by "
        f"{profile.techniques[name]} of {profile.sources} sources; {_sensor(name, observed)}."
        for name in missing[:SENTENCES]
    )


def _sensor(technique: str, observed: Observation) -> str:
    """Whether anything would have shown it, and else where to look."""
    if observed.watched is None:
        return "nobody has said whether a sensor would have shown it"
    if technique in observed.watched:
        return "a sensor would have shown it, and did not"
    logs = observed.sensors.get(technique, ())
    return (
        f"nothing here would have shown it; look at {' or '.join(logs)}" if logs else "nothing here would have shown it"
    )


def would_change(ledger: Ledger, leader: int) -> tuple[str, ...]:
    """The traits without which another group would lead, or the leading one would be no likelier than "unknown"."""
    found = []
    name = ledger.scene.profiles.groups[leader].name
    for weighed in ledger.traits:
        if weighed.capped[leader] < _WEAK:
            continue
        left = without(ledger, [weighed])
        first = max(range(len(left)), key=lambda one: (left[one], one == leader))
        what = _called(weighed, ledger)
        lost = ledger.evidence[leader] - left[leader]
        if first != leader:
            found.append((-lost, f"Without {what}, {ledger.scene.profiles.groups[first].name} would lead."))
        elif 0 <= ledger.weights[leader] < lost:
            found.append((-lost, f"Without {what}, nobody known would be likelier than {name}."))
    return tuple(text for _, text in sorted(found)[:SENTENCES])
