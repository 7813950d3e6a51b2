"""What is known of a group in, lines that people read out: nothing of it is said as if it were our finding."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from tocsin.learn import countries, vendors
from tocsin.model.attack import Entry, Release
from tocsin.model.intrusion_set import IntrusionSet, Name
from tocsin.model.knowledge import Knowledge
from tocsin.model.use import Use
from tocsin.output.screen import shown

CAUTION: Final = "Suspected by public lists, which do not say on what grounds; not a finding of this system."
OWN_CAUTION: Final = "Suspected by this team's own file; not a finding of this system."
_NO_VENDOR: Final = "others"


def page(knowledge: Knowledge, group: IntrusionSet, release: Release | None, width: int) -> Iterator[str]:
    """A group, after its heading."""
    yield from _suspected(group, width)
    yield ""
    yield from _names(group, width)
    if group.techniques:
        yield ""
        yield from _techniques(group, release, width)
    if group.software:
        yield ""
        yield from _software(knowledge, group)
    if group.campaigns:
        yield ""
        yield from _campaigns(knowledge, group)
    if cited := _reports(group):
        yield ""
        yield f"  reports ({len(cited)}), with how many of these statements rest on each"
        for name, count in sorted(cited.items(), key=lambda pair: (-pair[1], pair[0])):
            yield f"    {count:>3}  {shown(name)}"
            if address := knowledge.reports.get(name):
                yield f"         {shown(address)}"
    if group.doubts:
        yield ""
        yield "  doubts"
        for doubt in group.doubts:
            yield from _wrapped(f"{doubt}.", "    ", width)


def _suspected(group: IntrusionSet, width: int) -> Iterator[str]:
    by = "by this team" if group.origin == "own" else "by public lists"
    rows = (
        ("country", _suspicion(group.countries, by)),
        ("sponsor", _suspicion(group.sponsors, by)),
        ("motive", ", ".join(map(shown, group.motives))),
        ("victims", ", ".join([*_places(group.victims), *map(shown, group.other_victims)])),
        ("sectors", ", ".join(map(shown, group.sectors))),
    )
    if not any(told for _, told in rows):
        yield "  no country, sponsor, motive or victims are told of it"
    for label, told in rows:
        if told:
            yield from _wrapped(told, f"  {label:14}", width)
    if group.confidence:
        yield f"  {'confidence':14}{', '.join(map(str, group.confidence))} of 100, as the list puts it"
    yield from _wrapped("; ".join(map(shown, group.told_by)), f"  {'told by':14}", width)
    if group.countries or group.sponsors:
        yield from _wrapped(CAUTION if group.origin != "own" else OWN_CAUTION, f"  {'':14}", width)


def _suspicion(codes: Iterable[str], by: str) -> str:
    told = _places(codes)
    unclear = "ambiguous: " if len(told) > 1 else ""
    return f"{unclear}{', '.join(told)} (suspected {by})" if told else ""


def _places(codes: Iterable[str]) -> list[str]:
    return sorted(shown(countries.name(code)) for code in codes)


def _names(group: IntrusionSet, width: int) -> Iterator[str]:
    by_vendor: dict[str, list[str]] = {}
    marks: set[str] = set()
    for name in (Name(text=group.name, vendors=group.vendors, form=vendors.by_form(group.name)), *group.aliases):
        guess = "~" if name.form and not name.vendors else ""
        mark = ("?" if not name.is_sure else "") + guess
        marks.update(mark)
        for vendor in name.vendors or (name.form or _NO_VENDOR,):
            by_vendor.setdefault(vendor, []).append(f"{shown(name.text)}{mark}")
    yield "  names, by who calls it so"
    if "?" in marks:
        yield "    ? only a list of many hands has it"
    if "~" in marks:
        yield "    ~ whose it is, only its form tells"
    for vendor in sorted(by_vendor, key=lambda one: (one == _NO_VENDOR, one.casefold())):
        yield from _wrapped(", ".join(by_vendor[vendor]), f"    {shown(vendor, 16):18}", width)
    if group.disputed:
        told = ", ".join(shown(name.text) for name in group.disputed)
        yield from _wrapped(f"{told}: in a list, but ATT&CK has it for another group", f"    {'disputed':18}", width)


def _techniques(group: IntrusionSet, release: Release | None, width: int) -> Iterator[str]:
    entries: Mapping[str, Entry] = release.entries if release else {}
    by_tactic: dict[str, list[str]] = {}
    for number, use in group.techniques.items():
        entry = entries.get(number)
        old = f", was {', '.join(use.told_as)}" if use.told_as else ""
        text = f"{number} {shown(entry.name) if entry else ''}{old}".rstrip()
        for tactic in (entry.tactics if entry else ()) or ("no tactic",):
            by_tactic.setdefault(tactic, []).append(text)
    yield f"  techniques ({len(group.techniques)}), in the numbers of release {release.name if release else '?'}"
    for tactic in sorted(by_tactic):
        yield from _wrapped("; ".join(by_tactic[tactic]), f"    {shown(tactic):24}", width)


def _software(knowledge: Knowledge, group: IntrusionSet) -> Iterator[str]:
    rows: list[tuple[int, str, str, str]] = []
    for number in group.software:
        one = knowledge.software.get(number)
        users = len(one.users) if one else 1
        shared = "no other known group" if users == 1 else f"{users} known groups"
        rows.append((users, number, f"{shown(one.name, 28)} ({one.kind})" if one else "", shared))
    yield f"  software ({len(rows)}), the least shared first"
    for _, number, name, shared in sorted(rows):
        yield f"    {number:7}{name:42}{shared}"


def _campaigns(knowledge: Knowledge, group: IntrusionSet) -> Iterator[str]:
    yield f"  campaigns ({len(group.campaigns)}) attributed to it by ATT&CK"
    for number in group.campaigns:
        one = knowledge.campaigns[number]
        days = f"{one.first_seen[:7] or '?'} to {one.last_seen[:7] or '?'}"
        yield f"    {number:7}{shown(one.name, 40):40}{days}"


def _reports(group: IntrusionSet) -> dict[str, int]:
    counts: dict[str, int] = {}
    for use in (*group.techniques.values(), *group.software.values()):
        for name in use.citations:
            counts[name] = counts.get(name, 0) + 1
    return counts


def _wrapped(text: str, label: str, width: int) -> list[str]:
    """Text behind a label, in lines of a width, which later lines are indented by."""
    return textwrap.wrap(
        text,
        width=width,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )


def fitted(line: str, width: int) -> list[str]:
    """A line with a label of 16 characters, in lines of a width."""
    return _wrapped(line[16:], line[:16], width) if len(line) > width else [line]


# --------------------------------------------------------------------------------- for programs


def facts(knowledge: Knowledge, group: IntrusionSet) -> dict[str, Any]:
    """All that is known of a group, as JSON."""
    cited = sorted(_reports(group))
    return {
        "release": knowledge.release,
        "caution": CAUTION,
        "id": group.id,
        "name": group.name,
        "origin": group.origin,
        "state": group.state,
        "since": group.since,
        "vendors": group.vendors,
        "aliases": [_name(one) for one in group.aliases],
        "disputed": [_name(one) for one in group.disputed],
        "suspected": {
            "country": group.country,
            "countries": group.countries,
            "sponsor": group.sponsor,
            "sponsors": group.sponsors,
            "motives": group.motives,
            "victims": group.victims,
            "other_victims": group.other_victims,
            "sectors": group.sectors,
            "confidence": group.confidence,
        },
        "told_by": group.told_by,
        "doubts": group.doubts,
        "techniques": [_use(one) for one in group.techniques.values()],
        "software": [_use(one) | _about(knowledge, one.id) for one in group.software.values()],
        "campaigns": [
            {"id": one.id, "name": one.name, "first_seen": one.first_seen, "last_seen": one.last_seen}
            for one in (knowledge.campaigns[number] for number in group.campaigns)
        ],
        "reports": {name: knowledge.reports.get(name, "") for name in cited},
    }


def _name(one: Name) -> dict[str, Any]:
    return {
        "name": one.text,
        "vendors": one.vendors,
        "sources": one.sources,
        "sure": one.is_sure,
        "perhaps": one.perhaps,
    }


def _use(one: Use) -> dict[str, Any]:
    return {
        "id": one.id,
        "reports": one.citations,
        "releases": one.releases,
        "since": one.since,
        "told_as": one.told_as,
    }


def _about(knowledge: Knowledge, number: str) -> dict[str, Any]:
    one = knowledge.software.get(number)
    return {"name": one.name if one else "", "kind": one.kind if one else "", "groups": one.users if one else ()}
