"""`tocsin attribute`: who it may have been, how sure that is, why, and when nobody can say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated

import typer

from tocsin.cli.case_options import Root, place


def attribute(  # noqa: PLR0917 (the library calls it by name)
    what: Annotated[
        str, typer.Argument(metavar="observations.json|CASE", help="What was seen: a file, or a case of an incident.")
    ],
    against: Annotated[
        str, typer.Option("--against", metavar="NAMES", help="Groups to compare, by any name: APT40,APT31.")
    ] = "",
    what_if: Annotated[
        str,
        typer.Option("--what-if", metavar="CHANGES", help="What if more or less had been seen: +T1505.003,-S0020."),
    ] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Every line of the sums, in millidecibans, and the whole matrix.")
    ] = False,
    clusters: Annotated[
        Path | None,
        typer.Option(
            "--clusters",
            metavar="FILE",
            help="Your own clusters: says whether this is one of them, and keeps it there. Made if it is not there.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it as JSON.")] = False,
    root: Root = None,
) -> None:
    """Compare what was seen with what is publicly known of groups.

    It says which groups it resembles and how likely each is, with "nobody known" among them, what speaks for and
    against, and what the answer hangs on. It is a technical comparison: who is responsible is a decision of people.
    """
    import msgspec

    from tocsin import attribution
    from tocsin.cli import attribution_pages

    observation = attribution.observed(what, place(root))
    known = attribution.known()
    before = None
    if what_if:
        before = attribution.weigh(observation, known)
        observation = attribution.what_if(observation, _several(what_if), known)
    found = attribution.weigh(observation, known, against=_several(against))
    ours = None
    if clusters is not None:
        ours = attribution.clustered(observation, attribution.clusters(clusters), known)
        if not what_if:
            attribution.keep(ours, clusters)
    if as_json:
        told = msgspec.to_builtins(found) | ({"clusters": msgspec.to_builtins(ours.clusters)} if ours else {})
        typer.echo(json.dumps(told, indent=2, sort_keys=True))
        return
    width = min(110, shutil.get_terminal_size((100, 24)).columns)
    pages = attribution_pages.Pages(width=width)
    if ours is not None:
        typer.echo("\n".join(pages.ours(ours, observation.id)))
    typer.echo("\n".join(pages.told(found, observation, before=before, explain=explain)))


def _several(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
