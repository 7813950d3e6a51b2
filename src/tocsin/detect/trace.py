"""A condition and one event in, which of its parts held out, and by what value.

Meant for people who want to know why a rule fired or did not: nothing is skipped, and every comparison goes
through the same predicates as in the matcher.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tocsin.detect.matcher import LEFT_IN_RAW
from tocsin.detect.observed_fields import RAW
from tocsin.detect.predicates import GaveUp, predicate, texts_of
from tocsin.detect.rawtext import whole_of
from tocsin.model.event import Events
from tocsin.model.rule import All, AnyOf, Condition, Kind, Leaf, Not, Pattern, RuleSet

State: TypeAlias = Literal["", "absent", "null"]

_REFERS: Mapping[str, Kind] = {
    "fieldref": "equals",
    "fieldref_contains": "contains",
    "fieldref_startswith": "startswith",
    "fieldref_endswith": "endswith",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A field of an event: its text as it stands there, or that it is absent or null."""

    field: str
    text: str = ""
    state: State = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A condition, whether it held, and what was looked at.

    Args:
        label: "all of", "any of", "not", or what is compared and how, as a rule writes it.
        asked: what it is compared with.
        looks: for a comparison the field, and for a keyword those that hold it.
        gave_up: the regular expression took too long on the value and counts as not held.
    """

    label: str
    held: bool
    asked: str = ""
    looks: tuple[Look, ...] = ()
    parts: tuple[Step, ...] = ()
    gave_up: bool = False


def trace(rules: RuleSet, condition: Condition, events: Events, row: int) -> Step:
    """Every part of a condition, whether or not it decides; `condition` is one of the rules' own."""
    return _Event(events, row).step(condition, rules.patterns)


class _Event:
    """One event, its fields looked up as the matcher sees them."""

    def __init__(self, events: Events, row: int) -> None:
        self._events, self._row = events, row
        self._decoded: Mapping[str, str | tuple[str, ...] | None] | None = None

    def step(self, condition: Condition, patterns: Sequence[Pattern]) -> Step:
        match condition:
            case Leaf(number):
                return self._leaf(patterns[number])
            case Not(part):
                inner = self.step(part, patterns)
                return Step(label="not", held=not inner.held, parts=(inner,))
            case All(parts):
                steps = tuple(self.step(part, patterns) for part in parts)
                return Step(label="all of", held=all(one.held for one in steps), parts=steps)
            case AnyOf(parts):
                steps = tuple(self.step(part, patterns) for part in parts)
                return Step(label="any of", held=any(one.held for one in steps), parts=steps)

    def _leaf(self, pattern: Pattern) -> Step:
        if pattern.field is None:
            return self._keyword(pattern)
        looks = [self._look(pattern.field)]
        held = gave_up = False
        match pattern.kind:
            case "exists":
                held = looks[0].state != "absent"
            case "null":
                held = bool(looks[0].state) or "" in self._texts(pattern.field)
            case "fieldref" | "fieldref_contains" | "fieldref_startswith" | "fieldref_endswith":
                looks.append(self._look(pattern.text))
                held = self._refers(pattern, pattern.field)
            case _:
                held, gave_up = _holds(pattern, self._texts(pattern.field))
        label, asked = words_of(pattern)
        return Step(label=label, asked=asked, held=held, looks=tuple(looks), gave_up=gave_up)

    def _keyword(self, pattern: Pattern) -> Step:
        found, gave_up = list[Look](), False
        for name in self._whole():
            if name == RAW and found:
                continue  # what stands in a field stands in its line
            held, tired = _holds(pattern, _texts_of(self._whole()[name]))
            gave_up |= tired
            if held:
                found.append(_look_of(name, self._whole()[name]))
        label, asked = words_of(pattern)
        return Step(label=label, asked=asked, held=bool(found), looks=tuple(found), gave_up=gave_up)

    def _refers(self, pattern: Pattern, name: str) -> bool:
        texts = self._texts(name)
        kind = _REFERS[pattern.kind]
        return any(
            _holds(Pattern(None, kind, other if pattern.cased else other.lower(), pattern.cased), texts)[0]
            for other in self._texts(pattern.text)
        )

    def _texts(self, name: str) -> tuple[str, ...]:
        """The texts a rule may match; the elements of a list."""
        column = self._events.columns.get(name)
        if column is None:
            return _texts_of(self._whole().get(name)) if name in LEFT_IN_RAW else ()
        return texts_of(column, int(column.codes[self._row]))

    def _look(self, name: str) -> Look:
        column = self._events.columns.get(name)
        if column is not None:
            code = int(column.codes[self._row])
            return Look(field=name, text=column.values[code] or "", state=_STATES.get(code, ""))
        if name in LEFT_IN_RAW and name in self._whole():
            return _look_of(name, self._whole()[name])
        return Look(field=name, state="absent")

    def _whole(self) -> Mapping[str, str | tuple[str, ...] | None]:
        if self._decoded is None:
            self._decoded = whole_of(self._events, self._row)
        return self._decoded


_STATES: Mapping[int, State] = {0: "absent", 1: "null"}


def _look_of(name: str, value: str | tuple[str, ...] | None) -> Look:
    text = ", ".join(value) if isinstance(value, tuple) else value
    return Look(field=name, text=text or "", state="null" if value is None else "")


def _texts_of(value: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _holds(pattern: Pattern, texts: Sequence[str]) -> tuple[bool, bool]:
    """Whether one of the texts is what the pattern asks for, and whether an expression gave up on one."""
    test = predicate(pattern)
    try:
        return any(test(text) for text in texts), False
    except GaveUp:
        return False, True


# --------------------------------------------------------------------------------- words

_MODIFIERS: Mapping[str, str] = {
    "equals": "",
    "wildcard": "",
    "contains": "|contains",
    "startswith": "|startswith",
    "endswith": "|endswith",
    "regex": "|re",
    "null": "",
    "fieldref_contains": "|fieldref|contains",
    "fieldref_startswith": "|fieldref|startswith",
    "fieldref_endswith": "|fieldref|endswith",
}
_CASED = ("equals", "wildcard", "contains", "startswith", "endswith")


def outline(rules: RuleSet, condition: Condition) -> Step:
    """A condition in words, of no event: nothing held and nothing was looked at."""
    match condition:
        case Leaf(number):
            label, asked = words_of(rules.patterns[number])
            return Step(label=label, asked=asked, held=False)
        case Not(part):
            return Step(label="not", held=False, parts=(outline(rules, part),))
        case All(parts) | AnyOf(parts):
            label = "all of" if isinstance(condition, All) else "any of"
            return Step(label=label, held=False, parts=tuple(outline(rules, part) for part in parts))


def words_of(pattern: Pattern) -> tuple[str, str]:
    r"""A comparison as a rule writes it, in two parts: `Image|endswith` and `\cmd.exe`."""
    modifier = _MODIFIERS.get(pattern.kind, f"|{pattern.kind}")
    cased = "|cased" if pattern.cased and pattern.kind in _CASED else ""
    label = f"{pattern.field or 'any field'}{modifier}{cased}"
    match pattern.kind:
        case "null":
            return label, "null"
        case "exists":
            return label, "true"
    return label, pattern.text
