"""A parsed Sigma rule and one event in, whether the rule matches out: one leaf and one value at a time.

Written from the specification and pySigma's parsed tree (but for what `encoders` mends in it), and meant
to be read rather than run fast.
What a value is: any JSON value. Its canonical text: text as it is, whole numbers in decimal, other
numbers as Python's `repr`, `true`/`false`, containers inside a list as compact JSON; null has no text.
A list matches where one of its elements does; null is no element, as a missing one is none.
"""

from __future__ import annotations

import copy
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from unittest.mock import patch

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.modifiers import modifier_mapping
from sigma.rule import SigmaDetectionItem, SigmaRule
from sigma.types import (
    CompareOperators,
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
    TimestampPart,
)

from oracle import encoders

Event = Mapping[str, object]

SYSMON_PROCESS = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": "1"}
SECURITY = {"Channel": "Security"}

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_HEX = re.compile(r"0[xX][0-9a-fA-F]+")


def parse(rule: Mapping[str, Any]) -> SigmaRule:
    """Parse a rule given as plain mappings."""
    plain = copy.deepcopy(dict(rule))
    plain["detection"] = _cased_last(plain["detection"])
    with patch.dict(modifier_mapping, encoders.MODIFIERS):
        return SigmaRule.from_dict(plain)


def parse_line(key: str, value: Any) -> SigmaDetectionItem:
    """Parse one line of a detection; without a key it holds keywords."""
    ((last, asked),) = _cased_last({key: value}).items()
    with patch.dict(modifier_mapping, encoders.MODIFIERS):
        return SigmaDetectionItem.from_mapping(last or None, asked)


def _cased_last(node: Any) -> Any:
    """`cased` holds wherever it stands, but modifiers of pySigma that stand behind it forget it."""
    if isinstance(node, list):
        return [_cased_last(one) for one in node]
    if not isinstance(node, dict):
        return node
    moved = {}
    for key, value in node.items():
        name, *modifiers = key.split("|")
        others = [one for one in modifiers if one != "cased"]
        moved["|".join([name, *others, *(["cased"] if "cased" in modifiers else [])])] = _cased_last(value)
    return moved


def fires(rule: SigmaRule, event: Event) -> bool:
    """Whether the event comes from the rule's log source and matches it."""
    return in_log_source(rule, event) and matches(rule, event)


def in_log_source(rule: SigmaRule, event: Event) -> bool:
    """Process creation (as Sysmon writes it) and the Security channel are the log sources known here."""
    wanted = SYSMON_PROCESS if rule.logsource.category == "process_creation" else SECURITY
    return all(any(one.lower() == text.lower() for one in texts(event, field)) for field, text in wanted.items())


def matches(rule: SigmaRule, event: Event) -> bool:
    """Whether any of the rule's conditions holds for the event, wherever the event came from."""
    return any(holds(condition.parsed, event) for condition in rule.detection.parsed_condition)


def holds(node: Any, event: Event) -> bool:
    match node:
        case ConditionAND():
            return all(holds(part, event) for part in node.args)
        case ConditionOR():
            return any(holds(part, event) for part in node.args)
        case ConditionNOT():
            return not holds(node.args[0], event)
        case ConditionFieldEqualsValueExpression():
            return field_holds(node.field, node.value, event)
        case ConditionValueExpression():
            return keyword_holds(node.value, event)
    raise NotImplementedError(f"a condition of type {type(node).__name__}")


def field_holds(field: str, wanted: SigmaType, event: Event) -> bool:
    match wanted:
        case SigmaExpansion():
            return any(field_holds(field, one, event) for one in wanted.values)
        case SigmaExists():
            return (field in event) == wanted.exists
        case SigmaNull():
            return field not in event or any(value in (None, "") for value in elements(event, field))
        case SigmaFieldReference():
            return any(
                reference_holds(wanted, text.lower(), other.lower())
                for text in texts(event, field)
                for other in texts(event, wanted.field)
            )
    return any(text_holds(wanted, text) for text in texts(event, field))


def keyword_holds(wanted: SigmaType, event: Event) -> bool:
    """A keyword stands anywhere in any text of the event; the names of fields do not count."""
    match wanted:
        case SigmaExpansion():
            return any(keyword_holds(one, event) for one in wanted.values)
        case SigmaNumber() | SigmaBool() if not isinstance(wanted, SigmaTimestampPart):
            wanted = SigmaString.from_str(plain_text(wanted))
    if isinstance(wanted, SigmaString):
        wanted = SpecialChars.WILDCARD_MULTI + wanted + SpecialChars.WILDCARD_MULTI
    return any(text_holds(wanted, text) for field in event for text in texts(event, field))


