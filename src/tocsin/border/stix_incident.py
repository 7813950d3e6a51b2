"""An incident in, a STIX 2.1 bundle out: what was seen, of which techniques, on which machines, under one TLP marking.

A finding becomes a sighting (section 5.2) of its techniques, or of the indicator that it stands for, which stays with
its author and is only named. Values are taken from what findings were joined by and from processes: a field of a log
may hold anything. Ids of observables follow section 2.9; those of all else are made of what the object says, so that
one incident gives the same bytes and an object that says something else has another id. `created` and `modified` are
the time of the last record, for the same reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tocsin.border import markings
from tocsin.border.stix_made import Made, of_content, texts_of, time_of
from tocsin.model.attack import Entry, Facts
from tocsin.model.incident import Cited, Entity, Incident, Process
from tocsin.model.indicator import Indicator
from tocsin.model.tlp import strictest
from tocsin.observe.names import digest

MOST_PROCESSES: Final = 5_000
MOST_RULES: Final = 20  # named in one sighting
MOST_SEEN: Final = 999_999_999  # sections 4.14 and 5.2

_DIGESTS: Final = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}
_INDICATOR: Final = re.compile(r"indicator--[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def bundle(
    incident: Incident, *, author: str, tlp: str, attack: Facts, indicators: Mapping[str, Indicator]
) -> dict[str, Any]:
    """The bundle, as JSON holds it.

    Args:
        author: who says all this.
        tlp: of everything in it; a sighting of an indicator that is marked more strictly has that marking.
        attack: names and tactics of techniques.
        indicators: by the id of the rule that stands for each.
    """
    made = Bundle(incident, author, tlp)
    hosts = {host.name: made.host(host.name) for host in incident.hosts}
    seen = _seen(made, incident)
    for (about, host), numbers in sorted(_groups(incident, indicators).items()):
        found = [incident.findings[number] for number in numbers]
        marking = strictest((tlp, *(indicators[one.rule_id].tlp for one in found if one.rule_id in indicators)))
        target = about if about.startswith("indicator--") else technique(made, about, attack)
        made.sighting(target, found, hosts.get(host), made.observed(found, sorted(seen(numbers))), marking)
    return made.whole()


def _groups(incident: Incident, indicators: Mapping[str, Indicator]) -> dict[tuple[str, str], list[int]]:
    """Findings by what they are a sighting of, and by host."""
    groups: dict[tuple[str, str], list[int]] = {}
    for number, one in enumerate(incident.findings):
        known = indicators.get(one.rule_id)
        named = [known.id] if known and _INDICATOR.fullmatch(known.id) else []
        for about in (*named, *one.techniques):
            groups.setdefault((about, one.host), []).append(number)
    return groups


def _seen(made: Bundle, incident: Incident) -> Callable[[Iterable[int]], set[str]]:
    """Observables that findings speak of, by their numbers."""
    of_finding: dict[int, set[str]] = {}
    for join in incident.joins:
        if (named := made.entity(join.entity)) is not None:
            of_finding.setdefault(join.one, set()).add(named)
            of_finding.setdefault(join.other, set()).add(named)
    named_processes: dict[int, str] = {}
    for number, process in enumerate(incident.processes[:MOST_PROCESSES]):
        named_processes[number] = made.started(process, named_processes.get(process.parent))
        for finding in process.findings:
            of_finding.setdefault(finding, set()).add(named_processes[number])
    for seen in incident.addresses:
        made.address(seen.name)
    for seen in incident.accounts:
        made.account(seen.name)
    return lambda numbers: {named for number in numbers for named in of_finding.get(number, ())}


def technique(made: Bundle, name: str, attack: Facts) -> str:
    known: Entry | None = next(
        (found for release in reversed(attack.releases) if (found := release.entries.get(name))), None
    )
    phases = [{"kill_chain_name": "mitre-attack", "phase_name": one} for one in (known.tactics if known else ())]
    return made.add(
        "attack-pattern",
        name=known.name if known else name,
        kill_chain_phases=phases,
        external_references=[
            {
                "source_name": "mitre-attack",
                "external_id": name,
                "url": f"https://attack.mitre.org/techniques/{name.replace('.', '/')}/",
            }
        ],
    )


class Bundle(Made):
    """What an incident makes, with the incident itself."""

    def __init__(self, incident: Incident, author: str, tlp: str) -> None:
        super().__init__(author, tlp, time_of(incident.last_us) or time_of(incident.first_us) or time_of(0))
        self.incident = self.add(
            "incident",
            name=incident.title,
            description="\n".join((*incident.because, *_told(incident))),
            external_references=[{"source_name": "tocsin", "external_id": incident.id}],
        )
        if incident.not_seen:
            self.add(
                "note",
                abstract="What the logs cannot show",
                content="\n".join(incident.not_seen),
                object_refs=[self.incident],
            )

    def entity(self, entity: Entity) -> str | None:
        """An observable for what findings were joined by, where STIX has one."""
        if entity.kind == "address":
            return self.address(entity.name)
        if entity.kind == "domain":
            return self.observable("domain-name", value=entity.name)
        if entity.kind == "account":
            return self.account(entity.shown)
        if entity.kind == "file":
            return self.file(entity.shown)
        if entity.kind == "hash" and (found := digest(entity.name)) and found[0] in _DIGESTS:
            return self.observable("file", hashes={_DIGESTS[found[0]]: found[1]})
        return None

    def started(self, one: Process, parent: str | None) -> str:
        """A process has no property that its id is made of (section 6.13): where it ran and was told stand for it."""
        told: dict[str, Any] = {"command_line": one.command or one.image or "unknown"}
        if one.first_us is not None:
            told["created_time"] = time_of(one.first_us)
        if image := self.file(one.image):
            told["image_ref"] = image
        if account := self.account(one.account):
            told["creator_user_ref"] = account
        if parent:
            told["parent_ref"] = parent
        record = [one.at.src, one.at.path, one.at.rec, one.at.chunk] if one.at else []
        return self.observable("process", texts_of([one.host, *record]), **told)

    def observed(self, found: Iterable[Cited], seen: list[str]) -> str | None:
        """What was observed (section 4.14); None where findings have no time, or speak of nothing that STIX knows."""
        times = [one.at.ts_us for one in found if one.at.ts_us is not None]
        if not times or not seen:
            return None
        return self.add(
            "observed-data",
            first_observed=time_of(min(times)),
            last_observed=time_of(max(times)),
            number_observed=_count(found),
            object_refs=seen,
        )

    def sighting(self, target: str, found: list[Cited], host: str | None, observed: str | None, marking: str) -> None:
        times = [one.at.ts_us for one in found if one.at.ts_us is not None]
        titles = list(dict.fromkeys(one.title for one in found))
        more = [f"and {len(titles) - MOST_RULES:,} more"] if len(titles) > MOST_RULES else []
        told: dict[str, Any] = {
            "sighting_of_ref": target,
            "count": _count(found),
            "description": "\n".join((*titles[:MOST_RULES], *more)),
        }
        if times:
            told |= {"first_seen": time_of(min(times)), "last_seen": time_of(max(times))}
        if observed:
            told["observed_data_refs"] = [observed]
        if host:
            told["where_sighted_refs"] = [host]
        self.add("sighting", marking, **told)

    def whole(self, **told: str) -> dict[str, Any]:
        """All of it, with a grouping that says what it is about: the incident, unless told otherwise."""
        about = [named for named, one in self.objects.items() if one["type"] != "marking-definition"]
        marks = [markings.TLP_OF.get(named, "") for named in self.objects]
        self.add(
            "grouping",
            strictest(marks),
            **{"name": self.objects[self.incident]["name"], **told},
            context="suspicious-activity",
            object_refs=about,
        )
        objects = list(self.objects.values())
        return {"type": "bundle", "id": f"bundle--{of_content(objects)}", "objects": objects}


def _told(incident: Incident) -> Iterable[str]:
    if incident.way_in:
        yield f"Earliest record that could be how they came: {incident.way_in.what}"
    if incident.patient_zero:
        yield f"First machine: {incident.patient_zero}"
    if untimed := sum(one.at.ts_us is None for one in incident.findings):
        yield f"{untimed:,} findings have no time that can be read."
    if len(incident.processes) > MOST_PROCESSES:
        yield f"{len(incident.processes) - MOST_PROCESSES:,} processes are left out here."


def _count(found: Iterable[Cited]) -> int:
    return min(sum(1 + one.repeats for one in found), MOST_SEEN)
