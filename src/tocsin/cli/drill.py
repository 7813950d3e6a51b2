"""`tocsin drill`: a seed in, a story whose end is known, how much of it was found, and the report of it out."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections import deque
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tocsin.cli import progress
from tocsin.cli.detect import Debug, Jobs, Quiet, Rules, chosen_rules
from tocsin.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console

    from tocsin.exercise import Exercise
    from tocsin.model.rule import RuleSet
    from tocsin.rehearse import Made, Profile

_WHO: Final = "the drill"  # in the logs of its cases

Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="The same number makes the same bytes.")]
Events = Annotated[
    int, typer.Option("--events", metavar="N", help="About how many log records; they decide how many days it covers.")
]
ProfileFile = Annotated[
    Path | None,
    typer.Option(
        "--profile", metavar="FILE", help="Habits of the group that breaks in (docs/drill.md); APT40's if not given."
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="DIR", help="A new folder; tocsin-drill-SEED if not given.")
]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the logs and their truth, too.")]


def drill(
    *,
    seed: Seed = 1,
    events: Events = 1_000_000,
    profile: ProfileFile = None,
    rules: Rules = None,
    out: Out = None,
    keep: Keep = False,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - main() looks for it, also where the words cannot be understood
) -> None:
    """Replay the story of 2021 on evidence made for it: find it, gather it, and be scored against the truth.

    Two parliamentary bodies, weeks of ordinary work, and in it a slow breach, a quick one, a campaign of mails,
    everyday malware, a permitted test and a lie to the press. With --rules PACK that pack is tried, too, alone and with
    our own. Then the evidence goes into a lake, an ally shares what it knows, and the lake is asked. Three nations,
    each a process with a node of its own, do that over a server; and people are told.
    """
    from rich.console import Console

    from tocsin.cli import drill_pages
    from tocsin.rehearse import read_profile

    folder = out or Path(f"tocsin-drill-{seed}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder}: holds something already", hint="Name a folder that is new or empty: --out DIR.")
    habits = read_profile(profile) if profile is not None else None
    sets = _rule_sets(rules, quiet=quiet)
    console = Console(highlight=False, emoji=False, markup=False, quiet=quiet)
    folder.mkdir(parents=True, exist_ok=True)
    # Beside the reports, so that it is on the same disk, and is seen if it is left there by a crash.
    evidence = Path(tempfile.mkdtemp(prefix="evidence-", dir=folder))
    try:
        made = _made(seed, events, habits, evidence / "made", jobs, console, quiet=quiet)
        figures: dict[str, dict[str, Any]] = {}
        truth = json.loads(made.truth.read_bytes())
        for name, chosen in sets:
            figures[name], contained = _performed(made, name, chosen, folder, jobs, quiet=quiet)
            told = figures[sets[0][0]] if len(figures) > 1 else None
            drill_pages.story(console, truth, figures[name], name, told=told)
            drill_pages.contained(console, contained)
        (folder / "score.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        _further_acts(made, habits, folder, evidence, jobs, console, quiet=quiet)
        if keep:
            (evidence / "made").rename(folder / "evidence")
    except BaseException:
        # Half a result looks like a whole one, and stands in the way of the next drill.
        for name, _ in sets:
            shutil.rmtree(folder / name, ignore_errors=True)
        raise
    finally:
        shutil.rmtree(evidence, ignore_errors=True)
        with suppress(OSError):  # it holds something, unless nothing could be made at all
            folder.rmdir()
    _ended(figures, sets[0][0], folder, console, quiet=quiet)


def _rule_sets(packs: list[str] | None, *, quiet: bool) -> list[tuple[str, RuleSet]]:
    """Our own rules; and if a pack is named, that pack, and both together."""
    from tocsin.learn.packs import OWN

    named = [("own", [OWN])]
    if packs:
        named += [("sigmahq", packs), ("both", [OWN, *packs])]
    return [(name, chosen_rules(words, None, (), (), quiet=quiet)) for name, words in named]


def _made(
    seed: int, events: int, habits: Profile | None, folder: Path, jobs: int, console: Console, *, quiet: bool
) -> Made:
    from tocsin.cli import drill_pages
    from tocsin.drill import make

    with progress.counted("making evidence", "days", quiet=quiet) as told:
        made = make(
            seed=seed,
            events=events,
            folder=folder,
            profile=habits,
            jobs=jobs,
            on_day=lambda one: told(one.day, one.days, drill_pages.today(one)),
        )
    drill_pages.opening(console, made, seed)
    return made


def _performed(
    made: Made, name: str, rules: RuleSet, folder: Path, jobs: int, *, quiet: bool
) -> tuple[dict[str, Any], Exercise | None]:
    """One rule set's go, its files in a folder of their own; its figures, and how it was contained."""
    from tocsin import attribution
    from tocsin.cli import report_files
    from tocsin.drill import perform

    own = folder / name
    own.mkdir()
    asked = report_files.Asked("clear")  # it was made up: there is nothing to keep from anybody
    team = attribution.Team(known=attribution.known())
    judging = progress.word("planning how it would be contained, and scoring", quiet=quiet)
    with ExitStack() as stack:
        with progress.live(quiet=quiet) as on_progress:
            performance = stack.enter_context(
                perform(made, name, rules, own, jobs=jobs, on_progress=on_progress, on_judging=judging)
            )
        with progress.word("writing reports and opening cases", quiet=quiet):
            who = report_files.compared(performance.response, team)
            written = report_files.write(performance.response, own, asked, who)
            opened = report_files.open_all(performance.response, own / "cases", _WHO, asked, written.pages, who)
            deque(opened, maxlen=0)
    return performance.figures, performance.contained


def _further_acts(
    made: Made, habits: Profile | None, folder: Path, evidence: Path, jobs: int, console: Console, *, quiet: bool
) -> None:
    """An ally's word and what a lake says to it; what three nations tell each other; and what people are told."""
    from tocsin.cli import drill_allies, drill_recall

    def third() -> dict[str, Any]:
        return drill_allies.performed(made, habits, folder / "allies", evidence / "allies", console)

    drill_recall.performed(made, folder / "hunt", evidence / "lake", jobs, console, third=third, quiet=quiet)


def _ended(figures: dict[str, Any], first: str, folder: Path, console: Console, *, quiet: bool) -> None:
    from tocsin.cli import drill_pages

    drill_pages.verdict(console, figures)
    report = folder / first / "overview.html"
    if quiet:
        sys.stdout.write(f"{os.fspath(report)}\n")
        return
    drill_pages.closing(console, report)
