"""An incident, and who is told of what, in; out an entry for everybody whom it touches: people, owners, bodies.

People were found by their accounts and mailboxes (`Incident.people`), never by a name. Whoever may be meant is listed,
whoever is not known is listed as that, and nobody is chosen between two. Whether a law applies is for people to weigh.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from tocsin.errors import SettingsError
from tocsin.model.concern import Held, Touched
from tocsin.model.incident import Incident
from tocsin.model.notification import EXTENTS, KINDS, Extent, Kind, Law, Notification, Party, Telling
from tocsin.model.person import People, Person

UNLISTED: Final = "person:unlisted"
UNKNOWN: Final = "person:unknown"
MINISTER: Final = "minister:minister"
NO_LAWS: Final = "data protection:not set"
# Logs of what passes by, and of nothing else: a firewall's tell of its own administrators, too.
_PASSING: Final = frozenset({"mail", "dns", "proxy", "zeek", "suricata"})
_MOST: Final = 40  # names or reasons that one entry tells
# Accounts that every machine has, and machines' own: nobody can be told.
_NOBODYS: Final = re.compile(
    r"(?i)(nt authority|nt service|iis apppool|window manager|font driver host|builtin)\\|.*\$$|s-1-5-(18|19|20)$"
    r"|(system|local service|network service|anonymous logon|root|www-data|nobody|-)$"
)


def register(
    incident: Incident,
    telling: Telling,
    laws: Sequence[Law],
    *,
    people: People | None = None,
    minister: Sequence[str] = (),
) -> tuple[Notification, ...]:
    """Everybody whom it touches.

    Args:
        laws: those that hold where the centre or those whom it serves are.
        people: the list, for others of one name; the incident has whom it touches already.
        minister: why a minister must hear of it; empty where no rule says so.
    """
    persons = [*_persons(incident, laws, people), *_unlisted(incident, people), *_unknown(incident)]
    assets = [*_owners(incident), *_agencies(incident)]
    furthest = _furthest((*persons, *assets)) or "cannot know"
    bodies = [*_bodies(persons, telling, laws), *_parties(incident, telling.parties, furthest)]
    told = next((one for one in telling.parties if one.kind == "minister"), None)
    if minister:
        name = told.name if told else "The minister"
        bodies.append(
            Notification(
                key=MINISTER,
                kind="minister",
                name=name,
                extent=furthest,
                because=tuple(minister),
                contact=told.contact if told else "",
                language=told.language if told else "",
            )
        )
    return (*persons, *assets, *bodies)


# --------------------------------------------------------------------------------- people


def _persons(incident: Incident, laws: Sequence[Law], people: People | None) -> Iterator[Notification]:
    for one in incident.people:
        yield _person(one, laws, _namesakes(one, incident.people, people), _on_list(one, people))


def _person(one: Touched, laws: Sequence[Law], namesakes: tuple[str, ...], listed: Person | None) -> Notification:
    extent: Extent = one.how
    because = one.because
    if one.shared_with:
        extent = min(extent, "possibly reached", key=EXTENTS.index)
        because = (*because, f"the list gives the same account or mailbox to {_told(one.shared_with)}: it may be them")
    return Notification(
        key=f"person:{one.id}",
        kind="person",
        name=one.name,
        extent=extent,
        because=because,
        id=one.id,
        role=one.role,
        language=listed.language if listed else one.language,
        contact=listed.contact if listed else one.contact,
        instead=one.shared_with,
        namesakes=namesakes,
        through=one.through,
        laws=_for_persons(laws, extent),
    )


def _for_persons(laws: Iterable[Law], extent: Extent) -> tuple[str, ...]:
    return tuple(law.id for law in laws if law.to == "persons" and law.when and _at_least(extent, law.when))


def _furthest(entries: Iterable[Notification]) -> Extent | None:
    return max((one.extent for one in entries), key=EXTENTS.index, default=None)


def _at_least(extent: Extent, other: Extent) -> bool:
    return EXTENTS.index(extent) >= EXTENTS.index(other)


def _on_list(one: Touched, people: People | None) -> Person | None:
    found = [each for each in (people.all if people else ()) if each.id == one.id and _same(each.name, one.name)]
    return found[0] if len(found) == 1 else None


def _namesakes(one: Touched, others: Iterable[Touched], people: People | None) -> tuple[str, ...]:
    every: list[tuple[str, str]] = [(each.id, each.name) for each in others]
    every += [(each.id, each.name) for each in (people.all if people else ())]
    return tuple(dict.fromkeys(id_ for id_, name in every if id_ != one.id and _same(name, one.name)))


def _same(one: str, other: str) -> bool:
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _unlisted(incident: Incident, people: People | None) -> Iterator[Notification]:
    """Somebody has these accounts; nobody can say who."""
    known = {name.casefold() for one in incident.people for name in one.through}
    for person in people.all if people else ():
        known |= {name.casefold() for name in (*person.accounts, *person.mailboxes)}
    every = (*incident.accounts, *incident.perhaps_accounts)
    names = [
        seen.name
        for seen in every
        if not _NOBODYS.match(seen.name) and known.isdisjoint(name.casefold() for name in (seen.name, *seen.also))
    ]
    because = [f"the account {name} appears" for name in dict.fromkeys(names)]
    because += [
        f"{each.name} {'fetched something from' if each.fetched else 'was written to from'} {some.name}; {some.because}"
        + (f"; but {some.doubt}" if some.doubt else "")
        for some in incident.addressed
        for each in some.all
        if not _NOBODYS.match(each.name) and each.name.casefold() not in known
    ]
    if because:
        yield Notification(
            key=UNLISTED,
            kind="person",
            name="Owners of accounts that no list gives to anybody",
            extent="cannot know",
            because=_few(because),
        )


def _unknown(incident: Incident) -> Iterator[Notification]:
    """The logs do not answer whose it was: that is told as itself, never as nobody."""
    if incident.impact is None:
        because = ["nobody has looked at what was taken"]
    else:
        because = [
            f"the logs do not say {one.question}" + (f"; {one.would_tell} would tell" if one.would_tell else "")
            for one in incident.impact.unanswered
        ]
    because += [
        f"{one.count:,} {'was' if one.count == 1 else 'were'} written to from {one.name}, or fetched something there; "
        f"{one.because}; but {one.doubt}: whom it meant is not known"
        for one in incident.addressed
        if one.doubt and len(one.all) < one.count
    ]
    if because:
        yield Notification(
            key=UNKNOWN,
            kind="person",
            name="People of whom the logs do not tell",
            extent="cannot know",
            because=_few(because),
        )


# --------------------------------------------------------------------------------- owners, agencies


def _owners(incident: Incident) -> Iterator[Notification]:
    for name in dict.fromkeys((one.owner, one.authority) for one in incident.assets if one.owner):
        held = [one for one in incident.assets if (one.owner, one.authority) == name]
        owner, authority = name
        yield _holder("owner", f"{authority}/{owner}", f"{owner}, {authority}" if authority else owner, held, incident)


def _agencies(incident: Incident) -> Iterator[Notification]:
    for authority in dict.fromkeys(one.authority for one in incident.assets if one.authority):
        held = [one for one in incident.assets if one.authority == authority]
        yield _holder("agency", authority, authority, held, incident)


def _holder(kind: Kind, key: str, name: str, held: Sequence[Held], incident: Incident) -> Notification:
    return Notification(
        key=f"{kind}:{key}",
        kind=kind,
        name=name,
        extent=max((_extent(one, incident) for one in held), key=EXTENTS.index),
        because=_few([_why(one) for one in held]),
    )


def _extent(held: Held, incident: Incident) -> Extent:
    """A machine is reached where something ran on it, was read there or came to it; else it may have been.

    Through what only passed something on, somebody was aimed at; nothing happened on it.
    """
    if held.by == "name" and held.one_of == 1 and _passed_on(held.name, incident):
        return "targeted"
    shown = {incident.patient_zero, *(move.target for move in incident.moves)}
    shown |= {one.host for one in incident.processes if one.findings}
    claims = incident.impact.claims if incident.impact else ()
    shown |= {claim.host for claim in claims if claim.amount.lower and claim.confidence != "low"}
    sure = held.one_of == 1 and held.name in shown and held.name in {seen.name for seen in incident.hosts}
    return "reached" if sure else "possibly reached"


def _passed_on(host: str, incident: Incident) -> bool:
    """Whether all that is found of it is in logs of what passes by, and nobody is shown to have come to it."""
    kinds = {one.kind for one in incident.findings if one.host == host}
    came = {host} & {move.target for move in incident.moves}
    claimed = any(claim.host == host for claim in (incident.impact.claims if incident.impact else ()))
    return bool(kinds) and kinds <= _PASSING and not came and not claimed


def somebody_came(incident: Incident) -> bool:
    """Whether records show somebody on a machine, on a list or not: if they are what they seem, it was no attempt."""
    ran = (incident.findings[number].kind for one in incident.processes for number in one.findings)
    claims = incident.impact.claims if incident.impact else ()
    sure = any(claim.amount.lower and claim.confidence != "low" for claim in claims)
    return bool(incident.moves) or sure or any(kind not in _PASSING for kind in ran)


def _why(held: Held) -> str:
    words: list[str] = [word for word in (held.criticality, held.sensitivity) if word]
    words += ["protected"] if held.protected else []
    more = f" ({', '.join(words)})" if words else ""
    which = f"; it may be any of {held.one_of} assets" if held.one_of > 1 else ""
    return f"{held.asset}{more}, seen as {held.name}{which}"


# --------------------------------------------------------------------------------- bodies


def _bodies(persons: Sequence[Notification], telling: Telling, laws: Sequence[Law]) -> Iterator[Notification]:
    furthest = _furthest(persons)
    if not telling.jurisdictions:
        because = "no jurisdiction is set, so which laws hold, and whom they name, is not known"
        yield Notification(
            key=NO_LAWS,
            kind="data protection",
            name="Bodies to which the law has this told",
            extent="cannot know",
            because=(because,),
        )
    for law in laws:
        if law.to == "persons" or (law.when and furthest is None):
            continue
        fits = law.when != "" and furthest is not None and _at_least(furthest, law.when)
        if law.when and not fits and not any(one.extent == "cannot know" for one in persons):
            continue
        yield Notification(
            key=f"{law.to}:{law.id}",
            kind=law.to,
            name=law.body,
            extent=furthest if fits and furthest else "cannot know",
            because=(f"{law.title} ({law.cites}) may apply. To be weighed: {law.applies}",),
            laws=(law.id,),
        )


def _parties(incident: Incident, parties: Iterable[Party], furthest: Extent) -> Iterator[Notification]:
    for party in parties:
        if party.kind == "minister":
            continue
        because = ["is told of every case"] if party.always else []
        assets = dict.fromkeys(one.asset for one in incident.assets)
        because += [
            f"{asset} is theirs to run or to answer for"
            for asset in assets
            if any(fnmatchcase(asset.casefold(), name.casefold()) for name in party.runs)
        ]
        if party.tells and any(f"source:{party.tells}" in (one.terms or ()) for one in incident.findings):
            because.append("a finding is by what they told us")
        if because:
            yield Notification(
                key=f"{party.kind}:{party.name}",
                kind=party.kind,
                name=party.name,
                extent=furthest if party.always or party.tells else "possibly reached",
                because=_few(because),
                contact=party.contact,
                language=party.language,
            )


def by_hand(word: str, extent: Extent, because: str, people: People | None) -> tuple[Notification, ...]:
    """Somebody whom a person adds, as `KIND:NAME`. Of a name that several have, all are listed as possible.

    Raises:
        SettingsError: there is no such kind, or no name.
    """
    kind, _, name = word.partition(":")
    name = " ".join(name.split())
    if kind not in KINDS or not name:
        raise SettingsError(f"{word[:80]}: names nobody", hint=f"Write KIND:NAME; kinds are {', '.join(KINDS)}.")
    found = (
        [one for one in people.all if _same(one.name, name) or one.id == name] if people and kind == "person" else []
    )
    if not found:
        return (Notification(key=f"{kind}:{name}", kind=kind, name=name, extent=extent, because=(because,)),)
    others = {one.id: tuple(each.id for each in found if each is not one) for one in found}
    return tuple(
        Notification(
            key=f"person:{one.id}",
            kind="person",
            name=one.name,
            extent=extent if len(found) == 1 else min(extent, "possibly reached", key=EXTENTS.index),
            because=(because, *((f"{len(found)} people have this name: somebody must find out",) * (len(found) > 1))),
            id=one.id,
            role=one.role,
            language=one.language,
            contact=one.contact,
            instead=others[one.id],
            namesakes=others[one.id],
        )
        for one in found
    )


def _told(ids: Sequence[str]) -> str:
    return f"{', '.join(ids[:_MOST])}{' and others' if len(ids) > _MOST else ''}"


def _few(words: Sequence[str]) -> tuple[str, ...]:
    more = [f"and {len(words) - _MOST:,} more"] if len(words) > _MOST else []
    return (*words[:_MOST], *more)
