"""A response and what a team knows in, who it may have been and which of the team's own clusters it belongs to out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from tocsin import attribution, respond
from tocsin.cli.attribution_pages import cited, own_paragraphs
from tocsin.errors import ListError, OutputError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.attribution import Known, Team
    from tocsin.model.attribution import Attribution
    from tocsin.model.cluster import Clusters
    from tocsin.model.incident import Incident
    from tocsin.model.observation import Observation
    from tocsin.respond import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """By the incident's id; `clusters` are the team's own with those incidents in them that are acted on now.

    Args:
        before: the team's own as they are kept.
    """

    seen: Mapping[str, Observation]
    found: Mapping[str, Attribution]
    own: Mapping[str, tuple[str, ...]]
    clusters: Clusters
    before: Clusters


def compare(response: Response, now: Sequence[Incident], queue: Sequence[Incident], team: Team) -> Compared:
    """Ask of each incident whether it is one of the team's own, and then whose ways it shows.

    An incident that has a case already does not find that case: it would find itself.
    """
    seen, before = respond.observations(response, (*now, *queue)), _kept(team)
    public, notes = team.known, tuple[str, ...]()
    if team.root is not None:
        public, notes = attribution.pooled(public, team.root, without=seen.keys())
    found = respond.attributions(seen, public)
    after = _with(now, seen, before, team.known)
    whole = _with(queue, seen, after, team.known)
    named = {one.id for one in (after if team.keeps else before).clusters}
    return Compared(
        seen=seen,
        found={name: replace(one, notes=(*one.notes, *notes)) for name, one in found.items()},
        own={one: tuple(_sentences(whole, one, named)) for one in seen},
        clusters=after if team.keeps else before,
        before=before,
    )


def _kept(team: Team) -> Clusters:
    """As they are now: reading logs takes hours, in which another run may have kept some."""
    try:
        return team.clusters if team.root is None else attribution.clusters(team.root / attribution.CLUSTERS)
    except ListError:  # it could be read when this run began, and what was found is told all the same
        return team.clusters


def _with(incidents: Sequence[Incident], seen: Mapping[str, Observation], before: Clusters, public: Known) -> Clusters:
    """What people found out of a case, and is kept, stays beside what logs show of its incident now."""
    kept = {one.id: one.traits for one in before.observations}
    new = []
    for incident in incidents:
        one = seen[incident.id]
        there = {(trait.kind, trait.value) for trait in one.traits}
        besides = [trait for trait in kept.get(one.id, ()) if (trait.kind, trait.value) not in there]
        new.append(replace(one, traits=(*one.traits, *besides)))
    return attribution.clustered(new, before, public) if new else before


def _sentences(clusters: Clusters, incident: str, named: Collection[str]) -> Iterator[str]:
    """A name that is not kept is not told: the next time it would be another."""
    own = clusters.of(incident)
    if own is None or own.id in named:
        yield from own_paragraphs(clusters, incident)
        return
    others = [one for one in own.incidents if one != incident]
    if others:
        yield f"It resembles {cited(others)}. They are in no cluster of your own yet."
    elif named:
        yield "None of your own clusters resembles it."


def keep(compared: Compared, team: Team) -> None:
    """Write the team's clusters down beside its cases, if anything is new in them."""
    if team.root is None or compared.clusters is compared.before:
        return
    try:
        attribution.keep(compared.clusters, team.root / attribution.CLUSTERS)
    except OutputError as error:  # the cases are there all the same
        typer.echo(f"note: clusters were not kept: {shown(error.message)}", err=True)
