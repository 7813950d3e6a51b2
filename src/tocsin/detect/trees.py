"""Conditions over patterns in, the same conditions folded, translated or numbered out.

While rules are compiled a leaf is the pattern itself and a branch may turn out to be constant; `numbered`
gives the form the model keeps, where a leaf is the pattern's place in the rule set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tocsin.model.rule import All, AnyOf, Condition, Leaf, Not, Pattern


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Neg:
    part: Tree


Tree: TypeAlias = bool | Pattern | And | Or | Neg


def all_of(parts: Iterable[Tree]) -> Tree:
    """Every part: nested conjunctions are flattened, repetitions and constants folded."""
    kept: dict[Tree, None] = {}
    for part in parts:
        if part is False:
            return False
        if part is not True:
            kept.update(dict.fromkeys(part.parts if isinstance(part, And) else (part,)))
    return And(tuple(kept)) if len(kept) > 1 else next(iter(kept), True)


def any_of(parts: Iterable[Tree]) -> Tree:
    """Some part: nested disjunctions are flattened, repetitions and constants folded."""
    kept: dict[Tree, None] = {}
    for part in parts:
        if part is True:
            return True
        if part is not False:
            kept.update(dict.fromkeys(part.parts if isinstance(part, Or) else (part,)))
    return Or(tuple(kept)) if len(kept) > 1 else next(iter(kept), False)


def negate(tree: Tree) -> Tree:
    if isinstance(tree, bool):
        return not tree
    return tree.part if isinstance(tree, Neg) else Neg(tree)


def translated(tree: Tree, change: Callable[[Pattern, bool], Tree], wanted: bool = True) -> Tree:
    """The tree with each pattern changed; `change` hears whether it speaks for a match or against it."""
    match tree:
        case bool():
            return tree
        case And(parts):
            return all_of(translated(part, change, wanted) for part in parts)
        case Or(parts):
            return any_of(translated(part, change, wanted) for part in parts)
        case Neg(part):
            return negate(translated(part, change, not wanted))
    return change(tree, wanted)


def patterns_of(tree: Tree) -> Iterator[Pattern]:
    match tree:
        case bool():
            return
        case And(parts) | Or(parts):
            for part in parts:
                yield from patterns_of(part)
        case Neg(part):
            yield from patterns_of(part)
        case _:
            yield tree


def depth(tree: Tree) -> int:
    match tree:
        case And(parts) | Or(parts):
            return 1 + max(map(depth, parts))
        case Neg(part):
            return 1 + depth(part)
    return 0


def numbered(tree: Tree, places: dict[Pattern, int]) -> Condition:
    """The condition as the model keeps it; patterns not seen before are added to `places`."""
    match tree:
        case bool():
            return All(()) if tree else AnyOf(())
        case And(parts):
            return All(tuple(numbered(part, places) for part in parts))
        case Or(parts):
            return AnyOf(tuple(numbered(part, places) for part in parts))
        case Neg(part):
            return Not(numbered(part, places))
    return Leaf(places.setdefault(tree, len(places)))
