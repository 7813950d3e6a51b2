"""The detection section of a rule in, one tree of patterns out.

pySigma resolves wildcards, escapes, modifiers and conditions; its values are taken as they are. The
sections themselves are walked here, so that what a hostile rule can ask of pySigma is bounded first.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.exceptions import SigmaError, SigmaRegularExpressionError
from sigma.modifiers import SigmaRegularExpressionModifier
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaDetections
from sigma.types import (
    CompareOperators,
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
    sigma_type,
)

from tocsin.detect import globs
from tocsin.detect.modifiers import DASH, MODIFIERS, MOST_MODIFIERS
from tocsin.detect.trees import Tree, all_of, any_of, depth, negate
from tocsin.model.rule import Kind, Pattern

MOST_CONDITION = 1 << 14  # characters of one condition
MOST_EXPRESSION = 1 << 14  # characters of one regular expression
MOST_VALUE = 1 << 16  # characters of one value; nothing that Windows logs is longer
MOST_DEPTH = 100  # of a condition; everything that reads a tree calls itself for each level

Expansions: TypeAlias = Mapping[str, Sequence[str]]
Reason: TypeAlias = Literal["not sigma", "unsupported", "no reader", "placeholder"]

_WILD: Final = {SpecialChars.WILDCARD_MULTI: globs.MANY, SpecialChars.WILDCARD_SINGLE: globs.ONE}
_COMPARE: Final[dict[CompareOperators, Kind]] = {
    CompareOperators.LT: "lt",
    CompareOperators.LTE: "lte",
    CompareOperators.GT: "gt",
    CompareOperators.GTE: "gte",
}
# What a part of a time can be, so that `hour|gte` can be written out. Windows counts time from 1601.
_TIME_PARTS: Final[dict[Kind, range]] = {
    "minute": range(60),
    "hour": range(24),
    "day": range(1, 32),
    "week": range(54),
    "month": range(1, 13),
    "year": range(1601, 2200),
}
_FLAGS: Final = re.compile(r"\(\?([aimsux]+)\)")


class Unusable(Exception):
    """Why a rule cannot be used. `near` is a text that stands on the line to blame."""

    def __init__(self, reason: Reason, text: str, near: str = "") -> None:
        super().__init__(text)
        self.reason, self.near = reason, near


class Allowance:
    """The lists that placeholders stand for, and how many texts the rules of one file may still ask for.

    Dashes, placeholders and conditions that name a detection again and again make many out of few; what a
    file may make grows with its size alone.
    """

    __slots__ = ("expansions", "left")

    def __init__(self, file_bytes: int, expansions: Expansions) -> None:
        self.expansions = expansions
        self.left = 2000 + 2 * file_bytes + 20 * sum(map(len, expansions.values()))

    def spend(self, texts: int, near: str) -> None:
        self.left -= texts
        if self.left < 0:
            raise Unusable("unsupported", "the rules of this file ask for far more than they write", near)


def read_detections(section: object, allowance: Allowance, passed_over: Sequence[str] = ()) -> SigmaDetections:
    """Read pySigma's view of a `detection` or `filter` section, but for the keys to pass over.

    Raises:
        Unusable: what is wrong with it.
    """
    if not isinstance(section, dict):
        raise Unusable("not sigma", "the rule needs a mapping `detection`")
    conditions = section.get("condition")
    conditions = conditions if isinstance(conditions, list) else [conditions]
    for condition in conditions:
        if not isinstance(condition, str) or not condition.strip():
            raise Unusable("not sigma", "`detection` needs a `condition`, a text or several", "condition")
        if len(condition) > MOST_CONDITION:
            raise Unusable("unsupported", f"a condition longer than {MOST_CONDITION} characters", "condition")
        if "|" in condition:
            text = "counting after a pipe in a condition; Sigma writes correlation rules instead"
            raise Unusable("unsupported", text, "condition")
    named = {name: value for name, value in section.items() if name != "condition" and name not in passed_over}
    # Of old rules that count: a span of time, not something to look for.
    if isinstance(named.get("timeframe"), str):
        del named["timeframe"]
    if wrong := next((name for name in named if not isinstance(name, str)), None):
        raise Unusable("not sigma", f"the name of a detection must be text, not {wrong!r}")
    _spend_names(conditions, named, allowance)
    with _blamed("condition"):
        return SigmaDetections(
            detections={name: _definition(value, allowance) for name, value in named.items()},
            condition=conditions,
        )


def _spend_names(conditions: Sequence[str], named: Mapping[str, object], allowance: Allowance) -> None:
    """A condition writes out each detection where it names it; a pattern may name all."""
    sizes = {name: _size(value) for name, value in named.items()}
    whole = sum(sizes.values())
    for condition in conditions:
        for word in re.findall(r"[\w*-]+", condition):
            allowance.spend(whole if "*" in word or word == "them" else sizes.get(word, 0), "condition")


def _size(value: object) -> int:
    if isinstance(value, dict | list):
        return 1 + sum(map(_size, value.values() if isinstance(value, dict) else value))
    return 1


def _definition(value: object, allowance: Allowance) -> SigmaDetection:
    """A mapping, all of whose items must hold, or values or a list of such, any of which may."""
    if isinstance(value, dict):
        items: list[Any] = [_item(key, asked, allowance) for key, asked in value.items()]
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        items = [_definition(one, allowance) for one in value]
    else:
        items = [_item("", value, allowance)]
    return SigmaDetection(items)


def _item(key: object, value: object, allowance: Allowance) -> SigmaDetectionItem:
    """`Field|modifiers: value` or values."""
    if not isinstance(key, str):
        raise Unusable("not sigma", f"the name of a field must be text, not {key!r}", str(key))
    field, *names = key.split("|")
    values: list[Any] = value if isinstance(value, list) else [value]
    if unknown := next((name for name in names if name not in MODIFIERS), None):
        raise Unusable("unsupported", f"the modifier {unknown[:40]!r} in {key[:80]!r} is not known", key)
    if len(names) > MOST_MODIFIERS or len(set(names)) < len(names):
        raise Unusable("unsupported", f"modifiers repeated, or too many, in {key[:80]!r}", key)
    if any(isinstance(one, str) and len(one) > MOST_VALUE for one in values):
        raise Unusable("unsupported", f"a value longer than {MOST_VALUE} characters in {key[:80]!r}", key)
    if "windash" in names:
        allowance.spend(sum(5 ** len(DASH.findall(one)) for one in values if isinstance(one, str)), key)
    # Every other modifier makes plain text of cased text in one case or another; last it holds for all.
    names.sort(key="cased".__eq__)
    modifiers = [MODIFIERS[name] for name in names]
    with _blamed(key):
        if SigmaRegularExpressionModifier in modifiers:
            if not all(isinstance(one, str) for one in values):
                raise Unusable("not sigma", f"an expression in {key[:80]!r} is not text: quote it", key)
            if any(len(one) > MOST_EXPRESSION for one in values):
                text = f"an expression longer than {MOST_EXPRESSION} characters in {key[:80]!r}"
                raise Unusable("unsupported", text, key)
            return SigmaDetectionItem(field or None, modifiers, list(map(SigmaString.from_str, values)))
        return SigmaDetectionItem(field or None, modifiers, [sigma_type(one) for one in values])


class _blamed:  # noqa: N801  read as a word: with _blamed(key)
    """Say of pySigma's errors inside what they mean here and which line to look at."""

    def __init__(self, near: str) -> None:
        self.near = near

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, fault: BaseException | None, _trace: object) -> None:
        if fault is None or isinstance(fault, Unusable) or not isinstance(fault, Exception):
            return
        if isinstance(fault, RecursionError):
            raise Unusable("unsupported", "it nests too deeply", self.near) from None
        reason: Reason = "unsupported" if isinstance(fault, SigmaRegularExpressionError) else "not sigma"
        said = str(fault) if isinstance(fault, SigmaError) else f"{type(fault).__name__}: {fault}"
        raise Unusable(reason, said, self.near) from None


