"""The options about indicators in, rules and indicators together out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.cli import progress
from tocsin.errors import IndicatorError, SettingsError
from tocsin.model.rule import RuleSet

if TYPE_CHECKING:
    from tocsin.model.indicator import LeftOut
    from tocsin.pipeline import Wanted


@dataclass(frozen=True, slots=True)
class Intelligence:
    names: tuple[str, ...]
    known_good: str | None
    even_known_good: bool
    ever: bool
    observed: bool


def wanted_of(asked: Intelligence, rules: Callable[[], RuleSet], named: Sequence[str] | None, *, quiet: bool) -> Wanted:
    """The rules with the indicators among them.

    Without --rules all packs are used, as ever; where none was added, indicators are looked for alone.
    """
    from tocsin import pipeline
    from tocsin.learn import packs

    if not asked.names:
        if asked.known_good or asked.even_known_good or asked.ever or asked.observed:
            raise SettingsError(
                "--known-good, --even-known-good, --any-time and --observed say how to use indicators",
                hint="Name a file of them with --indicators.",
            )
        return pipeline.Wanted(rules=rules())
    alone = not named and not packs.names()
    every = RuleSet(rules=(), patterns=(), variants=()) if alone else rules()
    with progress.word("reading indicators", quiet=quiet):
        found = pipeline.with_indicators(
            asked.names,
            every,
            known_good=known_good_lists(asked.known_good),
            even_known_good=asked.even_known_good,
            ever=asked.ever,
            observed=asked.observed,
        )
    if len(found.rules.rules) == len(every.rules):
        raise nothing_to_look_for(asked.names[0], found.indicators.left_out if found.indicators else ())
    return found


def nothing_to_look_for(name: str, left: Sequence[LeftOut]) -> IndicatorError:
    why = f": {left[0].text}" if left else ""
    return IndicatorError(
        f"{name}: none of {sum(one.count for one in left):,} indicators can be looked for{why}",
        hint="docs/indicators.md says what is understood; --even-known-good keeps what is known to be good.",
    )


def known_good_lists(named: str | None) -> Path | None:
    from tocsin.observe import known_good

    if named is None:
        return known_good.installed()
    place = Path(named)
    if not place.exists():
        raise IndicatorError(
            f"--known-good {named}: is not there",
            hint="Name a folder or a zip of MISP's warning lists, or install pymispwarninglists.",
        )
    return place
