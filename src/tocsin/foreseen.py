"""Rules and the vocabulary of a lake in, the parts out that rules must read: those of which an event may match.

What is told of rules that found nothing (whether they could have) is told of all parts: those that are not read for
matches are read until nothing can change in that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tocsin import looking
from tocsin.detect.nodes import Mask
from tocsin.detect.possible import MOST_VARIANTS, Foresight
from tocsin.engine.protocol import Engine, Work
from tocsin.lake.asking import PartKey
from tocsin.lake.parts import Part
from tocsin.lake.runs import Run
from tocsin.lake.vocabulary import Words
from tocsin.looking import Look, Tally, fields_of
from tocsin.model.event import Longs, Texts
from tocsin.model.rule import RuleSet


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What parts may hold. `gates` are the variants whose gate an event of a part may pass."""

    needed: frozenset[PartKey]
    gates: Mapping[PartKey, Sequence[int]]


def settle(
    foreseen: Foreseen,
    looks: Sequence[Look],
    parts: Mapping[PartKey, Part],
    work: Work[tuple[str, tuple[Look, ...]]],
    jobs: int,
    tally: Tally,
    *,
    engine: Engine,
) -> int:
    """Read parts until nothing can change in what is told of rules that found nothing; gives how many.

    Nothing is found there: had an event been able to match, its part would be among `looks`.
    """
    read = {(look.part.kind, look.part.path) for look in looks if look.full}
    before = len(read)
    variants = tally.rules.variants
    while True:
        states = tally.account.coverage().rules
        waiting = {one.rule for one in states if one.state in ("no log source", "field absent")}
        left = [
            key
            for key, some in foreseen.gates.items()
            if key not in read
            and any(
                variants[number].rule in waiting and tally.account.may_change(number, fields_of(parts[key]))
                for number in some
            )
        ]
        if not left:
            return len(read) - before
        some = left[: max(1, len(read) - before)]  # one, one, two, four: the first mostly tells
        more = [Look(part=parts[key], named=False, rows=None, fields=frozenset(), full=True) for key in some]
        looking.run(more, work, jobs, tally, engine=engine)
        read.update(some)


def foresee(rules: RuleSet, runs: Sequence[Run], parts: Mapping[PartKey, Part]) -> Foreseen:
    """Ask the vocabulary; a part that none speaks of, or that too many rules are asked of, is needed."""
    kinds = {variant.kind for variant in rules.variants}
    left = {key for key, part in parts.items() if part.kind in kinds}
    if not left or len(rules.variants) > MOST_VARIANTS:
        return Foreseen(frozenset(left), {})
    foresight = Foresight(rules)
    needed: set[PartKey] = set()
    gates: dict[PartKey, list[int]] = {}
    for run in runs:
        keys = [key if key in left else None for key in run.about.parts]
        here = {at: key for at, key in enumerate(keys) if key is not None}
        if not here:
            continue
        left -= set(here.values())
        passing, matching = foresight.through(_Known(run, {at: parts[key] for at, key in here.items()}))
        for number, (gate, whole) in enumerate(zip(passing, matching, strict=True)):
            for at in np.flatnonzero(gate).tolist():
                gates.setdefault(here[at], []).append(number)
            needed.update(here[at] for at in np.flatnonzero(whole).tolist())
    return Foreseen(frozenset(needed | left), gates)


@dataclass(slots=True)
class _Known:
    """The vocabulary of those parts of a run that are asked."""

    run: Run
    parts: Mapping[int, Part]
    _words: dict[tuple[str, str], Words | None] = field(default_factory=dict)

    def values(self, kind: str, name: str) -> Sequence[str | None]:
        words = self._of(kind, name)
        return (None, None) if words is None else Texts(words.texts)

    def having(self, kind: str, name: str, values: Longs) -> Mask:
        words, count = self._of(kind, name), len(self.run.about.parts)
        found = np.zeros(count, bool)
        told = np.zeros(count, bool)
        if words is not None:
            found, told = words.where(values, count), words.spoken(count)
            told[words.unheld] = False
        for at, part in self.parts.items():
            if not told[at] and part.kind == kind and name in fields_of(part):
                found[at] = True
        return found & self.of_kind(kind)

    def of_kind(self, kind: str) -> Mask:
        found = np.zeros(len(self.run.about.parts), bool)
        found[[at for at, part in self.parts.items() if part.kind == kind]] = True
        return found

    def _of(self, kind: str, name: str) -> Words | None:
        key = (kind, name)
        if key not in self._words:
            self._words[key] = self.run.words(key) if key in self.run.fields else None
        return self._words[key]
