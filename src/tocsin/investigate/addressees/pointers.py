"""Incidents in, the domains, senders and addresses out by which all logs of mail are asked.

Only findings of level medium or above count that are not lowered. What is of the house itself points nowhere.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tocsin.investigate.impact.scene import destinations
from tocsin.investigate.normal import address, domain, is_public
from tocsin.investigate.routine import reasons
from tocsin.model.addressee import PointerKind
from tocsin.model.asset import Assets
from tocsin.model.incident import Cited, Incident
from tocsin.model.indicator import Observable
from tocsin.model.rule import LEVELS, Rule
from tocsin.observe.urls import host_of

SENDERS: Final = (
    *("sender", "from", "sender-address", "SenderAddress", "return-path", "mailfrom", "smtp.mail_from"),
    *("SenderFromAddress", "SenderMailFromAddress", "P1Sender", "P2Sender"),
)
MOST: Final = 200  # of an incident
_BEARING: Final = LEVELS.index("medium")
_OF_WEB: Final = "webserver"  # what is asked for there is a name of the house
_LONGEST: Final = 320  # of a mail address (RFC 3696, errata 1690)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """By what all logs of mail are asked.

    Args:
        name: what logs are asked for: of a domain the one that was registered.
        named: what findings name of it: domains at or below it, or just it.
        told: those of them that intelligence names, rather than a rule of ours.
        pages: those of `told` of which intelligence names only a page: the site may be anybody's.
    """

    kind: PointerKind
    name: str
    named: frozenset[str]
    told: frozenset[str]
    pages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointers:
    """Of one incident, with its first and last time."""

    all: tuple[Pointer, ...]
    first_us: int | None
    last_us: int | None


def pointers(
    incidents: Sequence[Incident], assets: Assets, told: Mapping[str, Sequence[Observable]]
) -> tuple[Pointers, ...]:
    """Of each incident its own.

    Args:
        told: what intelligence names, by the id of the rule that stands for it.
    """
    own = {registered(asset.name) for asset in assets.all}
    return tuple(
        Pointers(all=_pointers(one, own | _own(one), assets, told), first_us=one.first_us, last_us=one.last_us)
        for one in incidents
    )


def observables(rules: Iterable[Rule]) -> dict[str, tuple[Observable, ...]]:
    """By the id of each rule that stands for intelligence what that names."""
    return {rule.id: rule.indicator.observables for rule in rules if rule.indicator is not None}


def registered(name: str) -> str:
    """The domain that somebody registered, of which a name is; '' of what is no domain.

    Without a list of what registries hand out, `co.nz` and its like are told by their shape. Where that takes several
    parties for one (`school.nz`, names that anybody rents), they are many who send: `told` says that as a doubt.
    """
    labels = domain(name).split(".")
    if len(labels) < 2:
        return ""
    two = len(labels[-1]) == 2 and len(labels[-2]) <= 4 and len(labels) > 2
    return ".".join(labels[-3 if two else -2 :])


def below(name: str, domains: Container[str]) -> str:
    """Which of these a name is, or is below; '' if none."""
    while "." in name:
        if name in domains:
            return name
        name = name.partition(".")[2]
    return ""


def _own(one: Incident) -> set[str]:
    every = (*one.hosts, *one.perhaps_hosts, *one.accounts, *one.perhaps_accounts)
    names = (name for seen in every for name in (seen.name, *seen.also))
    return {registered(name.rpartition("@")[2].rpartition("\\")[2]) for name in names} - {""}


def _pointers(
    one: Incident, own: set[str], assets: Assets, told: Mapping[str, Sequence[Observable]]
) -> tuple[Pointer, ...]:
    lowered = reasons(one)
    found: dict[tuple[PointerKind, str], tuple[set[str], set[str]]] = {}
    plainly = set[str]()
    for number, cited in enumerate(one.findings):
        if LEVELS.index(cited.level) < _BEARING or number in lowered or cited.kind == _OF_WEB:
            continue
        by_ally = cited.rule_id in told
        every = _of_intelligence(told[cited.rule_id]) if by_ally else _of_rule(cited)
        plainly |= {one.value.lower() for one in told.get(cited.rule_id, ()) if one.type == "domain"}
        for kind, name in every:
            whole = registered(name) if kind == "domain" else name
            host = name.rpartition("@")[2]
            mine = registered(host) in own or bool(below(host, own)) or (kind == "address" and bool(assets.at(name)))
            if whole and not mine and ((kind, whole) in found or len(found) < MOST):
                named, by_allies = found.setdefault((kind, whole), (set(), set()))
                named.add(name)
                by_allies |= {name} if by_ally else set()
    return tuple(
        Pointer(
            kind=kind,
            name=name,
            named=frozenset(named),
            told=frozenset(by_allies),
            pages=frozenset(by_allies - plainly if kind == "domain" else ()),
        )
        for (kind, name), (named, by_allies) in sorted(found.items())
    )


def _of_rule(cited: Cited) -> Iterator[tuple[PointerKind, str]]:
    """The other end of a connection, and who sent a mail."""
    addresses, domains = destinations(cited)
    for field in SENDERS:
        folded = (cited.fields.get(field) or "").strip("<> \t").lower()
        if "@" in folded[1:-1] and len(folded) <= _LONGEST:
            yield "sender", folded
    yield from (("domain", name) for name in sorted(domains))
    yield from (("address", name) for name in sorted(addresses) if is_public(name))


def _of_intelligence(some: Iterable[Observable]) -> Iterator[tuple[PointerKind, str]]:
    for one in some:
        if one.type == "mail":
            yield "sender", one.value.lower()
        elif one.type == "address":
            yield "address", address(one.value)
        elif one.type in {"domain", "url"}:
            name = host_of(one.value) if one.type == "url" else one.value
            yield "domain", (name or "").lower()
