"""An advisory in, Markdown, HTML, PDF and CSV of it out: what is in it stays text, and equal ones are equal bytes.

Ids of evidence stay with those who wrote it, but for addresses of public reports, which stand as references.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tocsin.disclose import printing
from tocsin.disclose.advisory import HEADINGS
from tocsin.errors import OutputError
from tocsin.model.advisory import Advisory, Sentence

MOST_PRINTED: Final = 1_000  # indicators in text; all are in the files beside it
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~&:@])")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_SORTS: Final = {"ipv4-addr": "address", "ipv6-addr": "address", "domain-name": "domain"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An advisory as it is laid out. `draft` is why it is none to be released yet, '' where it is."""

    advisory: Advisory
    draft: str

    def plain(self) -> dict[str, Any]:
        """All that is shown, as text."""
        one = self.advisory
        references = _references(one)
        parts = dict(one.parts)
        return {
            "title": one.title,
            "number": f"{one.number}, revision {one.revision}",
            "date": one.date,
            "marking": f"TLP:{one.marking.upper()}",
            "draft": self.draft,
            "authors": [author.name for author in one.authors],
            "contacts": [{"name": author.name, "contact": author.contact} for author in one.authors],
            "changes": list(one.changes),
            "sections": [
                {"heading": HEADINGS[part], "lines": [_with_marks(each, references) for each in parts[part]]}
                for part in ("background", "summary", "tradecraft", "tooling")
                if parts.get(part)
            ],
            "studies": [
                {"called": study.called, "lines": [each.text for each in study.sentences]} for study in one.studies
            ],
            "release": one.release,
            "tactics": _tactics(one),
            "measures": [
                {"id": each.id, "name": each.name, "techniques": ", ".join(each.techniques)} for each in one.measures
            ],
            "indicators": [
                {
                    "sort": _SORTS.get(each.sort, each.sort),
                    "value": each.defanged,
                    "seen": each.first if each.first == each.last else f"{each.first} to {each.last}",
                    "cases": str(each.cases),
                }
                for each in one.indicators[:MOST_PRINTED]
            ],
            "more": max(0, len(one.indicators) - MOST_PRINTED),
            "notes": list(one.notes),
            "disclaimer": [each.text for each in parts.get("disclaimer", ())],
            "references": list(references),
        }


def _references(one: Advisory) -> dict[str, int]:
    """Addresses of public reports among the evidence of what authors say, numbered as they come."""
    found: dict[str, int] = {}
    for _, sentences in one.parts:
        for sentence in sentences:
            for name in sentence.evidence:
                if name.startswith("https://"):
                    found.setdefault(name, len(found) + 1)
    return found


def _with_marks(sentence: Sentence, references: dict[str, int]) -> str:
    numbers = [f"[{references[name]}]" for name in sentence.evidence if name in references]
    return f"{sentence.text} {''.join(numbers)}" if numbers else sentence.text


def _tactics(one: Advisory) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, str]]] = {}
    for row in one.rows:
        told = {
            "technique": row.technique,
            "name": row.name,
            "use": row.use.text,
            "detection": "; ".join(row.detection) or "by indicators",
        }
        found.setdefault(row.tactic, []).append(told)
    return [{"tactic": tactic.replace("-", " ").capitalize(), "rows": rows} for tactic, rows in found.items()]


def markdown(page: Page) -> str:
    """CommonMark; every character of what is told that would act there is escaped."""
    return "\n".join(_markdown(page.plain())) + "\n"


def _markdown(told: dict[str, Any]) -> Iterator[str]:
    yield f"{told['marking']}\n"
    yield f"# {_escaped(told['title'])}\n"
    if told["draft"]:
        yield f"> **Draft.** {_escaped(told['draft'])}\n"
    yield f"{_escaped(told['number'])}, {_escaped(told['date'])}\n"
    if told["authors"]:
        yield _escaped(", ".join(told["authors"])) + "\n"
    yield from _list("What changed", told["changes"])
    for section in told["sections"]:
        yield f"## {_escaped(section['heading'])}\n"
        yield from (f"{_escaped(line)}\n" for line in section["lines"])
    for study in told["studies"]:
        yield from _list(f"Case study: {study['called']}", study["lines"])
    if told["tactics"]:
        yield f"## Techniques (MITRE ATT&CK, release {_escaped(told['release'])})\n"
    for tactic in told["tactics"]:
        yield f"### {_escaped(tactic['tactic'])}\n"
        rows = [[row["technique"], row["name"], row["use"], row["detection"]] for row in tactic["rows"]]
        yield from _table(("Technique", "Name", "Use", "Detection"), rows)
    if told["measures"]:
        yield "## Mitigations, in the order in which to take them\n"
        rows = [[each["id"], each["name"], each["techniques"]] for each in told["measures"]]
        yield from _table(("Mitigation", "Name", "Against"), rows)
    if told["indicators"]:
        yield "## Indicators\n"
        rows = [[each["sort"], each["value"], each["seen"], each["cases"]] for each in told["indicators"]]
        yield from _table(("Type", "Value", "Seen", "Cases"), rows)
    if told["more"]:
        yield f"{told['more']:,} more are in the files beside this.\n"
    yield from (f"{_escaped(note)}\n" for note in told["notes"])
    yield from _list("Contacts", [f"{one['name']}: {one['contact']}" for one in told["contacts"]])
    yield from _list("References", told["references"])
    yield from _list("Disclaimer", told["disclaimer"])
    yield told["marking"]


def _list(heading: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"## {_escaped(heading)}\n"
        yield from (f"- {_escaped(line)}" for line in lines)
        yield ""


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(map(_escaped, row))} |"
    yield ""


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def html(page: Page) -> str:
    """One file that loads and runs nothing."""
    return printing.html("advisory", a=page.plain())


def pdf(page: Page) -> bytes:
    """A sheet of paper.

    Raises:
        OutputError: a name has a letter that no font has.
    """
    try:
        return printing.pdf("advisory", page.plain())
    except (RuntimeError, ValueError) as error:
        hint = "The text and the page can still be written: --no-pdf."
        raise OutputError(f"the advisory cannot be set: {error}", hint=hint) from error


def table(advisory: Advisory) -> str:
    """Indicators as CSV (RFC 4180), values as programs read them, no cell a formula."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(("type", "value", "first_seen", "last_seen", "cases", "tlp"))
    for one in advisory.indicators:
        cells = (one.sort, one.value, one.first, one.last, str(one.cases), one.marking)
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return file.getvalue()
