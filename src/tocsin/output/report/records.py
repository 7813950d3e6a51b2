"""An incident in, the records that it rests on out: compact, and without the content of anybody's mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tocsin.model.incident import Citation, Cited, Incident
from tocsin.model.raw import Place, Raw
from tocsin.model.rule import LEVELS
from tocsin.output.plain import clock
from tocsin.output.report.privileged import is_privileged
from tocsin.output.report.raw import Packed, pack
from tocsin.output.screen import shown

_MOST_BYTES: Final = 5 << 20  # of all fields together: with raw records and the page a report stays below 15 MB
_CUTS: Final = (4_000, 1_000, 400, 160, 60)  # characters of a value


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What a page shows of records.

    Args:
        content: for the page's script: names once each, then a row for each record.
        number: of the record that a citation means.
        raw: the records themselves, as many as have room.
        withheld: values that are left out because they are privileged.
        cut_at: how many characters are shown of a value.
    """

    content: dict[str, Any]
    number: dict[Citation, int]
    raw: Packed
    withheld: int
    cut_at: int


def records(incident: Incident, raws: Mapping[Place, Raw], *, revealed: bool) -> Records:
    """Findings first, in their order; then what else the incident cites."""
    number: dict[Citation, int] = {}
    for at, finding in enumerate(incident.findings):
        number.setdefault(finding.at, at)
    others: list[Citation] = []
    for one in incident.cited_besides():
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
    # What context rests on is seldom much, and without it nobody can follow the findings: it goes before all of them.
    weight = [LEVELS.index(finding.level) for finding in incident.findings] + [len(LEVELS)] * len(others)
    cited = [*(finding.at for finding in incident.findings), *others]
    return Records(
        content={"names": list(names), "rows": rows},
        number=number,
        raw=pack(cited, weight, raws, revealed=revealed),
        withheld=withheld,
        cut_at=limit,
    )


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
        if not revealed and is_privileged(finding.kind, field):
            hidden += 1
            text = f"[withheld: {len(text):,} characters]"
        fields[shown(field, 200)] = shown(text, limit)
    return fields, hidden
