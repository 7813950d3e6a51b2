"""A weight, a grade and what it would cost to forge in, the weight that it may have at most out.

Grades are those of STANAG 2511. A better grade, and what is harder to forge, may always weigh at least as much.
"""

from __future__ import annotations

from typing import Final

from tocsin.model.attribution import Forgeability, Independence
from tocsin.model.observation import TraitKind

# Millidecibans that one trait of the best grade may weigh, for or against.
ONE_TRAIT: Final[dict[Forgeability, int]] = {"cheap": 10_000, "fair": 12_000, "hard": 25_000}
# Hours and language can be chosen by whoever wants to be taken for somebody else: a factor of two, and no more.
# A perfect match of what is cheap to copy is weak.
NEVER_MORE: Final[dict[TraitKind, int]] = {
    "hours": 3_000,
    "language": 3_000,
    "code": 6_000,
    "infrastructure": 9_000,
    "victim": 4_000,
}
# What all of one independence class may weigh: however much one toolchain leaves, it is one toolchain.
ONE_CLASS: Final[dict[Independence, int]] = {"host": 30_000, "toolchain": 30_000, "source": 15_000}

# Thousandths. F and 6 cannot be judged: that is worse than good and better than known to be bad.
RELIABILITY: Final = {"A": 1000, "B": 1000, "C": 700, "D": 400, "E": 100, "F": 300}
CREDIBILITY: Final = {"1": 1000, "2": 1000, "3": 700, "4": 400, "5": 100, "6": 300}


def is_grade(grade: str) -> bool:
    return len(grade) == 2 and grade[0] in RELIABILITY and grade[1] in CREDIBILITY


def worth(grade: str) -> int:
    """Thousandths of the cap that a trait of this grade has."""
    return min(RELIABILITY[grade[0]], CREDIBILITY[grade[1]])


def cap(weight: int, *, kind: TraitKind, grade: str, forgeability: Forgeability) -> int:
    most = min(ONE_TRAIT[forgeability], NEVER_MORE.get(kind, ONE_TRAIT[forgeability])) * worth(grade) // 1000
    return max(-most, min(most, weight))


def cap_class(total: int, independence: Independence) -> int:
    most = ONE_CLASS[independence]
    return max(-most, min(most, total))
