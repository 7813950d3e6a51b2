"""An object as JSON holds it in, why it is no STIX 2.1 out: the schemas of OASIS, and what no schema can say.

The schemas come with `stix2-validator`. They miss the order of times (sections 3.6, 4.7), the syntax of patterns
(section 9) and which properties make an object one of version 2.1 (section 3.2).
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

from tocsin.errors import ShareError
from tocsin.model.observables import OBSERVABLES

MOST_PATTERN: Final = 32_768  # characters
MOST_BRACKETS: Final = 40  # deep; the parser of OASIS takes its time for every one of them
MOST_TESTS: Final = 500  # comparisons that are parsed; a plain list of tests may have more

_LONGEST_TIME: Final = 64
_HOME: Final = "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas/"
_TYPE: Final = re.compile(r"[a-z][a-z0-9-]{1,248}[a-z0-9]")
_TIME: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?Z")
_ORDERED: Final = (
    ("created", "modified"),
    ("valid_from", "valid_until"),
    ("first_seen", "last_seen"),
    ("first_observed", "last_observed"),
    ("start_time", "stop_time"),
    ("start", "end"),
)
_STRICTLY: Final = frozenset({"valid_until"})
_ODD: Final = frozenset({"marking-definition"})  # it has no version and its properties are its own
_QUOTED: Final = r"'(?:[^'\\]|\\['\\])*+'"
_STEP: Final = rf"(?:(?!(?:true|false)\b)[a-z_][A-Za-z0-9_]*|MD5|{_QUOTED})"
_TEST: Final = rf"(?!(?:true|false)\b)[a-z][a-z0-9-]*:{_STEP}(?:\.{_STEP})*+ ?(?:=|!=|LIKE) ?{_QUOTED}"
_SEEN: Final = rf"\[ ?{_TEST}(?: (?:AND|OR) {_TEST})*+ ?\]"
# What nearly every pattern is: its parsing takes a thousand times as long in Python as this does.
_PLAIN: Final = re.compile(rf"{_SEEN}(?: (?:AND|OR|FOLLOWEDBY) {_SEEN})*+")


def fault(one: Mapping[str, Any]) -> str:
    """Why an object is no STIX 2.1; '' where nothing speaks against it."""
    kind = one.get("type")
    validator = _validators().get(kind) if isinstance(kind, str) else None
    if not isinstance(kind, str) or (validator is None and (not _TYPE.fullmatch(kind) or "--" in kind)):
        return "it has no type that STIX allows"
    named = one.get("id")
    if not isinstance(named, str) or not named.startswith(f"{kind}--"):
        return "its id is not one of its type"
    observable = kind in OBSERVABLES
    if one.get("spec_version", "2.1" if observable else None) != "2.1":
        return "it is not marked as STIX 2.1 (spec_version)"
    if kind == "bundle":
        return "a bundle is no object: send what is in it"
    if validator is None:
        validator = _validators()["common/core"]
    if not validator.is_valid(one):
        return _told(validator, one)
    return _missed(one, kind, observable=observable)


def time_us(text: Any) -> int | None:
    """A timestamp of STIX as microseconds since 1970, what is finer cut off; None for what is none."""
    return _time_us(text) if isinstance(text, str) and len(text) <= _LONGEST_TIME else None


@lru_cache(maxsize=10_000)  # most objects say the same time twice, and those of one bundle all say similar ones
def _time_us(text: str) -> int | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        return None  # the 31st of February
    return int(moment.timestamp()) * 1_000_000 + int((found[2] or "").ljust(6, "0")[:6])


def _missed(one: Mapping[str, Any], kind: str, *, observable: bool) -> str:
    if not observable and kind not in _ODD and not ("created" in one and "modified" in one):
        return "it says not when it was created and modified"
    for before, after in _ORDERED:
        if before in one and after in one:
            first, last = time_us(one[before]), time_us(one[after])
            if first is None or last is None:
                return f"its {before if first is None else after} is no time"
            if last < first or (last == first and after in _STRICTLY and one[before] == one[after]):
                return f"its {after} is before its {before}"
    if ("created" in one) != ("modified" in one):  # where both are there they were compared above
        name = "created" if "created" in one else "modified"
        if time_us(one[name]) is None:
            return f"its {name} is no time"
    if kind == "indicator" and one.get("pattern_type") == "stix":
        return pattern_fault(str(one["pattern"]))
    return ""


def pattern_fault(pattern: str) -> str:
    """Why a text is no pattern of STIX; '' where it is one."""
    if len(pattern) > MOST_PATTERN:
        return f"its pattern is longer than {MOST_PATTERN:,} characters"
    if _PLAIN.fullmatch(pattern):
        return ""
    outside = re.sub(_QUOTED, "''", pattern)
    if outside.count("(") + outside.count("[") > MOST_TESTS or _depth(outside) > MOST_BRACKETS:
        return "its pattern is nested too deeply"
    if outside.count(":") > MOST_TESTS:
        return "its pattern asks too much at once"
    return _parsed(pattern)


def _depth(text: str) -> int:
    deep = most = 0
    for letter in text:
        deep += (letter in "([") - (letter in ")]")
        most = max(most, deep)
    return most


def _parsed(pattern: str) -> str:
    from stix2patterns.exceptions import ParseException
    from stix2patterns.v21.pattern import Pattern

    try:
        Pattern(pattern)
    except (ParseException, RecursionError, ValueError) as error:
        return f"its pattern cannot be read: {str(error)[:200]}"
    return ""


def _told(validator: Any, one: Mapping[str, Any]) -> str:
    first = next(iter(validator.iter_errors(one)), None)
    if first is None:
        return "it is not as the schemas want it"
    where = ".".join(map(str, first.instance_path))
    return f"{where + ': ' if where else ''}{first.message}"[:300]


@cache
def _validators() -> Mapping[str, Any]:
    """One validator a type, compiled once; all schemas are at hand, nothing is fetched."""
    import jsonschema_rs

    spec = importlib.util.find_spec("stix2validator")  # its code is not loaded: it would take a second
    places = list(spec.submodule_search_locations or ()) if spec else []
    folder = Path(places[0], "schemas-2.1", "schemas") if places else Path()
    found = (
        {
            path.relative_to(folder).with_suffix("").as_posix(): orjson.loads(path.read_bytes())
            for path in sorted(folder.rglob("*.json"))
        }
        if places
        else {}
    )
    if "common/core" not in found:
        raise ShareError("the schemas of STIX 2.1 are missing", hint="Install stix2-validator, which brings them.")

    def at_hand(uri: str) -> Any:
        name = uri.removeprefix(_HOME).removesuffix(".json")
        if name not in found:
            raise ValueError(f"{uri}: no schema of STIX")
        return found[name]

    options = jsonschema_rs.RegexOptions()  # an engine that never goes back: no text takes it long
    wanted = {name.rpartition("/")[2]: name for name in found if name.partition("/")[0] != "common"}
    wanted |= {name: f"common/{name}" for name in ("marking-definition", "language-content", "extension-definition")}
    wanted["common/core"] = "common/core"
    return {
        kind: jsonschema_rs.validator_for(found[name], retriever=at_hand, pattern_options=options)
        for kind, name in wanted.items()
    }
