"""The text of a STIX pattern in, what it asks as a tree of our own out (STIX 2.1 section 9, by the OASIS parser)."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from stix2patterns.exceptions import ParseException
from stix2patterns.v21.pattern import Pattern as Parsed

from tocsin.detect.terms import Unusable
from tocsin.model.rule import Kind

MOST_LENGTH: Final = 32_768  # characters
MOST_DEPTH: Final = 40  # of brackets
MOST_TESTS: Final = 1000

Operator: TypeAlias = Literal["=", "LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET", "EXISTS", "<", "<=", ">", ">="]

_QUOTED: Final = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_UNSEEN: Final = re.compile(r"\\(.)", re.DOTALL)
_STEP: Final = re.compile(r"'((?:[^'\\]|\\.)*)'|([A-Za-z0-9_-]+)|\[(\*|-?[0-9]+)\]")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_NUMBER: Final = re.compile(r"[+-]?[0-9]*\.[0-9]+")
COMPARE: Final[dict[str, Kind]] = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


@dataclass(frozen=True, slots=True)
class Number:
    """A literal without quotes: 5, 1.5, true."""

    text: str


Value: TypeAlias = str | Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A property of an object compared with values, any of which is enough; `wanted` is False after NOT and for !=."""

    type: str
    path: str  # `hashes.SHA-256`, `values[*].name`
    operator: Operator
    values: tuple[Value, ...] = ()
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Every:
    parts: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Some:
    parts: tuple[Asked, ...]


Asked: TypeAlias = Test | Every | Some  # of one object


