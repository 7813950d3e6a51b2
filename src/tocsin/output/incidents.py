"""Incidents in, pages for the terminal out, and one array of JSON: what happened, in which order, where, and why so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TextIO

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocsin.model.background import Background
from tocsin.model.incident import Entry, Incident, Seen
from tocsin.model.press import Judged
from tocsin.output import impact as impact_words
from tocsin.output.plain import as_document, clock, earlier
from tocsin.output.screen import shown
from tocsin.output.terminal import STYLES

_WIDEST: Final = 130
_MOST_WHOLE: Final = 5  # of those to act on now that are told in full; the file has all
_MOST_REVIEW: Final = 10
_MOST_BEHIND: Final = 5
_MOST_STEPS: Final = 12
_MOST_NAMES: Final = 6
_MOST_JOINS: Final = 5
_MOST_CLAIMS: Final = 8
_LONGEST: Final = 300


def write(incidents: Sequence[Incident], file: TextIO) -> None:
    """One array, whatever number there is; the same incidents give the same bytes."""
    file.write(as_document(to_plain(incidents)))


def write_background(background: Sequence[Background], file: TextIO) -> None:
    """What needs no eyes, as one array."""
    file.write(as_document(msgspec.to_builtins(background)))


def to_plain(incidents: Sequence[Incident]) -> Any:
    return msgspec.to_builtins(incidents)


def one_line(incidents: Sequence[Incident]) -> str:
    now = sum(one.rank == "act now" for one in incidents)
    return f"{now:,} {'incident' if now == 1 else 'incidents'} to act on now, {len(incidents) - now:,} to review"


def show(console: Console, incidents: Sequence[Incident], background: Sequence[Background] = ()) -> None:
    """Print those to act on now as a person reads them, then the head of the review queue, and what is behind it."""
    width = min(console.width, _WIDEST)
    now = [one for one in incidents if one.rank == "act now"]
    queue = [one for one in incidents if one.rank != "act now"]
    console.print(Text(f"\nACT NOW  {len(now):,}", style="bold red" if now else "bold"))
    for one in now[:_MOST_WHOLE]:
        console.print(Text(f"\n{shown(one.title, _LONGEST)}", style=STYLES[one.level]), width=width)
        page = Table.grid(padding=(0, 1))
        page.add_column(width=12, no_wrap=True, style="bright_black")
        page.add_column()
        for word, text in _page(one):
            page.add_row(f"  {word}", Text(text))
        console.print(page, width=width)
    if len(now) > _MOST_WHOLE:
        console.print(Text(f"  and {len(now) - _MOST_WHOLE:,} more: with --out they are in incidents.json"))
    console.print(Text(f"\nREVIEW QUEUE  {len(queue):,}", style="bold"))
    for one in queue[:_MOST_REVIEW]:
        console.print(Text(f"  {one.score:>6,.1f}  {_when(one)}  {shown(one.title, _LONGEST)}"), width=width)
    if len(queue) > _MOST_REVIEW:
        console.print(Text(f"  and {len(queue) - _MOST_REVIEW:,} more"))
    _behind(console, background, width)


def _behind(console: Console, background: Sequence[Background], width: int) -> None:
    """What nobody needs to look at one by one: how much, and of what most."""
    if not background:
        return
    console.print(Text(f"\nBACKGROUND  {sum(one.count for one in background):,} findings", style="bold"))
    for one in sorted(background, key=lambda one: (-one.count, one.rule_id, one.because))[:_MOST_BEHIND]:
        days = f"{one.days:,} {'day' if one.days == 1 else 'days'}"
        where = f"{one.hosts:,} {'machine' if one.hosts == 1 else 'machines'}, {days}"
        console.print(Text(f"  {one.count:>8,}  {shown(one.title, 100)} ({where}): {one.because}"), width=width)
    if len(background) > _MOST_BEHIND:
        console.print(
            Text(f"  and {len(background) - _MOST_BEHIND:,} more rules: with --out they are in background.json")
        )
    console.print(Text("  --everything lowers and folds nothing"))


def show_claims(console: Console, claims: Sequence[Judged]) -> None:
    """Print what somebody said was taken, and what the evidence says of it; nothing where nobody said anything."""
    if not claims:
        return
    width = min(console.width, _WIDEST)
    console.print(Text(f"\nWHAT IS CLAIMED  {len(claims):,}", style="bold"))
    for one in claims:
        verdict = f"{one.verdict.upper()}  {shown(one.says, _LONGEST)} ({shown(one.by, 100)})"
        console.print(Text(f"\n{verdict}", style="bold"), width=width)
        page = Table.grid(padding=(0, 1))
        page.add_column(width=12, no_wrap=True, style="bright_black")
        page.add_column()
        for word, lines in (("because", one.because), ("not seen", one.not_seen)):
            for number, line in enumerate(lines):
                page.add_row("" if number else f"  {word}", Text(shown(line, _LONGEST)))
        console.print(page, width=width)


def _page(one: Incident) -> Iterator[tuple[str, str]]:
    repeats = sum(finding.repeats for finding in one.findings)
    yield "score", f"{one.score:,.1f}: {', '.join(one.because)}"
    yield "when", f"{_when(one)}{_lasted(one.dwell_us)}"
    if perhaps := earlier(one):
        yield "earlier?", perhaps
    yield "hosts", _names(one.hosts) or "no record names one"
    if one.accounts:
        yield "accounts", _names(one.accounts)
    if one.addresses:
        yield "addresses", _names(one.addresses)
    if one.techniques:
        yield "ATT&CK", f"{one.tactic}; {', '.join(one.techniques[:12])}"
    yield "way in", _step(one.way_in) if one.way_in else "no record shows it"
    yield "first on", shown(one.patient_zero, _LONGEST) or "unknown"
    for number, move in enumerate(one.moves[:_MOST_NAMES]):
        yield "moved" if not number else "", f"{clock(move.ts_us)}  {shown(move.because, _LONGEST)}"
    yield from _steps([entry for entry in one.timeline if not entry.perhaps])
    told = sorted(one.joins, key=lambda join: (-join.weight, join.one, join.other))
    reasons = list(dict.fromkeys(join.because.rsplit(", ", 1)[0] for join in told))
    for number, reason in enumerate(reasons[:_MOST_JOINS]):
        yield "why one" if not number else "", shown(reason, _LONGEST)
    if repeats:
        say = "1 finding that says" if repeats == 1 else f"{repeats:,} findings that say"
        yield "folded", f"{say} the same again"
    for skew in one.skews:
        ahead = f"{skew.ahead_us / 1e6:+.1f} s against {skew.against}, by {skew.events} connections"
        yield "clock", f"{shown(skew.host)} {shown(ahead)}"
    yield from _taken(one)
    if one.context:
        things = len({(beside.kind, beside.name) for beside in one.context})
        say = f"{sum(beside.count for beside in one.context):,} records of {things:,} things that it shares"
        yield "around it", f"{say}: with --out they are in incidents.json"
    for number, sentence in enumerate(one.still_open[:_MOST_NAMES]):
        yield "still open" if not number else "", shown(sentence, _LONGEST)
    for number, sentence in enumerate(one.not_seen[:_MOST_NAMES]):
        yield "not seen" if not number else "", shown(sentence, _LONGEST)
    yield "id", one.id


def _taken(one: Incident) -> Iterator[tuple[str, str]]:
    """What was accessed, staged and taken, whose machines these are, and whom it touches."""
    for number, sentence in enumerate(impact_words.summary(one.impact, _MOST_CLAIMS)):
        yield "taken" if not number else "", sentence
    for number, question in enumerate((one.impact.unanswered if one.impact else ())[:_MOST_NAMES]):
        yield "not known" if not number else "", shown(question.question, _LONGEST)
    for word, lines in (
        ("assets", [impact_words.held(held) for held in one.assets]),
        ("people", list(impact_words.all_touched(one.people))),
    ):
        for number, line in enumerate(lines[:_MOST_NAMES]):
            yield word if not number else "", line
        if len(lines) > _MOST_NAMES:
            yield "", f"and {len(lines) - _MOST_NAMES:,} more: with --out they are in incidents.json"


def _steps(timeline: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """The first steps and the last: an incident is known by how it began and by where it stands."""
    head = timeline if len(timeline) <= _MOST_STEPS else timeline[: _MOST_STEPS - 4]
    tail = timeline[len(head) :][-4:]
    for number, entry in enumerate(head):
        yield "steps" if not number else "", _step(entry)
    if len(head) + len(tail) < len(timeline):
        yield "", f"… {len(timeline) - len(head) - len(tail):,} more"
    for entry in tail:
        yield "", _step(entry)


def _step(entry: Entry) -> str:
    return f"{clock(entry.ts_us)}  {shown(entry.host, 40)}  {shown(entry.what, _LONGEST)}"


def _when(one: Incident) -> str:
    first, last = clock(one.first_us), clock(one.last_us)
    return first if first == last else f"{first} to {last if last[:10] != first[:10] else last[11:]}"


def _lasted(dwell_us: int | None) -> str:
    if not dwell_us:
        return ""
    seconds = dwell_us / 1e6
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f" ({seconds / size:.0f} {word})"
    return f" ({seconds:.0f} seconds)"


def _names(seen: Sequence[Seen]) -> str:
    names = ", ".join(f"{shown(one.name, 60)} ({one.findings:,})" for one in seen[:_MOST_NAMES])
    return names + (f" and {len(seen) - _MOST_NAMES:,} more" if len(seen) > _MOST_NAMES else "")
