"""Drafts of correlations and the rules beside them in, correlations over rules by number out, or why there is none."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from tocsin.detect.correlation_rules import Draft, resolved
from tocsin.detect.providers import Provider
from tocsin.detect.referred import carried
from tocsin.detect.rulefiles import Document, canonical_id
from tocsin.detect.terms import Reason, Unusable
from tocsin.detect.trees import patterns_of
from tocsin.model.correlation import Correlation
from tocsin.model.rule import Pattern, Rule, RuleProblem, Variant

# What a correlation may refer to: a compiled rule by its number, or a draft by its own.
_Node: TypeAlias = tuple[str, int]
_MOST_TOLD = 6
# Why a rule cannot be used is why what refers to it cannot; but its file is no worse for that.
_REASONS: Mapping[str, Reason] = {"not sigma": "not sigma", "no reader": "no reader", "placeholder": "placeholder"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A correlation as far as its own document tells."""

    rule: Rule
    name: str
    draft: Draft
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """`rules` come after the compiled ones; `correlations` each after those it refers to."""

    rules: tuple[Rule, ...]
    correlations: tuple[Correlation, ...]
    unusable: tuple[tuple[Drafted, Unusable], ...]


def linked(drafted: Sequence[Drafted], compiled: Sequence[tuple[Rule, str]], lost: Mapping[str, RuleProblem]) -> Links:
    """Find what each draft refers to, by id or name.

    Args:
        compiled: rules and their names, in the order of their numbers.
        lost: by id and by name, the rules that cannot be used.
    """
    index = _Index(drafted, compiled, lost)
    parts: dict[int, list[_Node]] = {}
    faults: dict[int, Unusable] = {}
    for number, one in enumerate(drafted):
        try:
            parts[number] = index.find_all(one)
            resolved(one.draft, 0, range(len(parts[number])))
        except Unusable as fault:
            faults[number] = fault
    order = _settled(drafted, parts, faults)
    kept = sorted(order)
    place = {number: len(compiled) + at for at, number in enumerate(kept)}
    correlations = tuple(
        resolved(
            drafted[number].draft,
            place[number],
            [at if kind == "rule" else place[at] for kind, at in parts[number]],
        )
        for number in order
    )
    return Links(
        rules=tuple(_with_fields(drafted[number].rule, drafted[number].draft) for number in kept),
        correlations=correlations,
        unusable=tuple((drafted[number], fault) for number, fault in sorted(faults.items())),
    )


def _with_fields(rule: Rule, draft: Draft) -> Rule:
    fields = {
        field
        for name in (*draft.group_by, *draft.values)
        for field in (draft.aliases[name].values() if name in draft.aliases else (name,))
    }
    return replace(rule, fields=tuple(sorted(fields)))


class _Index:
    """Rules and drafts by id and by name."""

    def __init__(
        self, drafted: Sequence[Drafted], compiled: Sequence[tuple[Rule, str]], lost: Mapping[str, RuleProblem]
    ) -> None:
        self._lost = lost
        self._ids: dict[str, _Node] = {}
        self._names: dict[str, list[tuple[_Node, str]]] = {}
        nodes = [(("rule", at), rule, name) for at, (rule, name) in enumerate(compiled)]
        nodes += [(("draft", at), one.rule, one.name) for at, one in enumerate(drafted)]
        for node, rule, name in nodes:
            self._ids[rule.id] = node
            if name:
                self._names.setdefault(name, []).append((node, rule.path))

    def find_all(self, one: Drafted) -> list[_Node]:
        """What a draft refers to.

        Raises:
            Unusable: one of these is not there, or twice.
        """
        nodes = [self._find(name, one.rule.path) for name in one.draft.rules]
        if len(set(nodes)) < len(nodes):
            raise Unusable("not sigma", "two of the `rules` of the correlation are the same rule", "rules")
        return nodes

    def _find(self, name: str, path: str) -> _Node:
        """What a name stands for in a file: an id, or a name, best one of the same file."""
        if (known := self._ids.get(canonical_id(name))) is not None:
            return known
        named = self._names.get(name, [])
        near = [node for node, other in named if other == path] or [node for node, _ in named]
        if len(near) == 1:
            return near[0]
        told = name[:80]
        if near:
            raise Unusable("not sigma", f"{len(near)} rules have the name {told!r}: refer to one by its id", name)
        problem = self._lost.get(canonical_id(name))
        if problem is None:
            raise Unusable("not sigma", f"there is no rule with the id or name {told!r} it refers to", name)
        reason = _REASONS.get(problem.reason, "unsupported")
        text = f"the rule {told!r} it refers to cannot be used: {problem.path}:{problem.line}: {problem.text}"
        raise Unusable(reason, text, name)


