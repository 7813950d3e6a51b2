"""Whom a case touches, how far, and by which law they must hear of it; what was decided on telling them, and done.

Times are UTC as text, ISO 8601 with six digits of a second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

Kind: TypeAlias = Literal[
    "person", "owner", "agency", "supplier", "partner", "minister", "oversight", "data protection", "regulator"
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

# How far it went, the least first. A class never falls; where it rises, what was decided before is open again.
Extent: TypeAlias = Literal["cannot know", "targeted", "possibly reached", "reached", "data left"]
EXTENTS: Final[tuple[Extent, ...]] = get_args(Extent)

# What was done, or seen, of telling somebody. What was begun and has no other word behind it may have gone out or not;
# a letter that was written lies ready, and nobody has been told by it yet.
Deed: TypeAlias = Literal["begun", "written", "sent", "failed", "delivered", "called back", "acknowledged"]
DEEDS: Final[tuple[Deed, ...]] = get_args(Deed)

TELL: Final = "tell"  # the subject of decisions, before the key of whom they are about
NOW: Final = "now"
NOT: Final = "not"
BY: Final = "by "  # before a time
AWARE: Final = "aware"  # the subject of a decision on when the clocks of laws began
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def is_moment(text: str) -> bool:
    """Whether it is a time as logs write it, and one that there is."""
    if not _MOMENT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_choice(text: str) -> bool:
    """Whether it settles if and by when somebody is told. `case decide` lets people sign anything."""
    return text in {NOW, NOT} or (text.startswith(BY) and is_moment(text.removeprefix(BY)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """An entry of a case's register.

    Args:
        key: what tells it from all others of the register, and stays: `person:1001`.
        id: in the list it is from; '' where there is none.
        because: why it is on the register, in words of ours.
        instead: ids of others of whom it may be true instead; more than none, and a person must find out.
        namesakes: ids of others of the same name: a letter must not reach them.
        through: their own accounts and mailboxes by which they were found.
        contact: how to reach them outside of what may be in an intruder's hands, as the list has it.
        laws: ids of those by which they must hear of it.
        of: the case in which it was found: another one, where that became part of this.
    """

    key: str
    kind: Kind
    name: str
    extent: Extent
    because: tuple[str, ...]
    id: str = ""
    role: str = ""
    language: str = ""
    contact: str = ""
    instead: tuple[str, ...] = ()
    namesakes: tuple[str, ...] = ()
    through: tuple[str, ...] = ()
    laws: tuple[str, ...] = ()
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Something that was done of telling somebody, or seen of it.

    Args:
        stage: id of the stage of a law that it was for; '' for none.
        by: the channel, or how: "by hand", "by telephone".
        to: address that it went to.
        letter: SHA-256 of what was told, '' where nothing is kept.
        note: what somebody said of it.
    """

    key: str
    deed: Deed
    by: str
    to: str = ""
    letter: str = ""
    stage: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A term of a law.

    Args:
        since: "awareness", or the id of an earlier stage, from whose telling on it runs.
        hours: that pass on any clock; `months` of the calendar there; 0 for none. Neither: as soon as can be.
        advised_hours: what the authority's own guidance asks for, where the law has no figure.
        what: has to be told.
    """

    id: str
    what: str
    since: str = "awareness"
    hours: int = 0
    months: int = 0
    advised_hours: int = 0
    cites: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A duty to tell, as a table has it: a fact about a law, with where it stands.

    Args:
        to: whom: "persons" for those whom it touches, or the kind of body.
        body: its name; '' for persons.
        when: from which extent of any person on it may apply; '' where people have to weigh it.
        zone: by whose calendar months run.
    """

    id: str
    jurisdiction: str
    title: str
    to: Literal["persons", "data protection", "regulator", "oversight"]
    body: str
    applies: str
    when: Extent | Literal[""]
    zone: str
    stages: tuple[Stage, ...]
    cites: str
    url: str
    checked: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A term of a law in one case. `due_at` is '' where it begins with something that has not happened.

    Args:
        advised: the time is from guidance, and not from the law itself.
        latest: it runs from another stage that was not told yet, and this is the last that it can be.
        done_at: when it was told, '' while it was not.
    """

    law: str
    stage: str
    what: str
    due_at: str
    local: str
    advised: bool = False
    latest: bool = False
    done_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where telling one of a register stands at a time.

    Args:
        choice: "now", "by ..." or "not", of the decision that counts; '' while nobody decided.
        by: who decided; `reason` why.
        terms: of laws.
        words: what was done and seen.
        due_at: by when the next thing must happen; '' where nothing is due.
        overdue_s: how long it should have happened ago; 0 where it should not.
        escalate: to whom it goes for that; '' where it does not.
        state: in a word.
    """

    notification: Notification
    state: Literal["undecided", "to tell", "later", "not to tell", "uncertain", "written", "told", "acknowledged"]
    choice: str = ""
    by: str = ""
    reason: str = ""
    terms: tuple[Term, ...] = ()
    words: tuple[Word, ...] = ()
    due_at: str = ""
    overdue_s: int = 0
    escalate: str = ""

    @property
    def is_open(self) -> bool:
        return self.state in {"undecided", "to tell", "later", "uncertain", "written"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody that is no person of the list: a partner, a supplier, a minister's office, a body that oversees.

    Args:
        runs: names of assets, with `*` for any part, that make them concerned.
        always: they are told of every case.
        tells: as whose intelligence names its source; a finding by that concerns them.
    """

    kind: Kind
    name: str
    contact: str = ""
    language: str = ""
    runs: tuple[str, ...] = ()
    always: bool = False
    tells: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A way by which letters go out; whoever runs Tocsin writes it down.

    Args:
        kind: mail, a post over HTTPS, or a folder from which people take them.
        sender: address that mail is from; `host` and `port` are of the server, `user` and `password_file` for it.
        wrapped: TLS from the first byte on (RFC 8314 §3.3), else STARTTLS, which is insisted on.
        trust: a file of certificates to trust instead of the system's.
    """

    name: str
    kind: Literal["smtp", "webhook", "drop"]
    host: str = ""
    port: int = 0
    sender: str = ""
    user: str = ""
    password_file: str = ""
    wrapped: bool = False
    trust: str = ""
    url: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """How a centre tells people: who it is, by which laws, whom besides, by which channels."""

    centre: str = ""
    call: str = ""
    hours: str = ""
    site: str = ""
    zone: str = "UTC"
    jurisdictions: tuple[str, ...] = ()
    decide_within_h: int = 24
    parties: tuple[Party, ...] = ()
    channels: tuple[Channel, ...] = ()
