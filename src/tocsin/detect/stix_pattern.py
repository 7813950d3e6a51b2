"""An indicator with a STIX pattern in, trees over fields of each kind of log out, as rules are compiled to.

What the standard leaves to who reads logs, or logs do not tell:

- An event is one observation, with the objects that `stix_paths` finds in it.
- Text is compared as the standard says, case included; but hexadecimal digits, names of domains, and paths, registry
  keys and accounts of Windows are compared without it, as their systems do.
- NOT and != are true of properties that are there, as in the reference matcher; `NOT EXISTS` of an object without it.
- An event whose field is a list holds if any of its elements does; under NOT if none does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from tocsin.detect import globs, stix_grammar
from tocsin.detect.patterns import MOST_TIMESPAN_US, Compiled, Part, Way
from tocsin.detect.stix_grammar import COMPARE, Asked, Every, Number, Some, Test, Value
from tocsin.detect.stix_paths import NUMBERS, SLOTS, TYPES, Slot
from tocsin.detect.stix_ways import Leaf, Path, ways
from tocsin.detect.terms import MOST_EXPRESSION, Unusable
from tocsin.detect.trees import Tree, all_of, any_of, negate
from tocsin.detect.views import SIGN, VIEWS
from tocsin.detect.views import key as registry_key
from tocsin.model.indicator import Indicator
from tocsin.model.kind import KINDS
from tocsin.model.rule import Pattern, Rule
from tocsin.observe.addresses import address, network

_LOWER: Final = (
    "v4",
    "v6",
    "domain",
    "place",
    "mail",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "imphash",
)  # views in small letters
_DIGEST: Final = re.compile(r"hashes\.([A-Za-z0-9-]+)$")


def compiled(one: Indicator, rule: Rule, *, ever: bool = False) -> Compiled:
    """Compile the pattern of an indicator.

    Args:
        rule: what stands for it.
        ever: it holds at any time, not only while it is valid.

    Raises:
        Unusable: why it cannot be.
    """
    found = ways(stix_grammar.parse(one.pattern))
    places: dict[Leaf, int] = {}
    for path in found:
        for leaf in path.leaves:
            places.setdefault(leaf, len(places))
    limits = (None, None) if ever else (one.since_us, one.until_us)
    return Compiled(
        rule=rule,
        parts=tuple(_part(leaf, *limits) for leaf in places),
        ways=tuple(_way(path, [places[leaf] for leaf in path.leaves]) for path in found),
    )


def _way(path: Path, parts: Sequence[int]) -> Way:
    span = MOST_TIMESPAN_US if path.timespan_us is None else path.timespan_us
    return Way(how=path.how, parts=tuple(parts), times=path.times, timespan_us=span)


def _part(leaf: Leaf, since: int | None, until: int | None) -> Part:
    sinces = [us for us in (leaf.since_us, since) if us is not None]
    untils = [us for us in (leaf.until_us, until) if us is not None]
    for test in _tests(leaf.asked):
        _check(test)
    trees = {kind: any_of(_of_kind(asked, kind) for asked in leaf.asked) for kind in SLOTS if kind in KINDS}
    kept = tuple((kind, tree) for kind, tree in trees.items() if tree is not False)
    if not kept:
        raise Unusable("unsupported", _nowhere(leaf.asked))
    return Part(trees=kept, since_us=max(sinces, default=None), until_us=min(untils, default=None))


def _tests(asked: Iterable[Asked]) -> list[Test]:
    found: list[Test] = []
    for one in asked:
        found += [one] if isinstance(one, Test) else _tests(one.parts)
    return found


def _nowhere(asked: Sequence[Asked]) -> str:
    tests = _tests(asked)
    for one in tests:
        if one.type not in TYPES:
            return f"objects of type {one.type[:60]!r} are in no log that is read"
        if not any(
            _named(one.path) in slot.fields for slots in SLOTS.values() for slot in slots if slot.type == one.type
        ):
            return f"no log that is read tells {one.type}:{one.path[:80]}"
    if len({one.type for one in tests}) > 1:
        return "it asks of one object to be of two types"
    return "no single object in a log has all that it asks for"


def _check(test: Test) -> None:
    """What is asked must be something that the property can be.

    Raises:
        Unusable: it is not.
    """
    number = test.path in NUMBERS
    for value in test.values:
        if isinstance(value, Number) is not number:
            what = "a number" if number else "a text"
            raise Unusable(
                "unsupported", f"{test.type}:{test.path[:60]} is {what}, and is compared with something else"
            )
    if test.operator in COMPARE and not number:
        raise Unusable("unsupported", f"texts are not compared by size: {test.type}:{test.path[:60]}")
    if number and test.operator not in ("=", "EXISTS", *COMPARE):
        raise Unusable("unsupported", f"{test.operator} of a number: {test.type}:{test.path[:60]}")
    if test.operator == "MATCHES":
        _expression(str(test.values[0]))
    if test.operator in ("ISSUBSET", "ISSUPERSET") and _network(str(test.values[0])) is None:
        raise Unusable("unsupported", f"{str(test.values[0])[:60]!r} is no network")
    if not test.values and test.operator != "EXISTS":
        raise Unusable("unsupported", "IN of nothing is never true")


def _expression(text: str) -> str:
    if len(text) > MOST_EXPRESSION:
        raise Unusable("unsupported", f"an expression longer than {MOST_EXPRESSION} characters")
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as fault:
        raise Unusable("unsupported", f"the expression {text[:120]!r}: {fault}") from None
    return text


def _network(text: str) -> str | None:
    single = address(text) if "/" not in text else None
    found = network(f"{single}/{128 if ':' in single else 32}" if single else text)
    return str(found) if found else None


# --------------------------------------------------------------------------------- one kind of log


def _of_kind(asked: Asked, kind: str) -> Tree:
    """What is asked of one object is asked of each slot in turn."""
    types = {test.type for test in _tests((asked,))}
    return any_of(
        all_of([slot.gate, tree])
        for slot in SLOTS[kind]
        if slot.type in types and (tree := _of_slot(asked, slot)) is not False
    )


def _of_slot(asked: Asked, slot: Slot) -> Tree:
    match asked:
        case Every(parts):
            return all_of(_of_slot(part, slot) for part in parts)
        case Some(parts):
            return any_of(_of_slot(part, slot) for part in parts)
    if asked.type != slot.type:
        return False
    path = _named(asked.path)
    fields = slot.fields.get(path, ())
    if asked.operator == "EXISTS":
        there = any_of(_there(field) for field in fields)
        if asked.wanted:
            return there
        return all_of([any_of(_there(field) for names in slot.fields.values() for field in names), negate(there)])
    folded = path in slot.folded
    held = [
        (field, any_of(_compared(field, asked, value, folded=folded) for value in asked.values)) for field in fields
    ]
    if asked.wanted:
        return any_of(tree for _, tree in held)
    return any_of(all_of([_there(field), negate(tree)]) for field, tree in held)


def _there(field: str) -> Tree:
    """A property is there if the field holds text: logs write nothing, or an empty text, for what is not."""
    return negate(Pattern(field, "null", ""))


def _named(path: str) -> str:
    """A path under the name of the table: hashes have several spellings."""
    found = _DIGEST.search(path)
    if found is None:
        return path
    name = found[1].upper()
    name = name if "-" in name or not name.startswith("SHA") else f"SHA-{name[3:]}"
    return path[: found.start()] + f"hashes.{name}"


def _compared(field: str, test: Test, value: Value, *, folded: bool) -> Tree:
    view = field.partition(SIGN)[2]
    lower = view in _LOWER or view.startswith("key")
    if isinstance(value, Number):
        return Pattern(field, COMPARE.get(test.operator, "equals"), value.text)
    match test.operator:
        case "LIKE":
            cased = not (folded or lower)
            text = registry_key(value) if view.startswith("key") else value
            return globs.pattern(field, _glob(text), cased=cased)
        case "MATCHES":
            flag = "(?i)" if folded or lower else ""
            return Pattern(field, "regex", flag + _expression(value))
        case "ISSUBSET":
            return Pattern(field, "cidr", _network(value) or "")
        case "ISSUPERSET":
            # A field holds one address, which is a network of its own and contains no other.
            found = _network(value) or ""
            return found.endswith("/128" if ":" in found else "/32") and Pattern(field, "cidr", found)
    if lower:
        shown = (
            VIEWS["key" if view.startswith("key") else view](value)
            if view.startswith("key") or view in _LOWER
            else value
        )
        return Pattern(field, "equals", (shown if shown is not None else value).lower())
    if view == "url":
        return Pattern(field, "equals", VIEWS["url"](value) or value, True)
    return Pattern(field, "equals", value.lower() if folded else value, not folded)


def _glob(text: str) -> list[str | globs.Wild]:
    """`%` is any text, `_` one character (section 9.6.1); there is no way to escape them."""
    wild = {"%": globs.MANY, "_": globs.ONE}
    return [wild.get(one, one) for one in re.split(r"([%_])", text)]
