"""Picks that belong to an incident in, a Claim that rests on them out: what all sorts of claims are made with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tocsin.investigate.impact.content import content, is_technical
from tocsin.investigate.impact.picks import BESIDE, FOUND, STRONG, WEAK, Pick
from tocsin.investigate.impact.scene import Scene
from tocsin.model.citation import Citation
from tocsin.model.event import NO_TIME
from tocsin.model.impact import Bounds, Claim, Confidence, Content, Sort, Stage, Unit

CITED: Final = 20  # records of a claim that are cited; the number of all is told
NAMED: Final = 200  # names that are listed
_NAME: Final = 300  # characters of one

_WHY: Final[Mapping[int, tuple[Confidence, str]]] = {
    FOUND: ("high", "records of grave findings show it"),
    STRONG: ("moderate", "records of the incident's own machines, accounts or addresses show it, at its time"),
    WEAK: ("low", "only the account ties these records to the incident: some may be its owner's everyday work"),
    BESIDE: ("low", "only the machine ties these records to the incident: it may be everyday work"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """What belongs to one incident, of one sort.

    Args:
        picks: each with how it is tied, in order of time.
        whole: why an upper bound cannot be told whatever the records say; '' where nothing stands in the way.
        cite: the record of a pick.
        short: of a kind of log, on a host if one is named, why it does not tell of the whole incident; '' if it does.
    """

    picks: Sequence[tuple[Pick, int]]
    scene: Scene
    whole: str
    cite: Callable[[Pick], Citation]
    short: Callable[[str, str], str]

    def grouped(self, key: Callable[[Pick], str]) -> Iterator[tuple[str, Tied]]:
        """By a text that picks have; those without one ('') are left out."""
        groups: dict[str, list[tuple[Pick, int]]] = {}
        for pick, how in self.picks:
            if name := key(pick):
                groups.setdefault(name, []).append((pick, how))
        for name, some in sorted(groups.items()):
            yield name, replace(self, picks=some)

    def only(self, fits: Callable[[Pick], bool]) -> Tied:
        some = [(pick, how) for pick, how in self.picks if fits(pick)]
        return replace(self, picks=some)

    def at_least(self, least: int) -> Tied:
        some = [(pick, how) for pick, how in self.picks if how >= least]
        return replace(self, picks=some)

    def __bool__(self) -> bool:
        return bool(self.picks)

    @property
    def sure(self) -> bool:
        """Whether a record belongs to the incident by more than its machine."""
        return self.best >= WEAK

    @property
    def best(self) -> int:
        return max((how for _, how in self.picks), default=0)

    def names(self, of: Callable[[Pick], Iterable[str]], least: int = BESIDE) -> list[str]:
        """Distinct names in the order of their first record."""
        return list(dict.fromkeys(name for pick, how in self.picks if how >= least for name in of(pick) if name))

    def claim(
        self,
        stage: Stage,
        sort: Sort,
        what: str,
        subject: str,
        *,
        unit: Unit,
        amount: Bounds,
        because: str = "",
        names: Sequence[str] = (),
        kind_of_content: Content | None = None,
        would_tell: str = "",
        confidence: Confidence | None = None,
        host: str = "",
    ) -> Claim:
        """What rests on all of these picks; a lower confidence may be given than the records alone would have."""
        given, why = _WHY[self.best]
        technical = sum(map(is_technical, names))
        times = [pick.ts for pick, _ in self.picks if pick.ts != NO_TIME]
        places = self.scene.places
        first = sorted(self.picks, key=lambda one: -one[1])[:CITED]
        whys = (because, why, self.whole if amount.upper is None else "")
        return Claim(
            stage=stage,
            sort=sort,
            what=what,
            subject=subject,
            unit=unit,
            amount=amount,
            confidence=confidence or given,
            because="; ".join(part for part in whys if part),
            host=host,
            account=next((who for pick, how in self.picks if how == self.best and (who := pick.account)), ""),
            content=kind_of_content or content(names),
            technical=technical,
            names=tuple(name[:_NAME] for name in names[:NAMED]),
            unnamed=max(len(names) - NAMED, 0),
            would_tell=would_tell if amount.upper is None else "",
            first_us=min(times, default=None),
            last_us=max(times, default=None),
            records=len(self.picks),
            evidence=tuple(self.cite(pick) for pick, _ in first),
            findings=tuple(sorted({places[pick.place] for pick, _ in self.picks if pick.place in places})),
        )

    def counted(self, of: Callable[[Pick], Iterable[str]], *, open_end: str) -> tuple[Bounds, list[str]]:
        """Distinct names: those of records of the incident's accounts and findings at least, all at most.

        Whether the owner of an account or somebody else read is a question of confidence, not of how much was read.

        Args:
            open_end: why there may have been more; '' where every such record was logged.
        """
        sure, every = self.names(of, WEAK), self.names(of)
        upper = None if open_end or self.whole else len(every)
        return Bounds(lower=len(sure), upper=upper), sure + [name for name in every if name not in set(sure)]
