"""Findings that belong together, with what is known of them: what happened, where, by which way, and what was not seen.

Times are UTC microseconds, None where the record has none that can be read. Every statement cites the records that it
rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tocsin.model.addressee import Addressed
from tocsin.model.citation import Citation
from tocsin.model.concern import Held, Touched
from tocsin.model.context import Context
from tocsin.model.impact import Impact
from tocsin.model.press import Judged
from tocsin.model.rule import LEVELS, Level

Rank: TypeAlias = Literal["act now", "review", "background"]
RANKS: tuple[Rank, ...] = get_args(Rank)

EntityKind: TypeAlias = Literal[
    "process",  # by its GUID, or its number with host and time
    "logon",  # a logon session of one host
    "session",  # of a network connection or a cloud service
    "account",
    "principal",  # who acts in a cloud
    "host",
    "address",
    "domain",
    "hash",
    "file",  # a path that is not part of the system
    "mail",  # one message
    "object",  # what one log alone names: a service, a task, a registry value, a share, a bucket
]
ENTITY_KINDS: tuple[EntityKind, ...] = get_args(EntityKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A thing that events speak of. `name` is its normal form, `shown` how a log writes it."""

    kind: EntityKind
    name: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """A finding of an incident.

    Args:
        rule_id: of the rule; its title, level, techniques and tactics stand beside it as the run had them.
        repeats: how many findings of the same rule on the same host say the same and are folded into this one; they
            are told in `Incident.folded`.
        fields: what the rule looked at.
        terms: of an indicator what may be done with it, and who told it (`model/pap.py`); None for a rule.
    """

    rule_id: str
    title: str
    level: Level
    techniques: tuple[str, ...]
    tactics: tuple[str, ...]
    host: str
    kind: str
    at: Citation
    fields: Mapping[str, str | None]
    repeats: int = 0
    terms: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """Why two findings are in one incident.

    Args:
        one: index into `Incident.findings`; `other` likewise, and later in time or equal.
        entity: what both speak of.
        weight: how much that says, in bits: the rarer the entity in this evidence and the nearer in time, the more.
        gap_us: time between the two.
        because: the same as a sentence.
        via: records between the two that neither rule fired on, such as the start of the process between them.
    """

    one: int
    other: int
    entity: Entity
    weight: float
    gap_us: int | None
    because: str
    via: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A host, an account or an address of an incident.

    `also` are its other names; `findings` says how many name it, and `on` the hosts of the first of these.
    """

    name: str
    first_us: int | None
    last_us: int | None
    findings: int
    also: tuple[str, ...] = ()
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A step on the timeline: `at` is the record, `findings` are indices into `Incident.findings`, none for context.

    `perhaps` says why it need not be of the incident: what is routine here, or of low level and before all that weighs.
    '' where it is. Such a step dates nothing.
    """

    ts_us: int | None
    host: str
    what: str
    at: Citation
    findings: tuple[int, ...] = ()
    tactic: str = ""
    perhaps: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process of an incident's trees; `parent` is an index into `Incident.processes`, -1 for a root."""

    parent: int
    host: str
    image: str
    command: str
    account: str
    first_us: int | None
    findings: tuple[int, ...]
    at: Citation | None  # its start, or the first record that names it


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """From one machine to another. `source` is a host or, where no log tells the host, an address."""

    ts_us: int | None
    source: str
    target: str
    account: str
    because: str
    at: Citation


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """Findings that are kept out of sight, and why. `index` is the finding that stands for them, -1 for none."""

    index: int
    rule_id: str
    title: str
    level: Level
    host: str
    count: int
    first_us: int | None
    last_us: int | None
    because: str
    citations: tuple[Citation, ...] = ()  # the first of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """How far the clock of a host is ahead of the others', by events that both sides wrote down."""

    host: str
    against: str
    ahead_us: int
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Findings that belong together.

    Args:
        id: made of its findings, so that the same evidence gives the same.
        rank: to be acted on now, to be reviewed in order of `score`, or background, which nobody needs to look at by
            itself; `because` says why.
        first_us: of the first finding of weight that is not lowered; `last_us` of the last that is not lowered. So are
            the times of hosts, accounts and addresses. Where there is none, of whatever there is.
        findings: in order of time, those without one last.
        perhaps_hosts: those that only findings name which need not be of it; accounts and addresses likewise.
        tactics: of its findings, in the order of first appearance; `tactic` is the main one, '' if no rule names any.
        way_in: the earliest entry that could be how they came; None where nothing shows it.
        patient_zero: the host that shows the first finding of weight, or from which they had come to it by then; ''
            where no record names a host.
        dwell_us: from `first_us` to `last_us`: what is shown, not all that can have been.
        still_open: what was not ended when the logs end, as sentences.
        not_seen: what the logs cannot show, as sentences.
        context: records beside the findings that share a thing with them; they date nothing, and raise nothing.
        addressed: to whom else something was sent from where its findings point; it dates nothing, and raises nothing.
        impact: what was accessed, staged and left; None where nobody looked, which is not "nothing".
        assets: those of its machines and addresses that the list of assets has, the most critical first.
        people: whom it touches, of the list of people, those first with whom it went furthest.
        claims: what somebody said was taken in it, part by part, held against the evidence.
    """

    id: str
    title: str
    rank: Rank
    score: float
    because: tuple[str, ...]
    level: Level
    first_us: int | None
    last_us: int | None
    findings: tuple[Cited, ...]
    hosts: tuple[Seen, ...] = ()
    accounts: tuple[Seen, ...] = ()
    addresses: tuple[Seen, ...] = ()
    perhaps_hosts: tuple[Seen, ...] = ()
    perhaps_accounts: tuple[Seen, ...] = ()
    perhaps_addresses: tuple[Seen, ...] = ()
    techniques: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()
    tactic: str = ""
    joins: tuple[Join, ...] = ()
    timeline: tuple[Entry, ...] = ()
    processes: tuple[Process, ...] = ()
    folded: tuple[Folded, ...] = ()
    skews: tuple[Skew, ...] = ()
    way_in: Entry | None = None
    patient_zero: str = ""
    moves: tuple[Move, ...] = ()
    dwell_us: int | None = None
    still_open: tuple[str, ...] = ()
    not_seen: tuple[str, ...] = ()
    impact: Impact | None = None
    assets: tuple[Held, ...] = ()
    people: tuple[Touched, ...] = ()
    claims: tuple[Judged, ...] = ()
    context: tuple[Context, ...] = ()
    addressed: tuple[Addressed, ...] = ()

    def cited_besides(self) -> Iterator[Citation]:
        """Records that something rests on besides findings, those of findings among them, some again and again."""
        yield from (entry.at for entry in self.timeline)
        yield from (move.at for move in self.moves)
        yield from (process.at for process in self.processes if process.at)
        yield from (citation for join in self.joins for citation in join.via)
        yield from (citation for folded in self.folded for citation in folded.citations)
        if self.way_in:
            yield self.way_in.at
        if self.impact:
            yield from (citation for claim in self.impact.claims for citation in claim.evidence)
        yield from (citation for person in self.people for citation in person.evidence)
        yield from (citation for judged in self.claims for citation in judged.evidence)
        yield from (citation for beside in self.context for citation in beside.citations)
        yield from (citation for some in self.addressed for each in some.all for citation in each.citations)

    @property
    def earlier(self) -> tuple[Entry, ...]:
        """Steps before the first that is shown to be of it, which may be."""
        if self.first_us is None:
            return ()
        return tuple(
            one for one in self.timeline if one.perhaps and one.ts_us is not None and one.ts_us < self.first_us
        )

    def worst(self, numbers: Iterable[int]) -> Level | None:
        """The highest level among some of its findings; None of none."""
        return max((self.findings[number].level for number in numbers), key=LEVELS.index, default=None)
