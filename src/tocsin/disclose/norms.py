"""An incident in, which norms of state conduct may be relevant to it, with the facts and what is missing, out.

Norms of the UN's group of governmental experts: A/70/174, paragraph 13, and A/76/135. They are voluntary. Nothing here
says that one was broken: that would need to know who did it and on whose behalf, and is for states to say. Espionage
alone breaks none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tocsin.model.incident import Incident
from tocsin.model.norms import Fact, Norm, Relevance

_MOST_CITED: Final = 5

NORMS: Final = tuple(
    Norm(letter=letter, words=words)
    for letter, words in (
        ("a", "States work together to keep the use of these technologies stable and secure."),
        ("b", "States weigh all that bears on an incident, its context and the difficulty of attribution among it."),
        ("c", "States do not knowingly let their territory be used for wrongful acts against others."),
        ("d", "States exchange information, help each other, and prosecute criminal use."),
        ("e", "States respect human rights, privacy and free expression while they secure these technologies."),
        ("f", "States do not damage critical infrastructure, or impair its use for the public, against their duties."),
        ("g", "States protect their own critical infrastructure."),
        ("h", "States answer requests for help from others whose critical infrastructure is attacked."),
        ("i", "States keep the supply chain whole, so that people can trust what they use."),
        ("j", "States report weaknesses responsibly, and share what remedies them."),
        ("k", "States do not harm the emergency response teams of others, nor use their own to attack."),
    )
)


def relevant(incident: Incident) -> tuple[Relevance, ...]:
    """All eleven, in their order; those without a fact say what would have to be known."""
    found = []
    for norm in NORMS:
        facts, missing = _OF[norm.letter]
        found.append(Relevance(norm=norm, facts=tuple(facts(incident)), missing=missing))
    return tuple(found)


def _cited(incident: Incident, numbers: Iterable[int]) -> tuple[str, ...]:
    """Findings by the rule and the record, each once."""
    found = (incident.findings[number] for number in numbers)
    return tuple(dict.fromkeys(f"{one.rule_id} at {one.at.src}:{one.at.rec}" for one in found))[:_MOST_CITED]


def _with_technique(incident: Incident, *techniques: str) -> list[int]:
    return [
        number
        for number, one in enumerate(incident.findings)
        if any(name == each or name.startswith(f"{each}.") for name in one.techniques for each in techniques)
    ]


def _own(incident: Incident) -> Iterator[Fact]:
    """What the list of assets holds to be critical."""
    critical = [one for one in incident.assets if one.criticality == "critical" and one.one_of == 1]
    if critical:
        services = sorted({name for one in critical for name in one.services})
        told = f": {', '.join(services[:_MOST_CITED])}" if services else ""
        many = len(critical) != 1
        yield Fact(
            text=f"{len(critical)} system{'s' if many else ''} that the list of assets calls critical "
            f"{'are' if many else 'is'} touched{told}.",
            evidence=tuple(f"assets, line {one.line}" for one in critical[:_MOST_CITED]),
        )


def _impaired(incident: Incident) -> Iterator[Fact]:
    """Only what a rule of the tactic impact found: being inside is not to impair."""
    numbers = [number for number, one in enumerate(incident.findings) if "impact" in one.tactics]
    if numbers:
        yield Fact(
            text=f"{len(numbers)} findings are of the kind that destroys, encrypts or stops something.",
            evidence=_cited(incident, numbers),
        )


def _supply(incident: Incident) -> Iterator[Fact]:
    if numbers := _with_technique(incident, "T1195"):
        yield Fact(text=f"{len(numbers)} findings are of a supply chain.", evidence=_cited(incident, numbers))


def _weakness(incident: Incident) -> Iterator[Fact]:
    if numbers := _with_technique(incident, "T1190", "T1210", "T1203", "T1068"):
        yield Fact(text=f"{len(numbers)} findings are of a weakness that was used.", evidence=_cited(incident, numbers))


def _private(incident: Incident) -> Iterator[Fact]:
    left = [one for one in incident.people if one.how in ("reached", "data left")]
    if left:
        yield Fact(
            text=f"{len(left)} people of the list are shown to be reached: what is told of it must not name them."
        )


def _context(incident: Incident) -> Iterator[Fact]:
    if incident.not_seen:
        yield Fact(text=f"{len(incident.not_seen)} things could not be seen; they stand in the report.")


def _exchange(incident: Incident) -> Iterator[Fact]:
    outside = [one for one in incident.addresses if one.findings]
    if outside:
        yield Fact(text=f"{len(outside)} addresses are named by findings, of which others may know more.")


def _none(incident: Incident) -> Iterator[Fact]:  # noqa: ARG001 - no record tells of it
    yield from ()


_OF: Final[dict[str, tuple[Callable[[Incident], Iterator[Fact]], tuple[str, ...]]]] = {
    "a": (_none, ("whether the other state works with us on it",)),
    "b": (_context, ("who did it, which no record alone shows", "the context between the states")),
    "c": (
        _none,
        (
            "in whose territory the machines stand that it came from",
            "whether that state knew, and what it could have done",
        ),
    ),
    "d": (_exchange, ("whether what happened is a crime in both states",)),
    "e": (_private, ("what the law says of telling others about those people",)),
    "f": (
        _impaired,
        (
            "whether something that the public needs was damaged or impaired, and for how long",
            "on whose behalf it was done",
        ),
    ),
    "g": (_own, ("what the law calls critical, where that is not what the list of assets does",)),
    "h": (_own, ("whether help was asked for, and of whom",)),
    "i": (_supply, ("whether something was changed before it was delivered",)),
    "j": (_weakness, ("whether the weakness is known to those who can mend it",)),
    "k": (_none, ("whether an emergency response team, or its systems, was the target",)),
}
