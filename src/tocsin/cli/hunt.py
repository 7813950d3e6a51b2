"""`tocsin hunt`: indicators and rules in, what every year of the lake says of them out."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tocsin.cli import case_options, options, person, progress
from tocsin.cli.case_options import By, Root
from tocsin.cli.detect import Debug, Jobs, KnownGood, Quiet, Since, Until, chosen_rules
from tocsin.cli.lake_options import Place, opened
from tocsin.cli.respond import Folder, Loud, Open, Tlp
from tocsin.errors import SettingsError

if TYPE_CHECKING:
    from tocsin.cli.own_clusters import Compared
    from tocsin.cli.report_files import Asked as Reports
    from tocsin.model.rule import RuleSet
    from tocsin.retrohunt import Hunt, Hunted

Names = Annotated[
    list[str],
    typer.Argument(
        metavar="INDICATORS|RULES",
        help="Files of indicators (STIX, MISP, CSV, lists), files or folders of Sigma rules, or packs that were added.",
    ),
]
Authority = Annotated[
    str, typer.Option(metavar="TEXT", help="By which authority this is asked; it stands in the journal of hunts.")
]
Purpose = Annotated[str, typer.Option(metavar="TEXT", help="What it is asked for; it stands in the journal of hunts.")]
Margin = Annotated[
    float,
    typer.Option(min=0, metavar="DAYS", help="How far outside an indicator's time an event still counts as near it."),
]
Assets = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="assets.csv: machines of which the lake has nothing are named, too."),
]


def hunt(
    names: Names,
    *,
    authority: Authority,
    purpose: Purpose = "",
    lake: Place = None,
    since: Since = None,
    until: Until = None,
    margin: Margin = 14.0,
    known_good: KnownGood = None,
    assets: Assets = None,
    out: Folder = None,
    tlp: Tlp = "amber+strict",
    open_cases: Open = False,
    root: Root = None,
    by: By = None,
    everything: Loud = False,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - main() looks for it, also where the words cannot be understood
) -> None:
    """Ask a lake: were we in it too, when and where, and where could nobody have seen it."""
    since_us, until_us = options.window(since, until)
    if not authority.strip():
        raise SettingsError(
            "--authority names none", hint="Say by which authority this is asked: a law, an order, a case."
        )
    folder = options.folder(out)
    if folder is not None:
        from tocsin.output.files import prepare_folder

        prepare_folder(folder)
    from tocsin import attribution  # heavy: only once it is clear what is wanted
    from tocsin import retrohunt as story
    from tocsin.cli.report_files import Asked as Reports
    from tocsin.cli.report_files import compared, open_kept
    from tocsin.model.hunt import Asked

    reports = Reports(tlp)
    asked = Asked(
        by=person.whoever(by),
        authority=authority,
        purpose=purpose,
        names=tuple(names),
        since_us=since_us,
        until_us=until_us,
        margin_days=margin,
    )
    team = attribution.team(case_options.place(root), keeps=open_cases)
    place, hosts = opened(lake), _hosts(assets)
    wanted, began = _wanted(names, known_good, quiet=quiet), time.monotonic()
    with ExitStack() as stack:
        with progress.live(quiet=quiet) as bar:
            answer = story.retrohunt(
                place, wanted, asked, hosts=hosts, quieten=not everything, jobs=jobs, on_progress=bar
            )
            hunted = stack.enter_context(answer)
        who = compared(hunted.response, team) if open_cases or folder is not None else None
        pages = _tell(hunted, wanted, folder, reports, who, time.monotonic() - began, quiet=quiet)
        open_kept(hunted.response, team, by, reports, pages, who)


def _hosts(assets: Path | None) -> list[str]:
    if assets is None:
        return []
    from tocsin.border.assets import read_assets

    return [asset.name for asset in read_assets(assets)[0].all]


def _wanted(names: Sequence[str], known_good: str | None, *, quiet: bool) -> Hunt:
    """Names of rules and of indicators, told apart by what they are."""
    from tocsin import retrohunt as story
    from tocsin.cli import intelligence
    from tocsin.learn import packs
    from tocsin.model.rule import RuleSet

    rules = [name for name in names if _of_rules(name, packs.names())]
    others = [name for name in names if name not in rules]
    every: RuleSet = RuleSet(rules=(), patterns=(), variants=())
    if rules:
        every = chosen_rules(rules, None, [], (), quiet=quiet)
    with progress.word("reading indicators", quiet=quiet):
        found = story.prepared(others, every, known_good=intelligence.known_good_lists(known_good))
    if others and len(found.rules.rules) == len(every.rules):
        raise intelligence.nothing_to_look_for(others[0], found.told.left_out)
    return found


def _of_rules(name: str, kept: Sequence[str]) -> bool:
    path = Path(name)
    if path.is_dir():
        return any(one.suffix.lower() in (".yml", ".yaml") for one in path.rglob("*"))
    return name in kept or path.suffix.lower() in (".yml", ".yaml", ".zip") or name.lower().endswith(".tar.gz")


def _tell(
    hunted: Hunted,
    wanted: Hunt,
    folder: Path | None,
    reports: Reports,
    who: Compared | None,
    took_s: float,
    *,
    quiet: bool,
) -> dict[str, Path]:
    """Write the files, then say what is in them; the reports are given back by the incident's id."""
    from rich.console import Console

    from tocsin.cli import hunt_files
    from tocsin.output import hunts as pages
    from tocsin.output import incidents
    from tocsin.output.screen import shown

    answers = pages.Answers()
    written: list[Path] = []
    reported: dict[str, Path] = {}
    if folder is not None and who is not None:
        made = hunt_files.write(hunted, folder, reports, answers, who)
        written, reported = made.files, made.pages
    else:
        for _ in answers.pass_on(hunted.cells()):
            pass
    if quiet:
        print(f"{len(hunted.told):,} found, {incidents.one_line(hunted.response.incidents)}", file=sys.stdout)  # noqa: T201 - the one line that was asked for
        return reported
    console = Console(highlight=False, emoji=False, markup=False, soft_wrap=False)
    pages.show(console, hunted.told, answers, _notes(hunted, wanted))
    incidents.show(console, hunted.response.incidents, hunted.response.background)
    console.print(
        f"\n  {took_s:.1f} s, {len(wanted.rules.rules):,} indicators and rules,"
        f" {hunted.parts_read:,} of {hunted.parts:,} files read"
    )
    for path in written:
        console.print(f"  written: {shown(str(path))}", soft_wrap=True)
    return reported


def _notes(hunted: Hunted, wanted: Hunt) -> list[str]:
    """What else must be known to read the answer."""
    notes = []
    if hunted.since:
        notes.append(f"asked of {hunted.since} to {hunted.until}, as far as the lake goes")
    if hunted.absent_kinds:
        notes.append(f"not known: the lake has no logs at all of {', '.join(hunted.absent_kinds)}")
    if hunted.undated:
        notes.append(f"{hunted.undated:,} records without a time were looked at, too; no month can be told of them")
    if hunted.in_full:
        notes.append(f"{hunted.in_full:,} indicators are in no index: text was searched for them")
    if wanted.revoked:
        notes.append(f"{len(wanted.revoked):,} indicators were revoked by their source; they are looked for and say so")
    left = sum(one.count for one in wanted.told.left_out)
    if left:
        notes.append(f"{left:,} indicators could not be looked for: {wanted.told.left_out[0].text}")
    silent = [one for one in hunted.response.run.coverage.rules if one.state in ("no log source", "field absent")]
    if silent:
        notes.append(f"not known: {len(silent):,} rules and patterns have no log here that they could be found in")
    if wanted.pap:
        notes.append(f"PAP:{wanted.pap.upper()}: nothing was looked up outside; a hunt never does")
    return notes
