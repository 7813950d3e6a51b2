"""A correlation in, what it asks for in plain words out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from tocsin.model.correlation import Comparison, Correlation
from tocsin.model.rule import RuleSet
from tocsin.output.screen import shown

_HOW: Final[dict[Comparison, str]] = {
    "gt": "more than",
    "gte": "at least",
    "lt": "less than",
    "lte": "at most",
    "eq": "exactly",
    "neq": "not",
}
_WHAT: Final = {
    "event_count": "number of events",
    "value_count": "number of different values of {}",
    "value_sum": "sum of {}",
    "value_avg": "mean of {}",
    "value_median": "median of {}",
    "value_percentile": "percentile {percentile} of {}",
    "temporal": "number of different rules",
    "temporal_ordered": "number of rules in this order",
}
_UNITS: Final = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


def shown_correlation(console: Console, rules: RuleSet) -> None:
    """What the correlation that is the first of a set asks of the others."""
    one = next(one for one in rules.correlations if not one.rule)
    console.print()
    console.print(Text("WHAT MUST COME TOGETHER", "bold"))
    for line in _lines(rules, one):
        console.print(Padding(Text(shown(line)), (0, 0, 0, 2), expand=False))


def _lines(rules: RuleSet, one: Correlation) -> Iterator[str]:
    same = f", of events with the same {', '.join(one.group_by)}" if one.group_by else ""
    yield f"within {_span(one.timespan_us)}{same}:"
    for number, part in enumerate(one.parts):
        rule, keys = rules.rules[part], zip(one.group_by, one.keys[number], strict=True)
        renamed = ", ".join(f"{name} is {field}" for name, field in keys if name != field)
        yield f"  {number + 1}. {rule.title} [{rule.id[:8]}]{f' ({renamed})' if renamed else ''}"
    for bound in one.bounds:
        fields = " and ".join(dict.fromkeys(name for names in one.values for name in names))
        yield f"{_WHAT[one.type].format(fields, percentile=one.percentile)}: {_HOW[bound.how]} {bound.text}"
    for number, choice in enumerate(one.choices):
        order = ", in this order" if one.type == "temporal_ordered" and len(choice.seen) > 1 else ""
        seen = " and ".join(str(part + 1) for part in choice.seen)
        unseen = f", and not {' or '.join(str(part + 1) for part in choice.unseen)}" if choice.unseen else ""
        yield f"{'or ' if number else ''}{seen}{order}{unseen}"
    if one.generate:
        yield "each of these rules gives findings of its own too"


def _span(timespan_us: int) -> str:
    seconds = timespan_us // 1_000_000
    name, length = next((unit for unit in _UNITS if seconds % unit[1] == 0), _UNITS[-1])
    count = seconds // length
    return f"{count:,} {name}{'' if count == 1 else 's'}"
