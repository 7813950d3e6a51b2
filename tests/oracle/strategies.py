"""Nothing in, random Sigma rules out, and events that a rule and its events agree on about half of the time.

Rules are plain mappings, as a YAML file would hold them, over few fields and short awkward texts.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st
from sigma.types import SigmaString

from oracle import events, naive, vocabulary
from oracle.events import Drawn, Item

Detection = dict[str, Any]


# ------------------------------------------------------------------------------------------ values


def _join(pieces: Sequence[str], most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(pieces), min_size=1, max_size=most).map("".join)


rule_texts = st.one_of(
    _join(vocabulary.PLAIN_PIECES),
    _join(vocabulary.PLAIN_PIECES[:8], most=2),  # short words, so that they overlap often
    _join((*vocabulary.WILD_PIECES, *vocabulary.PLAIN_PIECES)),
    _join((*vocabulary.WILD_PIECES, *vocabulary.PLAIN_PIECES[:8]), most=4),
)
ascii_texts = _join(vocabulary.ASCII_PIECES)
regexes = st.lists(st.sampled_from(vocabulary.REGEX_PIECES), min_size=1, max_size=3).flatmap(
    lambda drawn: st.sampled_from(("{}", "{}", "^{}", "{}$", "^{}$", "(?i){}")).map(
        lambda frame: (frame.format("".join(one for one, _ in drawn)), "".join(text for _, text in drawn))
    )
)
scalars = st.one_of(
    st.none(),
    st.just(""),
    st.sampled_from(("*", "**", "?", "??", "*?", "null", "true", "1")),
    st.sampled_from(vocabulary.RULE_NUMBERS),
    st.booleans(),
)


def _asked(kind: str) -> st.SearchStrategy[Any]:
    """One value for a kind of modifier chain, as the rule writes it."""
    match kind:
        case "text":
            return rule_texts
        case "keyword":
            return st.one_of(rule_texts, rule_texts, st.sampled_from(vocabulary.RULE_NUMBERS))
        case "wide":
            return ascii_texts
        case "base64":
            # A backslash before an escaped wildcard escapes the escape; base64 takes no wildcards.
            pieces = _join((*vocabulary.ASCII_PIECES, *vocabulary.ENCODED_PIECES))
            return pieces.filter(lambda text: not SigmaString(text).contains_special())
        case "scalar":
            return scalars
        case "cidr":
            return st.sampled_from(vocabulary.NETWORKS)
        case "exists":
            return st.booleans()
        case "fieldref":
            return st.sampled_from((*vocabulary.FIELDS, "Absent"))
        case "compare":
            return st.sampled_from(vocabulary.RULE_NUMBERS)
    return st.sampled_from(vocabulary.TIME_NUMBERS[kind])


WIDE = {"wide", "utf16", "utf16le", "utf16be"}
KINDS = ("text", "text", "text", "compare", "time", "time", *vocabulary.CHAINS)


@st.composite
def items(draw: st.DrawFn, kind: str | None = None) -> Item:
    """One `field|modifiers: value`; kind "keywords" has no field, as in `'|all': value`, or no key at all."""
    kind = draw(st.sampled_from(KINDS)) if kind is None else kind
    if kind == "keywords":
        chain = draw(st.sampled_from(("", "", *vocabulary.KEYWORD_CHAINS)))
        kind = {"re": "regex", "base64offset": "base64", "": "keyword"}.get(chain.partition("|")[0], "text")
        return _item(draw, "", kind, chain)
    chain = draw(st.sampled_from(vocabulary.CHAINS[kind]))
    return _item(draw, draw(st.sampled_from(vocabulary.FIELDS)), kind, chain)


def _item(draw: st.DrawFn, field: str, kind: str, chain: str) -> Item:
    key = f"{field}|{chain}" if chain else field
    found: dict[str, str] = {}
    if kind == "regex":
        drawn = draw(st.lists(regexes, min_size=1, max_size=2))
        # contains and endswith put text in front, where Python wants flags to stand.
        bare = "contains" in chain or "endswith" in chain
        found = {text.removeprefix("(?i)") if bare else text: witness for text, witness in drawn}
        asked: list[Any] = list(found)
    else:
        # Two time parts or two references rarely hold at once; lists of text are the common case.
        most = 1 if kind == "exists" else 3 if kind in ("text", "keyword", "wide", "base64") else 2
        first = chain.partition("|")[0]
        asking = _asked(first if kind == "time" else "wide" if first in WIDE else kind)
        asked = draw(st.lists(asking, min_size=1, max_size=most))
        if kind == "scalar" and not chain and draw(st.integers(0, 9)) == 0:
            asked = []  # an empty list asks for null
    value = asked[0] if len(asked) == 1 and draw(st.booleans()) else asked
    if kind == "exists":
        value = asked[0]
    parsed = naive.parse_line(key, value)
    return Item(key, value, (*found.values(), "".join(found.values())) if found else tuple(parsed.value))


# ------------------------------------------------------------------------------------------- rules


@st.composite
def detections(draw: st.DrawFn) -> tuple[Any, tuple[Item, ...]]:
    """One named part of a detection section: a map, a list of maps, keywords, or a mixture."""
    form = draw(st.sampled_from(("map", "map", "map", "map", "maps", "keywords", "mixed")))
    if form == "map":
        return _mapping(draw(st.lists(items(), min_size=1, max_size=2)))
    if form == "maps":
        maps = [_mapping(draw(st.lists(items(), min_size=1, max_size=2))) for _ in range(2)]
        return [one for one, _ in maps], tuple(item for _, drawn in maps for item in drawn)
    words = draw(items(kind="keywords"))
    if form == "keywords":
        return words.detection, (words,)
    mapping, drawn = _mapping(draw(st.lists(items(), min_size=1, max_size=2)))
    return [mapping, *_listed(words.detection)], (*drawn, words)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _mapping(drawn: Sequence[Item]) -> tuple[Detection, tuple[Item, ...]]:
    kept = {item.key: item for item in drawn}
    return {key: item.value for key, item in kept.items()}, tuple(kept.values())


NAMES = ("selection", "sel_b", "sel_c", "filter")


@st.composite
def conditions(draw: st.DrawFn, names: Sequence[str], depth: int = 2) -> str:
    leaf = st.sampled_from(
        (*names, *names, *names, "1 of them", "all of them", "any of them", "1 of sel*", "all of sel*")
    )
    form = draw(st.sampled_from(("leaf", "leaf", "not", "and", "or", "and not")))
    if depth == 0 or form == "leaf":
        return draw(leaf)
    if form == "not":
        return f"not {draw(leaf)}"
    left = draw(conditions(names, depth - 1))
    right = draw(conditions(names, depth - 1))
    if draw(st.booleans()):
        return f"({left}) {form} ({right})"
    return f"{left} {form} {draw(leaf)}"


@st.composite
def rules(draw: st.DrawFn) -> Drawn:
    """A rule for process creation or the Security channel, always one that pySigma takes."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    parts = {name: draw(detections()) for name in names}
    if draw(st.integers(0, 9)) == 0:
        code = draw(st.sampled_from((1, 4624, [1, 4624], "4624")))
        parts["selection"] = ({"EventID": code}, (Item("EventID", code, ()),))
    asked = draw(conditions(names))
    condition: Any = asked if draw(st.integers(0, 9)) else [asked, draw(conditions(names))]
    detection = {**{name: part for name, (part, _) in parts.items()}, "condition": condition}
    return Drawn(
        rule_of(detection, draw(st.booleans())),
        tuple(item for _, drawn in parts.values() for item in drawn),
    )


def rule_of(detection: Detection, security: bool = False) -> dict[str, Any]:
    """A whole rule around a detection section; its id follows from its content."""
    source = {"service": "security"} if security else {"category": "process_creation"}
    return {
        "title": "Drawn rule",
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, repr((detection, source)))),
        "status": "test",
        "level": "high",
        "logsource": {"product": "windows", **source},
        "detection": detection,
    }


# ------------------------------------------------------------------------------------------ events


def made_for(drawn: Sequence[Drawn]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Some two dozen events made with the rules in mind; a failure keeps the few seeds that it needs."""
    seeds = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=12)
    return seeds.map(lambda chosen: [one for seed in chosen for one in _some_events(Random(seed), drawn)])


def _some_events(chance: Random, drawn: Sequence[Drawn]) -> list[dict[str, Any]]:
    return [events.event(chance, drawn) for _ in range(4)]


Batch = tuple[list[Drawn], list[dict[str, Any]]]


@st.composite
def batches(draw: st.DrawFn, most_rules: int = 1) -> Batch:
    """Some rules, and events made with them in mind."""
    drawn = draw(st.lists(rules(), min_size=1, max_size=most_rules, unique_by=lambda one: one.rule["id"]))
    return drawn, draw(made_for(drawn))