def tree_of(detections: SigmaDetections, allowance: Allowance) -> Tree:
    """What must hold: any of the conditions, over patterns.

    Raises:
        Unusable: a condition that says nothing, a value nobody can ask for, a placeholder without values.
    """
    with _blamed("condition"):
        tree = any_of(
            _walk(condition.parse(), allowance, condition.condition) for condition in detections.parsed_condition
        )
        if depth(tree) > MOST_DEPTH:
            raise Unusable("unsupported", f"conditions more than {MOST_DEPTH} levels deep", "condition")
    return tree


def check(detections: SigmaDetections) -> None:
    """Parse the conditions of a rule that no log can be asked about yet, for what is wrong with them."""
    with _blamed("condition"):
        for condition in detections.parsed_condition:
            condition.parse()


def _walk(node: object, allowance: Allowance, condition: str) -> Tree:
    match node:
        case ConditionAND():
            return all_of([_walk(part, allowance, condition) for part in node.args])
        case ConditionOR():
            return any_of([_walk(part, allowance, condition) for part in node.args])
        case ConditionNOT():
            # `not 1 of filter_*` where no filter is written: nothing to exclude.
            return not node.args or node.args[0] is None or negate(_walk(node.args[0], allowance, condition))
        case ConditionFieldEqualsValueExpression():
            return _field(node.field, node.value, allowance)
        case ConditionValueExpression():
            return _keyword(node.value, allowance)
        case None:
            raise Unusable("not sigma", f"no detection has a name as in {condition[:200]!r}", "condition")
    raise Unusable("unsupported", f"a condition of type {type(node).__name__}", "condition")


