"""`tocsin sample`: the name of a folder in, logs and rules to try the rest with out."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tocsin.output.screen import shown


def sample(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that is new or empty.")],
) -> None:
    """Make the logs of a small intrusion, and rules that find some of it, for first steps."""
    from tocsin.rehearse.sample import make

    make(folder)
    logs, rules = (shlex.quote(shown(str(folder / name))) for name in ("logs", "rules"))
    typer.echo(f"Two logs of about 1,000 events each and nine rules are in {shown(str(folder))}. Now try:")
    typer.echo(f"  tocsin detect {logs} --rules {rules}")
