"""An incident in, the records that it rests on out: compact, and without the content of anybody's mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from tocsin.model.citation import Citation
from tocsin.model.incident import Cited, Incident
from tocsin.model.raw import Place, Raw
from tocsin.model.rule import LEVELS
from tocsin.output.plain import clock
from tocsin.output.report.privileged import is_privileged
from tocsin.output.report.raw import Packed, pack
from tocsin.output.screen import cut, shown

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
    known: dict[str, int] = {}

    def name(text: str) -> int:
        if text not in known:
            known[text] = names.setdefault(shown(text, 1_000), len(names))
        return known[text]

    rows: list[list[Any]] = []
    withheld = 0
    for finding in incident.findings:
        fields, hidden = _fields(finding, revealed=revealed)
        withheld += hidden
        rows.append([*_place(finding.at, name), *_rule(finding, name), fields])
    limit = _limit([row[-1] for row in rows])
    for row in rows:
        row[-1] = {field: cut(text, limit) for field, text in row[-1].items()}
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


def _limit(rows: Sequence[Mapping[str, str]]) -> int:
    """How many characters of a value are shown: as many as have room."""
    sizes = np.array([len(text) for fields in rows for text in fields.values()], np.int64)
    fits = (cut_at for cut_at in _CUTS if np.minimum(sizes, cut_at).sum() + 80 * len(rows) <= _MOST_BYTES)
    return next(fits, _CUTS[-1])


def _place(at: Citation, name: Any) -> list[Any]:
    return [clock(at.ts_us), name(at.path), name(at.src), at.rec, at.chunk]


def _rule(finding: Cited, name: Any) -> list[Any]:
    techniques = " ".join(finding.techniques)
    return [name(finding.title), name(finding.level), name(finding.host), name(techniques), finding.repeats]


def _fields(finding: Cited, *, revealed: bool) -> tuple[dict[str, str], int]:
    fields, hidden = {}, 0
    for field, text in finding.fields.items():
        if text is None:
            continue
        if not revealed and is_privileged(finding.kind, field):
            hidden += 1
            text = f"[withheld: {len(text):,} characters]"
        fields[shown(field, 200)] = shown(text)
    return fields, hidden
