"""Where telling stands, and what would be sent, in; lines that people read, and files of letters, out."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from tocsin import tell
from tocsin.disclose import clocks, pages
from tocsin.disclose.standing import is_soon
from tocsin.errors import OutputError
from tocsin.model.case import Case
from tocsin.model.letter import Letter
from tocsin.model.notification import BY, EXTENTS, Notification, Standing, Telling, Term
from tocsin.output.screen import shown
from tocsin.seal import durable
from tocsin.tell import Desk

if TYPE_CHECKING:
    from tocsin.sending import Intent

_WIDTH: Final = 100
_MOST: Final = 12  # of one state and extent, unless all are asked for
_UNFIT: Final = re.compile(r"[^A-Za-z0-9.-]+")


def standing(case: Case, every: Sequence[Standing], telling: Telling, now: str, *, whole: bool) -> Iterator[str]:
    yield f"{shown(case.id)}  {shown(case.title)}"
    if not every:
        yield "  nobody is on its register yet: tocsin tell CASE --register"
        return
    states = list(dict.fromkeys(one.state for one in every))
    told = ", ".join(f"{state} {sum(one.state == state for one in every):,}" for state in states)
    yield f"  {len(every):,} on the register: {told}"
    if case.incident and case.registered != case.incident:
        yield "  THE REGISTER IS OF AN EARLIER STATE OF THE INCIDENT: bring it up to date with --register"
    yield from _late(every, telling, now)
    yield from _laws(every, now)
    for extent in reversed(EXTENTS):
        for kind in ("persons", "others"):
            of = [one for one in every if one.notification.extent == extent]
            of = [one for one in of if (one.notification.kind == "person") == (kind == "persons")]
            if of:
                yield ""
                yield f"{extent}, {'people' if kind == 'persons' else 'owners and bodies'}: {len(of):,}"
                for one in of if whole else of[:_MOST]:
                    yield from _entry(one, telling)
                if len(of) > _MOST and not whole:
                    yield f"  and {len(of) - _MOST:,} more, with --register"
    left = sum(one.state == "undecided" for one in every)
    if left:
        yield ""
        yield f"{left:,} are to be decided on, each with a signature; --who takes a key, an extent, a kind or 'all':"
        yield f"  tocsin tell {shown(case.id)} --decide now|TIME|not --who KEY --role ROLE --reason WHY"


def told(folder: Path, case: Case, at: Desk) -> str:
    """In a few words, for a list of cases."""
    if not case.register:
        return "NO REGISTER" if case.incident and case.state == "open" else ""
    every = tell.standing(folder, at)
    counts = (
        ("OVERDUE", sum(bool(one.overdue_s) for one in every)),
        ("undecided", sum(one.state == "undecided" for one in every)),
        ("to tell", sum(one.state in {"to tell", "later", "uncertain", "written"} for one in every)),
    )
    stale = ["OLD REGISTER"] if case.incident and case.registered != case.incident else []
    return ", ".join([*stale, *(f"{count:,} {word}" for word, count in counts if count)]) or "all settled"


def _late(every: Sequence[Standing], telling: Telling, now: str) -> Iterator[str]:
    late = [one for one in every if one.overdue_s]
    soon = [one for one in every if is_soon(one, now)]
    for whom in ("leadership", "lead"):
        of = [one for one in late if one.escalate == whom]
        if of:
            worst = max(one.overdue_s for one in of)
            names = ", ".join(one.notification.name for one in of[:3])
            more = f" and {len(of) - 3:,} more" if len(of) > 3 else ""
            yield from _wrapped(f"OVERDUE, for the {whom}: {len(of):,}, by up to {_span(worst)}: {names}{more}")
    if soon:
        first = min(one.due_at for one in soon)
        yield from _wrapped(f"due soon: {len(soon):,}, the first by {_clock(first, telling)}")


def _laws(every: Sequence[Standing], now: str) -> Iterator[str]:
    """Each body once with its stages; what the law says of people once for all of them."""
    told: dict[tuple[str, str], list[Term]] = {}
    for one in every:
        for term in one.terms:
            told.setdefault((term.law, term.stage), []).append(term)
    if told:
        yield "  clocks of laws, if they apply"
    for terms in told.values():
        term = next((one for one in terms if not one.done_at), terms[0])
        open_ = sum(not one.done_at for one in terms)
        late = " OVERDUE" if term.due_at and not term.done_at and term.due_at < now else ""
        how = "guidance: " if term.advised else "at the latest " if term.latest else ""
        count = f", {open_:,} of {len(terms):,} left" if len(terms) > 1 else ""
        state = "told" if not open_ else f"{how}{term.local}{late}{count}"
        yield from _wrapped(f"{term.law}, {term.stage}: {state}", "    ")


def _entry(one: Standing, telling: Telling) -> Iterator[str]:
    entry = one.notification
    role = f", {entry.role}" if entry.role else ""
    due = f", by {_clock(one.due_at, telling)}" if one.due_at else ""
    late = f" OVERDUE by {_span(one.overdue_s)}" if one.overdue_s else ""
    yield from _wrapped(f"{entry.key}  {entry.name}{role}: {one.state}{due}{late}")
    if one.choice:
        chosen = f"by {_clock(one.choice.removeprefix(BY), telling)}" if one.choice.startswith(BY) else one.choice
        yield from _wrapped(f"{one.by} decided: {chosen}, because: {one.reason}", "      ")
    for why in entry.because[:3]:
        yield from _wrapped(why, "      ")
    if len(entry.because) > 3:
        yield f"      and {len(entry.because) - 3:,} more reasons"
    if entry.instead or entry.namesakes:
        others = ", ".join(dict.fromkeys((*entry.instead, *entry.namesakes)))
        yield from _wrapped(f"NOT TO BE MISTAKEN for {others}: call them before anything is sent", "      ")
    for word in one.words[-2:]:
        note = f" ({word.note})" if word.note else ""
        yield from _wrapped(f"{word.deed} by {word.by}{f' to {word.to}' if word.to else ''}{note}", "      ")
    if entry.contact:
        yield from _wrapped(f"reached outside by {entry.contact}", "      ")


def about(entries: Sequence[Notification], choice: str) -> Iterator[str]:
    """What somebody is about to sign."""
    yield f"{choice}, for {len(entries):,}:"
    for one in entries[: 2 * _MOST]:
        yield from _wrapped(f"{one.key}  {one.name}: {one.extent}")
    if len(entries) > 2 * _MOST:
        yield f"  and {len(entries) - 2 * _MOST:,} more"


def intents(every: Sequence[Intent]) -> Iterator[str]:
    if not every:
        yield "there is nothing to send"
    for one in every:
        how = f"{one.channel.name}{f' to {one.to}' if one.to else ''}" if one.channel else "NOT SENT"
        yield from _wrapped(f"{one.entry.key}  {one.entry.name}: {how}")
        for why in one.why:
            yield from _wrapped(why, "      ")


def letter(one: Letter, text: str) -> Iterator[str]:
    yield f"--- {shown(one.key)}"
    yield text


def save(folder: Path, name: str, one: Letter, fonts: Path | None, *, dense: bool = False) -> None:
    """As text, HTML and PDF, which others on this machine cannot read."""
    pdf = pages.pdf(one, dense=dense, fonts=fonts)
    if not pdf:
        told_why = f"{one.key}: no font has all its letters, so there is no PDF: print the HTML, or name `fonts`"
        typer.echo(f"tocsin: {shown(told_why)}", err=True)
    called = f"{_UNFIT.sub('-', name)[:60].strip('-.')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for ending, content in (
            ("txt", pages.text(one).encode()),
            ("html", pages.html(one).encode()),
            ("pdf", pdf),
        ):
            if content:
                durable.replace(folder / f"{called}.{ending}", content, mode=0o600)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror or error}", hint="Name a folder with --out.") from error


def _clock(at: str, telling: Telling) -> str:
    return clocks.clock(clocks.moment(at), clocks.zone(telling.zone, "zone"))


def _span(seconds: int) -> str:
    days, hours = divmod(seconds // 3600, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {seconds % 3600 // 60} min"


def _wrapped(text: str, indent: str = "  ") -> Iterable[str]:
    width = min(_WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _WIDTH
    return textwrap.wrap(
        shown(text), width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    ) or [indent]
