"""What changed between two releases of ATT&CK in, lines that people read or JSON out."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tocsin.cli.learn_pages import WORDS
from tocsin.learn.compare import Difference, Entries
from tocsin.model.attack import Entry, Kind
from tocsin.output.screen import shown

_PLURAL: Final[dict[Kind, str]] = {
    "tactic": "tactics",
    "technique": "techniques",
    "group": "groups",
    "malware": "malware",
    "tool": "tools",
    "campaign": "campaigns",
}


def page(found: Difference, width: int) -> Iterator[str]:
    yield f"from {found.before.name} to {found.after.name}"
    if found.untold:
        yield f"  not compared, since only one of them tells of it: {', '.join(_PLURAL[kind] for kind in found.untold)}"
    for kind, changes in found.entries.items():
        yield from _entries(_PLURAL[kind], changes, width)
    yield ""
    yield f"links: {found.same} the same, {found.moved} under another number, {len(found.added)} added,"
    yield f"  {len(found.removed)} removed, {len(found.lost)} with an end that has no one counterpart"
    groups = {number for ends in (*found.added, *found.removed) for number in ends[:1] if number.startswith("G")}
    for number in sorted(groups):
        entry = found.after.entries.get(number) or found.before.entries[number]
        came = [f"+{target}" for source, target in found.added if source == number]
        went = [f"-{target}" for source, target in found.removed if source == number]
        yield from _wrapped(", ".join(came + went), f"  {number} {shown(entry.name, 24)}: ", width)


def _entries(word: str, changes: Entries, width: int) -> Iterator[str]:
    counts = (
        ("new", len(changes.added)),
        ("no longer there as they were", len(changes.gone)),
        ("with another name", len(changes.renamed)),
        ("with other aliases", len(changes.aliases)),
    )
    told = ", ".join(f"{count} {what}" for what, count in counts if count)
    yield ""
    yield f"{word}: {told or 'no change'}"
    yield from _wrapped("; ".join(map(_called, changes.added)), "  new      ", width)
    for entry, after in changes.gone:
        several = "any of " * (len(after.to) > 1)
        now = f"now {several}{', '.join(after.to)} ({WORDS[after.grounds]})" if after.to else WORDS[after.grounds]
        yield from _wrapped(f"{_called(entry)}: {now}", "  gone     ", width)
    for pair in changes.renamed:
        yield from _wrapped(f"{_called(pair.before)} is {shown(pair.after.name)}", "  renamed  ", width)
    for entry, came, went in changes.aliases:
        names = ", ".join([*(f"+{shown(name)}" for name in came), *(f"-{shown(name)}" for name in went)])
        yield from _wrapped(f"{_called(entry)}: {names}", "  aliases  ", width)


def _called(entry: Entry) -> str:
    return f"{entry.id} {shown(entry.name)}"


def _wrapped(text: str, label: str, width: int) -> list[str]:
    if not text:
        return []
    return textwrap.wrap(
        text,
        width,
        initial_indent=label,
        subsequent_indent=" " * 11,
        break_long_words=False,
        break_on_hyphens=False,
    )


def as_json(found: Difference) -> dict[str, Any]:
    return {
        "before": found.before.name,
        "after": found.after.name,
        "not_compared": found.untold,
        "entries": {
            kind: {
                "added": _ids(one.added),
                "gone": [{"id": entry.id, "now": to.to, "grounds": to.grounds} for entry, to in one.gone],
                "moved": [{"id": pair.before.id, "now": pair.after.id} for pair in one.moved],
                "renamed": [
                    {"id": pair.after.id, "before": pair.before.name, "after": pair.after.name} for pair in one.renamed
                ],
                "aliases": [{"id": entry.id, "added": came, "removed": went} for entry, came, went in one.aliases],
            }
            for kind, one in found.entries.items()
        },
        "links": {
            "same": found.same,
            "moved": found.moved,
            "added": found.added,
            "removed": found.removed,
            "untranslated": found.lost,
        },
    }


def _ids(entries: Iterable[Entry]) -> list[str]:
    return [one.id for one in entries]
