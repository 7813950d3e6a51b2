"""`tocsin contain`: a case in, its plan, what must be signed, what is done and what is seen of it out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tocsin.cli import person
from tocsin.cli.case_options import By, Root, known, place, say
from tocsin.cli.detect import Debug, Indicators, Jobs, KnownGood, Rules, chosen_rules
from tocsin.cli.intelligence import known_good_lists
from tocsin.errors import ActError, SettingsError
from tocsin.model.tlp import TLP
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.contain import Own
    from tocsin.model.action import Place, Text
    from tocsin.model.plan import Way
    from tocsin.planning import Chosen

WAYS: Final = ("least disruptive", "fastest", "quietest")  # named here for --help; a test compares
RENDERED: Final = (
    *("nftables", "unbound", "bind", "webhook", "suricata", "windows-firewall", "active-directory", "entra"),
    *("cacao", "stix", "steps"),
)

Name = Annotated[
    str | None, typer.Argument(metavar="[CASE]", help="Its id, the beginning of it, or the path of its folder.")
]
AssetList = Annotated[
    Path | None,
    typer.Option(
        "--assets", metavar="FILE", help="What you run, what hangs on it, what is protected, and whose it is."
    ),
]
PlaceList = Annotated[
    Path | None,
    typer.Option("--enforcers", metavar="FILE", help="Where enforcers are, and what must never be cut off."),
]

Kept = Annotated[
    str, typer.Option("--plan", metavar="WAY", help=f"Keep a plan in the case, to be signed: {', '.join(WAYS)}.")
]
Rendered = Annotated[
    str, typer.Option("--render", metavar="X", help=f"Write the kept plan for people: {', '.join(RENDERED)}.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Where --render writes.")]
Tlp = Annotated[str, typer.Option("--tlp", metavar="TLP", help="Marking of what --render stix writes.")]
Apply = Annotated[bool, typer.Option("--apply", help="Show what would be done from here; with --for-real, do it.")]
Verify = Annotated[bool, typer.Option("--verify", help="Tell what enforcers, and --logs, show since.")]
Undo = Annotated[bool, typer.Option("--undo", help="Show what would be lifted; with --for-real, lift it.")]
Status = Annotated[bool, typer.Option("--status", help="Tell what stands, and what waits for whom.")]
Recover = Annotated[bool, typer.Option("--recover", help="Write down what must hold, once somebody decided on it.")]
Playbook = Annotated[
    Path | None,
    typer.Option(
        "--playbook", metavar="FILE", help="Take the steps of a CACAO playbook as tasks; nothing of it is run."
    ),
]
GiveUp = Annotated[
    str,
    typer.Option(
        "--give-up", metavar="REASON", help="Leave what was left half done and cannot end, so that others can act."
    ),
]
Expire = Annotated[bool, typer.Option("--expire", help="Lift what has run out, in all cases; for a timer.")]
ForReal = Annotated[bool, typer.Option("--for-real", help="Do it. Without this nothing is done.")]
Logs = Annotated[list[str] | None, typer.Option("--logs", metavar="PATH", help="Logs since; may be repeated.")]


def contain(
    name: Name = None,
    *,
    root: Root = None,
    by: By = None,
    assets: AssetList = None,
    enforcers: PlaceList = None,
    known_good: KnownGood = None,
    plan: Kept = "",
    render: Rendered = "",
    out: Out = None,
    tlp: Tlp = "amber+strict",
    apply: Apply = False,
    verify: Verify = False,
    undo: Undo = False,
    status: Status = False,
    recover: Recover = False,
    playbook: Playbook = None,
    expire: Expire = False,
    give_up: GiveUp = "",
    for_real: ForReal = False,
    logs: Logs = None,
    indicators: Indicators = None,
    rules: Rules = None,
    jobs: Jobs = 0,
    debug: Debug = False,  # noqa: ARG001 - main() looks for it, also where the words cannot be understood
) -> None:
    """Plan how to cut an intruder off, have it signed, do what was allowed, prove it, and lift it again.

    With a case alone its plan is shown, and nothing is kept or done.
    """
    offered = {"plan": plan, "render": render, "apply": apply, "verify": verify, "undo": undo, "status": status}
    what = _one_of(offered | {"recover": recover, "expire": expire, "give-up": give_up, "playbook": playbook})
    way = _understood(plan, render, tlp)
    (places, never), who = _places(enforcers), person.whoever(by)
    if what == "expire":
        _expire(root, places, who)
        return
    folder, mine = _folder(root, name), _own(assets, never, known_good)
    match what:
        case "plan" if way is not None:
            _plan(folder, mine, places, way, who)
        case "render":
            _render(folder, mine, places, (render, tlp), out)
        case "apply":
            _apply(folder, mine, places, who, for_real=for_real)
        case "verify":
            _verify(folder, places, who, logs or [], rules, jobs)
        case "undo":
            _undo(folder, places, who, for_real=for_real)
        case "status":
            _status(folder, mine, places, indicators or [])
        case "give-up":
            _give_up(folder, who, give_up)
        case "recover":
            _recover(folder, who)
        case "playbook" if playbook is not None:
            _playbook(folder, playbook, who)
        case _:
            _show(folder, mine)


def _expire(root: Path | None, places: tuple[Place, ...], who: str) -> None:
    from tocsin import enforce

    typer.echo(f"{enforce.expire(place(root), places, who)} blocks were lifted")


def _give_up(folder: Path, who: str, reason: str) -> None:
    from tocsin import enforce

    unknown = enforce.give_up(folder, who, reason)
    typer.echo(shown(f"given up; look there yourself what stands at: {', '.join(unknown)}", 500))


def _playbook(folder: Path, file: Path, who: str) -> None:
    from tocsin import planning

    typer.echo(f"{planning.take_playbook(folder, file, who)} steps are tasks of the case now")


def _one_of(offered: Mapping[str, object]) -> str:
    """What was asked for, '' if nothing was."""
    asked = [word for word, on in offered.items() if on]
    if len(asked) > 1:
        raise SettingsError(f"--{asked[0]} and --{asked[1]} are two things", hint="One at a time.")
    return asked[0] if asked else ""


def _places(enforcers: Path | None) -> tuple[tuple[Place, ...], Mapping[str, tuple[tuple[str, str], ...]]]:
    from tocsin.border.places import read_places

    return read_places(enforcers) if enforcers is not None else ((), {})


def _own(assets: Path | None, never: Mapping[str, tuple[tuple[str, str], ...]], known_good: str | None) -> Own:
    from tocsin import planning
    from tocsin.border.assets import read_assets

    listed, notes = read_assets(assets) if assets is not None else (None, ())
    for note in notes:
        typer.echo(f"note: {shown(note)}", err=True)
    return planning.own(listed, never, known_good_lists(known_good))


def _understood(plan: str, render: str, tlp: str) -> Way | None:
    """The way that is to be kept, if one is; before any list is read."""
    if tlp not in TLP:
        raise SettingsError(f"--tlp {tlp}: there is no such marking", hint=f"There are {', '.join(TLP)}.")
    if render and render not in RENDERED:
        raise SettingsError(f"--render {render}: there is no such form", hint=f"There are {', '.join(RENDERED)}.")
    fitting: list[Way] = [way for way in WAYS if way == plan.replace("-", " ")]
    if plan and not fitting:
        raise SettingsError(f"--plan {plan}: there is no such way", hint=f"There are {', '.join(WAYS)}.")
    return fitting[0] if fitting else None


def _folder(root: Path | None, name: str | None) -> Path:
    from tocsin import cases

    if name is None:
        raise SettingsError("no case is named", hint="`tocsin case list` shows those that there are.")
    return cases.find(place(root), name)


def _show(folder: Path, mine: Own) -> None:
    from tocsin import planning
    from tocsin.cli import contain_pages as pages

    say(pages.overview(planning.plan(folder, mine, known())))
    typer.echo("")
    typer.echo("Nothing was kept or done. --plan WAY keeps one of these to be signed.")


def _plan(folder: Path, mine: Own, places: tuple[Place, ...], way: Way, who: str) -> None:
    from tocsin import planning
    from tocsin.cli import contain_pages as pages

    kept = planning.keep(folder, planning.plan(folder, mine, known()), way, who)
    say(pages.alternative(kept.alternative))
    typer.echo("")
    _routes(folder, kept, places)
    _signing(folder, kept, mine)


def _signing(folder: Path, kept: Chosen, mine: Own) -> None:
    from tocsin import planning
    from tocsin.cli import contain_pages as pages

    say(pages.to_sign(kept.alternative, kept.plan.of, kept.digest, planning.missing(folder, kept, mine, known())))


def _render(folder: Path, mine: Own, places: tuple[Place, ...], form: tuple[str, str], out: Path | None) -> None:
    from tocsin import planning
    from tocsin.cli import contain_pages as pages
    from tocsin.model.action import Text
    from tocsin.output.files import prepare_folder, save

    kept, (which, tlp) = planning.chosen(folder), form
    if which == "stix":
        texts: tuple[Text, ...] = (_stix(folder, kept, mine, tlp),)
    elif which == "steps":
        lines = pages.for_people(planning.for_people(folder, kept, mine, known()), kept.digest)
        texts = (Text(name="steps.txt", content="".join(f"{line}\n" for line in lines)),)
    else:
        texts = planning.rendered(folder, kept, which, places, mine, known())
    if out is None:
        for text in texts:
            sys.stdout.write(f"### {text.name}\n{text.content}")
        return
    prepare_folder(out)
    for text in texts:
        save(out / text.name, methodcaller("write", text.content))
        typer.echo(shown(str(out / text.name)))


def _stix(folder: Path, kept: Chosen, mine: Own, tlp: str) -> Text:
    """The plan as courses of action against the incident that it was made for.

    Raises:
        ActError: the incident is another by now.
    """
    from importlib.metadata import version

    from tocsin import planning
    from tocsin.border import stix_plan
    from tocsin.border.bundles import as_bundle
    from tocsin.cli.detect import attack_facts
    from tocsin.model.action import Text

    if changed := planning.changed_since(folder, kept):
        raise ActError(f"stix: {changed[0]}", hint="`tocsin contain CASE --plan WAY` plans anew.")
    made = stix_plan.bundle(
        planning.decisions_of(folder, known())[1],
        planning.for_people(folder, kept, mine, known()),
        author=f"tocsin {version('tocsin')}",
        tlp=tlp,
        attack=attack_facts(None),
        digest=kept.digest,
    )
    return Text(name="plan.stix.json", content=as_bundle(made["objects"]))


def _apply(folder: Path, mine: Own, places: tuple[Place, ...], who: str, *, for_real: bool) -> None:
    from tocsin import enforce, planning
    from tocsin.cli import contain_pages as pages

    kept = planning.chosen(folder)
    say(f"note: {shown(word)}" for word in planning.changed_since(folder, kept))
    if not for_real:
        intent = enforce.intended(folder, kept, places, mine, known(), planning.now_us())
        say(pages.steps(intent.steps))
        _routes(folder, kept, places)
        _signing(folder, kept, mine)
        typer.echo("Nothing was done. --for-real does it, once all of it is allowed.")
        return
    enforce.apply(folder, kept, places, mine, known(), who, told=lambda word: typer.echo(shown(word)))
    _routes(folder, kept, places)
    say(pages.standing(enforce.standing_of(folder)[0], planning.now_us()))
    typer.echo("--verify tells what the enforcers and the logs show of it.")


def _routes(folder: Path, kept: Chosen, places: tuple[Place, ...]) -> None:
    from tocsin import planning
    from tocsin.cli import contain_pages as pages

    done = planning.done_by(folder, kept, known())
    say(pages.routes(kept.alternative.actions, places, done))
    say(pages.to_sign_done(kept.plan.of, kept.digest))


def _undo(folder: Path, places: tuple[Place, ...], who: str, *, for_real: bool) -> None:
    from tocsin import enforce, planning
    from tocsin.cli import contain_pages as pages

    if not for_real:
        say(pages.standing(enforce.standing_of(folder)[0], planning.now_us()))
        typer.echo("Nothing was lifted. --for-real lifts what no other case holds.")
        return
    left = enforce.undo(folder, places, who, told=lambda word: typer.echo(shown(word)))
    if left is None:
        typer.echo("Nothing stands for this case from here: nothing was lifted.")
        return
    typer.echo(f"lifted; {len(left):,} blocks stay for other cases")
    typer.echo("What people did elsewhere is taken back as --render steps tells; some of it cannot be.")


def _verify(
    folder: Path, places: tuple[Place, ...], who: str, logs: list[str], rules: list[str] | None, jobs: int
) -> None:
    from tocsin import watched
    from tocsin.cli import contain_pages as pages

    chosen = chosen_rules(rules, None, (), (), quiet=True) if logs else None
    told, digest = watched.verify(folder, places, known(), who, logs, chosen, jobs=jobs)
    say(pages.seen(told, told.of, digest))


def _status(folder: Path, mine: Own, places: tuple[Place, ...], indicators: list[str]) -> None:
    from tocsin import enforce, planning, watched
    from tocsin.cli import contain_pages as pages

    standing, now = enforce.standing_of(folder)
    if now.pending is not None:
        where = f"step {now.next_step + 1} of {len(now.pending.steps)}"
        why = f": {now.failed.strip()}" if now.failed else ""
        whose = f"{now.pending.does} of {now.pending.by} for {now.pending.case or 'all cases'}"
        typer.echo(shown(f"HALF DONE: {whose} stands at {where}{why}", 500))
    say(pages.standing(standing, planning.now_us()))
    say(pages.history(enforce.gone(folder, now)))
    try:
        kept = planning.chosen(folder)
    except ActError as none:
        typer.echo(shown(f"{none.message}. {none.hint}"))
        return
    _routes(folder, kept, places)
    _signing(folder, kept, mine)
    say(f"  {shown(word)}" for word in planning.changed_since(folder, kept))
    say(f"  {shown(word)}" for word in (watched.proposals(folder, indicators) if indicators else ()))
    decided = watched.contained(folder, known())
    if decided is None:
        typer.echo("nobody has decided that it is contained")
    else:
        typer.echo(f"contained, as {shown(decided.by)} decided on {decided.at[:16]}")


def _recover(folder: Path, who: str) -> None:
    from tocsin import planning, watched
    from tocsin.cli import contain_pages as pages

    say(pages.recovery(watched.recover(folder, planning.chosen(folder), known(), who)))
