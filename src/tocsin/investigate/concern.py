"""Incidents and the lists of assets and people in, the same incidents with whom they concern out, the gravest first.

People are found by their accounts and mailboxes, never by their names, which two may share. Where the list gives an
account to several, all of them are told, each with the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tocsin.investigate.impact.directory import EVERYBODY
from tocsin.model.asset import CRITICALITIES, SENSITIVITIES, Asset, Assets
from tocsin.model.citation import Citation
from tocsin.model.concern import HOWS, Held, How, Touched
from tocsin.model.impact import Claim
from tocsin.model.incident import Cited, Incident
from tocsin.model.person import People, Person

_CITED: Final = 5  # records that are cited for a person
_REASONS: Final = 8
_LONGEST: Final = 2_000  # of a field in which names are looked for
_PARTS: Final = re.compile(r"[\s,;|<>\"'\[\]()]+")
_RECIPIENT: Final = re.compile(r"recipient|(?:^|[._-])(?:to|cc|bcc)$|rcpt", re.IGNORECASE)
# Somebody tried, and was not let in: a failed logon, a ticket that was refused.
_REFUSED: Final = frozenset({"4625", "4771", "4776"})
_TRIED: Final = "somebody tried to sign in as {}"
_WROTE: Final = "a message to {} is among the findings"
_APPEARS: Final = "the account {} appears, which does not say that its owner acted"
_NAMED: Final = "{} stands in a record of a finding"
_SENT: Final = "a message to {} came from {}; {}"
_FETCHED: Final = "the account {} fetched something from {}; {}"


def concerned(incidents: Iterable[Incident], assets: Assets, people: People) -> tuple[Incident, ...]:
    """With their assets and people; of one rank, those that reach the most critical assets first."""
    told = [_concerned(one, assets, people) for one in incidents]
    return tuple(sorted(told, key=lambda one: (one.rank != "act now", *_least_weight(one))))


def _least_weight(one: Incident) -> tuple[int, int]:
    gravest = min(((*_weight(held), "") for held in one.assets), default=(len(CRITICALITIES), len(SENSITIVITIES), ""))
    return gravest[0], gravest[1]


def _concerned(one: Incident, assets: Assets, people: People) -> Incident:
    held = _held(one, assets)
    place = {each.name: at for at, each in reversed(list(enumerate(held)))}
    hosts = tuple(sorted(one.hosts, key=lambda seen: place.get(seen.name, len(held))))
    reasons = tuple(dict.fromkeys(_reason(each) for each in held if _reason(each)))
    return replace(
        one, assets=held, people=_touched(one, people), hosts=hosts, because=(*one.because, *reasons[:_REASONS])
    )


# --------------------------------------------------------------------------------- assets


def _held(one: Incident, assets: Assets) -> tuple[Held, ...]:
    found = []
    for seen in one.hosts:
        by = "name"
        known = assets.named(seen.name)
        if not known:
            by, known = "address", assets.at(seen.name)
        found += [_of(seen.name, asset, by, len(known)) for asset in known]
    named = {held.asset for held in found}
    for seen in one.addresses:
        known = tuple(asset for asset in assets.at(seen.name) if asset.name not in named)
        found += [_of(seen.name, asset, "address", len(known)) for asset in known]
    return tuple(sorted(dict.fromkeys(found), key=lambda held: (*_weight(held), held.name, held.line)))


def _of(name: str, asset: Asset, by: str, one_of: int) -> Held:
    services = tuple(
        service.name + (f": {', '.join(service.dependents)}" if service.dependents else "")
        for service in asset.services
    )
    return Held(
        name=name,
        asset=asset.name,
        by=by,
        owner=asset.owner,
        authority=asset.authority,
        sensitivity=asset.sensitivity,
        protected=asset.protected,
        criticality=asset.criticality,
        services=services,
        one_of=one_of,
        line=asset.line,
    )


def _weight(held: Held) -> tuple[int, int]:
    """The most critical first, then the most sensitive; what is not known stands last."""
    criticality = len(CRITICALITIES) - (CRITICALITIES.index(held.criticality) + 1 if held.criticality else 0)
    sensitivity = len(SENSITIVITIES) - (SENSITIVITIES.index(held.sensitivity) + 1 if held.sensitivity else 0)
    return criticality, sensitivity


def _reason(held: Held) -> str:
    words: list[str] = [word for word in (held.criticality, held.sensitivity) if word in {"critical", "high", "secret"}]
    words += ["protected"] if held.protected else []
    return f"asset {held.asset}: {', '.join(words)}" if words else ""


# --------------------------------------------------------------------------------- people


@dataclass(slots=True)
class _Reached:
    """What is known of one person as it is put together."""

    person: Person
    how: int = 0
    through: dict[str, None] = field(default_factory=dict)
    because: dict[str, None] = field(default_factory=dict)
    shared: dict[str, None] = field(default_factory=dict)
    evidence: dict[Citation, None] = field(default_factory=dict)


class _Ledger:
    """People as they are found."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.reached: dict[int, _Reached] = {}

    def add(self, name: str, how: How, because: str, evidence: Sequence[Citation]) -> None:
        """Whoever has an account or a mailbox of that name."""
        found = tuple(dict.fromkeys((*self.people.with_account(name), *self.people.with_mailbox(name))))
        for person in found:
            known = self.note(person, how, because, evidence)
            known.through.setdefault(name)
            known.shared |= dict.fromkeys(other.id for other in found if other is not person)

    def note(self, person: Person, how: How, because: str, evidence: Sequence[Citation]) -> _Reached:
        known = self.reached.setdefault(id(person), _Reached(person))
        known.how = max(known.how, HOWS.index(how))
        known.because.setdefault(because)
        known.evidence |= dict.fromkeys(evidence)
        return known


