"""What the verbs of `tocsin case` have in common: options, where cases are, and how something is said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tocsin.cli import folders, person
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.cases import Writer
    from tocsin.model.decision import Signer

Root = Annotated[
    Path | None,
    typer.Option(
        "--cases",
        metavar="DIR",
        envvar="TOCSIN_CASES",
        show_envvar=True,
        help="Where the cases are; $XDG_STATE_HOME/tocsin/cases if not given.",
    ),
]
By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help=f"Who does it; ${person.VARIABLE} or the login name if not given."),
]
Name = Annotated[str, typer.Argument(metavar="CASE", help="Its id, the beginning of it, or the path of its folder.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, in a sentence.")]

TellingFile = Annotated[
    Path | None,
    typer.Option(
        "--telling",
        metavar="FILE",
        envvar="TOCSIN_TELLING",
        show_envvar=True,
        help="How your centre tells people: who you are, which laws hold, whom besides, by which channels.",
    ),
]


def place(root: Path | None) -> Path:
    return root or folders.state() / "cases"


@contextmanager
def writing(root: Path | None, name: str) -> Iterator[Writer]:
    """Find a case and write in it; what was found on the way is told."""
    from tocsin import cases

    with cases.writing(cases.find(place(root), name)) as log:
        tell(log.notes)
        yield log


def tell(notes: Iterable[str]) -> None:
    for note in notes:
        typer.echo(f"tocsin: {shown(note)}", err=True)


def known() -> list[Signer]:
    """The people whose keys came here another way than in a case."""
    from tocsin.seal import signers

    return [one.signer for one in signers.everybody(person.folder())]


def done(entry: int) -> None:
    typer.echo(f"entry {entry}")


def say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
