"""A MISP event, an answer of its API or an event of a feed in (MISP core format), its indicators out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tocsin.border.tally import MOST_TITLE, Tally, id_of, techniques, text, title_of
from tocsin.model.indicator import Indicator, Intelligence, Observable, ObservableType
from tocsin.model.tlp import strictest, tlp_of
from tocsin.observe.fanging import refang
from tocsin.observe.what import normal

MOST_ATTRIBUTES: Final = 2_000_000

# What attributes of a type are, tried in this order. A composite has its own function below.
_TYPES: Final[Mapping[str, tuple[ObservableType, ...]]] = {
    "ip-src": ("network", "address"),
    "ip-dst": ("network", "address"),
    "ip": ("network", "address"),
    "domain": ("domain",),
    "hostname": ("domain",),
    "url": ("url",),
    "uri": ("url",),
    "link": ("url",),
    "md5": ("md5",),
    "sha1": ("sha1",),
    "sha256": ("sha256",),
    "sha512": ("sha512",),
    "imphash": ("imphash",),
    "ssdeep": ("ssdeep",),
    "x509-fingerprint-md5": ("md5",),
    "x509-fingerprint-sha1": ("sha1",),
    "x509-fingerprint-sha256": ("sha256",),
    "ja3-fingerprint-md5": ("md5",),
    "ja4-plus": ("ja4",),
    "filename": ("path", "file"),
    "email": ("mail",),
    "email-src": ("mail",),
    "email-dst": ("mail",),
    "email-reply-to": ("mail",),
    "mutex": ("mutex",),
    "regkey": ("key",),
    "regkey|value": ("key",),
    "user-agent": ("agent",),
}
_HASHED: Final = ("md5", "sha1", "sha256", "sha512", "imphash", "ssdeep")
_PATTERNS: Final = ("stix2-pattern",)


class _Attributes(msgspec.Struct):
    Attribute: list[msgspec.Raw] | None = None


class _Event(msgspec.Struct):
    """Attributes stay bytes until each has its turn."""

    uuid: Any = ""
    info: Any = ""
    Orgc: Any = None
    Tag: Any = None
    Attribute: list[msgspec.Raw] | None = None
    Object: list[_Attributes] | None = None


class _Wrapped(msgspec.Struct):
    Event: _Event | None = None


class _Answer(msgspec.Struct):
    """What the API answers: events, or attributes alone."""

    response: list[_Wrapped] | _Attributes | None = None
    Event: _Event | None = None


_answer = msgspec.json.Decoder(_Answer | list[_Wrapped]).decode
_mapping = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What an event says of all its attributes."""

    info: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()


def read(content: bytes, path: str) -> Intelligence:
    """Read a file of MISP's.

    Raises:
        ValueError: it is none, or one larger than is read.
    """
    try:
        answer = _answer(content)
    except (msgspec.MsgspecError, RecursionError) as fault:
        raise ValueError(f"not a MISP event: {fault}") from None
    tally = Tally(path)
    for count, (said, raw) in enumerate(_attributes(answer), 1):
        if count > MOST_ATTRIBUTES:
            raise ValueError(f"more than {MOST_ATTRIBUTES:,} attributes are not read")
        try:
            _attribute(_mapping(raw), said, tally)
        except (msgspec.MsgspecError, RecursionError) as fault:
            tally.leave("not an indicator", f"an attribute that cannot be read: {fault}")
    return tally.told()


def _attributes(answer: _Answer | list[_Wrapped]) -> Iterator[tuple[_Said, msgspec.Raw]]:
    events: list[_Event | None]
    if isinstance(answer, list):
        events = [one.Event for one in answer]
    elif isinstance(answer.response, _Attributes):
        yield from ((_Said(), raw) for raw in answer.response.Attribute or ())
        return
    else:
        events = [answer.Event, *(one.Event for one in answer.response or ())]
    for event in events:
        if event is not None:
            said = _said(event)
            yield from ((said, raw) for raw in event.Attribute or ())
            yield from ((said, raw) for each in event.Object or () for raw in each.Attribute or ())


def _said(event: _Event) -> _Said:
    name = text(event.Orgc.get("name"), MOST_TITLE) if isinstance(event.Orgc, dict) else ""
    return _Said(info=text(event.info, MOST_TITLE), source=name, tags=tags_of(event.Tag))


def tags_of(value: object) -> tuple[str, ...]:
    named = value if isinstance(value, list) else []
    return tuple(text(one.get("name"), MOST_TITLE) for one in named if isinstance(one, dict))[:100]


def _attribute(one: Mapping[str, Any], said: _Said, tally: Tally) -> None:
    kind, value = text(one.get("type"), 60), refang(text(one.get("value"), 40_000))
    identity = text(one.get("uuid"), 64)
    title = f"{kind} {value}"[:MOST_TITLE]
    if one.get("deleted") in (True, "1", 1):
        tally.leave("not for detection", "it was deleted", id=identity, title=title)
        return
    if one.get("to_ids") not in (True, "1", 1):
        tally.leave("not for detection", "to_ids is not set", id=identity, title=title)
        return
    observables, pattern = meaning(kind, value)
    if not observables and not pattern:
        known = kind in _TYPES or "|" in kind
        words = f"{value[:80]!r} is no {kind}" if known else f"attributes of type {kind!r} are not looked for"
        tally.leave("not an indicator" if known else "cannot be used", words, id=identity, title=title)
        return
    own = tags_of(one.get("Tag"))
    tags = (*own, *said.tags)
    tally.add(
        Indicator(
            id=identity or id_of(f"{kind} {value}"),
            title=(title_of(observables[0], said.info) if observables else said.info or title)[:MOST_TITLE],
            observables=observables,
            pattern=pattern,
            source=said.source,
            tlp=strictest(map(tlp_of, own)) or strictest(map(tlp_of, said.tags)),
            labels=tuple(dict.fromkeys(tags)),
            techniques=techniques(tag for tag in tags if "attack-pattern" in tag),
            description=text(one.get("comment")),
            path=tally.path,
        ),
        repeats=False,
    )


def meaning(kind: str, value: str) -> tuple[tuple[Observable, ...], str]:
    """What an attribute asks for: observables, any of which is enough, or a pattern."""
    if kind in _TYPES:
        found = next((one for way in _TYPES[kind] if (one := normal(way, value.partition("|")[0]))), None)
        return ((found,) if found else ()), ""
    if kind in _PATTERNS:
        return (), value
    first, _, second = value.rpartition("|")
    head, _, tail = kind.partition("|")
    if kind in ("ip-src|port", "ip-dst|port", "hostname|port"):
        return (), _with_port(head, first, second)
    if kind == "domain|ip":
        both = (normal("domain", first), normal("address", second))
        return tuple(one for one in both if one), ""
    # A file's name beside its hash is what it was called once; the hash is what it is.
    wanted = "md5" if kind == "malware-sample" else tail
    if (head == "filename" or kind == "malware-sample") and wanted in _HASHED:
        found = normal(wanted, second)  # type: ignore[arg-type]  # one of them, as just asked
        return ((found,) if found else ()), ""
    return (), ""


def _with_port(kind: str, place: str, port: str) -> str:
    """A pattern for a port of an address or a host."""
    found = normal("domain" if kind == "hostname" else "address", place)
    if found is None or not (port.isascii() and port.isdecimal() and int(port) < 65536):
        return ""
    side = "src" if kind == "ip-src" else "dst"
    return f"[network-traffic:{side}_ref.value = '{found.value}' AND network-traffic:{side}_port = {int(port)}]"
