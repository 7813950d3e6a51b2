"""A STIX 2.0 or 2.1 bundle in, its indicators out: sections 4.7 (indicator), 7.2 (markings) and, if asked, 6 (SCOs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from tocsin.border import markings
from tocsin.border.tally import MOST_TITLE, Tally, confidence, id_of, moment, techniques, text, texts, title_of
from tocsin.model.indicator import HASHES, Indicator, Intelligence, Observable, ObservableType
from tocsin.model.pap import ASK_FIRST
from tocsin.model.tlp import strictest
from tocsin.observe.what import normal

MOST_OBJECTS: Final = 2_000_000
MOST_PATTERN: Final = 32_768  # characters

_VALUES: Final[Mapping[str, tuple[ObservableType, ...]]] = {
    "ipv4-addr": ("network", "address"),
    "ipv6-addr": ("network", "address"),
    "domain-name": ("domain",),
    "url": ("url",),
    "email-addr": ("mail",),
}
_DIGESTS: Final[Mapping[str, ObservableType]] = {
    **{name.upper(): name for name in HASHES},
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-512": "sha512",
    "SSDEEP": "ssdeep",
}
OBSERVED: Final = (*_VALUES, "file", "mutex")
_USED: Final = ("indicator", "identity", "marking-definition", "relationship", "attack-pattern")


class _Bundle(msgspec.Struct):
    """Objects stay bytes until it is known what they are: of a large bundle most is not for us."""

    objects: list[msgspec.Raw] | None = None
    type: Any = ""


class _Typed(msgspec.Struct):
    type: Any = ""


_bundle = msgspec.json.Decoder(_Bundle | list[msgspec.Raw]).decode
_typed = msgspec.json.Decoder(_Typed).decode
_mapping = msgspec.json.Decoder(dict[str, Any]).decode


def read(content: bytes, path: str, *, observed: bool = False) -> Intelligence:
    """Read a bundle.

    Args:
        observed: take observables that stand in the bundle for indicators too.

    Raises:
        ValueError: it is no bundle, or one larger than is read.
    """
    raws = objects(content)
    if len(raws) > MOST_OBJECTS:
        raise ValueError(f"a bundle of {len(raws):,} objects: more than {MOST_OBJECTS:,} are not read")
    tally = Tally(path)
    found: dict[str, list[Mapping[str, Any]]] = {}
    wanted = (*_USED, *OBSERVED) if observed else _USED
    seen = 0
    for raw in raws:
        try:
            kind = _typed(raw).type
            seen += kind in OBSERVED
            if kind in wanted:
                found.setdefault(kind, []).append(_mapping(raw))
        except (msgspec.MsgspecError, RecursionError) as fault:
            tally.leave("not an indicator", f"an object that cannot be read: {fault}")
    about = About(found)
    for one in _latest(found.get("indicator", ())):
        _indicator(one, about, tally)
    for kind in OBSERVED if observed else ():
        for one in found.get(kind, ()):
            _observed(kind, one, about, tally)
    if seen and not observed:
        tally.leave("not for detection", f"{seen:,} observables in the bundle, which are no indicators")
    return tally.told()


def objects(content: bytes) -> list[msgspec.Raw]:
    """The objects of a bundle, of TAXII's envelope, of a list; an indicator alone is one."""
    try:
        bundle = _bundle(content)
    except (msgspec.MsgspecError, RecursionError) as fault:
        raise ValueError(f"not a STIX bundle: {fault}") from None
    if isinstance(bundle, list):
        return bundle
    if bundle.objects is None and bundle.type != "bundle":
        if bundle.type in _USED:
            return [msgspec.Raw(content)]
        raise ValueError("not a STIX bundle: it holds no objects")
    return bundle.objects or []


