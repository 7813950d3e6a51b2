"""An incident in, the records that it rests on out: compact, and without the content of anybody's mail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tocsin.model.citation import Citation
from tocsin.model.incident import Cited, Incident
from tocsin.output.plain import clock
from tocsin.output.screen import shown

# What people wrote to each other. Of members' mail a report shows who, when and how much, not what.
PRIVILEGED: Final = frozenset(
    {
        "body",
        "bodypreview",
        "content",
        "internetmessagesubject",
        "message-subject",
        "message_subject",
        "messagesubject",
        "preview",
        "subject",
    }
)
_MAIL_KINDS: Final = frozenset({"mail", "m365", "google_workspace"})
_MOST_BYTES: Final = 11 << 20  # of all fields together: with the page around them a report stays below 15 MB
_CUTS: Final = (4_000, 1_000, 400, 160, 60)  # characters of a value


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What a page shows of records.

    Args:
        content: for the page's script: names once each, then a row for each record.
        number: of the record that a citation means.
        withheld: values that are left out because they are privileged.
        cut_at: how many characters are shown of a value.
    """

    content: dict[str, Any]
    number: dict[Citation, int]
    withheld: int
    cut_at: int


def records(incident: Incident, *, revealed: bool) -> Records:
    """Findings first, in their order; then what else the incident cites."""
    number: dict[Citation, int] = {}
    for at, finding in enumerate(incident.findings):
        number.setdefault(finding.at, at)
    others: list[Citation] = []
    for one in _cited(incident):
        if one not in number:
            number[one] = len(incident.findings) + len(others)
            others.append(one)
    names: dict[str, int] = {}

    def name(text: str) -> int:
        return names.setdefault(shown(text, 1_000), len(names))

    limit, withheld, rows = _CUTS[-1], 0, list[list[Any]]()
    for limit in _CUTS:
        withheld, size, rows = 0, 0, []
        for finding in incident.findings:
            fields, hidden = _fields(finding, limit, revealed=revealed)
            withheld += hidden
            size += sum(len(text) for text in fields.values()) + 80
            rows.append([*_place(finding.at, name), *_rule(finding, name), fields])
        if size <= _MOST_BYTES:
            break
    rows += [[*_place(one, name), -1, -1, -1, -1, 0, {}] for one in others]
    return Records(content={"names": list(names), "rows": rows}, number=number, withheld=withheld, cut_at=limit)


def _cited(incident: Incident) -> Iterator[Citation]:
    yield from (entry.at for entry in incident.timeline)
    yield from (move.at for move in incident.moves)
    yield from (process.at for process in incident.processes if process.at)
    yield from (citation for join in incident.joins for citation in join.via)
    yield from (citation for folded in incident.folded for citation in folded.citations)
    if incident.way_in:
        yield incident.way_in.at
    if incident.impact:
        yield from (citation for claim in incident.impact.claims for citation in claim.evidence)
    yield from (citation for person in incident.people for citation in person.evidence)


def _place(at: Citation, name: Any) -> list[Any]:
    return [clock(at.ts_us), name(at.path), name(at.src), at.rec, at.chunk]


def _rule(finding: Cited, name: Any) -> list[Any]:
    techniques = " ".join(finding.techniques)
    return [name(finding.title), name(finding.level), name(finding.host), name(techniques), finding.repeats]


def _fields(finding: Cited, limit: int, *, revealed: bool) -> tuple[dict[str, str], int]:
    fields, hidden = {}, 0
    for field, text in finding.fields.items():
        if text is None:
            continue
        if not revealed and _is_privileged(finding.kind, field):
            hidden += 1
            text = f"[withheld: {len(text):,} characters]"
        fields[shown(field, 200)] = shown(text, limit)
    return fields, hidden


def _is_privileged(kind: str, field: str) -> bool:
    last = field.rpartition(".")[2].lower()
    return last in PRIVILEGED and (kind in _MAIL_KINDS or last not in ("content", "subject"))
