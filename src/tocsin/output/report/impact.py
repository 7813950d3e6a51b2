"""An incident in, the rows of the chapter on what was taken, whose machines these are and whom it touches out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tocsin.model.citation import Citation
from tocsin.model.impact import Claim, Impact, Stage, Unanswered
from tocsin.model.incident import Incident
from tocsin.output import impact as words

_NAMES: Final = 100  # of one claim on a page
_CITED: Final = 5
_STAGES: Final[tuple[tuple[Stage, str], ...]] = (
    ("left", "What left"),
    ("staged", "What was made ready to be taken"),
    ("accessed", "What was reached"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A claim as a page tells it; `back` is what came the other way, '' where that is no question."""

    claim: Claim
    amount: str
    back: str
    content: str
    names: tuple[str, ...]
    unnamed: int
    evidence: tuple[Citation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """`looked` is False where nobody looked, which is told as such.

    `brief` is the same as `stages` for whoever reads no records: what is hardly tied to the incident in a sentence.
    """

    looked: bool
    stages: tuple[tuple[str, tuple[Row, ...]], ...]
    brief: tuple[tuple[str, tuple[str, ...]], ...]
    unanswered: tuple[Unanswered, ...]


def chapter(incident: Incident) -> Chapter:
    impact = incident.impact
    if impact is None:
        return Chapter(looked=False, stages=(), brief=(), unanswered=())
    stages = tuple(
        (title, tuple(_row(claim) for claim in impact.claims if claim.stage == stage)) for stage, title in _STAGES
    )
    return Chapter(looked=True, stages=stages, brief=tuple(_brief(impact)), unanswered=impact.unanswered)


def _brief(impact: Impact) -> Iterator[tuple[str, tuple[str, ...]]]:
    loose = words.loosely_tied(impact.claims)
    for stage, title in _STAGES:
        firm = [claim for claim in impact.claims if claim.stage == stage and claim not in loose]
        told = [f"{words.sentence(one)} {one.confidence.capitalize()} confidence: {words.surely(one)}." for one in firm]
        yield title, (*told, *(words.loosely(loose) if stage == "left" else ()))


def _row(claim: Claim) -> Row:
    names, unnamed = words.named(claim.names, claim.unnamed, _NAMES)
    return Row(
        claim=claim,
        amount=words.amount(claim.amount, claim.unit),
        back=words.amount(claim.back, claim.unit) if claim.back else "",
        content=words.content(claim),
        names=names,
        unnamed=unnamed,
        evidence=claim.evidence[:_CITED],
    )
