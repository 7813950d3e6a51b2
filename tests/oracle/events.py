"""Rules and a source of chance in, an event out that each line of the rules has a fair chance to hold for.

Hypothesis would spend most of its time on drawing events choice by choice, and draws few; here it draws a
seed for each. Values come from what pySigma made of the rules' own values: something that satisfies one of
them, the same with a small damage, or noise.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple

from sigma.types import (
    SigmaBool,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
    TimestampPart,
)

from oracle import vocabulary


class Item(NamedTuple):
    """One line of a detection. `wanted`: its values as pySigma reads them, for regexes texts they find."""

    key: str  # '' for a list of keywords
    value: Any
    wanted: tuple[Any, ...]

    @property
    def field(self) -> str:
        return self.key.partition("|")[0]

    @property
    def detection(self) -> Any:
        return {self.key: self.value} if self.key else self.value


class Drawn(NamedTuple):
    rule: dict[str, Any]
    items: tuple[Item, ...]


def event(chance: Random, rules: Sequence[Drawn]) -> dict[str, Any]:
    """A flat event for one of the rules: from its log source mostly, most of the fields there."""
    one = chance.choice(rules)
    own_source = vocabulary.SECURITY if "service" in one.rule["logsource"] else vocabulary.SYSMON
    others = (vocabulary.SECURITY, vocabulary.SYSMON, vocabulary.ELSEWHERE)
    made: dict[str, Any] = dict(own_source if chance.random() < 0.9 else chance.choice(others))
    if chance.random() < 0.1:
        made["EventID"] = chance.choice((str(made["EventID"]), 4688, 7))
    made["Computer"] = chance.choice(("host", "PC-a.example"))
    keywords = [item for item in one.items if not item.field]
    for field in chance.sample(vocabulary.FIELDS, len(vocabulary.FIELDS)):
        own = [item for item in one.items if item.field == field]
        if chance.random() < 0.9:
            made[field] = _value(chance, own or keywords, made)
        if keywords and chance.random() < 0.2:
            made[field] = _value(chance, keywords, made)
    return made


def _value(chance: Random, items: Sequence[Item], made: dict[str, Any]) -> Any:
    choice = chance.random()
    if choice < 0.08:
        inside = [_value(chance, items, made) for _ in range(chance.randrange(3))]
        return inside if chance.random() < 0.7 else [*inside, None]
    if choice < 0.13:
        return chance.choice((None, "", "", True, False, [[1, "a"], {"a": None}], [{"k": "é"}, None], []))
    if choice < 0.16 or not items:
        return _noise(chance)
    value = _witness(chance, chance.choice(items), made)
    return value if chance.random() < 0.7 else _damaged(chance, value)


def _noise(chance: Random) -> Any:
    match chance.randrange(4):
        case 0:
            return chance.choice((*vocabulary.NUMBERS, *vocabulary.ODD_NUMBERS))
        case 1:
            return chance.choice((*vocabulary.ADDRESSES, *vocabulary.TIMES))
    return "".join(chance.choices(vocabulary.PIECES, k=chance.randint(1, 3)))


def _witness(chance: Random, item: Item, made: dict[str, Any]) -> Any:
    """A value for which the line holds, or would but for the rest of it."""
    if not item.wanted:
        return chance.choice((None, ""))
    modifiers = item.key.split("|")[1:]
    if "all" in modifiers and len(item.wanted) > 1:
        every = [_satisfy(chance, wanted, made) for wanted in item.wanted]
        return every if chance.random() < 0.3 else "".join(str(one) for one in every)
    value = _satisfy(chance, chance.choice(item.wanted), made)
    if "re" in modifiers and chance.random() < 0.3:
        return f"b\n{value}\nb"  # for the flags m and s
    if not item.field and chance.random() < 0.5:
        return f"{chance.choice(vocabulary.PIECES)}{value}{chance.choice(vocabulary.PIECES)}"
    return value


def _satisfy(chance: Random, wanted: Any, made: dict[str, Any]) -> Any:
    match wanted:
        case str():
            return wanted
        case SigmaExpansion():
            return _satisfy(chance, chance.choice(wanted.values), made)
        case SigmaString():
            return "".join(_filled(chance, part) for part in wanted.s)
        case SigmaTimestampPart():
            return _time(chance, wanted.timestamp_part, int(wanted.number))
        case SigmaNumber():
            return chance.choice((wanted.number, str(wanted.number), float(wanted.number)))
        case SigmaBool():
            return chance.choice((wanted.boolean, str(wanted.boolean), str(wanted.boolean).lower()))
        case SigmaCIDRExpression():
            network = wanted.network
            inside = network[chance.randrange(min(network.num_addresses, 2**16))]
            mapped = f"::ffff:{inside}" if inside.version == 4 else str(inside).upper()
            return chance.choice((str(inside), mapped, chance.choice(vocabulary.ADDRESSES)))
        case SigmaCompareExpression():
            return _near(chance, wanted.number.number)
        case SigmaFieldReference():
            other = made.get(wanted.field, "a")
            return other if isinstance(other, list) or chance.random() < 0.4 else _damaged(chance, other)
        case SigmaNull():
            return chance.choice((None, ""))
    return _noise(chance)  # exists: anything


def _filled(chance: Random, part: Any) -> str:
    if part is SpecialChars.WILDCARD_SINGLE:
        return chance.choice(("a", "b", "é", "İ", "\0", "\n", "*", "", "aa"))
    if part is SpecialChars.WILDCARD_MULTI:
        return chance.choice(("", "", "", "a", "aa", "*", "\n", "x y", "\0", "ΑΣ"))
    return str(part)


def _near(chance: Random, bound: float) -> Any:
    value = bound + chance.choice((-1, 0, 0, 1))
    match chance.randrange(5):
        case 0:
            return hex(abs(int(value)))
        case 1:
            return str(value)
        case 2:
            return float(value)
        case 3:
            return chance.choice(vocabulary.ODD_NUMBERS)
    return value


def _time(chance: Random, part: TimestampPart, n: int) -> str:
    """A time with that part in UTC, in any of the ways in which logs write one."""
    when = datetime(2024, chance.choice((1, 2, 12)), chance.choice((1, 29)), 23, 30, 59, tzinfo=UTC)
    when = when.replace(hour=chance.choice((0, 12, 23)), minute=chance.choice((0, 30, 59)))
    match part:
        case TimestampPart.MINUTE:
            when = when.replace(minute=n)
        case TimestampPart.HOUR:
            when = when.replace(hour=n)
        case TimestampPart.DAY:
            when = when.replace(month=1, day=n)
        case TimestampPart.WEEK:
            day = date.fromisocalendar(2020, n, chance.choice((1, 7)))
            when = when.replace(year=day.year, month=day.month, day=day.day)
        case TimestampPart.MONTH:
            when = when.replace(month=n)
        case TimestampPart.YEAR:
            when = when.replace(year=n, month=chance.choice((1, 12)), day=chance.choice((1, 31)))
    offset, written = chance.choice(
        ((0, ""), (0, "Z"), (0, "+00:00"), (60, "+01:00"), (-300, "-05:00"), (330, "+05:30"), (-60, "-0100"))
    )
    local = when.astimezone(timezone(timedelta(minutes=offset)))
    between = chance.choice("T ")
    fraction = chance.choice(("", ".6", ".641", ".641017", ".6410170", ".641017012"))
    return f"{local:%Y-%m-%d}{between}{local:%H:%M:%S}{fraction}{written}"


def _damaged(chance: Random, value: Any) -> Any:
    """The value with a small difference that matters to some modifiers and not to others."""
    if isinstance(value, list):
        return [*value, None]
    text = value if isinstance(value, str) else "true" if value is True else str(value)
    piece = chance.choice(vocabulary.PIECES)
    half = len(text) // 2
    damages = (
        text.swapcase(), text.swapcase(), text.upper(), text.lower(), text + piece, piece + text, text[1:],
        text[:-1], text[:half] + text[half + 1 :], text + text, f"{text}\0{text}",
        "".join(char + "\0" for char in text), text.replace("\\", "/").replace("-", "\u2013"),
        base64.b64encode(text.encode()).decode(),
    )  # fmt: skip
    return chance.choice(damages)
