"""What became of indicators in, the lines that say so out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from rich.text import Text

from tocsin.model.coverage import IndicatorCoverage
from tocsin.model.rule import PATTERN
from tocsin.model.run import Run
from tocsin.output.screen import shown

_WORDS: Final = {
    "not an indicator": "are nothing that could be looked for",
    "cannot be used": "ask for what the engine does not do",
    "not for detection": "are not for detection, as their authors say",
    "duplicate": "repeat others",
    "revoked": "were revoked",
    "expired": "had expired",
    "known good": "are known to be good (--even-known-good looks for them too)",
}
_MOST: Final = 3


def lines(run: Run, told: IndicatorCoverage, width: int) -> Iterator[Text]:
    """How many were looked for and seen, which could not be, and which were left out, with the first few of each."""
    asked = sum(one.indicators for one in told.observables)
    seen = sum(one.seen for one in told.observables)
    if told.observables:
        yield Text(f"{asked:,} looked for by value, {seen:,} of them seen", style="bold")
    rules = run.rules.rules
    patterns = {rule.indicator.id for rule in rules if rule.logsource == PATTERN and rule.indicator}
    if patterns:
        held = {rules[one.rule].id for one in run.coverage.rules if one.state == "fired"} & patterns
        yield Text(f"{len(patterns):,} looked for by pattern, {len(held):,} of them seen", style="bold")
    blind = [one for one in told.observables if not one.fields]
    if blind:
        what = ", ".join(f"{one.type} {one.indicators:,}" for one in blind)
        yield Text(f"could not have been seen, for no field of this evidence holds such: {what}", style="yellow")
    if told.outside:
        events = sum(count for _, count in told.outside)
        yield Text(
            f"{events:,} events hold what {len(told.outside):,} of them look for at a time when these were not valid;"
            " left out (--any-time)",
            style="yellow",
        )
    if told.lowered:
        yield Text(f"{len(told.lowered):,} are on lists of what many share or is well known: level lowered")
    counts: Counter[str] = Counter()
    for one in told.left_out:
        counts[one.reason] += one.count
    for reason, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        some = [one for one in told.left_out if one.reason == reason][:_MOST]
        named = "; ".join(f"{_place(one.path, one.line)}{one.title or one.text}" for one in some)
        yield Text(f"{count:,} left out, they {_WORDS.get(reason, reason)}: {shown(named, 2 * width)}", style="yellow")
    if not told.known_good:
        yield Text("no lists of what is known to be good were at hand, so none was compared (--known-good)")


def _place(path: str, line: int) -> str:
    name = path.rpartition("/")[2]
    return f"{name}:{line} " if line else ""