def _field(field: str, value: SigmaType, allowance: Allowance) -> Tree:
    match value:
        case SigmaExpansion():
            return any_of([_field(field, one, allowance) for one in value.values])
        case SigmaString():
            cased = isinstance(value, SigmaCasedString)
            return any_of(globs.pattern(field, glob, cased=cased) for glob in _globs(value, allowance))
        case SigmaTimestampPart():
            return Pattern(field, _part_kind(value), str(value.number))
        case SigmaNumber() | SigmaBool():
            return Pattern(field, "equals", _plain(value))
        case SigmaNull():
            return Pattern(field, "null", "")
        case SigmaRegularExpression():
            return any_of([Pattern(field, "regex", text) for text in _expressions(value, allowance)])
        case SigmaCIDRExpression():
            return Pattern(field, "cidr", str(value.network))
        case SigmaCompareExpression():
            return _compare(field, value, allowance)
        case SigmaExists():
            found = Pattern(field, "exists", "")
            return found if value.exists else negate(found)
        case SigmaFieldReference():
            kinds: dict[tuple[bool, bool], Kind] = {
                (False, False): "fieldref",
                (True, True): "fieldref_contains",
                (True, False): "fieldref_startswith",
                (False, True): "fieldref_endswith",
            }
            return Pattern(field, kinds[value.starts_with, value.ends_with], value.field)
    raise Unusable("unsupported", f"a value of type {type(value).__name__}", field)


def _keyword(value: SigmaType, allowance: Allowance) -> Tree:
    """A keyword stands anywhere in any field."""
    match value:
        case SigmaExpansion():
            return any_of([_keyword(one, allowance) for one in value.values])
        case SigmaString():
            cased = isinstance(value, SigmaCasedString)
            return any_of(
                globs.pattern(None, (globs.MANY, *glob, globs.MANY), cased=cased) for glob in _globs(value, allowance)
            )
        case SigmaTimestampPart():
            raise Unusable("unsupported", "a part of a time is asked of a field, not of the whole event")
        case SigmaNumber() | SigmaBool():
            return globs.pattern(None, (globs.MANY, _plain(value), globs.MANY))
        case SigmaRegularExpression():
            return any_of([Pattern(None, "regex", text) for text in _expressions(value, allowance)])
    raise Unusable("unsupported", f"a keyword of type {type(value).__name__}: name the field")


def _plain(value: SigmaNumber | SigmaBool) -> str:
    """The canonical text of a number or boolean, as events have it: 5, 1.5, true."""
    return ("true" if value.boolean else "false") if isinstance(value, SigmaBool) else str(value.number)


def _compare(field: str, value: SigmaCompareExpression, allowance: Allowance) -> Tree:
    number = value.number
    if value.op is CompareOperators.NEQ:
        return negate(_field(field, number, allowance))
    if isinstance(number, SigmaTimestampPart):
        within = {
            CompareOperators.LT: number.number.__gt__,
            CompareOperators.LTE: number.number.__ge__,
            CompareOperators.GT: number.number.__lt__,
            CompareOperators.GTE: number.number.__le__,
        }[value.op]
        kind = _part_kind(number)
        allowance.spend(len(_TIME_PARTS[kind]), field)
        return any_of([Pattern(field, kind, str(part)) for part in _TIME_PARTS[kind] if within(part)])
    return Pattern(field, _COMPARE[value.op], _plain(number))


def _part_kind(value: SigmaTimestampPart) -> Kind:
    return next(kind for kind in _TIME_PARTS if kind == value.timestamp_part.name.lower())


def _globs(value: SigmaString, allowance: Allowance) -> Iterator[globs.Glob]:
    """The value as globs: one, or with placeholders one for each combination of their values."""
    for parts in _expanded(value, allowance):
        yield globs.normal(part if isinstance(part, str) else _WILD[part] for part in parts)


def _expressions(value: SigmaRegularExpression, allowance: Allowance) -> Iterator[str]:
    """The expression with its flags in front, which Python wants to stand there once."""
    flags = {SigmaRegularExpression.sigma_to_re_flag[flag] for flag in value.flags}
    for parts in _expanded(value.regexp, allowance):
        text = "".join(part if isinstance(part, str) else _WILD[part].value for part in parts)
        found = set(flags)
        while inline := _FLAGS.match(text):
            found.update(inline[1])
            text = text[inline.end() :]
        text = f"(?{''.join(sorted(found))}){text}" if found else text
        try:
            re.compile(text)
        except (re.error, OverflowError, RecursionError) as fault:
            raise Unusable("unsupported", f"the expression {text[:120]!r}: {fault}", text[:40]) from None
        yield text


def _expanded(value: SigmaString, allowance: Allowance) -> Iterator[list[str | SpecialChars]]:
    choices: list[Sequence[Sequence[str | SpecialChars]]] = []
    number = 1
    for part in value.s:
        if not isinstance(part, Placeholder):
            choices.append(((part,),))
            continue
        if part.name not in allowance.expansions:
            text = f"the placeholder %{part.name}% stands for a list that nobody gave"
            raise Unusable("placeholder", text, f"%{part.name}%")
        choices.append([_filled(one) for one in allowance.expansions[part.name]])
        number *= len(choices[-1])
    if len(choices) > 1 or number > 1:
        allowance.spend(number, "condition")
    for chosen in itertools.product(*choices):
        yield [part for parts in chosen for part in parts]


def _filled(value: str) -> list[str | SpecialChars]:
    """A listed value may hold wildcards, as a value in the rule may."""
    return [part for part in SigmaString(value).s if not isinstance(part, Placeholder)]
