"""`tocsin harden`: what of a group's ways could be seen and is stopped here, and what to mend first."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tocsin.cli import lake_options, options, progress
from tocsin.cli.case_options import Root, place
from tocsin.cli.detect import (
    InLake,
    Jobs,
    Lowest,
    Mappings,
    MaybeLogs,
    Quiet,
    Rules,
    Since,
    Until,
    Zone,
    chosen_rules,
    detected,
)
from tocsin.errors import SettingsError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.attribution import Known
    from tocsin.model.hardening import Aim, Hardening, Posture, Standing
    from tocsin.model.rule import RuleSet
    from tocsin.model.run import Run

_NARROWEST = 60
_WIDEST = 110

Against = Annotated[str, typer.Option(metavar="NAMES", help="Groups that are feared, by any name: APT40,APT31.")]
Case = Annotated[
    list[str] | None, typer.Option("--case", metavar="CASE", help="What was seen in a case. May be repeated.")
]
PostureFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="What you have in place, and your own efforts (docs/hardening.md)."),
]
Steps = Annotated[int, typer.Option(min=0, help="How many steps the layer of afterwards takes as done.")]
Folder = Annotated[
    str | None,
    typer.Option("--out", "-o", metavar="DIR", help="A folder for hardening.json, two Navigator layers, progress."),
]
AsJson = Annotated[bool, typer.Option("--json", help="All of it as JSON.")]


def harden(
    logs: MaybeLogs = None,
    *,
    lake: InLake = None,
    against: Against = "",
    case: Case = None,
    posture: PostureFile = None,
    steps: Steps = 5,
    rules: Rules = None,
    level: Lowest = None,
    since: Since = None,
    until: Until = None,
    timezone: Zone = None,
    mapping: Mappings = None,
    out: Folder = None,
    as_json: AsJson = False,
    root: Root = None,
    jobs: Jobs = 0,
    quiet: Quiet = False,
) -> None:
    """Say what of a group's ways your rules and logs could show, what is in place against them, what to mend first.

    Without --against and --case it is about what rules of level high and above find in the logs.
    """
    groups = [word.strip() for word in against.split(",") if word.strip()]
    has_evidence = bool(logs) or lake is not None
    if not has_evidence and not groups and not case:
        raise SettingsError("nothing to prepare against", hint="Name logs, --against GROUP or --case CASE.")
    evidence = lake_options.evidence(logs, lake, read_otherwise=bool(mapping or timezone)) if has_evidence else []
    (since_us, until_us), zone = options.window(since, until), options.zone(timezone)
    mappings, folder = options.mappings(mapping or []), options.folder(out)
    from tocsin import attribution, hardening
    from tocsin.border.posture import read_posture

    ours = read_posture(posture) if posture else hardening.NOTHING_TOLD
    with progress.word("reading what is known of groups", quiet=quiet or as_json):
        known = attribution.known()
    aims = [*hardening.against_groups(groups, known)]
    aims += [hardening.against_case(one, place(root), known) for one in case or ()]
    chosen = chosen_rules(rules, level, (), mappings, quiet=quiet or as_json)
    with ExitStack() as stack:
        run = None
        if has_evidence:
            with progress.live(quiet=quiet or as_json) as on_progress:
                how = {"jobs": jobs, "since_us": since_us, "until_us": until_us, "on_progress": on_progress}
                run = stack.enter_context(detected(evidence, lake, chosen, zone, mappings, **how))
        found = _weighed(aims, known, chosen, run, ours)
    if folder is not None:
        _save(found, folder, steps)
    _tell(found, folder, as_json=as_json)


def _weighed(aims: list[Aim], known: Known, rules: RuleSet, run: Run | None, posture: Posture) -> Hardening:
    from tocsin import hardening

    if not aims and run is not None:
        aims = [hardening.against_seen(run, known)]
        if not aims[0].techniques:
            raise SettingsError(
                "no rule of level high or above found anything in this evidence, so there is nothing to rank by",
                hint="Name whom you fear: --against APT40.",
            )
    return hardening.weigh(aims, known, rules.rules, run, posture)


def _save(found: Hardening, folder: Path, steps: int) -> None:
    from tocsin.output import hardening as written
    from tocsin.output.files import prepare_folder, save

    prepare_folder(folder)
    for name, text in {
        "hardening.json": written.document(found),
        "now.navigator.json": written.before(found),
        "afterwards.navigator.json": written.after(found, steps),
    }.items():
        save(folder / name, lambda file, text=text: file.write(text))  # type: ignore[misc]  # a lambda with a default


def _tell(found: Hardening, folder: Path | None, *, as_json: bool) -> None:
    from tocsin.cli.harden_pages import Page
    from tocsin.output import hardening as written

    progressed = _progressed(found, folder) if folder is not None else []
    if as_json:
        typer.echo(written.document(found), nl=False)
        return
    width = min(max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST), _WIDEST)
    page = Page(width)
    for line in (*page.told(found), *page.progressed(progressed)):
        typer.echo(line)
    if folder is not None:
        typer.echo(f"written: {shown(str(folder))}")


def _progressed(found: Hardening, folder: Path) -> list[Standing]:
    """How it stood each time that this was asked with the same folder and the same aims; now it is the last."""
    from tocsin.border import standings
    from tocsin.output.files import save

    path = folder / standings.NAME
    before = standings.read(path)
    every = [*before, standings.of(found, datetime.now(UTC))]
    save(path, lambda file: standings.write(every, file))
    return [one for one in every if one.aims == every[-1].aims]
