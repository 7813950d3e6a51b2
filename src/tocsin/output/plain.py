"""Findings in, flat rows out, and rows as JSON and as spreadsheet cells that nobody's program takes for more."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TextIO

import orjson

from tocsin.model.correlation import Correlated
from tocsin.model.finding import Finding
from tocsin.model.incident import Incident
from tocsin.model.indicator import Indicator
from tocsin.model.run import Run
from tocsin.output.screen import UNSEEN, shown

KEYS: Final = (
    "rule_id",
    "title",
    "level",
    "techniques",
    "attack_release",
    "author",
    "ts",
    "host",
    "kind",
    "src",
    "rec",
    "chunk",
    "path",
    "variant",
    "fields",
    "correlation",
    "indicator",
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ACTS: Final = re.compile(f"<|{UNSEEN.pattern}")
_ACTS_IN_DOCUMENT: Final = re.compile(rf"(?!\n)(?:{_ACTS.pattern})")  # its line breaks are our own
# Spreadsheets also take the full-width forms for the signs themselves, and skip blanks before them.
_FORMULA: Final = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def utc(us: int | None) -> str | None:
    """UTC microseconds as ISO 8601 with all six digits and Z; None where there is none, or no calendar has it."""
    if us is None:
        return None
    try:
        moment = _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z" if moment.year >= 1000 else None  # %Y does not fill up to four


def clock(us: int | None, *, seconds: bool = True) -> str:
    """The same as people read it, to the second or the minute."""
    text = utc(us)
    return text[: 19 if seconds else 16].replace("T", " ") if text else "no time"


def earlier(incident: Incident) -> str:
    """What stands before an incident's first record of weight and may be of it, '' where nothing does."""
    told = incident.earlier
    if not told:
        return ""
    reasons = Counter(entry.perhaps for entry in told)
    because = "; ".join(reason for reason, _ in reasons.most_common(2))
    first = told[0]
    many = "1 record" if len(told) == 1 else f"{len(told):,} records, the first"
    return f"{many} at {clock(first.ts_us)} on {shown(first.host, 60) or 'an unnamed machine'} ({because})."


def rows(run: Run) -> Iterator[dict[str, Any]]:
    """Each finding under `KEYS`, in that order."""
    rules = run.rules.rules
    known = [
        {
            "rule_id": rule.id,
            "title": rule.title,
            "level": rule.level,
            "techniques": list(rule.techniques),
            "attack_release": rule.attack_release,
            "author": rule.author,
        }
        for rule in rules
    ]
    for finding in run.findings:
        indicator = rules[finding.rule].indicator
        told = _of_indicator(indicator) if indicator else None
        yield {**known[finding.rule], **_of_event(finding), "indicator": told}


def _of_indicator(one: Indicator) -> dict[str, Any]:
    """Who says so, when it holds, and with whom it may be shared."""
    return {
        "observables": [{"type": each.type, "value": each.value} for each in one.observables],
        "pattern": one.pattern or None,
        "source": one.source,
        "confidence": one.confidence,
        "tlp": one.tlp,
        "valid_from": utc(one.since_us),
        "valid_until": utc(one.until_us),
        "labels": list(one.labels),
        "listed": list(one.listed),
        "path": one.path,
        "line": one.line,
    }


def _of_event(finding: Finding) -> dict[str, Any]:
    return {
        "ts": utc(finding.ts_us),
        "host": finding.host,
        "kind": finding.kind,
        "src": finding.src,
        "rec": finding.rec,
        "chunk": None if finding.chunk < 0 else finding.chunk,
        "path": finding.path,
        "variant": finding.variant,
        "fields": dict(finding.fields),
        "correlation": _of_correlation(finding.correlated) if finding.correlated else None,
    }


def _of_correlation(one: Correlated) -> dict[str, Any]:
    return {
        "type": one.type,
        "value": int(one.value) if one.value.is_integer() else one.value,
        "group": dict(one.group),
        "first_ts": utc(one.first_us),
        "last_ts": utc(one.last_us),
        "count": one.count,
        "events": [
            {
                "path": event.path,
                "rec": event.rec,
                "chunk": None if event.chunk < 0 else event.chunk,
                "ts": utc(event.ts_us),
            }
            for event in one.events
        ],
    }


def as_json(value: Any) -> str:
    r"""JSON on one line. What a terminal or a browser would act on stands as `\uXXXX`, which reads back the same."""
    try:
        text = orjson.dumps(value).decode()
    except TypeError:  # half of a surrogate pair, which UTF-8 cannot hold, or a very large number
        text = json.dumps(value, separators=(",", ":"))
    return _ACTS.sub(_escape, text) if _ACTS.search(text) else text


def as_document(value: Any) -> str:
    """The same for a whole file that people also read: indented."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _ACTS_IN_DOCUMENT.sub(_escape, text) + "\n"


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def cell(value: str | int | None) -> str | int:
    """What a spreadsheet shows as text and a terminal as it stands. Our own numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, int):
        return value
    return shown(f"'{value}" if _FORMULA.match(value) else value)


def write_table(header: Sequence[str], lines: Iterable[Sequence[str | int | None]], file: TextIO) -> None:
    """RFC 4180: CR LF, quotes doubled. `file` must not translate line ends."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([cell(value) for value in line] for line in lines)
