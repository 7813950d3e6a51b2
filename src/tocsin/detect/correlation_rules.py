"""The `correlation` section of a rule in, a draft out; and drafts with the rules they refer to in, correlations out.

Sigma correlation rules specification 2.1, and of 2.2 the extended conditions of temporal correlations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from tocsin.detect.correlation_choices import choices_of
from tocsin.detect.terms import Unusable
from tocsin.model.correlation import (
    COMPARISONS,
    CORRELATION_TYPES,
    Bound,
    Choice,
    Correlation,
    CorrelationType,
)

MOST_PARTS: Final = 64
MOST_FIELDS: Final = 16
MOST_BOUND: Final = Decimal(10) ** 15  # no count and no sum of ours is larger

_SECOND_US: Final = 1_000_000
# A month and a year are means of the calendar, the same as pySigma's.
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_629_746, "y": 31_556_952}
_TIMESPAN: Final = re.compile(r"([0-9]{1,9})([smhdwMy])")
_LONGEST_US: Final = 1 << 60  # beyond any calendar
_KEYS: Final = frozenset({"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A correlation whose rules are still names."""

    type: CorrelationType
    rules: tuple[str, ...]
    timespan_us: int
    group_by: tuple[str, ...]
    aliases: Mapping[str, Mapping[str, str]]  # alias -> rule as named there -> field
    values: tuple[str, ...]
    bounds: tuple[Bound, ...]
    choices: tuple[Choice, ...]
    percentile: str
    generate: bool


def read(section: object) -> Draft:
    """Read a `correlation` section.

    Raises:
        Unusable: what is wrong with it.
    """
    if not isinstance(section, dict):
        raise Unusable("not sigma", "`correlation` is a mapping", "correlation")
    if unknown := sorted(str(key)[:40] for key in section if key not in _KEYS):
        raise Unusable("unsupported", f"a correlation has no key {', '.join(unknown[:5])}", unknown[0])
    kind = next((one for one in CORRELATION_TYPES if one == section.get("type")), None)
    if kind is None:
        told = str(section.get("type"))[:40]
        raise Unusable(
            "not sigma", f"the correlation's type {told!r} is none of {', '.join(CORRELATION_TYPES)}", "type"
        )
    rules = _names(section.get("rules"), "rules", MOST_PARTS)
    bounds, values, percentile, choices = _condition(kind, section.get("condition"), rules)
    rules = rules or tuple(choices.rules)
    if not rules:
        raise Unusable("not sigma", "a correlation needs `rules`: ids or names of rules", "correlation")
    generate = section.get("generate", False)
    if not isinstance(generate, bool):
        raise Unusable("not sigma", "`generate` is true or false", "generate")
    return Draft(
        type=kind,
        rules=rules,
        timespan_us=timespan_us(section.get("timespan")),
        group_by=_names(section.get("group-by"), "group-by", MOST_FIELDS),
        aliases=_aliases(section.get("aliases")),
        values=values,
        bounds=bounds,
        choices=choices.choices,
        percentile=percentile,
        generate=generate,
    )


def timespan_us(text: object) -> int:
    """Microseconds of a time span such as `90m`."""
    found = _TIMESPAN.fullmatch(text) if isinstance(text, str) else None
    length = int(found[1]) * _UNITS_S[found[2]] * _SECOND_US if found else 0
    if not length:
        told = "there is none" if text is None else f"{str(text)[:40]!r} is not one"
        raise Unusable("not sigma", f"a `timespan` is a number above 0 and one of s m h d w M y: {told}", "timespan")
    return min(length, _LONGEST_US)


def _names(value: object, key: str, most: int) -> tuple[str, ...]:
    """Texts, each once; a single one may stand for a list of it."""
    values = [] if value is None else value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | int) and not isinstance(one, bool) and str(one).strip() for one in values):
        raise Unusable("not sigma", f"`{key}` of a correlation is a list of names", key)
    if len(values) > most:
        raise Unusable("unsupported", f"`{key}` of a correlation has more than {most} entries", key)
    return tuple(dict.fromkeys(str(one) for one in values))


