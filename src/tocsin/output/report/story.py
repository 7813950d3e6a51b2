"""An incident in, what happened in plain words out: nothing beyond what its records show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from tocsin.model.incident import Incident, Seen
from tocsin.output import impact
from tocsin.output.plain import clock, earlier
from tocsin.output.screen import shown

_TACTICS: Final = {
    "reconnaissance": "looked the target over",
    "resource-development": "prepared tools or infrastructure",
    "initial-access": "got in",
    "execution": "ran programs",
    "persistence": "made sure to come back",
    "privilege-escalation": "gained more rights",
    "defense-evasion": "hid from defenders",
    "stealth": "hid from defenders",
    "defense-impairment": "weakened the defences",
    "credential-access": "went for passwords or keys",
    "discovery": "looked around",
    "lateral-movement": "moved to other machines",
    "collection": "gathered data",
    "command-and-control": "kept contact with the outside",
    "exfiltration": "sent data out",
    "impact": "did damage",
}
_NAMED: Final = 4  # names in one sentence
_CLAIMS: Final = 3  # of what was taken; the chapter on it has all


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What a partner may see: nothing that names a machine, an account or a file of ours."""

    rules: tuple[tuple[str, str, int], ...]  # title, level, findings
    addresses: tuple[Seen, ...]


def tell(incident: Incident) -> tuple[str, ...]:
    return tuple(_sentences(incident))


def _sentences(incident: Incident) -> Iterator[str]:
    count = plural(len(incident.findings), "finding")
    where = f"{plural(len(incident.hosts), 'machine')} and {plural(len(incident.accounts), 'account')}"
    if incident.first_us is None:
        yield f"{count} on {where} belong together. None of their records has a time that can be read."
    else:
        when = f"From {clock(incident.first_us)} to {clock(incident.last_us)} UTC ({span(incident.dwell_us)})"
        yield f"{when}, {count} on {where} were joined to one incident."
    if told := earlier(incident):
        yield f"Possibly earlier, which no record of weight shows: {told}"
    if incident.hosts:
        yield f"Machines: {_names(incident.hosts)}."
    if incident.accounts:
        yield f"Accounts: {_names(incident.accounts)}. That an account appears does not say that its owner acted."
    if incident.patient_zero:
        yield f"The first machine with a finding of weight is {shown(incident.patient_zero, 80)}."
    yield way_in(incident)
    deeds = dict.fromkeys(_TACTICS[one] for one in incident.tactics if one in _TACTICS)
    if deeds:
        yield f"What the rules that fired are about, in order of appearance: {', '.join(deeds)}."
    if incident.moves:
        machines = len({move.target for move in incident.moves})
        yield f"{plural(len(incident.moves), 'sign')} of movement, to {plural(machines, 'machine')}."
    yield from impact.summary(incident.impact, _CLAIMS)
    for sentence in incident.still_open:
        yield f"Open when the logs end: {shown(sentence, 300)}"
    yield (
        "This page says what the records show. It does not say that nothing else happened, who did it, or that it is "
        "over: those are decisions of people, and stand in the case."
    )


def way_in(incident: Incident) -> str:
    entry = incident.way_in
    if entry is None:
        return "No record shows how they came in."
    where = shown(entry.host, 80) or "an unnamed machine"
    return (
        f"The earliest record that could be the way in: {shown(entry.what, 200)} on {where}, {clock(entry.ts_us)} UTC."
    )


def shared(incident: Incident) -> Shared:
    counts: dict[tuple[str, str], int] = {}
    for finding in incident.findings:
        key = finding.title, finding.level
        counts[key] = counts.get(key, 0) + 1
    rules = sorted(((*key, count) for key, count in counts.items()), key=lambda rule: (-rule[2], rule))
    return Shared(rules=tuple(rules), addresses=tuple(one for one in incident.addresses if _is_public(one.name)))


def _is_public(text: str) -> bool:
    try:
        return ip_address(text).is_global
    except ValueError:
        return False


def _names(seen: tuple[Seen, ...]) -> str:
    named = [shown(one.name, 60) for one in seen[:_NAMED]]
    return ", ".join(named) + (f" and {len(seen) - _NAMED:,} more" if len(seen) > _NAMED else "")


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "es" if noun.endswith("s") else "s")


def span(us: int | None) -> str:
    """A length of time as people say it."""
    if us is None:
        return "no length that can be told"
    seconds = us // 1_000_000
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size:
            return plural(seconds // size, noun)
    return plural(seconds, "second")
