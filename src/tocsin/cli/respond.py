"""`tocsin respond`: logs and rules in, incidents, their reports and their cases out."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from tocsin.cli import lake_options, options, progress
from tocsin.cli.case_options import By, Root, place
from tocsin.cli.detect import (
    AnyTime,
    AttackRelease,
    Debug,
    Indicators,
    InLake,
    Jobs,
    Lowest,
    Mappings,
    MaybeLogs,
    Quiet,
    Rules,
    Since,
    Statuses,
    Until,
    Zone,
    attack_facts,
    chosen_rules,
    refuse_nothing,
)
from tocsin.model.tlp import TLP

if TYPE_CHECKING:
    from tocsin.cli.own_clusters import Compared
    from tocsin.cli.report_files import Asked
    from tocsin.lake.store import Lake as Kept
    from tocsin.model.asset import Assets
    from tocsin.model.permit import Permit
    from tocsin.model.person import People
    from tocsin.model.press import PressClaim
    from tocsin.model.rule import RuleSet
    from tocsin.pipeline import How
    from tocsin.respond import Response

AssetList = Annotated[
    str | None,
    typer.Option(
        "--assets", metavar="FILE", help="A CSV of what you run: names, addresses, owners (docs/assets-and-people.md)."
    ),
]
PeopleList = Annotated[
    str | None,
    typer.Option(
        "--people", metavar="FILE", help="A CSV of whom it may concern: names, accounts, mailboxes, how to reach them."
    ),
]
ClaimFile = Annotated[
    str | None,
    typer.Option(
        "--claim", metavar="FILE", help="What somebody says was taken, to be held against the logs (docs/impact.md)."
    ),
]
PermitFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--permit",
        metavar="FILE",
        help="A signed permit of a test; what it covers is told apart. May be repeated (docs/assets-and-people.md).",
    ),
]
PermitKeys = Annotated[
    list[str] | None,
    typer.Option("--permit-key", metavar="FILE", help="The public key of somebody who may allow tests."),
]
Folder = Annotated[
    str | None,
    typer.Option(
        "--out", "-o", metavar="DIR", help="A folder for the reports, incidents.json and the files of `detect`."
    ),
]
Loud = Annotated[bool, typer.Option("--everything", help="Fold nothing, lower no routine, set nothing aside.")]
Open = Annotated[
    bool, typer.Option("--open-cases", help="Open a case for each incident to act on now, with its report.")
]
Tlp = Annotated[str, typer.Option("--tlp", metavar="TLP", help=f"Marking of the reports: {', '.join(TLP)}.")]
Classification = Annotated[
    str, typer.Option(metavar="TEXT", help="National classification of the reports, behind the TLP marking.")
]
Audiences = Annotated[
    list[str] | None,
    typer.Option(metavar="AUDIENCE", help="Reports besides those for analysts: leadership, partner. May be repeated."),
]
Reveal = Annotated[
    str,
    typer.Option(
        metavar="REASON",
        help="Show the content of mail in reports for analysts; the reason stands there and in cases.",
    ),
]
Caveat = Annotated[str, typer.Option(metavar="TEXT", help="What stands behind the classification.")]


def respond(
    logs: MaybeLogs = None,
    *,
    lake: InLake = None,
    rules: Rules = None,
    level: Lowest = None,
    status: Statuses = None,
    since: Since = None,
    until: Until = None,
    timezone: Zone = None,
    mapping: Mappings = None,
    indicators: Indicators = None,
    any_time: AnyTime = False,
    assets: AssetList = None,
    people: PeopleList = None,
    claim: ClaimFile = None,
    permit: PermitFiles = None,
    permit_key: PermitKeys = None,
    out: Folder = None,
    tlp: Tlp = "amber+strict",
    classification: Classification = "",
    caveat: Caveat = "",
    audience: Audiences = None,
    reveal: Reveal = "",
    open_cases: Open = False,
    root: Root = None,
    by: By = None,
    attack_release: AttackRelease = None,
    everything: Loud = False,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - main() looks for it, also where the words cannot be understood
) -> None:
    """Match rules with logs and join what belongs together: incidents, what was taken, and a report of each."""
    evidence = lake_options.evidence(logs, lake, read_otherwise=bool(mapping or timezone))
    (since_us, until_us), statuses = options.window(since, until), options.statuses(status or [])
    mappings, zone, folder = options.mappings(mapping or []), options.zone(timezone), options.folder(out)
    from tocsin import attribution  # heavy: only once it is clear what is wanted
    from tocsin.cli.intelligence import Intelligence, wanted_of
    from tocsin.cli.report_files import Asked, compared, open_kept
    from tocsin.cli.target import choose

    lists = _lists(assets, people, claim, (permit or [], permit_key or []), quiet=quiet)
    asked, attack = Asked(tlp, classification, caveat, tuple(audience or ()), reveal), attack_facts(attack_release)
    target = choose(None if folder is None else f"{folder}/", None, evidence)
    wanted = Intelligence(tuple(indicators or ()), None, even_known_good=False, ever=any_time, observed=False)
    chosen = wanted_of(wanted, lambda: chosen_rules(rules, level, statuses, mappings, quiet=quiet), rules, quiet=quiet)
    how: How = {"indicators": chosen.indicators, "ever": any_time, "jobs": jobs, "since_us": since_us}
    how |= {"until_us": until_us, "zone": zone, "mappings": mappings}
    how |= {"attack": attack, "attack_release": attack_release or ""}
    team, began = attribution.team(place(root), keeps=open_cases), time.monotonic()
    with ExitStack() as stack:
        response = _responded(stack, evidence, lake, chosen.rules, how, lists, quieten=not everything, quiet=quiet)
        who = compared(response, team) if open_cases or folder is not None else None
        pages = _tell(response, folder, asked, who, began, quiet=quiet)
        target.save(response.run)
        open_kept(response, team, by, asked, pages, who)
        refuse_nothing(response.run, target)


class _Lists(TypedDict):
    assets: Assets | None
    people: People | None
    claim: PressClaim | None
    permits: list[Permit]


def _lists(
    assets: str | None, people: str | None, claim: str | None, permits: tuple[list[str], list[str]], *, quiet: bool
) -> _Lists:
    """The lists of assets and people and the claim, read before any log: a slip in one is told at once."""
    from tocsin.border.assets import read_assets
    from tocsin.border.people import read_people
    from tocsin.border.permit import read_permit
    from tocsin.border.press import read_claim
    from tocsin.output.screen import shown

    known, owners = (
        (None if assets is None else read_assets(Path(assets))),
        (None if people is None else read_people(Path(people))),
    )
    if not quiet:
        for note in (*(known[1] if known else ()), *(owners[1] if owners else ())):
            typer.echo(f"note: {shown(note)}", err=True)
    return {
        "assets": known[0] if known else None,
        "people": owners[0] if owners else None,
        "claim": None if claim is None else read_claim(Path(claim)),
        "permits": [read_permit(Path(one), [Path(key) for key in permits[1]]) for one in permits[0]],
    }


def _responded(
    stack: ExitStack,
    logs: list[str],
    lake: Path | None,
    rules: RuleSet,
    how: How,
    lists: _Lists,
    *,
    quieten: bool,
    quiet: bool,
) -> Response:
    """Respond, with a bar while logs are read."""
    from tocsin import respond as story

    evidence: list[str] | Kept = logs
    if lake is not None:
        evidence = lake_options.opened(lake)
    with progress.live(quiet=quiet) as on_progress:
        going = story.respond(evidence, rules, quieten=quieten, on_progress=on_progress, **lists, **how)
        return stack.enter_context(going)


def _tell(
    response: Response, folder: Path | None, asked: Asked, who: Compared | None, began: float, *, quiet: bool
) -> dict[str, Path]:
    """Write the files, then say what is in them; the pages for analysts by the incident's id."""
    from rich.console import Console

    from tocsin.cli import report_files
    from tocsin.output import incidents as pages
    from tocsin.output.screen import shown

    found = response.incidents
    written = report_files.Written([], {})
    if folder is not None and who is not None:
        written = report_files.write(response, folder, asked, who)
    if quiet:
        print(pages.one_line(found), file=sys.stdout)  # noqa: T201 - the one line that was asked for
        return written.pages
    console = Console(highlight=False, emoji=False, markup=False, soft_wrap=False)
    pages.show(console, found, response.background)
    pages.show_claims(console, response.claims)
    events = sum(source.read for source in response.run.custody)
    console.print(f"\n  {time.monotonic() - began:.1f} s, {events:,} events, {len(response.run.rules.rules):,} rules")
    for path in written.files:
        console.print(f"  written: {shown(os.fspath(path))}", soft_wrap=True)
    return written.pages
