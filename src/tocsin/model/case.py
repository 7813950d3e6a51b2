"""A case: what was done, seen and decided, entry by entry; and where it stands now, which follows from the entries.

Times are UTC as text, ISO 8601 with six digits of a second. Digests are SHA-256 in hexadecimal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, get_args

from msgspec import Meta

from tocsin.model.concern import How
from tocsin.model.decision import Decision, Signer
from tocsin.model.impact import Confidence, Sort, Stage, Unit
from tocsin.model.notification import Notification, Word

VERSION = 1  # of entries, and of what is derived from them

# Length and look-ahead, too: `$` lets a line end pass.
Digest: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", min_length=64, max_length=64)]
DigestOrNone: TypeAlias = Annotated[str, Meta(pattern=r"^(?!\n)([0-9a-f]{64})?$", max_length=64)]
Number: TypeAlias = Annotated[int, Meta(ge=0)]

State: TypeAlias = Literal["open", "closed", "merged"]
STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """`due` is a day or a time, '' for none. `done_at` is '' while it is open."""

    task: str
    text: str
    due: str = ""
    owner: str = ""
    done_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """`incident` is the digest of the incident as it was kept, '' where a person opened the case by hand."""

    case: str
    title: str
    incident: DigestOrNone = ""
    split_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAdded:
    task: str
    text: str
    due: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone:
    task: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """Something by its digest. With `kept` a copy lies in the case; without, `name` says where it was."""

    name: str
    sha256: Digest
    size_bytes: Number
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Revised:
    """The incident was looked at again, and is now what is kept under `sha256`."""

    sha256: Digest
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """One claim of what was accessed, staged or left, as it stood. `of` is the case that it was weighed in.

    `lower` is what records show; `upper` the most that can have been, None where nobody can tell.
    """

    of: str
    stage: Stage
    sort: Sort
    what: str
    unit: Unit
    lower: Number
    upper: Number | None
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Concern:
    """A person whom the incident touches; `id` tells them from others of the same name."""

    of: str
    id: str
    name: str
    how: How


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What was taken, and whom it touches, as the incident that is kept under `sha256` says."""

    of: str
    sha256: DigestOrNone
    impact: tuple[Weight, ...]
    touched: tuple[Concern, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saw:
    """Somebody looked at what is not for everybody. `sha256` is of what was shown, '' where it is not kept."""

    what: str
    reason: str
    sha256: DigestOrNone = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduced:
    """From here on, this key speaks for this person."""

    signer: Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """`decision` is what `envelope` (DSSE) holds signed, once more for people to read."""

    decision: Decision
    envelope: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """Another case became part of this one: its log as it was is kept under `log`, its open tasks go on here."""

    case: str
    title: str
    head: Digest
    log: Digest
    reason: str
    tasks: tuple[TaskAdded, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedInto:
    case: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A part of this case became a case of its own. `parts` says which: hosts, accounts, findings; tasks that moved."""

    case: str
    title: str
    reason: str
    parts: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """`decisions` are the digests of the entries that hold the signed decisions to close."""

    reason: str
    decisions: tuple[Digest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopened:
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """The watch changed. `head` and `count` are what the one who came was told: how far the log went."""

    to: str
    head: Digest
    count: Number
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """The log ended within a line, as after a kill. What was cut off is kept as `torn/<at_byte>-<sha256>`."""

    at_byte: Number
    cut_bytes: Number
    sha256: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """Whom the case touches: entries of its register that are new, or of which more is known now.

    `incident` is the digest of the incident that was looked at, '' where somebody wrote them down by hand.
    """

    entries: tuple[Notification, ...]
    incident: DigestOrNone = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something of telling somebody of the register was begun, done, or seen."""

    word: Word


What: TypeAlias = (
    Opened
    | Noted
    | TaskAdded
    | TaskDone
    | Attached
    | Revised
    | Weighed
    | Registered
    | Told
    | Saw
    | Introduced
    | Decided
    | Merged
    | MergedInto
    | Split
    | Closed
    | Reopened
    | HandedOver
    | Mended
)

VERBS: Mapping[str, type[What]] = {
    "opened": Opened,
    "noted": Noted,
    "task added": TaskAdded,
    "task done": TaskDone,
    "attached": Attached,
    "revised": Revised,
    "weighed": Weighed,
    "registered": Registered,
    "told": Told,
    "saw": Saw,
    "introduced": Introduced,
    "decided": Decided,
    "merged": Merged,
    "merged into": MergedInto,
    "split": Split,
    "closed": Closed,
    "reopened": Reopened,
    "handed over": HandedOver,
    "mended": Mended,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who did, saw or decided what, when. `digest` is of this entry, which holds that of the one before it."""

    n: int
    digest: str
    at: str
    by: str
    verb: str
    what: What


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A decision, with the entry that holds it. What people sign is checked by `verify`, not by being listed here."""

    n: int
    entry: str
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    n: int
    at: str
    by: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An entry of the register, with the number of the log's entry since which its extent is what it is."""

    n: Number
    at: str
    entry: Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A word of telling, with the entry of the log that holds it."""

    n: Number
    at: str
    by: str
    word: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Where a case stands after `count` entries, the last of which has the digest `head`.

    Args:
        incident: digest of the incident as it was last kept; `incidents` counts how often it was.
        merged_from: cases that became part of this one; `split_into` those that left it.
        tasks: in the order they were added, those of merged cases too.
        people: the keys that speak here, in the order they were introduced.
        impact: what was taken, as it was last weighed, with that of cases that became part of this one.
        touched: people of the organisation's list whom it touches, likewise.
        register: whom it touches, with those that are no people of the list; `registered` is the digest of the incident
            that was looked at for it last. `told` is what was done of telling them.
    """

    version: int
    id: str
    title: str
    state: State
    opened_at: str
    changed_at: str
    closed_at: str
    head: Digest
    count: int
    incident: DigestOrNone
    incidents: int
    notes: int
    merged_from: tuple[str, ...]
    merged_into: str
    split_from: str
    split_into: tuple[str, ...]
    tasks: tuple[Task, ...]
    attached: tuple[Attached, ...]
    decisions: tuple[Taken, ...]
    people: tuple[Signer, ...]
    shifts: tuple[Shift, ...]
    mended: int
    impact: tuple[Weight, ...]
    touched: tuple[Concern, ...]
    register: tuple[Listing, ...] = ()
    registered: DigestOrNone = ""
    told: tuple[Spoken, ...] = ()
