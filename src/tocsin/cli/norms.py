"""`tocsin norms`: what states have agreed on that bears on a case, and what one writes to another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tocsin.cli import person
from tocsin.cli.case_options import By, Root, known, place
from tocsin.cli.case_whole import role_of
from tocsin.cli.person import PassphraseFd
from tocsin.errors import SettingsError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.model.decision import Role
    from tocsin.model.norms import Relevance, Thread

_REQUESTS: Final = ("information", "mitigation", "assistance")
_URGENCIES: Final = ("routine", "urgent", "immediate")
DEEDS: Final = ("handed over", "acknowledged", "answered", "withdrawn", "closed")  # a test compares

Cases = Annotated[list[str], typer.Argument(metavar="CASE...", help="Its id; several for --dossier.")]
Notify = Annotated[str, typer.Option("--notify", metavar="STATE", help="Propose a notice to a state.")]
Sender = Annotated[str, typer.Option("--sender", metavar="TEXT", help="Your contact point.")]
Verify = Annotated[str, typer.Option("--verify", metavar="TEXT", help="How the receiver checks that it is you.")]
Receiver = Annotated[str, typer.Option("--receiver", metavar="TEXT", help="Their contact point, if it is known.")]
RequestWord = Annotated[str, typer.Option("--request", metavar="WORD", help=f"For {', '.join(_REQUESTS)}.")]
Action = Annotated[str, typer.Option("--action", metavar="TEXT", help="What you ask them to do.")]
ByWhen = Annotated[str, typer.Option("--by-when", metavar="TEXT", help="Until when.")]
UrgencyWord = Annotated[str, typer.Option("--urgency", metavar="WORD", help=f"It is {', '.join(_URGENCIES)}.")]
Letters = Annotated[list[str] | None, typer.Option("--norm", metavar="LETTER", help="Only these that may be relevant.")]
Indicators = Annotated[
    list[str] | None,
    typer.Option("--indicator", metavar="ADDRESS", help="Of the case, in their territory."),
]
Consequences = Annotated[
    list[str] | None, typer.Option("--consequence", metavar="TEXT", help="What it led to. May be repeated.")
]
Tlp = Annotated[str, typer.Option("--tlp", metavar="TLP", help="Marking of the notice.")]
NoticeName = Annotated[str, typer.Option("--notice", metavar="REF", help="Show a notice, by reference or digest.")]
Sign = Annotated[str, typer.Option("--sign", metavar="REF", help="Sign that a notice may leave.")]
Refuse = Annotated[str, typer.Option("--refuse", metavar="REF", help="Refuse it.")]
Record = Annotated[str, typer.Option("--record", metavar="REF", help="Sign what became of a notice; with --what.")]
What = Annotated[str, typer.Option("--what", metavar="WORD", help=f"For --record: {', '.join(DEEDS)}.")]
Export = Annotated[str, typer.Option("--export", metavar="REF", help="Write a decided notice; with --out.")]
Dossier = Annotated[bool, typer.Option("--dossier", help="What was raised over these cases, and what was answered.")]
RoleName = Annotated[str, typer.Option("--role", metavar="ROLE", help="In which role you sign.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with what is signed.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="A folder for what is written.")]


def norms(
    cases: Cases,
    *,
    notify: Notify = "",
    sender: Sender = "",
    verify: Verify = "",
    receiver: Receiver = "",
    request: RequestWord = "information",
    action: Action = "",
    by_when: ByWhen = "",
    urgency: UrgencyWord = "routine",
    norm: Letters = None,
    indicator: Indicators = None,
    consequence: Consequences = None,
    tlp: Tlp = "amber",
    notice: NoticeName = "",
    sign: Sign = "",
    refuse: Refuse = "",
    record: Record = "",
    what: What = "",
    export: Export = "",
    dossier: Dossier = False,
    role: RoleName = "",
    reason: Why = "",
    out: Out = None,
    root: Root = None,
    by: By = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Say which norms of state conduct may be relevant to a case, with the facts, and what would have to be known.

    A notice to another state is proposed with --notify, and may leave once two people signed it with --sign: then
    --export writes it for the foreign ministry. Nothing is ever sent from here.
    """
    wanted = [bool(one) for one in (notify, notice, sign, refuse, record, export, dossier)]
    if sum(wanted) > 1 or (len(cases) > 1 and not dossier):
        raise SettingsError("more than one thing is asked for", hint="Ask for one; several cases go with --dossier.")
    from tocsin import cases as kept
    from tocsin import notices

    folder, *others = (kept.find(place(root), one) for one in cases)
    if dossier:
        _dossier([folder, *others], tlp, out)
        return
    case, _, relevance = notices.of_case(folder)
    who = _Who(by, passphrase_fd, role, reason)
    if notify:
        asked = {"state": notify, "sender": sender, "verify": verify, "receiver": receiver, "action": action}
        asked |= {"by_when": by_when, "marking": tlp.lower().removeprefix("tlp:")}
        asked |= {"urgency": urgency, "request": request}
        listed = {"norms": norm, "indicators": indicator, "consequences": consequence}
        _propose(folder, who, asked, {name: tuple(several or ()) for name, several in listed.items()})
    elif sign or refuse or record:
        word = kept.YES if sign else kept.NO if refuse else _one_of(what, DEEDS, "--what")
        _say(folder, who, sign or refuse or record, word, relevance)
    elif export:
        _export(folder, export, relevance, out)
    else:
        _show(folder, notice, case.title, relevance)