class About:
    """What other objects of the bundle say of its indicators."""

    def __init__(self, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        self.names = {text(one.get("id")): text(one.get("name"), MOST_TITLE) for one in found.get("identity", ())}
        self.markings = dict(markings.TLP_OF)
        self.says: dict[str, tuple[str, ...]] = {}
        for one in found.get("marking-definition", ()):
            self.markings.setdefault(text(one.get("id")), markings.tlp_in(one))
            self.says[text(one.get("id"))] = markings.terms_in(one)
        known = {text(one.get("id")): techniques(_external(one)) for one in found.get("attack-pattern", ())}
        self.techniques: dict[str, list[str]] = {}
        for one in found.get("relationship", ()):
            if one.get("relationship_type") == "indicates":
                source, target = text(one.get("source_ref")), text(one.get("target_ref"))
                self.techniques.setdefault(source, []).extend(known.get(target, ()))

    def tlp(self, one: Mapping[str, Any]) -> str:
        """The strictest marking of an object, whatever part of it it is for."""
        return strictest(self.markings.get(name, "") for name in _marked(one))

    def terms(self, one: Mapping[str, Any]) -> tuple[str, ...]:
        """What its markings say of what may be done with it. One that is not in the bundle may say anything: ask."""
        found: dict[str, None] = {}
        for name in _marked(one):
            unknown = () if name in markings.TLP_OF else (ASK_FIRST,)
            found |= dict.fromkeys(self.says.get(name, unknown))
        return tuple(found)


def _marked(one: Mapping[str, Any]) -> list[str]:
    granular = one.get("granular_markings")
    parts = granular if isinstance(granular, list) else []
    return [
        *texts(one.get("object_marking_refs")),
        *(text(each.get("marking_ref")) for each in parts if isinstance(each, dict)),
    ]


def _external(one: Mapping[str, Any]) -> list[str]:
    references = one.get("external_references")
    return [
        text(each.get("external_id"), 40)
        for each in (references if isinstance(references, list) else ())
        if isinstance(each, dict) and text(each.get("source_name")).startswith("mitre-")
    ]


def _latest(objects: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of several versions of an object the last (section 3.6)."""
    kept: dict[object, Mapping[str, Any]] = {}
    for number, one in enumerate(objects):
        key = text(one.get("id")) or number
        known = kept.get(key)
        if known is None or text(one.get("modified")) >= text(known.get("modified")):
            kept[key] = one
    return list(kept.values())


def _indicator(one: Mapping[str, Any], about: About, tally: Tally) -> None:
    identity, name = text(one.get("id"), 128), text(one.get("name"), MOST_TITLE)
    kind = text(one.get("pattern_type"), 40).lower() or "stix"
    pattern = one.get("pattern")
    leave: Callable[[str], None] = lambda why: tally.leave("cannot be used", why, id=identity, title=name)  # noqa: E731
    if not isinstance(pattern, str) or not pattern.strip():
        tally.leave("not an indicator", "it has no pattern", id=identity, title=name)
    elif kind != "stix":
        leave(f"its pattern is of type {kind!r}, not a STIX pattern")
    elif len(pattern) > MOST_PATTERN:
        leave(f"a pattern longer than {MOST_PATTERN:,} characters")
    else:
        since, until = moment(one.get("valid_from")), moment(one.get("valid_until"))
        for key, us in (("valid_from", since), ("valid_until", until)):
            if us is None and one.get(key) is not None:
                leave(f"its {key} is no time: {str(one.get(key))[:40]!r}")
                return
        tally.add(
            Indicator(
                id=identity or id_of(pattern),
                title=name or pattern.strip()[:MOST_TITLE],
                pattern=pattern,
                since_us=since,
                until_us=until,
                source=about.names.get(text(one.get("created_by_ref")), "") or text(one.get("created_by_ref"), 100),
                confidence=confidence(one.get("confidence")),
                tlp=about.tlp(one),
                revoked=one.get("revoked") is True,
                labels=(*texts(one.get("labels")), *texts(one.get("indicator_types")), *about.terms(one)),
                techniques=tuple(dict.fromkeys([*about.techniques.get(identity, ()), *techniques(_external(one))])),
                description=text(one.get("description")),
                path=tally.path,
            )
        )


def _observed(kind: str, one: Mapping[str, Any], about: About, tally: Tally) -> None:
    identity = text(one.get("id"), 128)
    found = observables(kind, one)
    if not found:
        tally.leave("not an indicator", f"a {kind} that says nothing to look for", id=identity)
        return
    tally.add(
        Indicator(
            id=identity or id_of(found[0].value),
            title=title_of(found[0]),
            observables=found,
            tlp=about.tlp(one),
            source=text(one.get("created_by_ref"), 100),
            labels=("observed", *texts(one.get("labels")), *about.terms(one)),
            path=tally.path,
        ),
        repeats=False,
    )


def observables(kind: str, one: Mapping[str, Any]) -> tuple[Observable, ...]:
    if kind == "file":
        hashes = one.get("hashes")
        named = (
            [(_DIGESTS.get(key.upper()), text(value)) for key, value in hashes.items()]
            if isinstance(hashes, dict)
            else []
        )
        digests = [normal(each, value) for each, value in named if each]
        name = normal("file", text(one.get("name")))
        return tuple(each for each in digests if each) or ((name,) if name else ())
    if kind == "mutex":
        mutex = normal("mutex", text(one.get("name")))
        return (mutex,) if mutex else ()
    seen = next((each for way in _VALUES[kind] if (each := normal(way, text(one.get("value"))))), None)
    return (seen,) if seen else ()
