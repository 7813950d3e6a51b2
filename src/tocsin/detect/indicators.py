"""Indicators and compiled rules in, one rule set of both out, with a word for each indicator that is left out.

An indicator that asks for a value alone (an address, a domain, a hash) stands in the rule set with its rule only, and
`watch` looks for all of them at once. One whose pattern says more is compiled as a rule is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tocsin.detect.cache import digest_of
from tocsin.detect.known import Known, judge
from tocsin.detect.patterns import Compiled, joined
from tocsin.detect.plain_patterns import plain
from tocsin.detect.terms import Unusable
from tocsin.model.indicator import Indicator, Intelligence, LeftOut, Reason
from tocsin.model.rule import INDICATOR, LEVELS, PATTERN, Level, Rule, RuleSet
from tocsin.observe.known_good import KnownGood

MOST_PATTERNS: Final = 20_000  # that say more than a value: each is parsed and compiled by itself
MOST_CHARACTERS: Final = 2_000_000  # of all these patterns: a comparison becomes one for each field it may be about
MOST_INDICATORS: Final = 2_000_000

_WEAK: Final = ("file", "agent", "account")  # names that many things have
_ATTACK: Final = re.compile(r"T[0-9]{4}(\.[0-9]{3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """`rules` holds the given rules first, in their places; `lowered` are places of those with a lowered level."""

    rules: RuleSet
    left_out: tuple[LeftOut, ...]
    lowered: tuple[int, ...]


def prepared(
    intelligence: Intelligence,
    rules: RuleSet,
    *,
    known_good: KnownGood | None = None,
    even_known_good: bool = False,
    ever: bool = False,
) -> Prepared:
    """Make indicators part of a rule set.

    Args:
        known_good: lists that observables are compared with.
        even_known_good: keep what stands on them; its level is lowered.
        ever: patterns too hold at any time, not only while they are valid.
    """
    left_out = list(intelligence.left_out)
    plainly: list[Indicator] = []
    compiled: list[Compiled] = []
    ids: set[str] = set()
    parsed = size = 0
    for one in intelligence.indicators:
        fault = _fault(one, ids)
        if fault is not None:
            left_out.append(fault)
            continue
        try:
            one = plain(one)
            if one.observables:
                plainly.append(one)
            else:
                parsed, size = parsed + 1, size + len(one.pattern)  # those that cannot be read cost as much
                _bounded(parsed, size)
                compiled.append(_compiled(one, ever=ever))
        except Unusable as reason:
            left_out.append(_left(one, "cannot be used", str(reason)))
    kept, lowered = _compared(plainly, known_good, left_out, even_known_good=even_known_good)
    whole = joined(rules, compiled)
    first = len(whole.rules)
    return Prepared(
        rules=replace(
            whole, rules=(*whole.rules, *(_rule(one, INDICATOR) for one in kept)), digest=_digest(rules, intelligence)
        ),
        left_out=tuple(left_out),
        lowered=tuple(first + at for at in lowered),
    )


def _compared(
    indicators: Sequence[Indicator], known_good: KnownGood | None, left_out: list[LeftOut], *, even_known_good: bool
) -> tuple[list[Indicator], list[int]]:
    """Those to look for, and places of those among them that stand on lists; the others are left out."""
    if known_good is None:
        return list(indicators), []
    maybe = known_good.candidates(each for one in indicators for each in one.observables)
    kept: list[Indicator] = []
    lowered: list[int] = []
    for one in indicators:
        known = judge(one, known_good) if maybe.issuperset(one.observables) else Known()
        if known.verdict == "good" and not even_known_good:
            left_out.append(_left(one, "known good", f"on {', '.join(known.lists)}"))
            continue
        if known.verdict != "unknown":
            one = replace(one, listed=known.lists)
            lowered.append(len(kept))
        kept.append(one)
    return kept, lowered


def _fault(one: Indicator, ids: set[str]) -> LeftOut | None:
    if one.revoked:
        return _left(one, "revoked", "whoever made it takes it back")
    if one.since_us is not None and one.until_us is not None and one.until_us <= one.since_us:
        return _left(one, "cannot be used", "it ceases to hold before it begins to")
    if one.id in ids:
        return _left(one, "duplicate", "its id is that of another, which is used")
    if len(ids) >= MOST_INDICATORS:
        return _left(one, "cannot be used", f"more than {MOST_INDICATORS:,} indicators")
    ids.add(one.id)
    return None


def _left(one: Indicator, reason: Reason, text: str) -> LeftOut:
    return LeftOut(path=one.path, line=one.line, reason=reason, text=text[:300], id=one.id, title=one.title)


def _bounded(patterns: int, characters: int) -> None:
    if patterns > MOST_PATTERNS or characters > MOST_CHARACTERS:
        raise Unusable("unsupported", "there are too many patterns that say more than a value")


def _compiled(one: Indicator, *, ever: bool) -> Compiled:
    from tocsin.detect import stix_pattern  # the parser takes a tenth of a second to import

    return stix_pattern.compiled(one, _rule(one, PATTERN), ever=ever)


def _rule(one: Indicator, logsource: str) -> Rule:
    techniques = tuple(name for name in one.techniques if _ATTACK.fullmatch(name))
    return Rule(
        id=one.id,
        title=one.title,
        level=level_of(one),
        status="",
        path=one.path,
        line=one.line,
        logsource=logsource,
        description=one.description,
        author=one.source,
        tags=(*one.labels, *((f"tlp:{one.tlp}",) if one.tlp and f"tlp:{one.tlp}" not in one.labels else ())),
        techniques=techniques,
        indicator=one,
    )


def level_of(one: Indicator) -> Level:
    """By the confidence of its source (STIX 2.1 appendix A): high from 70, low below 30; medium where none is told.

    A mere name is low at most, and so is what stands on a list of what is known.
    """
    if one.confidence is None:
        level: Level = "medium"
    elif one.confidence >= 70:
        level = "high"
    elif one.confidence >= 30:
        level = "medium"
    else:
        level = "low" if one.confidence else "informational"
    weak = one.listed or (one.observables and all(each.type in _WEAK for each in one.observables))
    return min(level, "low", key=LEVELS.index) if weak else level


def _digest(rules: RuleSet, intelligence: Intelligence) -> str:
    """Of the rules and the values looked for, so that a manifest tells what was asked."""
    asked = [f"{one.id} {one.pattern or one.observables[0].value}" for one in intelligence.indicators]
    return digest_of([], {"rules": [rules.digest], "indicators": ["\n".join(asked)]})
