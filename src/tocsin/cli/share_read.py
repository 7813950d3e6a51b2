"""`tocsin share read`: what somebody else's bundle or event says, in our words, and what of it we have no words for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin.cli import listing
from tocsin.cli.node import Json
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.model.parcel import Parcel


def read(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A STIX 2.1 bundle, or an event of MISP.")],
    *,
    observation: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what it says was seen, for `tocsin attribute`."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what somebody told: incidents, groups, campaigns, who they think it was, and what is not understood."""
    from tocsin.border import files

    found = files.parcel(file)
    if observation:
        from tocsin.border import observations, parcels
        from tocsin.output.files import save

        text = observations.encoded(parcels.observation(found, file.stem)).decode()
        save(observation, lambda out: out.writelines([text]))
    if as_json:
        typer.echo(json.dumps(_plain(found), indent=1, sort_keys=True))
        return
    rows = list(_rows(found))
    listing.show(("what", "id", "it says", "by"), rows, f"{file}: says nothing that there is a noun for.")
    odd = [(one.kind, one.id, one.because) for one in found.not_understood]
    odd += [("indicator", one.id, one.text) for one in found.left_out]
    if odd:
        typer.echo()
        listing.show(("kept, and not understood", "id", "because"), odd, "")
    typer.echo(f"{len(found.held):,} objects, {len(found.not_understood):,} of them not understood")
    if observation:
        typer.echo(f"written: {shown(str(observation))}")


def _rows(found: Parcel) -> Iterator[tuple[str, str, str, str]]:
    for one in found.incidents:
        yield "incident", one.id, one.title, ""
    for group in found.groups:
        aliases = f" ({', '.join(alias.text for alias in group.aliases)})" if group.aliases else ""
        yield "group", group.id, group.name + aliases, ", ".join(group.told_by)
    for campaign in found.campaigns:
        yield "campaign", campaign.id, campaign.name, ""
    for cluster in found.clusters:
        yield "cluster", cluster.id, f"{cluster.name}: {len(cluster.incidents):,} incidents", ""
    for said in found.attributed:
        sure = "" if said.confidence is None else f", confidence {said.confidence} of 100"
        yield "attributed", said.what, f"to {said.to}{sure}", said.by
    for opinion in found.opinions:
        sure = "" if opinion.confidence is None else f", confidence {opinion.confidence} of 100"
        yield "opinion", ", ".join(opinion.about), f"{opinion.opinion}{sure}: {opinion.text}", opinion.by
    for course in found.courses:
        yield "course of action", course.id, course.name, ""
    for sighting in found.sightings:
        seen = f"{sighting.count:,} times, {len(sighting.observables):,} values"
        yield "sighting", sighting.of, seen, sighting.by
    for indicator in found.indicators:
        yield "indicator", indicator.id, indicator.title, indicator.source


def _plain(found: Parcel) -> dict[str, Any]:
    """Objects as digests: their bytes are in the file."""
    told = asdict(found)
    for one in told["held"]:
        one["sha256"] = hashlib.sha256(one.pop("content")).hexdigest()
    return told
