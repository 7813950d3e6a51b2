"""A ledger in, whether its leading group still leads without any one thing, and what it hangs on out.

The header of Olympic Destroyer matched one group perfectly, because somebody had copied it. So a name must survive that
any one trait was planted, and that all of one independence class was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.attribute.caps import cap_class
from tocsin.attribute.ledger import BESIDE, SPEAKS, Ledger, Weighed
from tocsin.model.attribution import Independence


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """How the leading group stands.

    Args:
        traits: indices of those without any one of which another group would lead.
        classes: the same for whole classes.
        ranks: the group's place without each class, 1 for the first.
        speaking: classes that speak for the group.
        hard: whether something speaks for it that is hard to forge.
    """

    traits: tuple[int, ...]
    classes: tuple[Independence, ...]
    ranks: dict[Independence, int]
    speaking: tuple[Independence, ...]
    hard: bool

    @property
    def is_broad(self) -> bool:
        """Two classes speak for it, and something that is hard to forge: what any name needs at least."""
        return len(self.speaking) >= 2 and self.hard


def examine(ledger: Ledger, leader: int) -> Survival:
    fragile = tuple(
        number
        for number, weighed in enumerate(ledger.traits)
        if weighed.capped[leader] > 0 and _rank(without(ledger, [weighed]), leader) > 1
    )
    classes = sorted({one.kind.INDEPENDENCE for one in ledger.traits if one.trait.kind not in BESIDE})
    ranks = {independence: _rank(without(ledger, _of(ledger, independence)), leader) for independence in classes}
    speaking = tuple(one for one in classes if _says(ledger, one, leader) >= SPEAKS)
    return Survival(
        traits=fragile,
        classes=tuple(one for one in speaking if ranks[one] > 1),
        ranks=ranks,
        speaking=speaking,
        hard=any(weighed.forgeability == "hard" and weighed.capped[leader] >= SPEAKS for weighed in ledger.traits),
    )


def _of(ledger: Ledger, independence: Independence) -> list[Weighed]:
    return [one for one in ledger.traits if independence == one.kind.INDEPENDENCE and one.trait.kind not in BESIDE]


def _says(ledger: Ledger, independence: Independence, leader: int) -> int:
    return sum(weighed.capped[leader] for weighed in _of(ledger, independence))


def without(ledger: Ledger, traits: Sequence[Weighed]) -> list[int]:
    """What each group would weigh if these, all of one class, had not been seen; the cap of the class is drawn anew."""
    if not traits:
        return list(ledger.evidence)
    independence = traits[0].kind.INDEPENDENCE
    taken = map(sum, zip(*(one.capped for one in traits), strict=True))
    return [
        weight - cap_class(total, independence) + cap_class(total - gone, independence)
        for weight, total, gone in zip(ledger.evidence, ledger.totals[independence], taken, strict=True)
    ]


def _rank(weights: Sequence[int], leader: int) -> int:
    return 1 + sum(weight > weights[leader] for weight in weights)
