"""A claim's questions, what was heard and the incidents in; of each part whether the evidence speaks against it out.

Contradicted is only what logs that would show it do not show: they reach over the whole time, they wrote all through
it, they name the machine or the mailbox, and what they count is far below what is claimed. A log that is not there
contradicts nothing. What they would not show is told beside each verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tocsin.investigate.impact.asked import BESIDE_US, EVER_US, Asked, Question
from tocsin.investigate.impact.assess import Evidence
from tocsin.investigate.impact.heard import BUCKET_US, Heard, Sensor, Sum
from tocsin.investigate.impact.mailboxes import Ground, Weighed, boxes
from tocsin.investigate.impact.scene import hosts_of
from tocsin.model.citation import Citation
from tocsin.model.event import NO_TIME
from tocsin.model.impact import Sort
from tocsin.model.incident import Incident
from tocsin.model.person import People
from tocsin.model.press import Judged, What

FAR: Final = 10  # what left may have been packed: to so much less than it was
_MOST_SILENT_US: Final = 4 * 3_600_000_000
_NO_END: Final = 1 << 62
_CITED: Final = 10
_SORTS: Final[Mapping[What, frozenset[Sort]]] = {
    "mailboxes": frozenset({"mail"}),
    "files": frozenset({"file", "archive"}),
    "credentials": frozenset({"credential", "directory"}),
    "database": frozenset({"database"}),
}
_OTHER_WAYS: Final = (
    "What went by a way that none of these sensors watches, such as a medium that was carried away, is not seen.",
    "What went on by more than one other machine, or after the claim was made, is not seen.",
)


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a question is judged by."""

    asked: Asked
    heard: Heard
    incidents: Sequence[Incident]
    people: People
    lost: Sequence[str]
    digests: Mapping[str, str]


def judge(
    asked: Asked, evidence: Evidence, incidents: Sequence[Incident], people: People
) -> tuple[tuple[Judged, ...], tuple[Incident, ...]]:
    """The verdicts in the order of the parts, and the incidents, each with those that concern it."""
    case = _Case(asked, evidence.heard, incidents, people, evidence.lost, evidence.digests)
    told = list(incidents)
    verdicts = []
    for number, question in enumerate(asked.questions):
        weighed = _weigh(case, number, question)
        verdicts.append(_judged(case, question, weighed))
        if (at := _concerned(case, question)) is not None:
            told[at] = replace(told[at], claims=(*told[at].claims, verdicts[-1]))
    return tuple(verdicts), tuple(told)


def _judged(case: _Case, question: Question, weighed: Weighed) -> Judged:
    claim = case.asked.claim
    return Judged(
        id=question.part.id,
        claim=claim.id,
        by=claim.by,
        says=question.part.says,
        verdict=weighed.verdict,
        because=tuple(weighed.because),
        not_seen=tuple(weighed.not_seen),
        evidence=tuple(
            Citation(
                src=case.digests.get(file, ""),
                path=path,
                chunk=chunk,
                rec=rec,
                ts_us=None if ts == NO_TIME else ts,
            )
            for _, path, chunk, rec, ts, file in weighed.places[:_CITED]
        ),
    )


def _weigh(case: _Case, number: int, question: Question) -> Weighed:
    part = question.part
    open_ends = []
    if case.lost:
        open_ends.append(f"{len(case.lost):,} sources could not be read once more, {case.lost[0]} among them.")
    if case.heard.beyond:
        open_ends.append(f"{case.heard.beyond:,} sums were more than could be held.")
    found: list[Weighed] = []
    if part.what == "mailboxes" and part.mailboxes is not None:
        found.append(boxes(Ground(question, case.asked, case.heard, case.incidents, case.people)))
    if part.bytes is not None and (part.host or part.what != "mailboxes"):
        found.append(_bytes(case, number, question))
    if open_ends:
        found = [
            replace(one, verdict="not known", because=open_ends) if one.verdict == "contradicted" else one
            for one in found
        ]
    for verdict in ("contradicted", "consistent"):
        if against := next((one for one in found if one.verdict == verdict), None):
            return against
    shown = _shown(case, question)
    if shown:
        because = [
            f"Records show something of the kind: {'; '.join(shown[:3])}.",
            "How much of it is true they do not say.",
        ]
        return Weighed("consistent", because, [line for one in found for line in one.because])
    reasons = [line for one in found for line in one.because]
    return Weighed("not known", reasons or ["The part names no amount that logs could be held against."], [])


# --------------------------------------------------------------------------------- bytes of machines


def _bytes(case: _Case, number: int, question: Question) -> Weighed:
    claimed = question.part.bytes or 0
    if not question.machines:
        return Weighed("not known", ["No list of assets says which machines are meant (--assets)."], [])
    nameless = [machine.name for machine in question.machines if not machine.addresses]
    if nameless:
        return Weighed("not known", [f"No log and no list says which address {_some(nameless)} had."], [])
    if question.since_us == EVER_US and (why := _begins_late(case)):
        return Weighed("not known", [why], [])
    whole = {name: one for name, one in sorted(case.heard.sensors.items()) if not _short(one, number, question)}
    unheard = [
        machine.name
        for machine in question.machines
        if not any(not machine.addresses.isdisjoint(one.machines.get(number, ())) for one in whole.values())
    ]
    if unheard:
        return Weighed("not known", list(_why_unheard(case, number, question, unheard)), [])
    # Any sensor may have seen what others did not; those that are whole say that there is no more.
    sums = [_bound(one, number, case.asked.claim.claimed_us) for one in case.heard.sensors.values()]
    if any(direct.uncounted for direct, _ in sums):
        return Weighed("not known", ["There were connections to the outside whose bytes nobody counted."], [])
    direct = max((one.most for one, _ in sums), default=0)
    onward = max((other for _, other in sums), default=0)
    machines = _some([machine.name for machine in question.machines])
    places = [place for one in case.heard.sensors.values() for place in one.cited.get(number, ())]
    said = [f"{_by(sorted(whole))} counted {_size(direct)} at most from {machines} to the outside in that time."]
    if onward:
        amount = f"{_size(onward)} at most" if onward < _NO_END else "an amount that nobody counted"
        said.append(f"Of what it sent to other machines of ours, those can have sent on {amount}.")
    if (direct + onward) * FAR <= claimed and (claimed or not direct + onward):
        said.append(f"The claim says {_size(claimed)}: more than {FAR} times as much, which packing would not make up.")
        return Weighed("contradicted", said, list(_OTHER_WAYS), sorted(places, key=lambda one: (-one[0], one[1:])))
    said.append(f"The claim says {_size(claimed)}, which that does not rule out.")
    return Weighed("not known", said, list(_OTHER_WAYS), places)


