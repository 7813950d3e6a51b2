"""Findings in, Traces of their own fields out: for findings that come without the records around them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from tocsin.investigate.kept import Frame, Texts
from tocsin.investigate.roles import ACTS, ROLES, SHAPES, Name, Role, Shape
from tocsin.investigate.traces import Gathering, Traces, sorted_
from tocsin.model.event import NO_TIME
from tocsin.model.finding import Finding

_ANY: Final = Shape(roles={})
_Fields = Mapping[str, str | None]


def traces_of(findings: Iterable[Finding]) -> Traces:
    shaped: dict[tuple[str, int], list[Finding]] = {}
    for finding in findings:
        shapes = SHAPES.get(finding.kind, ())
        at = next((number for number, shape in enumerate(shapes) if _holds(shape, finding.fields)), -1)
        shaped.setdefault((finding.kind, at), []).append(finding)
    gathering = Gathering()
    for (kind, at), alike in sorted(shaped.items()):
        gathering.add(_frame(kind, SHAPES[kind][at] if at >= 0 else _ANY, alike))
    return sorted_(gathering)


def _holds(shape: Shape, fields: _Fields) -> bool:
    return all((fields.get(name) or "").lower() in texts for name, texts in shape.gate.items())


def _frame(kind: str, shape: Shape, findings: list[Finding]) -> Frame:
    sources: dict[tuple[str, str], int] = {}
    source = [sources.setdefault((one.path, one.path), len(sources)) for one in findings]
    return Frame(
        kind=kind,
        act=ACTS.index(shape.act),
        inward=shape.inward,
        found=True,
        sources=list(sources),
        source=np.array(source, np.int32).tobytes(),
        ts=np.array([NO_TIME if one.ts_us is None else one.ts_us for one in findings], np.int64).tobytes(),
        rec=np.array([one.rec for one in findings], np.int64).tobytes(),
        chunk=np.array([one.chunk for one in findings], np.int64).tobytes(),
        host=_texts([one.host for one in findings]),
        roles={role: texts for role in ROLES if len((texts := _of_role(role, shape, findings)).values) > 1},
    )


def _of_role(role: Role, shape: Shape, findings: list[Finding]) -> Texts:
    names = shape.roles.get(role, ())
    return _texts([_text(names, one.fields) for one in findings] if names else [])


def _text(names: Iterable[Name], fields: _Fields) -> str:
    for name in names:
        if isinstance(name, str):
            text = fields.get(name) or ""
        else:
            text = f"{fields.get(name[0]) or ''}\\{fields[name[1]]}" if fields.get(name[1]) else ""
        if text not in {"", "-"}:
            return text
    return ""


def _texts(texts: list[str]) -> Texts:
    values: dict[str, int] = {"": 0}
    codes = [values.setdefault(text, len(values)) for text in texts]
    return Texts(np.array(codes, np.int32).tobytes(), list(values))