@dataclass(frozen=True, slots=True)
class _Who:
    """Whoever acts, in which role and why."""

    by: str | None
    passphrase_fd: int | None
    role: str
    reason: str


def _propose(folder: Path, who: _Who, asked: Mapping[str, str], listed: Mapping[str, tuple[str, ...]]) -> None:
    from tocsin import notices
    from tocsin.disclose import notice as forms

    _one_of(asked["request"], _REQUESTS, "--request")
    _one_of(asked["urgency"], _URGENCIES, "--urgency")
    signer, key = person.signing(who.by, who.passphrase_fd)
    told = forms.Asked(**asked, **listed)  # type: ignore[arg-type]  # each under its own name
    typer.echo(notices.propose(folder, told, signer, key, reason=who.reason))
    typer.echo("proposed; it may leave once two others have signed it", err=True)


def _say(folder: Path, who: _Who, name: str, word: str, relevance: tuple[Relevance, ...]) -> None:
    """Sign something about a notice, after it was shown."""
    from tocsin import notices
    from tocsin.cases import YES

    as_role = _role(who.role, signs=word == YES)
    _print(notices.find(folder, name, known()), relevance, err=True)
    signer, key = person.signing(who.by, who.passphrase_fd)
    _stands(notices.say(folder, name, word, signer, key, role=as_role, reason=who.reason, known=known()))


def _show(folder: Path, name: str, title: str, relevance: tuple[Relevance, ...]) -> None:
    """One notice, or else the norms and all notices."""
    from tocsin import notices

    if name:
        thread = notices.find(folder, name, known())
        _print(thread, relevance)
        _stands(thread)
    else:
        _tell(title, relevance, notices.threads(folder, known()))


def _export(folder: Path, name: str, relevance: tuple[Relevance, ...], out: Path | None) -> None:
    from tocsin import notices

    if out is None:
        raise SettingsError("--export goes with --out", hint="Name a folder to write it to.")
    for path in notices.export(notices.find(folder, name, known()), relevance, out):
        typer.echo(f"written: {shown(str(path))}")


def _role(word: str, *, signs: bool) -> Role:
    """In which somebody signs; that a notice may leave is never signed in one that nobody named."""
    if signs and not word:
        raise SettingsError("--sign goes with --role", hint="Say in which role you sign it.")
    return role_of(word or "analyst")


def _one_of(word: str, words: tuple[str, ...], option: str) -> str:
    if word not in words:
        raise SettingsError(f"{option} {word[:40]}: no such word", hint=f"Say {', '.join(words)}.")
    return word


def _tell(title: str, relevance: tuple[Relevance, ...], threads: tuple[Thread, ...]) -> None:
    from tocsin.disclose import pages
    from tocsin.model.letter import Letter, Passage

    passages = [
        Passage(
            id=one.norm.letter,
            heading=f"({one.norm.letter}) {'may be relevant' if one.may_be else 'no fact here speaks of it'}",
            lines=(
                one.norm.words,
                *(fact.text + (f" [{'; '.join(fact.evidence)}]" if fact.evidence else "") for fact in one.facts),
                *(f"Not known: {word}." for word in one.missing),
            ),
            points=True,
        )
        for one in sorted(relevance, key=lambda one: not one.may_be)
    ]
    letter = Letter(key="", title=f"Norms of state conduct: {title}", language="en", passages=tuple(passages))
    for line in pages.text(letter).splitlines():
        typer.echo(shown(line))
    for thread in threads:
        _stands(thread)
    typer.echo("That a norm may be relevant says neither that it was breached nor by whom.")


def _print(thread: Thread, relevance: tuple[Relevance, ...], *, err: bool = False) -> None:
    from tocsin import notices
    from tocsin.disclose import pages

    for line in pages.text(notices.letter(thread, relevance)).splitlines():
        typer.echo(shown(line), err=err)


def _stands(thread: Thread) -> None:
    typer.echo(f"notice {thread.notice.reference} to {shown(thread.notice.state)}: {thread.state}")
    typer.echo(f"  digest {thread.digest}")
    for step in thread.steps:
        words = f": {shown(step.words)}" if step.words else ""
        typer.echo(f"  {step.at[:16].replace('T', ' ')}  {step.what}, {shown(step.by)} ({step.role}){words}")
    for why in thread.because:
        typer.echo(f"  - {shown(why)}")


def _dossier(folders: list[Path], tlp: str, out: Path | None) -> None:
    from tocsin import cases as kept
    from tocsin import notices
    from tocsin.disclose import pages

    found = []
    for folder in folders:
        _, case, _ = kept.entries_of(folder)
        found += [(case.id, one) for one in notices.threads(folder, known())]
    told = notices.dossier(found, tlp.lower().removeprefix("tlp:"), out)
    for line in pages.text(told).splitlines():
        typer.echo(shown(line))
