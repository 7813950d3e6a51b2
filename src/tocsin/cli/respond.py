"""`tocsin respond`: logs and rules in, incidents out."""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tocsin.cli import options, progress
from tocsin.cli.detect import (
    AttackRelease,
    Debug,
    Jobs,
    Logs,
    Lowest,
    Quiet,
    Rules,
    Since,
    Statuses,
    Until,
    attack_facts,
    chosen_rules,
)
from tocsin.errors import EvidenceError, SettingsError

if TYPE_CHECKING:
    from tocsin.respond import Response

Folder = Annotated[
    str | None,
    typer.Option("--out", "-o", metavar="DIR", help="A folder for incidents.json and the files of `detect`."),
]
Loud = Annotated[bool, typer.Option("--everything", help="Fold no repeats, and lower nothing that happens every day.")]


def respond(
    logs: Logs,
    *,
    rules: Rules = None,
    level: Lowest = None,
    status: Statuses = None,
    since: Since = None,
    until: Until = None,
    out: Folder = None,
    attack_release: AttackRelease = None,
    everything: Loud = False,
    jobs: Jobs = 0,
    quiet: Quiet = False,
    debug: Debug = False,  # noqa: ARG001 - main() looks for it, also where the words cannot be understood
) -> None:
    """Match Sigma rules with logs and join what belongs together: incidents, and why they are one."""
    since_us, until_us = options.window(since, until)
    statuses = options.statuses(status or [])
    if out is not None and (not out or (Path(out).exists() and not Path(out).is_dir())):
        raise SettingsError(f"--out {out}: names no folder", hint="Name a folder, which may be new.")

    from tocsin import respond as story  # numpy, orjson and their kind: only once it is clear what is wanted
    from tocsin.cli.target import choose

    attack = attack_facts(attack_release)
    target = choose(None if out is None else out.rstrip("/") + "/", None, logs)
    chosen = chosen_rules(rules or [], level, statuses, quiet=quiet)
    began = time.monotonic()
    with ExitStack() as stack:
        with progress.live(quiet=quiet) as on_progress:
            response = stack.enter_context(
                story.respond(
                    logs,
                    chosen,
                    jobs=jobs,
                    since_us=since_us,
                    until_us=until_us,
                    attack=attack,
                    attack_release=attack_release or "",
                    quieten=not everything,
                    on_progress=on_progress,
                )
            )
        target.save(response.run)
        _tell(response, out, time.monotonic() - began, quiet=quiet)
        if not any(source.format for source in response.run.custody):
            raise EvidenceError(
                "none of this is a log that tocsin can read",
                hint=f"What was looked at is in {target.manifest}.",
            )


def _tell(response: Response, out: str | None, took_s: float, *, quiet: bool) -> None:
    """Write the file, then say what is in it."""
    from rich.console import Console

    from tocsin.output import incidents as pages
    from tocsin.output.files import save
    from tocsin.output.screen import shown

    found = response.incidents
    path = None if out is None else Path(out) / "incidents.json"
    if path is not None:
        save(path, lambda file: pages.write(found, file))
    if quiet:
        print(pages.one_line(found), file=sys.stdout)  # noqa: T201 - the one line that was asked for
        return
    console = Console(highlight=False, emoji=False, markup=False, soft_wrap=False)
    pages.show(console, found)
    events = sum(source.read for source in response.run.custody)
    console.print(f"\n  {took_s:.1f} s, {events:,} events, {len(response.run.rules.rules):,} rules")
    if path is not None:
        console.print(f"  written: {shown(os.fspath(path))}", soft_wrap=True)
