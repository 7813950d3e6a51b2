"""Conditions after folding: what is left to do for the rows of one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tocsin.model.event import Longs

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Among:
    """Holds for rows whose value of `field` has its code in `codes`."""

    field: str
    codes: Mask


@dataclass(frozen=True, slots=True)
class Try:
    """Holds for rows that must be looked at: `rows` -> which of them."""

    test: Callable[[Longs], Mask]


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Neg:
    part: Node


Node: TypeAlias = bool | Among | Try | And | Or | Neg


def cost(node: Node) -> tuple[int, int]:
    match node:
        case Among(_, codes):
            return 0, int(np.count_nonzero(codes))
        case Try():
            return 3, 0
        case And() | Or() | Neg():
            return 1 + (_tries(node) > 0), 0
    return 0, 0


def _tries(node: Node) -> int:
    match node:
        case Try():
            return 1
        case And(parts) | Or(parts):
            return sum(map(_tries, parts))
        case Neg(part):
            return _tries(part)
    return 0