def _settled(
    drafted: Sequence[Drafted], parts: Mapping[int, Sequence[_Node]], faults: dict[int, Unusable]
) -> list[int]:
    """The drafts that can be used, each after those it refers to; the faults of the others are added."""
    above: dict[int, list[int]] = {}
    missing: dict[int, int] = {}
    for number, nodes in parts.items():
        below = [at for kind, at in nodes if kind == "draft"]
        missing[number] = len(below)
        for at in below:
            above.setdefault(at, []).append(number)
    order: list[int] = []
    ready = deque(number for number in range(len(drafted)) if number in faults or not missing[number])
    while ready:
        number = ready.popleft()
        fault = faults.get(number)
        if fault is None:
            order.append(number)
        for other in above.get(number, ()):
            missing[other] -= 1
            if fault is not None and other not in faults:
                where = f"{drafted[number].rule.path}:{drafted[number].rule.line}"
                text = f"the correlation {drafted[number].rule.title[:80]!r} it refers to cannot be used: {where}"
                faults[other] = Unusable(fault.reason, text, "rules")
                ready.append(other)
            elif not missing[other] and other not in faults:
                ready.append(other)
    settled = {*order, *faults}
    for number in parts:
        if number not in settled:
            faults[number] = Unusable("not sigma", _round(drafted, parts, number, settled), "rules")
    return order


def _round(drafted: Sequence[Drafted], parts: Mapping[int, Sequence[_Node]], number: int, settled: set[int]) -> str:
    """What is wrong with a draft that waits for itself, or for others that do."""
    way = [number]
    while way[-1] not in way[:-1]:
        way.append(next(at for kind, at in parts[way[-1]] if kind == "draft" and at not in settled))
    circle = way[way.index(way[-1]) :]
    words = ", ".join(repr(drafted[at].rule.title[:60]) for at in circle[1:][:_MOST_TOLD])
    if number in circle:
        return f"the correlation refers to itself, by way of {words}"
    return f"the correlation refers to correlations that refer to themselves: {words}"


def carrying(
    variants: Sequence[Variant],
    rules: Sequence[Rule],
    correlations: Sequence[Correlation],
    providers: Mapping[tuple[str, str], Provider | None],
) -> tuple[Variant, ...]:
    """The variants, with the fields that correlations want of their events.

    Args:
        providers: by a rule's id and a variant's name.
    """
    asked = carried(correlations)

    def carry(variant: Variant) -> tuple[tuple[str, str], ...]:
        provider = providers[rules[variant.rule].id, variant.name]
        return tuple((name, _logged_as(name, provider)) for name in asked[variant.rule])

    return tuple(replace(one, carry=carry(one)) if one.rule in asked else one for one in variants)


def _logged_as(name: str, provider: Provider | None) -> str:
    """The field of a log that tells what a field of the rule's category does; of several the first."""
    way = provider.find(name) if provider else None
    if way is None or isinstance(way, str):
        return way or name
    tree = way(Pattern(name, "exists", ""))
    there = [one.field for one in patterns_of(tree) if one.kind == "exists"] if tree is not None else []
    return there[0] or name if there else name