def elements(event: Event, field: str) -> list[object]:
    """The values a rule may match: none where the field is missing, those of a list, or the one there is."""
    if field not in event:
        return []
    value = event[field]
    return [one for one in value if one is not None] if isinstance(value, list) else [value]


def texts(event: Event, field: str) -> Iterator[str]:
    for value in elements(event, field):
        if value is not None:
            yield canonical(value)


def canonical(value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return repr(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def plain_text(wanted: SigmaNumber | SigmaBool) -> str:
    return canonical(wanted.boolean if isinstance(wanted, SigmaBool) else wanted.number)


def text_holds(wanted: SigmaType, text: str) -> bool:
    match wanted:
        case SigmaCasedString():
            return glob(wanted, text, cased=True)
        case SigmaString():
            return glob(wanted, text.lower(), cased=False)
        case SigmaTimestampPart():
            return time_part(wanted.timestamp_part, text) == wanted.number
        case SigmaNumber() | SigmaBool():
            return text.lower() == plain_text(wanted)
        case SigmaRegularExpression():
            flags = re.RegexFlag(0)
            for flag in wanted.flags:
                flags |= SigmaRegularExpression.sigma_to_python_flags[flag]
            return re.search(str(wanted.regexp), text, flags) is not None
        case SigmaCIDRExpression():
            return in_network(text, wanted)
        case SigmaCompareExpression():
            return compares(wanted, text)
    raise NotImplementedError(f"a value of type {type(wanted).__name__}")


def glob(pattern: SigmaString, text: str, *, cased: bool) -> bool:
    """Whether the pattern covers the whole text: the places in it that each part of the pattern can reach."""
    reached = {0}
    for part in runs(pattern):
        if part is SpecialChars.WILDCARD_MULTI:
            reached = set(range(min(reached), len(text) + 1))
        elif part is SpecialChars.WILDCARD_SINGLE:
            reached = {at + 1 for at in reached if at < len(text)}
        else:
            literal = part if cased else part.lower()
            reached = {at + len(literal) for at in reached if text.startswith(literal, at)}
        if not reached:
            return False
    return len(text) in reached


def runs(pattern: SigmaString) -> list[Any]:
    """The parts of a pattern, with neighbouring text joined (lower-casing looks at neighbours)."""
    joined: list[Any] = []
    for part in pattern.s:
        if not isinstance(part, str | SpecialChars):
            raise NotImplementedError("a placeholder that nobody filled in")
        if joined and isinstance(part, str) and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def reference_holds(wanted: SigmaFieldReference, text: str, other: str) -> bool:
    if wanted.starts_with and wanted.ends_with:
        return other in text
    if wanted.starts_with:
        return text.startswith(other)
    if wanted.ends_with:
        return text.endswith(other)
    return text == other


def in_network(text: str, wanted: SigmaCIDRExpression) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address in wanted.network


def number(text: str) -> Decimal | None:
    """The exact number that a text names, in decimal or as 0x and hexadecimal digits."""
    if _HEX.fullmatch(text):
        return Decimal(int(text, 16))
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits: nothing, or more than any number
        return Decimal(float(text))


def compares(wanted: SigmaCompareExpression, text: str) -> bool:
    found, bound = number(text), number(canonical(wanted.number.number))
    if found is None or bound is None:
        return False
    match wanted.op:
        case CompareOperators.LT:
            return found < bound
        case CompareOperators.LTE:
            return found <= bound
        case CompareOperators.GT:
            return found > bound
        case CompareOperators.GTE:
            return found >= bound
    raise NotImplementedError(f"a comparison {wanted.op}")


def time_part(part: TimestampPart, text: str) -> int | None:
    """The part, in UTC, of a time as ISO 8601 writes it; without an offset the time is UTC already."""
    try:
        when = datetime.fromisoformat(text)
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    match part:
        case TimestampPart.MINUTE:
            return when.minute
        case TimestampPart.HOUR:
            return when.hour
        case TimestampPart.DAY:
            return when.day
        case TimestampPart.WEEK:
            return when.isocalendar().week
        case TimestampPart.MONTH:
            return when.month
        case TimestampPart.YEAR:
            return when.year
