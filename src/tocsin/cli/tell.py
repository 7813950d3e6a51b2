"""`tocsin tell`: a case in; whom it touches, what is decided on each, letters, and a page for a minister, out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tocsin.cli import person
from tocsin.cli.case_options import By, Name, Root, TellingFile, known, place, say
from tocsin.cli.case_whole import role_of
from tocsin.cli.detect import Debug
from tocsin.cli.person import PassphraseFd
from tocsin.errors import CaseError, SettingsError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.model.notification import Notification
    from tocsin.tell import Desk

DEEDS: Final = ("delivered", "acknowledged", "called back", "failed")  # a test compares
MARKING: Final = "TLP:AMBER+STRICT"

PeopleList = Annotated[
    Path | None, typer.Option("--people", metavar="FILE", help="Today's list of people, instead of the case's own.")
]
AssetList = Annotated[
    Path | None, typer.Option("--assets", metavar="FILE", help="Today's list of assets, instead of the case's own.")
]
Register = Annotated[bool, typer.Option("--register", help="Bring the register up to date, and show all of it.")]
Brief = Annotated[bool, typer.Option("--brief", help="The page for a minister, of one sheet.")]
Letters = Annotated[bool, typer.Option("--letters", help="Letters to those whom somebody decided to tell.")]
Send = Annotated[bool, typer.Option("--send", help="Show what would be sent, and by what; with --for-real, send it.")]
ForReal = Annotated[bool, typer.Option("--for-real", help="Send it. Without this nothing is sent.")]
ChannelName = Annotated[str, typer.Option("--channel", metavar="NAME", help="Send by this channel alone.")]
Decide = Annotated[
    str, typer.Option("--decide", metavar="now|TIME|not", help="Sign whether and by when those of --who are told.")
]
Who = Annotated[
    list[str] | None,
    typer.Option("--who", metavar="KEY", help="Of the register: a key, an extent (reached), a kind (person), or all."),
]
Record = Annotated[
    str, typer.Option("--record", metavar="WHAT", help=f"Write down what was done or seen: {', '.join(DEEDS)}.")
]
StageName = Annotated[str, typer.Option("--stage", metavar="ID", help="Of a law, for --record: 'early warning'.")]
Add = Annotated[str, typer.Option("--add", metavar="KIND:NAME", help="Somebody whom no record shows.")]
AwareAt = Annotated[str, typer.Option("--aware", metavar="TIME", help="Sign when clocks of laws began.")]
Category = Annotated[int, typer.Option("--category", metavar="N", help="Sign how grave the case is.")]
RoleName = Annotated[str, typer.Option("--role", metavar="ROLE", help="In which role you sign.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with what is signed.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Write letters or page as files.")]
Marking = Annotated[str, typer.Option("--marking", metavar="TEXT", help="At the head and foot of the page.")]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The case, and by whom."""

    folder: Path
    desk: Desk
    by: str | None
    role: str
    reason: str
    fd: int | None


def tell(
    name: Name,
    *,
    root: Root = None,
    by: By = None,
    telling: TellingFile = None,
    people: PeopleList = None,
    assets: AssetList = None,
    register: Register = False,
    brief: Brief = False,
    letters: Letters = False,
    send: Send = False,
    for_real: ForReal = False,
    channel: ChannelName = "",
    decide: Decide = "",
    who: Who = None,
    record: Record = "",
    stage: StageName = "",
    add: Add = "",
    aware: AwareAt = "",
    category: Category = 0,
    role: RoleName = "lead",
    reason: Why = "",
    passphrase_fd: PassphraseFd = None,
    out: Out = None,
    marking: Marking = MARKING,
    debug: Debug = False,  # noqa: ARG001 - main() looks for it, also where the words cannot be understood
) -> None:
    """Tell those whom a case touches: nobody is forgotten, nobody is told what was not decided, nobody twice.

    With a case alone it shows where telling each of them stands, and what is late.
    """
    from tocsin import cases

    offered = {"register": register, "brief": brief, "letters": letters, "send": send, "decide": decide}
    what = _one_of({**offered, "record": record, "add": add, "aware": aware, "category": category})
    asked = _Asked(cases.find(place(root), name), _desk(telling, people, assets), by, role, reason, passphrase_fd)
    if what == "send":
        _send(asked, channel, who, for_real=for_real)
    elif what == "decide":
        _decide(asked, decide, who)
    elif what == "record":
        _record(asked, record, stage, who)
    elif what in {"aware", "category"}:
        _sign(asked, aware, category)
    else:
        doing: dict[str, Callable[[], None]] = {
            "register": lambda: _register(asked),
            "brief": lambda: _brief(asked, out, marking),
            "letters": lambda: _letters(asked, out),
            "add": lambda: _add(asked, add),
        }
        doing.get(what, lambda: _show(asked, whole=False))()


def _one_of(offered: dict[str, object]) -> str:
    given = [name for name, value in offered.items() if value]
    if len(given) > 1:
        raise SettingsError(f"--{given[0]} and --{given[1]}: one thing at a time", hint="Do one, then the other.")
    return given[0] if given else ""


def _desk(telling: Path | None, people: Path | None, assets: Path | None) -> Desk:
    from tocsin import tell as story
    from tocsin.border.assets import read_assets
    from tocsin.border.people import read_people

    return story.desk(
        telling,
        known(),
        people=read_people(people)[0] if people else None,
        assets=read_assets(assets)[0] if assets else None,
    )