def _aliases(value: object) -> dict[str, dict[str, str]]:
    aliases = {} if value is None else value
    if not isinstance(aliases, dict) or not all(
        isinstance(alias, str)
        and isinstance(fields, dict)
        and all(isinstance(rule, str) and isinstance(field, str) and field for rule, field in fields.items())
        for alias, fields in aliases.items()
    ):
        raise Unusable("not sigma", "`aliases` gives for each alias a mapping of rules to fields", "aliases")
    return aliases


# --------------------------------------------------------------------------------- the condition


@dataclass(frozen=True, slots=True)
class _Choices:
    choices: tuple[Choice, ...] = ()
    rules: tuple[str, ...] = ()


def _condition(
    kind: CorrelationType, condition: object, rules: Sequence[str]
) -> tuple[tuple[Bound, ...], tuple[str, ...], str, _Choices]:
    temporal = kind in ("temporal", "temporal_ordered")
    if temporal and condition is None:
        return (), (), "", _Choices((Choice(seen=tuple(range(len(rules)))),) if rules else ())
    if temporal and isinstance(condition, str):
        named, found = choices_of(condition, rules)
        if len(named) > MOST_PARTS:
            raise Unusable("unsupported", f"a correlation of more than {MOST_PARTS} rules", "condition")
        return (), (), "", _Choices(found, named)
    if not isinstance(condition, dict):
        form = "a mapping such as `gte: 10`" + (", or rules with and, or, not" if temporal else "")
        raise Unusable("not sigma", f"the `condition` of a {kind} correlation is {form}", "condition")
    others = {"field": kind.startswith("value_"), "percentile": kind == "value_percentile"}
    if unknown := sorted(str(key)[:40] for key in condition if key not in (*COMPARISONS, *others)):
        raise Unusable("not sigma", f"a correlation's condition has no key {', '.join(unknown[:5])}", "condition")
    for key, wanted in others.items():
        if (key in condition) is not wanted:
            word = "needs" if wanted else "cannot have"
            raise Unusable("not sigma", f"the condition of a {kind} correlation {word} `{key}`", "condition")
    bounds = tuple(Bound(how=how, text=_number(condition[how], how)) for how in COMPARISONS if how in condition)
    if not bounds:
        raise Unusable(
            "not sigma", f"the condition compares nothing: it needs one of {' '.join(COMPARISONS)}", "condition"
        )
    percentile = _percentile(condition["percentile"]) if others["percentile"] else ""
    return bounds, _value_fields(kind, condition.get("field")), percentile, _Choices()


def _value_fields(kind: CorrelationType, value: object) -> tuple[str, ...]:
    if not kind.startswith("value_"):
        return ()
    fields = _names(value, "field", MOST_FIELDS if kind == "value_count" else 1)
    if not fields:
        raise Unusable("not sigma", f"the condition of a {kind} correlation needs the name of a `field`", "field")
    return fields


def _number(value: object, near: str) -> str:
    """A decimal number, exact to a millionth as the values are to which it is compared."""
    try:
        number = None if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number) > MOST_BOUND or number % Decimal("0.000001"):
        text = f"`{near}` is a number with at most six decimals, not {str(value)[:40]!r}"
        raise Unusable("not sigma", text, near)
    return format(number, "f")


def _percentile(value: object) -> str:
    number = _number(value, "percentile")
    if not 0 <= Decimal(number) <= 100:
        raise Unusable("not sigma", f"`percentile` is a number from 0 to 100, not {number}", "percentile")
    return number


# --------------------------------------------------------------------------------- rules by their numbers


def resolved(draft: Draft, rule: int, parts: Sequence[int]) -> Correlation:
    """The correlation, with its rules by number.

    Raises:
        Unusable: an alias speaks of a rule that is not one of its own.
    """
    for alias, fields in draft.aliases.items():
        for name in fields:
            if name not in draft.rules:
                text = f"the alias {alias[:60]!r} is for the rule {name[:60]!r}, which is not in `rules`"
                raise Unusable("not sigma", text, name)

    def fields_of(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        names = tuple(names)
        return tuple(tuple(draft.aliases.get(name, {}).get(part, name) for name in names) for part in draft.rules)

    return Correlation(
        rule=rule,
        type=draft.type,
        parts=tuple(parts),
        timespan_us=draft.timespan_us,
        group_by=draft.group_by,
        keys=fields_of(draft.group_by),
        values=fields_of(draft.values),
        bounds=draft.bounds,
        choices=draft.choices,
        percentile=draft.percentile,
        generate=draft.generate,
    )
