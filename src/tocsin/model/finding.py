"""A rule that matched an event, with the exact event; or a correlation, with all the events it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tocsin.model.correlation import Correlated


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule and one event; of a correlation, the last of its events.

    Args:
        rule: index into the run's `RuleSet.rules`.
        variant: which log source of a generic rule it was ("sysmon", "security"; "" where there is one only).
        ts_us: UTC microseconds; None where the event has no readable time.
        src: SHA-256 of the file on disk that holds the event.
        rec: record id (EVTX) or byte offset (text); `chunk`: byte offset of the EVTX chunk, -1 elsewhere.
        path: the source, `file!member` where it stands in an archive.
        fields: what the rule looked at, as text; a list in the log is JSON text.
        correlated: None but for a correlation.
    """

    rule: int
    variant: str
    ts_us: int | None
    host: str
    kind: str
    src: str
    rec: int
    chunk: int
    path: str
    fields: Mapping[str, str | None]
    correlated: Correlated | None = None
