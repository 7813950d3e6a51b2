"""`tocsin advise`: what authors wrote and what cases show, as an advisory; or why it may not leave yet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tocsin.cli import folders
from tocsin.cli.case_options import Root, place
from tocsin.output.screen import shown

Cases = Annotated[list[str], typer.Argument(metavar="CASE...", help="Cases that it tells of, by id.")]
File = Annotated[Path, typer.Option("--by", metavar="FILE", help="TOML of what its authors say (docs/advisories.md).")]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="A folder for its files.")]
Endorsed = Annotated[
    Path | None, typer.Option(metavar="DIR", help="A joint statement in which its authors approved these words.")
]
Nations = Annotated[Path | None, typer.Option(metavar="FILE", help="Nations and their keys; yours if not given.")]
Since = Annotated[
    Path | None, typer.Option("--since", metavar="FILE", help="advisory.internal.json of the revision before.")
]
LeaveOut = Annotated[
    bool, typer.Option("--leave-out", help="Leave out indicators that may not be in it, and say how many.")
]
NoPdf = Annotated[bool, typer.Option("--no-pdf", help="Write no PDF.")]


def advise(
    cases: Cases,
    *,
    by: File,
    out: Out,
    endorsed: Endorsed = None,
    nations: Nations = None,
    since: Since = None,
    leave_out: LeaveOut = False,
    no_pdf: NoPdf = False,
    root: Root = None,
) -> None:
    """Write a joint advisory over one or several cases: HTML, PDF, Markdown, STIX, and indicators as CSV.

    Nothing above its marking, and nothing that whoever told of it has not agreed to, can be in it: each such place is
    named, and nothing is written. It names its authors once they sealed its words with `tocsin endorse`.
    """
    from tocsin import advising
    from tocsin.border.advisory import read
    from tocsin.border.nations import read_nations

    drafted = advising.draft(read(by), cases, place(root), leave_out=leave_out, before=since)
    if endorsed is not None:
        drafted = advising.approved(drafted, endorsed, read_nations(nations or folders.data() / "nations.toml"))
    for path in advising.save(drafted, out, with_pdf=not no_pdf):
        typer.echo(f"written: {shown(str(path))}")
    one = drafted.advisory
    typer.echo(f"{len(one.rows)} rows of techniques, {len(one.indicators)} indicators, TLP:{one.marking.upper()}")
    typer.echo(f"digest of the words  {drafted.digest}")
    if drafted.draft:
        typer.echo("A draft: it names no author before they sealed a claim that holds this digest.", err=True)
    typer.echo("Read every indicator before it leaves: records name what is ours beside what is theirs.", err=True)
