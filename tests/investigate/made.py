"""A few words in, findings and their traces out: small cases read as sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tocsin.investigate import Traces, read
from tocsin.investigate.kept import Frame, Texts, to_bytes
from tocsin.investigate.roles import ACTS, Act, Role
from tocsin.model.event import NO_TIME
from tocsin.model.finding import Finding
from tocsin.model.rule import LEVELS, Level, Rule

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
BEGIN = 1_700_000_000 * SECOND

RULES = tuple(
    Rule(
        id=f"{level}-{number}",
        title=f"Rule {number} of {level}",
        level=level,
        status="test",
        path="rules.yml",
        line=1,
        logsource="windows/process_creation",
        tactics=("execution",),
    )
    for level in LEVELS
    for number in range(4)
)


def rule(level: Level, number: int = 0) -> int:
    return LEVELS.index(level) * 4 + number


@dataclass(frozen=True, kw_only=True)
class Happened:
    """A record: `rules` that matched it, none for one that only shows a way; `at` in microseconds after `BEGIN`."""

    at: int | None
    host: str
    rules: tuple[int, ...] = ()
    act: Act = ""
    inward: bool = False
    kind: str = "windows"
    path: str = "made.jsonl"
    rec: int = -1
    roles: Mapping[Role, str] = field(default_factory=dict)


def told(happened: Sequence[Happened], folder: Path) -> tuple[list[Finding], Traces]:
    numbered = [(one, number if one.rec < 0 else one.rec) for number, one in enumerate(happened)]
    path = folder / "traces"
    path.write_bytes(b"".join(to_bytes(_frame(one, rec)) for one, rec in numbered))
    return [finding for one, rec in numbered for finding in _findings(one, rec)], read([path])


def _findings(one: Happened, rec: int) -> Iterable[Finding]:
    for number in one.rules:
        yield Finding(
            rule=number,
            variant="",
            ts_us=None if one.at is None else BEGIN + one.at,
            host=one.host,
            kind=one.kind,
            src="",
            rec=rec,
            chunk=-1,
            path=one.path,
            fields={},
        )


def _frame(one: Happened, rec: int) -> Frame:
    return Frame(
        kind=one.kind,
        act=ACTS.index(one.act),
        inward=one.inward,
        found=bool(one.rules),
        sources=[(one.path, one.path)],
        source=np.zeros(1, np.int32).tobytes(),
        ts=np.array([NO_TIME if one.at is None else BEGIN + one.at], np.int64).tobytes(),
        rec=np.array([rec], np.int64).tobytes(),
        chunk=np.array([-1], np.int64).tobytes(),
        host=_text(one.host),
        roles={role: _text(text) for role, text in one.roles.items() if text},
    )


def _text(text: str) -> Texts:
    return Texts(np.array([1 if text else 0], np.int32).tobytes(), ["", text] if text else [""])