def _bound(sensor: Sensor, number: int, until_us: int) -> tuple[Sum, int]:
    """The most that went straight out, and the most that one other machine can have passed on until the claim was made.

    Where the log ends before, it may all have been passed on.
    """
    direct, onward = sensor.direct.get(number, Sum()), 0
    ends = bool(sensor.wrote) and _over(sensor) >= until_us
    for name, sent in sensor.inward.get(number, {}).items():
        out = sensor.out.get(name, Sum())
        least = [sent.most] * (not sent.uncounted) + [out.most] * (ends and not out.uncounted)
        onward += min(least, default=_NO_END)
    return direct, onward


def _over(sensor: Sensor) -> int:
    return (sensor.wrote[-1] + 1) * BUCKET_US


def _short(sensor: Sensor, number: int, question: Question) -> str:
    """Why a sensor does not tell of the whole time; '' where it does.

    A connection is written down when it begins or when it ends, so the day before and the day after belong to it.
    """
    if not sensor.border or not sensor.wrote:
        return "it saw nothing that had one side outside"
    if not sensor.machines.get(number):
        return "it names no such machine in that time"
    begins = sensor.wrote[0] * BUCKET_US
    since = begins if question.since_us == EVER_US else question.since_us - BESIDE_US
    until = question.until_us + (0 if question.part.until_us is None else BESIDE_US)
    if begins > since or _over(sensor) < until:
        return "its log does not reach over the whole time, with a day before and after"
    wrote = [at * BUCKET_US for at in sensor.wrote if since <= (at + 1) * BUCKET_US and at * BUCKET_US <= until]
    silent = max(later - one for one, later in zip([since, *wrote], [*wrote, until], strict=True)) - BUCKET_US
    most = min(_MOST_SILENT_US, (question.until_us - max(since, question.since_us)) // 4)
    return "it was silent for hours in that time" if silent > most else ""


def _why_unheard(case: _Case, number: int, question: Question, unheard: Sequence[str]) -> Iterator[str]:
    yield f"No log that counts bytes tells of {_some(list(unheard))} over all of that time."
    reasons = {name: _short(one, number, question) for name, one in sorted(case.heard.sensors.items())}
    for name, reason in list(reasons.items())[:3]:
        yield f"{_called(name)}: {reason or 'it names others only'}."


def _begins_late(case: _Case) -> str:
    """A claim without a time is of the intrusion at hand, if the logs begin before it does."""
    firsts = [one.first_us for one in case.incidents if one.first_us is not None and one.rank == "act now"]
    begins = [one.wrote[0] * BUCKET_US for one in case.heard.sensors.values() if one.wrote and one.border]
    if not firsts:
        return "The part names no time, and no incident says when it can have been."
    if not begins or min(begins) > min(firsts):
        return "The part names no time, and the logs do not begin before the first incident does."
    return ""


# --------------------------------------------------------------------------------- what incidents show


def _shown(case: _Case, question: Question) -> list[str]:
    sorts = _SORTS[question.part.what]
    names = hosts_of(question.part.host)
    told = []
    for one in case.incidents:
        if one.impact is None or (names and not any(names & hosts_of(seen.name) for seen in one.hosts)):
            continue
        told += [
            claim.what
            for claim in one.impact.claims
            if claim.sort in sorts
            and claim.confidence != "low"
            and (claim.amount.lower or claim.stage == "left")
            and not (names and claim.host and not names & hosts_of(claim.host))
        ]
    return list(dict.fromkeys(told))


def _concerned(case: _Case, question: Question) -> int | None:
    """The incident that a part is told with: that of its machine, else that in which such things were taken."""
    names, sorts = hosts_of(question.part.host), _SORTS[question.part.what]

    def weight(at: int) -> tuple[object, ...]:
        one = case.incidents[at]
        host = bool(names) and any(names & hosts_of(seen.name) for seen in one.hosts)
        claims = one.impact.claims if one.impact else ()
        taken = sum(claim.sort in sorts and claim.confidence != "low" for claim in claims)
        return not host, one.rank != "act now", -taken, at

    return min(range(len(case.incidents)), key=weight, default=None)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")


def _by(names: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(map(_called, names[:3])))


def _called(sensor: str) -> str:
    """A sensor without the folders that its files lie in."""
    kind, _, rest = sensor.partition(" ")
    return f"{kind} {rest.rsplit('/', 1)[-1].rsplit('!', 1)[-1]}".strip()


def _size(number: int) -> str:
    for size, unit in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if number >= size:
            return f"{-(-number * 10 // size) / 10:,.1f} {unit}"
    return f"{number:,} {'byte' if number == 1 else 'bytes'}"
