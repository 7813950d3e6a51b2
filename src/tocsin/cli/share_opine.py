"""`tocsin share opine`: what somebody told and what a person thinks of it in, a bundle that says so out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer

from tocsin.cli import person
from tocsin.cli.case_options import By
from tocsin.errors import SettingsError
from tocsin.model.tlp import TLP
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.model.parcel import Opined

WORDS: Final = ("strongly-disagree", "disagree", "neutral", "agree", "strongly-agree")  # for --help; a test compares


def opine(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The STIX 2.1 bundle that somebody told.")],
    about: Annotated[str, typer.Argument(metavar="OBJECT-ID", help="Of what in it: relationship--…, indicator--….")],
    say: Annotated[str, typer.Option("--say", metavar="WORD", help=f"One of {', '.join(WORDS)}.")],
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why, for those who told it.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write it, for `share bundle`.")],
    *,
    tlp: Annotated[
        str, typer.Option(metavar="TLP", help="Its marking, unless what it is about has a stricter one.")
    ] = "amber+strict",
    by: By = None,
) -> None:
    """Write what you think of something that somebody told, as an opinion of STIX. Nothing leaves."""
    if say not in WORDS:
        raise SettingsError(f"--say {say}: there is no such word", hint=f"There are {', '.join(WORDS)}.")
    if tlp not in TLP:
        raise SettingsError(f"--tlp {tlp}: there is no such marking", hint=f"There are {', '.join(TLP)}.")
    if not because.strip():
        raise SettingsError("--because is empty", hint="An opinion without a reason helps nobody.")
    from datetime import UTC, datetime
    from importlib.metadata import version

    from tocsin.border import files, opinions
    from tocsin.model.parcel import Opinion
    from tocsin.output.files import save

    whose = person.whoever(by)
    opinion = Opinion(id="", about=(about,), opinion=cast("Opined", say), text=because, by=whose)
    at_us = int(datetime.now(UTC).timestamp() * 1_000_000)
    author = f"tocsin {version('tocsin')}"
    try:
        text = opinions.written(files.parcel(file), opinion, author=author, tlp=tlp, at_us=at_us)
    except ValueError as error:
        hint = "`tocsin share read FILE --json` has the ids, under `held`."
        raise SettingsError(f"{file}: {error}", hint=hint) from error
    save(out, lambda opened: opened.writelines([text]))
    typer.echo(shown(f"written: {out}: {whose} says {say} to {about}", 500))
    typer.echo("Nothing has left: `tocsin share preview` tells who may have it.")