def _show(asked: _Asked, *, whole: bool) -> None:
    from tocsin import cases
    from tocsin import tell as story
    from tocsin.cli import tell_pages
    from tocsin.seal import decisions

    _, case, _ = cases.entries_of(asked.folder)
    now = decisions.now()
    standing = story.standing(asked.folder, asked.desk, now)
    say(tell_pages.standing(case, standing, asked.desk.telling, now, whole=whole))


def _register(asked: _Asked) -> None:
    from tocsin import tell as story

    new = story.bring_up_to_date(asked.folder, asked.desk, person.whoever(asked.by))
    typer.echo(f"{len(new):,} entries are new, or more is known of them" if new else "nothing is new", err=True)
    _show(asked, whole=True)


def _chosen(asked: _Asked, who: list[str] | None) -> tuple[Notification, ...]:
    from tocsin import cases
    from tocsin import tell as story

    if not who:
        raise SettingsError("--who is missing", hint="Name those whom it is about: a key, an extent, a kind, or all.")
    return story.chosen(cases.entries_of(asked.folder)[1], who)


def _decide(asked: _Asked, what: str, who: list[str] | None) -> None:
    from tocsin import tell as story
    from tocsin.cli import tell_pages
    from tocsin.seal import decisions

    role = role_of(asked.role)
    if not asked.reason.strip():
        raise CaseError("the reason is empty", hint="Say why, with --reason: it is kept with what is signed.")
    choice = story.choice(what, asked.desk.telling.zone, decisions.now())
    entries = _chosen(asked, who)
    say(tell_pages.about(entries, choice))
    signer, key = person.signing(asked.by, asked.fd)
    count = story.decide(asked.folder, entries, choice, signer, key, role=role, reason=asked.reason)
    typer.echo(f"{count:,} decisions are signed")


def _sign(asked: _Asked, aware: str, category: int) -> None:
    from tocsin import briefing, cases
    from tocsin import tell as story

    role = role_of(asked.role)
    if not asked.reason.strip():
        raise CaseError("the reason is empty", hint="Say why, with --reason: it is kept with what is signed.")
    numbers = [one.number for one in asked.desk.table.category]
    if category and category not in numbers:
        raise SettingsError(f"--category {category}: there is none", hint=f"There are {', '.join(map(str, numbers))}.")
    signer, key = person.signing(asked.by, asked.fd)
    if aware:
        at = story.decide_aware(asked.folder, aware, signer, key, role=role, reason=asked.reason)
        typer.echo(f"clocks of laws run from {at}")
        return
    with cases.writing(asked.folder) as log:
        cases.decide(log, signer, key, subject=briefing.CATEGORY, choice=str(category), role=role, reason=asked.reason)
    typer.echo(f"category {category}")


def _record(asked: _Asked, deed: str, stage: str, who: list[str] | None) -> None:
    from tocsin import tell as story
    from tocsin.model.notification import Word

    found = next((one for one in DEEDS if one == deed), None)
    if found is None:
        raise SettingsError(f"--record {deed[:80]}: nothing is called so", hint=f"There are {', '.join(DEEDS)}.")
    word = Word(key="", deed=found, by="people", stage=stage, note=asked.reason)
    count = story.record(asked.folder, _chosen(asked, who), word, person.whoever(asked.by))
    typer.echo(f"{count:,} written down: {deed}")


def _add(asked: _Asked, who: str) -> None:
    from tocsin import tell as story

    new = story.add(asked.folder, asked.desk, who, asked.reason, person.whoever(asked.by))
    for one in new:
        typer.echo(f"{shown(one.key)}  {shown(one.name)}  {one.extent}")
    if not new:
        typer.echo("is on the register already")


def _letters(asked: _Asked, out: Path | None) -> None:
    from tocsin import sending
    from tocsin.cli import tell_pages
    from tocsin.disclose import pages

    count = 0
    for standing, letter in sending.written(asked.folder, asked.desk):
        count += 1
        if out is None:
            say(tell_pages.letter(letter, pages.text(letter)))
        else:
            tell_pages.save(out, f"letter-{standing.notification.key}", letter, asked.desk.fonts)
    if not count:
        typer.echo("There is no letter: nobody of the register is to be told by one yet.", err=True)
    elif out is not None:
        typer.echo(f"{count:,} letters in {shown(str(out))}; they are for those people alone", err=True)


def _send(asked: _Asked, channel: str, who: list[str] | None, *, for_real: bool) -> None:
    from tocsin import sending
    from tocsin.cli import tell_pages

    only = _chosen(asked, who) if who else None
    intents = sending.intended(asked.folder, asked.desk, channel)
    keys = None if only is None else {one.key for one in only}
    say(tell_pages.intents([one for one in intents if keys is None or one.entry.key in keys]))
    if not for_real:
        typer.echo("nothing is sent; with --for-real it is", err=True)
        return
    count = sending.send(asked.folder, asked.desk, person.whoever(asked.by), wanted=channel, only=only, told=typer.echo)
    typer.echo(f"{count:,} letters")


def _brief(asked: _Asked, out: Path | None, marking: str) -> None:
    from tocsin import briefing, sending
    from tocsin import tell as story
    from tocsin.cli import tell_pages
    from tocsin.disclose import pages

    case, found = story.incidents_of(asked.folder, asked.desk)
    incident = sending.incident_of(found, case.id)
    standing = story.standing(asked.folder, asked.desk)
    page = briefing.page(
        asked.folder, incident, asked.desk.table, standing, asked.desk.known, asked.desk.groups, marking=marking
    )
    if out is None:
        sys.stdout.write(pages.text(page))
        return
    tell_pages.save(out, "minister", page, asked.desk.fonts, dense=True)
    typer.echo(f"the page is in {shown(str(out))}", err=True)
