"""Aims, mitigations and what rules could see in, a Hardening out: the step that cuts most paths for its effort first.

Counts are exact integers. That a mitigation is listed against a technique (ATT&CK, `mitigates`) does not say that it
stops it: a path that is cut here is one on which the intruder meets something, no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tocsin.harden.efforts import effort
from tocsin.harden.sight import OUTSIDE, Watching
from tocsin.model.attack import Release, is_live
from tocsin.model.hardening import Aim, Hardening, Missing, Posture, Prospect, Step
from tocsin.model.mitigation import Mitigation

_NONE: Final = "M1055"  # "Do Not Mitigate": what is listed under it is best left as it is


def weigh(
    aims: Sequence[Aim], release: Release, mitigations: Sequence[Mitigation], watched: Watching, posture: Posture
) -> Hardening:
    """How one stands to what is feared, and what to mend first.

    Args:
        aims: with techniques of `release`; those that it does not know are told among the doubts.
        mitigations: those of the release, by id.
    """
    known = {name for aim in aims for name in aim.techniques if _lives(name, release)}
    against = _against(mitigations, known)
    held = {name for one in posture.in_place for name in against.get(one, ())}
    ways = _Ways(tuple(_tactics(aim.techniques & known, release) for aim in aims))
    prospects = tuple(_prospect(name, release, aims, watched, against, held) for name in sorted(known))
    return Hardening(
        release=release.name,
        aims=tuple(aims),
        prospects=prospects,
        missing=_missing(prospects, watched),
        steps=tuple(_steps(ways, mitigations, against, held, posture)),
        paths=ways.thin((), ways.most + 1),
        open=ways.thin(held, 1),
        in_place=tuple(sorted(posture.in_place)),
        doubts=tuple(_doubts(aims, known, mitigations, watched, posture)),
    )


def _lives(name: str, release: Release) -> bool:
    return name in release.entries and is_live(release.entries[name])


def _against(mitigations: Iterable[Mitigation], known: Collection[str]) -> dict[str, frozenset[str]]:
    """What of it each mitigation is listed against."""
    found = {one.id: frozenset(one.techniques).intersection(known) for one in mitigations if one.id != _NONE}
    return {number: techniques for number, techniques in found.items() if techniques}


@dataclass(frozen=True)
class _Ways:
    """Of each aim the techniques by tactic. A path takes one of each tactic; aims do not share paths."""

    aims: tuple[tuple[frozenset[str], ...], ...]

    def thin(self, held: Collection[str], layers: int) -> int:
        """Paths with fewer than so many techniques against which something is held: without any list of them.

        Of each tactic a path takes a technique that is held, or one that is not: the product of (open + held x) over
        the tactics has, at x to the n, how many paths have n that are.
        """
        return sum(sum(_by_layers(tactics, held)[:layers]) for tactics in self.aims if tactics)

    @property
    def most(self) -> int:
        return max(map(len, self.aims), default=0)


def _by_layers(tactics: Iterable[frozenset[str]], held: Collection[str]) -> list[int]:
    counts = [1]
    for techniques in tactics:
        met = len(techniques.intersection(held))
        passed = len(techniques) - met
        counts = [passed * one + met * before for one, before in zip([*counts, 0], [0, *counts], strict=True)]
    return counts


def _tactics(techniques: Iterable[str], release: Release) -> tuple[frozenset[str], ...]:
    found: dict[str, set[str]] = {}
    for name in techniques:
        for tactic in release.entries[name].tactics:
            if tactic not in OUTSIDE:
                found.setdefault(tactic, set()).add(name)
    return tuple(frozenset(found[tactic]) for tactic in sorted(found))


def _prospect(
    name: str,
    release: Release,
    aims: Sequence[Aim],
    watched: Watching,
    against: Mapping[str, frozenset[str]],
    held: Collection[str],
) -> Prospect:
    entry = release.entries[name]
    return Prospect(
        id=name,
        name=entry.name,
        tactics=entry.tactics,
        aims=tuple(aim.id for aim in aims if name in aim.techniques),
        sight=watched.sight(name, entry.tactics),
        rules=watched.rules(name),
        able=watched.able(name),
        missing=tuple(sorted(watched.missing(name))),
        mitigations=tuple(sorted(number for number, techniques in against.items() if name in techniques)),
        mitigated=name in held,
    )


def _missing(prospects: Iterable[Prospect], watched: Watching) -> tuple[Missing, ...]:
    """Log sources by the techniques that only they would show, those that show most first."""
    found: dict[str, list[str]] = {}
    rules: dict[str, int] = {}
    for one in prospects:
        if one.sight not in ("no logs", "in part"):
            continue
        for logsource, count in watched.missing(one.id).items():
            found.setdefault(logsource, []).append(one.id)
            rules[logsource] = rules.get(logsource, 0) + count
    told = (Missing(logsource=name, rules=rules[name], techniques=tuple(found[name])) for name in found)
    return tuple(sorted(told, key=lambda one: (-len(one.techniques), -one.rules, one.logsource)))


def _steps(
    ways: _Ways,
    mitigations: Iterable[Mitigation],
    against: Mapping[str, frozenset[str]],
    held: Collection[str],
    posture: Posture,
) -> Iterable[Step]:
    """Step by step, that which cuts most of the paths that are open, for its effort.

    Once nothing more can be cut, that which gives most paths a second thing in the way, then a third: what is listed
    against a technique does not always stop it.
    """
    called = {one.id: one.name for one in mitigations}
    left = {number for number in against if number not in posture.in_place}
    efforts = {number: posture.efforts.get(number, effort(number)) for number in left}
    done = frozenset(held)
    for layers in range(1, ways.most + 1):
        while left:
            thin = ways.thin(done, layers)
            gains = {number: thin - ways.thin(done | against[number], layers) for number in sorted(left)}
            worth = {number: Fraction(gain, efforts[number]) for number, gain in gains.items()}
            best = max(worth, key=worth.__getitem__)  # the first of equals
            if not gains[best]:
                break
            new = against[best].difference(done)
            left.discard(best)
            done |= new
            yield Step(
                mitigation=best,
                name=called[best],
                effort=efforts[best],
                layers=layers,
                cut=gains[best],
                left=thin - gains[best],
                techniques=tuple(sorted(new)),
                partly=best in posture.partly,
            )


def _doubts(
    aims: Iterable[Aim],
    known: Collection[str],
    mitigations: Sequence[Mitigation],
    watched: Watching,
    posture: Posture,
) -> Iterable[str]:
    for aim in aims:
        if strange := sorted(aim.techniques.difference(known)):
            yield f"{aim.name}: not in this release of ATT&CK, and left out: {', '.join(strange)}."
        if not aim.techniques.intersection(known):
            yield f"{aim.name}: nothing is told of what it does, so nothing here speaks of it."
    if not mitigations:
        yield "Nothing is known of mitigations of this release: learn it anew, from a STIX bundle or a galaxy."
    there = {one.id for one in mitigations}
    if strange := sorted({*posture.in_place, *posture.partly, *posture.efforts}.difference(there)):
        yield f"What you say of {', '.join(strange)} counts for nothing: no such mitigation in this release of ATT&CK."
    if not watched.has_evidence:
        yield "No evidence was named, so what your logs could show is not known: name logs, or --lake."
