"""A run in, the manifest of what was read out: which bytes, in which format, and how much of them was lost."""

from __future__ import annotations

from typing import Any, TextIO

from tocsin.model.custody import Custody
from tocsin.model.run import Run
from tocsin.output.plain import as_document, utc

NAME = "custody"
SUFFIX = ".custody.json"


def write(run: Run, file: TextIO) -> None:
    manifest = {
        "tool": "tocsin",
        "tool_version": run.tool_version,
        "rules_digest": run.rules.digest,
        "timezone": run.timezone,  # of times that name none
        "sources": [_plain(source) for source in run.custody],
    }
    file.write(as_document(manifest))


def _plain(source: Custody) -> dict[str, Any]:
    return {
        "path": source.path,
        "file": source.file,
        "size_bytes": source.size_bytes,
        "sha256": source.sha256,
        "format": source.format,
        "read": source.read,
        "damaged": dict(source.damaged),
        "mended": dict(source.mended),
        "problems": list(source.problems),
        "same_as": source.same_as,
        "first_ts": utc(source.first_us),
        "last_ts": utc(source.last_us),
    }