@dataclass(frozen=True, slots=True)
class One:
    """An observation: an event in which some object is as asked."""

    asked: Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """Observations, each by another event."""

    how: Literal["AND", "OR", "FOLLOWEDBY"]
    parts: tuple[Observed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    part: Observed
    seconds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    part: Observed
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """From `start` on and before `stop`, as the pattern writes these times."""

    part: Observed
    start: str
    stop: str


Observed: TypeAlias = One | Many | Within | Repeated | Between


def parse(pattern: str) -> Observed:
    """Read a pattern.

    Raises:
        Unusable: what is wrong with it, or too large in it.
    """
    _bounded(pattern)
    try:
        found: list[Any] = []
        Parsed(pattern).visit(_Root(found))
        return _observed(found[0].observationExpressions())
    except ParseException as fault:
        raise Unusable("not sigma", f"not a STIX pattern: {str(fault)[:200]}") from None
    except RecursionError:
        raise Unusable("unsupported", "it nests too deeply") from None


class _Root:
    """What the parser takes for a visitor: it hands us the root of its tree."""

    def __init__(self, found: list[Any]) -> None:
        self.visit = found.append


def _bounded(pattern: str) -> None:
    if len(pattern) > MOST_LENGTH:
        raise Unusable("unsupported", f"a pattern longer than {MOST_LENGTH:,} characters")
    depth = deepest = 0
    bare = _QUOTED.sub("''", pattern)
    for character in bare:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    if deepest > MOST_DEPTH:
        raise Unusable("unsupported", f"brackets more than {MOST_DEPTH} levels deep")
    if len(re.findall(r"\b(?:AND|OR|FOLLOWEDBY)\b", bare)) > MOST_TESTS:
        raise Unusable("unsupported", f"more than {MOST_TESTS:,} comparisons")


# --------------------------------------------------------------------------------- observations


def _named(node: Any) -> str:
    return type(node).__name__.removesuffix("Context")


def _chain(node: Any, step: str, inner: str) -> list[Any]:
    """The operands of a left-recursive rule, without recursion: a chain may be as long as the pattern."""
    found = []
    while True:
        sides = getattr(node, step)()
        if not sides:
            found.append(getattr(node, inner)())
            return found[::-1]
        found.append(sides[1])
        node = sides[0]


def _observed(node: Any) -> Observed:
    match _named(node):
        case "ObservationExpressions":
            return _many("FOLLOWEDBY", _chain(node, "observationExpressions", "observationExpressionOr"))
        case "ObservationExpressionOr":
            return _many("OR", _chain(node, "observationExpressionOr", "observationExpressionAnd"))
        case "ObservationExpressionAnd":
            return _many("AND", _chain(node, "observationExpressionAnd", "observationExpression"))
        case "ObservationExpressionSimple":
            return One(_asked(node.comparisonExpression()))
        case "ObservationExpressionCompound":
            return _observed(node.observationExpressions())
        case "ObservationExpressionWithin":
            token = node.withinQualifier().IntPosLiteral() or node.withinQualifier().FloatPosLiteral()
            return Within(part=_observed(node.observationExpression()), seconds=str(token.getText()))
        case "ObservationExpressionRepeated":
            times = str(node.repeatedQualifier().IntPosLiteral().getText())
            if len(times) > 9:
                raise Unusable("unsupported", "REPEATS of more than any log has")
            return Repeated(part=_observed(node.observationExpression()), times=int(times))
        case "ObservationExpressionStartStop":
            start, stop = (str(one.getText()) for one in node.startStopQualifier().TimestampLiteral())
            return Between(part=_observed(node.observationExpression()), start=start[2:-1], stop=stop[2:-1])
    raise Unusable("unsupported", f"an expression of type {_named(node)}")


def _many(how: Literal["AND", "OR", "FOLLOWEDBY"], nodes: list[Any]) -> Observed:
    if len(nodes) == 1:
        return _observed(nodes[0])
    parts: list[Observed] = []
    for node in nodes:
        part = _observed(node)
        parts += part.parts if isinstance(part, Many) and part.how == how and how != "FOLLOWEDBY" else (part,)
    return Many(how=how, parts=tuple(parts))


# --------------------------------------------------------------------------------- comparisons


def _asked(node: Any) -> Asked:
    match _named(node):
        case "ComparisonExpression":
            parts = [_asked(one) for one in _chain(node, "comparisonExpression", "comparisonExpressionAnd")]
            return parts[0] if len(parts) == 1 else Some(tuple(parts))
        case "ComparisonExpressionAnd":
            parts = [_asked(one) for one in _chain(node, "comparisonExpressionAnd", "propTest")]
            return parts[0] if len(parts) == 1 else Every(tuple(parts))
        case "PropTestParen":
            return _asked(node.comparisonExpression())
    return _test(node)


def _test(node: Any) -> Test:
    kind, path = _path(str(node.objectPath().getText()))
    wanted = not node.NOT()
    operator: Operator
    values: tuple[Value, ...] = ()
    match _named(node):
        case "PropTestEqual":
            operator, wanted = "=", wanted is bool(node.EQ())
            values = (_value(node.primitiveLiteral().getText()),)
        case "PropTestOrder":
            operator = cast("Operator", next(sign for sign, there in _signs(node) if there))
            values = (_value(node.orderableLiteral().getText()),)
        case "PropTestSet":
            literals = node.setLiteral().primitiveLiteral()
            operator, values = "=", tuple(_value(one.getText()) for one in literals)
        case "PropTestLike":
            operator, values = "LIKE", (_value(node.StringLiteral().getText()),)
        case "PropTestRegex":
            operator, values = "MATCHES", (_value(node.StringLiteral().getText()),)
        case "PropTestIsSubset":
            operator, values = "ISSUBSET", (_value(node.StringLiteral().getText()),)
        case "PropTestIsSuperset":
            operator, values = "ISSUPERSET", (_value(node.StringLiteral().getText()),)
        case "PropTestExists":
            operator = "EXISTS"
        case other:
            raise Unusable("unsupported", f"a comparison of type {other}")
    return Test(type=kind, path=path, operator=operator, values=values, wanted=wanted)


def _signs(node: Any) -> tuple[tuple[str, object], ...]:
    return (("<", node.LT()), ("<=", node.LE()), (">", node.GT()), (">=", node.GE()))


def _value(text: str) -> Value:
    if text.startswith("'"):
        return sys.intern(_UNSEEN.sub(r"\1", text[1:-1]))
    if text.startswith(("t'", "h'", "b'")):
        words = {"t": "a time", "h": "bytes", "b": "bytes"}[text[0]]
        raise Unusable("unsupported", f"it compares with {words}, which no field of ours is: {text[:60]}")
    if _INTEGER.fullmatch(text):
        return Number(str(int(text)) if len(text) < 400 else text)
    return Number(text if _NUMBER.fullmatch(text) else text.lower())


def _path(text: str) -> tuple[str, str]:
    """Type of the object, and its property's path: quotes away, any index `[*]`."""
    kind, _, rest = text.partition(":")
    path = ""
    at = 0
    while found := _STEP.match(rest, at):
        at = found.end()
        if found[3] is not None:
            if found[3] not in ("*", "0"):
                raise Unusable("unsupported", f"it asks for one place in a list, which logs do not keep: {text[:80]}")
            path += "[*]"
        else:
            name = _UNSEEN.sub(r"\1", found[1]) if found[1] is not None else found[2]
            path += f".{name}" if path else name
        at += rest[at : at + 1] == "."
    return kind, path
