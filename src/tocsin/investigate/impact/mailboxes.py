"""What mailbox audit told in, whether it speaks against a claim of so many mailboxes out.

Audit names who reads whose mail, and from where. What an owner reads from an address that is ours, or from which the
same mailbox is read day by day, is taken as everyday; all else may have been somebody else, and so may each mailbox of
the list whose audit is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from tocsin.investigate.impact.asked import EVER_US, Asked, Question
from tocsin.investigate.impact.heard import Heard, Place, Read
from tocsin.investigate.impact.scene import accounts_of, is_inside
from tocsin.investigate.normal import address
from tocsin.model.incident import Incident
from tocsin.model.person import People
from tocsin.model.press import Verdict

_DAY_US: Final = 24 * 3_600_000_000
_MOST_SILENT: Final = 4  # days: a long weekend
_FEW: Final = 10  # mailboxes of which one address reads half before it counts as the organisation's own
_FAR: Final = 10  # mail may have been packed
_NOT_SEEN: Final = (
    "Mail that somebody read as its owner, from an address that the owner or the office uses, looks like the owner's.",
    "Mail that was kept elsewhere, in archives, backups and on machines, has no part in this audit.",
)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is concluded of one part."""

    verdict: Verdict
    because: list[str]
    not_seen: list[str]
    places: list[Place] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a claim of mailboxes is judged by."""

    question: Question
    asked: Asked
    heard: Heard
    incidents: Sequence[Incident]
    people: People


def boxes(ground: Ground) -> Weighed:
    claimed = ground.question.part.mailboxes or 0
    reads = sorted(ground.heard.reads.values(), key=lambda one: (one.mailbox, one.address, one.owner))
    tied, others = _others(ground, reads)
    shown = {one.mailbox for one in tied}
    if claimed and len(shown) >= claimed:
        said = [f"Audit shows reading of {len(shown):,} mailboxes that an incident has to do with."]
        return Weighed("consistent", said, list(_NOT_SEEN), _places(tied))
    known, why = _known(ground)
    why = why or _gap(ground)
    if why:
        return Weighed("not known", [why], [], _places(tied))
    audited = {one.mailbox for one in reads}
    missing = known - audited
    whole = missing | ground.heard.forwarded | {one.mailbox for one in (*tied, *others) if one.whole or one.throttled}
    single = {one.mailbox for one in (*tied, *others)} - whole
    size = sum(one.bytes or one.messages * (1 << 20) for one in (*tied, *others) if one.mailbox in single)
    said = [
        f"Mailbox audit is there for {len(known & audited):,} of {len(known):,} mailboxes that the list of people has.",
        (
            f"{len(shown) or 'None'} of these {'was' if len(shown) == 1 else 'were'} read by an account or from an "
            "address that an incident to act on now names."
        ),
        (
            f"As far as it tells, at most {len(whole) + len(single):,} can have been read by somebody else: "
            f"{len(whole):,} as a whole, and of {len(single):,} no more than single messages."
        ),
    ]
    fewer = len(whole) + len(single) < claimed
    share = (ground.question.part.bytes or 0) / claimed if claimed else 0
    small = len(whole) < claimed and bool(share) and size * _FAR <= share * (claimed - len(whole))
    if fewer or small:
        said.append(f"The claim says {claimed:,}.")
        if not fewer:
            said.append("The messages that are named are far smaller than what the claim says was taken.")
        return Weighed("contradicted", said, list(_NOT_SEEN), _places([*tied, *others]))
    said.append(f"The claim says {claimed:,}, which that does not rule out.")
    return Weighed("not known", said, list(_NOT_SEEN), _places(tied))


def _others(ground: Ground, reads: Sequence[Read]) -> tuple[list[Read], list[Read]]:
    """Reads that an incident has to do with, and others that are not an owner's everyday ones."""
    shared = _shared(reads, len(ground.heard.audit))
    grave = [one for one in ground.incidents if one.rank == "act now"]
    bad = {address(seen.name) for one in grave for seen in one.addresses} - {""} - shared
    accounts = frozenset().union(*(accounts_of(seen.name) for one in grave for seen in one.accounts))
    tied, others = [], []
    for one in reads:
        ours = one.address in shared or is_inside(one.address) or ground.asked.is_ours(one.address)
        theirs = bool(accounts_of(one.mailbox) & accounts)
        if one.address in bad or (theirs and not ours):
            tied.append(one)
        elif theirs or not (one.owner and (ours or len(one.days) >= 2) and one.address):
            others.append(one)
    return tied, others


def _shared(reads: Sequence[Read], days: int) -> set[str]:
    """Addresses from which half of all mailboxes are read on most days: the organisation's own way out."""
    boxes_of: dict[str, set[str]] = {}
    days_of: dict[str, set[int]] = {}
    for one in reads:
        boxes_of.setdefault(one.address, set()).add(one.mailbox)
        days_of.setdefault(one.address, set()).update(one.days)
    every = {one.mailbox for one in reads}
    return {
        text
        for text, some in boxes_of.items()
        if text and len(every) >= _FEW and 2 * len(some) >= len(every)
        if len(days_of[text]) >= _FEW // 2 and 2 * len(days_of[text]) > days
    }


def _known(ground: Ground) -> tuple[set[str], str]:
    """The mailboxes of the authority, told by the names that its machines have; and why that cannot be told."""
    authority = ground.asked.claim.authority.casefold()
    domains: dict[str, set[str]] = {}
    for asset in ground.asked.assets.all:
        for name in (asset.name, *asset.also):
            domains.setdefault(asset.authority.casefold(), set()).add("." + name.casefold())
    every = {box.casefold() for person in ground.people.all for box in person.mailboxes}
    if not every:
        return set(), "Without a list of mailboxes (--people) nobody can tell of how many the audit is missing."
    of = {domain: _whose("." + domain, domains) for domain in {box.rpartition("@")[2] for box in every}}
    known = {box for box in every if of[box.rpartition("@")[2]] in ({authority}, set())}
    if not known:
        return set(), "The list of people has no mailbox that can be of the authority which the claim names."
    return known, ""


def _whose(domain: str, names: dict[str, set[str]]) -> set[str]:
    return {authority for authority, known in names.items() if any(name.endswith(domain) for name in known)}


def _gap(ground: Ground) -> str:
    """Why audit does not tell of the whole time; '' where it does."""
    days, question = sorted(ground.heard.audit), ground.question
    if ground.heard.gaps:
        return f"In that time, {ground.heard.gaps[0][0]}: mail may have been read without a record for its mailbox."
    if not days:
        return "There is no audit of what was read in mailboxes (MailItemsAccessed)."
    since = question.since_us
    if since == EVER_US:
        firsts = [one.first_us for one in ground.incidents if one.first_us is not None and one.rank == "act now"]
        if not firsts:
            return "The part names no time, and no incident says when it can have been."
        since = min(firsts)
    first, last = since // _DAY_US, question.until_us // _DAY_US
    if days[0] > first or days[-1] < last - 1:
        return "The audit of mailboxes does not reach over the whole time."
    if any(later - one > _MOST_SILENT for one, later in pairwise(days)):
        return "The audit of mailboxes was silent for days."
    return ""


def _places(reads: Sequence[Read]) -> list[Place]:
    return sorted((one.at for one in reads), key=lambda place: (place[4], place))