def _touched(one: Incident, people: People) -> tuple[Touched, ...]:
    if not people.all:
        return ()
    ledger = _Ledger(people)
    for claim in one.impact.claims if one.impact else ():
        _of_claim(claim, one, ledger)
    for name, how, because, at in _in_findings(one):
        ledger.add(name, how, because, at)
    for name, how, because, at in _in_addressed(one):
        ledger.add(name, how, because, at)
    for seen in one.accounts:
        if not _only_tried(one, seen.name):
            ledger.add(seen.name, "possibly reached", _APPEARS.format(seen.name), ())
    known = sorted(ledger.reached.values(), key=lambda each: (-each.how, each.person.line))
    return tuple(map(_told, known))


def _in_findings(one: Incident) -> Iterator[tuple[str, How, str, tuple[Citation, ...]]]:
    for cited in one.findings:
        for name, text in cited.fields.items():
            if not text or len(text) > _LONGEST or not ("@" in text or "\\" in text or text.startswith("S-1-5-")):
                continue
            for part in dict.fromkeys((text.strip(), *_PARTS.split(text))):
                if _RECIPIENT.search(name):
                    yield part, "targeted", _WROTE.format(part), (cited.at,)
                elif _refused(cited):
                    yield part, "targeted", _TRIED.format(part), (cited.at,)
                else:
                    yield part, "possibly reached", _NAMED.format(part), (cited.at,)


def _in_addressed(one: Incident) -> Iterator[tuple[str, How, str, tuple[Citation, ...]]]:
    """Those whom something was sent to from where findings point, though no finding names them."""
    for some in one.addressed:
        for each in some.all:
            what = _FETCHED if each.fetched else _SENT
            because = what.format(each.name, some.name, some.because) + (f"; but {some.doubt}" if some.doubt else "")
            how: How = "possibly reached" if each.fetched or some.doubt else "targeted"
            yield each.name, how, because, each.citations


def _refused(cited: Cited) -> bool:
    return cited.fields.get("EventID") in _REFUSED


def _only_tried(one: Incident, account: str) -> bool:
    """Whether all findings that name an account are of attempts that failed."""
    name = account.rpartition("\\")[2].casefold()
    naming = [
        cited
        for cited in one.findings
        if any(text and text.casefold().endswith(name) for text in cited.fields.values())
    ]
    return bool(naming) and all(map(_refused, naming))


def _domains(claim: Claim, one: Incident) -> frozenset[str]:
    r"""Of the directory: that of the accounts which were met on its machine; none where no record tells one."""
    host = claim.host.casefold().partition(".")[0]
    met = [
        name
        for seen in one.accounts
        if any(host == on.casefold().partition(".")[0] for on in seen.on)
        for name in (seen.name, *seen.also)
    ]
    told = {name.partition("\\")[0].casefold() for name in (claim.account, *met) if "\\" in name}
    return frozenset(name for name in told if "." not in name and " " not in name and name != host)


def _may_be_of(person: Person, domains: frozenset[str]) -> bool:
    """Whether somebody may have an account of a directory: not whose accounts are all of other domains."""
    told = {name.partition("\\")[0].casefold() for name in person.accounts if "\\" in name}
    return bool(person.accounts) and (not told or not domains or bool(told & domains))


def _of_claim(claim: Claim, one: Incident, ledger: _Ledger) -> None:
    how: How = "possibly reached"
    if claim.amount.lower:
        how = "data left" if claim.stage == "left" else "reached"
    elif claim.stage == "left" and claim.confidence != "low":
        how = "reached"
    evidence = claim.evidence[:_CITED]
    if claim.sort == "mail":
        ledger.add(claim.subject, how, f"mail {claim.what}", evidence)
    for name in claim.names if claim.sort in {"credential", "directory"} else ():
        if name != EVERYBODY:
            ledger.add(name, "possibly reached", f"the password or a key of {name} must be taken as known", evidence)
        elif claim.confidence != "low":
            domains = _domains(claim, one)
            for person in ledger.people.all:
                if _may_be_of(person, domains):
                    ledger.note(
                        person, "possibly reached", "every account of the directory must be taken as known", evidence
                    )


def _told(known: _Reached) -> Touched:
    person = known.person
    return Touched(
        id=person.id,
        name=person.name,
        how=HOWS[known.how],
        through=tuple(known.through),
        because=tuple(known.because)[:_REASONS],
        role=person.role,
        language=person.language,
        contact=person.contact,
        shared_with=tuple(sorted(known.shared)),
        line=person.line,
        evidence=tuple(known.evidence)[:_CITED],
    )
