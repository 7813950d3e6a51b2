"""A run in, JSON lines that Timesketch imports as a timeline out.

Timesketch asks for `message`, `datetime` and `timestamp_desc`, and takes every other key as a searchable attribute.
"""

from __future__ import annotations

from typing import Any, Final, TextIO

from tocsin.model.run import Run
from tocsin.output.plain import KEYS, as_json, rows

NAME = "timesketch"
SUFFIX = ".timesketch.jsonl"

# Attributes that Timesketch gives a meaning of its own, and ours; a field of a log may not take their place.
_OF_CORRELATION: Final = ("type", "value", "count", "first_ts", "last_ts")
_OF_INDICATOR: Final = ("source", "confidence", "tlp", "valid_from", "valid_until")
_TAKEN: Final = {
    *("datetime", "label", "message", "tag", "timestamp", "timestamp_desc", *KEYS),
    *(f"correlation_{name}" for name in _OF_CORRELATION),
    *(f"indicator_{name}" for name in _OF_INDICATOR),
}
_NO_TIME: Final = "1970-01-01T00:00:00.000000Z"  # an event without a time must still be on the timeline


def write(run: Run, file: TextIO) -> None:
    for row, finding in zip(rows(run), run.findings, strict=True):
        moment = row.pop("ts")
        fields = row.pop("fields")
        correlation = row.pop("correlation") or {}
        indicator = row.pop("indicator") or {}
        line: dict[str, Any] = {
            "message": f"{row['title']} on {row['host'] or 'an unnamed host'} ({row['level']})",
            "datetime": (moment or _NO_TIME).replace("Z", "+00:00"),
            "timestamp": finding.ts_us if moment else 0,
            "timestamp_desc": "Event Logged" if moment else "Not set",
            "tag": [row["level"], *row["techniques"], *([f"tlp:{indicator['tlp']}"] if indicator.get("tlp") else [])],
            **row,
            **{f"correlation_{name}": correlation[name] for name in _OF_CORRELATION if correlation},
            **{f"indicator_{name}": indicator[name] for name in _OF_INDICATOR if indicator},
        }
        file.write(as_json({**line, **_attributes(fields)}) + "\n")


def _attributes(fields: dict[str, str | None]) -> dict[str, str]:
    """Fields as attributes. A dot would make OpenSearch see an object, so that `a` and `a.b` exclude each other."""
    named = ((name.replace(".", "_"), text) for name, text in fields.items() if text is not None)
    return {f"field_{name}" if name.lower() in _TAKEN else name: text for name, text in named}
