"""A Sigma detection, as a person wrote it and as the matcher reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from tocsin.model.correlation import Correlation
from tocsin.model.indicator import Indicator

Level: TypeAlias = Literal["informational", "low", "medium", "high", "critical"]
LEVELS: tuple[Level, ...] = ("informational", "low", "medium", "high", "critical")

CORRELATION = "correlation"  # the log source of a rule that has none, but correlates others
INDICATOR = "indicator"  # and of what stands for an indicator that is looked for by its value alone
PATTERN = "indicator/pattern"  # and for one with a pattern over fields

Kind: TypeAlias = Literal[
    "equals",
    "contains",
    "startswith",
    "endswith",  # literal text
    "wildcard",  # text with * and ? inside; \\* \\? \\\\ stand for the characters themselves
    "regex",  # unanchored, case-sensitive unless the text opens with flags such as (?i)
    "cidr",  # text is a network in canonical form
    "lt",
    "lte",
    "gt",
    "gte",  # text is a number
    "minute",
    "hour",
    "day",
    "week",
    "month",
    "year",  # text is a number; a part of a time, in UTC
    "exists",  # the key is there, whatever it holds
    "null",  # absent, null or (in Windows logs, which have no null) empty
    "fieldref",
    "fieldref_contains",
    "fieldref_startswith",
    "fieldref_endswith",  # text is a field's name
]


class Pattern(msgspec.Struct, frozen=True, array_like=True):
    """What one field of an event is compared with.

    `field` is None for a keyword, which may stand in any field. Text is lower-cased unless `cased`
    (for regexes and field names it is verbatim).
    """

    field: str | None
    kind: Kind
    text: str
    cased: bool = False


# A condition over patterns. Tagged structs, not dataclasses: msgspec reads a union of those only as structs.
class All(msgspec.Struct, frozen=True, array_like=True, tag="and"):
    parts: tuple[Condition, ...]


class AnyOf(msgspec.Struct, frozen=True, array_like=True, tag="or"):
    parts: tuple[Condition, ...]


class Not(msgspec.Struct, frozen=True, array_like=True, tag="not"):
    part: Condition


class Leaf(msgspec.Struct, frozen=True, array_like=True, tag="leaf"):
    pattern: int  # index into RuleSet.patterns


Condition: TypeAlias = All | AnyOf | Not | Leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a person needs to know of a rule; `attack_release` is the ATT&CK release of its tags ("19", "18", "").

    `indicator` is what it stands for, where it is no Sigma rule.
    """

    id: str
    title: str
    level: Level
    status: str
    path: str  # file, or archive!member, as the pack names it
    line: int
    logsource: str  # "windows/process_creation", "windows//security": product/category/service
    description: str = ""
    author: str = ""
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()  # "T1059.001"
    tactics: tuple[str, ...] = ()  # "execution"
    attack_release: str = ""
    fields: tuple[str, ...] = ()  # as the rule names them, sorted
    indicator: Indicator | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A rule bound to one log source: where it can fire (`gate`) and what must hold there (`condition`).

    A generic rule such as process creation has one variant for each provider that logs it.
    """

    rule: int  # index into RuleSet.rules
    name: str  # "sysmon", "security", or "" where there is one only
    kind: str  # the kind of Events it reads: "windows"
    gate: Condition
    condition: Condition
    carry: tuple[tuple[str, str], ...] = ()  # what correlations want of its events: name, field in these logs
    since_us: int | None = None  # only events from then on, and before `until_us`; those without a time always
    until_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleProblem:
    """Why a rule, or a part of it, cannot be used."""

    path: str
    line: int
    reason: Literal["not yaml", "not sigma", "unsupported", "no reader", "duplicate", "placeholder"]
    text: str
    rule_id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """Compiled rules: each pattern once, and trees over them.

    Args:
        correlations: each after those that it refers to.
        quiet: indices of rules that give no findings of their own, and are there for correlations.
        unfiltered_from: patterns from this number on are not in `regex_database`; None: all expressions are.
    """

    rules: tuple[Rule, ...]
    patterns: tuple[Pattern, ...]
    variants: tuple[Variant, ...]
    correlations: tuple[Correlation, ...] = ()
    quiet: tuple[int, ...] = ()
    problems: tuple[RuleProblem, ...] = ()
    digest: str = ""  # of all it was compiled from
    unfiltered_from: int | None = None
    regex_database: bytes = field(default=b"", repr=False)  # Hyperscan's, for this machine and version


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """One rule file as it was found, before anyone parsed it."""

    path: str
    content: bytes
