"""The corridor on one page: logs in, incidents out, through the rooms in their order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Final, Protocol, Unpack

from tocsin import attribution, collect, investigate, lookover
from tocsin.attribute import observing
from tocsin.engine import local
from tocsin.engine.protocol import Engine
from tocsin.investigate import addressees, concern, context, impact
from tocsin.investigate.normal import is_public
from tocsin.investigate.sought import Sought
from tocsin.lake.store import Lake
from tocsin.ledger import Progress
from tocsin.lookback import look_back
from tocsin.model.asset import Assets
from tocsin.model.attribution import Attribution
from tocsin.model.background import Background
from tocsin.model.incident import Incident
from tocsin.model.mapping import LogMapping
from tocsin.model.observation import Observation
from tocsin.model.permit import Permit
from tocsin.model.person import People
from tocsin.model.press import Judged, PressClaim
from tocsin.model.raw import Place, Raw
from tocsin.model.rule import LEVELS, Rule, RuleSet
from tocsin.model.run import Run
from tocsin.pipeline import How, detect

# Those to act on now come first, then the head of the queue; of others nobody reads what was taken before the rest.
_MOST_WEIGHED: Final = 200
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What was found, what of it belongs together, to act on now first, then the review queue; and the background."""

    run: Run
    incidents: tuple[Incident, ...]
    background: tuple[Background, ...] = ()
    evidence: tuple[str | Path, ...] = ()
    mappings: tuple[LogMapping, ...] = ()
    assets: Assets = field(default_factory=Assets)
    lake: Lake | None = None  # where it was found, if not in the evidence itself
    claims: tuple[Judged, ...] = ()  # each also stands with the incident that it concerns, if there is one


@contextmanager
def respond(
    logs: Iterable[str | Path] | Lake,
    rules: RuleSet,
    *,
    quieten: bool = True,
    assets: Assets | None = None,
    people: People | None = None,
    claim: PressClaim | None = None,
    permits: Sequence[Permit] = (),
    on_progress: Callable[[Progress], None] = lambda progress: None,
    **how: Unpack[How],
) -> Iterator[Response]:
    """Match rules with logs, join what they found, and look once more for what was taken, and from whom.

    Args:
        logs: or a lake that holds them.
        quieten: fold repeats, and lower what happens everywhere every day; what was done so is told.
        assets: what the organisation runs, and `people` whom it may concern, where there are such lists.
        claim: what somebody said was taken, to be held against the evidence.
        permits: of tests that were allowed: what they cover is told apart from incidents, with its reason.
        how: as in `pipeline.detect`.

    Yields:
        The response; its run's findings are kept on disk until the context ends.
    """
    evidence: Lake | tuple[str | Path, ...] = logs if isinstance(logs, Lake) else tuple(logs)
    assets, people = assets or Assets(), people or People()
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-") as traced,
        _detected(evidence, rules, Path(traced), how, on_progress) as run,
    ):
        traces = investigate.read(Path(traced).iterdir())
        waiting = investigate.queued(
            run.findings,
            rules.rules,
            traces,
            digests=_digests(run),
            assets=assets,
            permits=permits,
            quieten=quieten,
        )
        again = _again(evidence, run, how, on_progress)
        window = how.get("since_us"), how.get("until_us")
        told, judged = _weighed(waiting.incidents, traces, again, run, (assets, people, claim), window)
        yield Response(
            run=run,
            incidents=told,
            background=waiting.background,
            evidence=() if isinstance(evidence, Lake) else evidence,
            lake=evidence if isinstance(evidence, Lake) else None,
            mappings=tuple(how.get("mappings") or ()),
            assets=assets,
            claims=judged,
        )


def _detected(
    logs: Lake | tuple[str | Path, ...],
    rules: RuleSet,
    traced: Path,
    how: How,
    on_progress: Callable[[Progress], None],
) -> AbstractContextManager[Run]:
    if not isinstance(logs, Lake):
        return detect(logs, rules, traced=traced, on_progress=on_progress, **how)
    apt = {name: value for name, value in how.items() if name not in {"zone", "mappings"}}  # it was read already
    return lookover.detect(logs, rules, traced=traced, on_progress=on_progress, **apt)  # type: ignore[arg-type]  # as `How` has them


def _weighed(
    incidents: tuple[Incident, ...],
    traces: investigate.Traces,
    again: _Back,
    run: Run,
    known: tuple[Assets, People, PressClaim | None],
    window: tuple[int | None, int | None],
) -> tuple[tuple[Incident, ...], tuple[Judged, ...]]:
    """The incidents with what was taken, what lies around them and whom it concerns; and what a claim comes to."""
    assets, people, claim = known
    scenes = impact.scenes(incidents[:_MOST_WEIGHED], traces, assets, *window)
    asked = None if claim is None else impact.asked(claim, impact.addresses_of(traces), assets)
    leads = context.leads(incidents[: len(scenes)], traces, assets, *window)
    pointers = addressees.pointers(incidents[: len(scenes)], assets, addressees.observables(run.rules.rules))
    seen, beads, mailings = _evidence(again, run, scenes, asked, (leads, pointers, assets))
    weighed = impact.assess(incidents[: len(scenes)], scenes, seen, assets)
    weighed = context.told(weighed, beads.leads, beads.found, _digests(run), assets, beads.cut)
    weighed = _addressed(weighed, pointers, mailings, _digests(run))
    told = concern.concerned((*weighed, *incidents[len(scenes) :]), assets, people)
    if asked is None:
        return told, ()
    judged, told = impact.judge(asked, seen, told, people)
    return told, judged


class _Back(Protocol):
    """Evidence read once more, be it logs or a lake; gives what could not be read."""

    def __call__(
        self,
        around: impact.Around,
        kept: impact.Kept,
        *,
        asked: impact.Asked | None = None,
        sought: Sequence[Sought] = (),
    ) -> tuple[str, ...]: ...


def _again(logs: Lake | tuple[str | Path, ...], run: Run, how: How, on_progress: Callable[[Progress], None]) -> _Back:
    jobs, engine = how.get("jobs", 0), how.get("engine", local)
    if isinstance(logs, Lake):
        return partial(lookover.look_back, logs, jobs=jobs, engine=engine, on_progress=on_progress)
    return partial(
        look_back,
        logs,
        run.custody,
        jobs=jobs,
        zone=how.get("zone", UTC),
        mappings=how.get("mappings", ()),
        engine=engine,
        on_progress=on_progress,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beads:
    """Of each incident what was looked for, and what of it was found, and kept."""

    leads: tuple[context.Leads, ...]
    found: tuple[context.Bead, ...]
    cut: int


def _evidence(
    back: _Back,
    run: Run,
    scenes: Sequence[impact.Scene],
    asked: impact.Asked | None,
    leads: tuple[tuple[context.Leads, ...], tuple[addressees.Pointers, ...], Assets],
) -> tuple[impact.Evidence, _Beads, _Mailings]:
    """What the logs hold around incidents, and of a claim; nothing is read where neither asks for it."""
    with tempfile.TemporaryDirectory(prefix="tocsin-") as name:
        folder, (first, pointers, assets) = Path(name), leads
        kept, lost = impact.Kept(folder=folder).made(), tuple[str, ...]()
        sought, mail = context.search(first, folder / "beads"), addressees.search(pointers, folder / "mail")
        if scenes or asked is not None:
            lost = back(impact.around(scenes), kept, asked=asked, sought=_all(sought, mail))
        found, mailings = context.read(sought), addressees.read(mail)
        more = context.further(first, found.beads, assets)
        sought, mail = context.search(more, folder / "further"), _messages(pointers, mailings.all, folder)
        if both := _all(sought, mail):
            back(impact.around(()), impact.Kept(folder=folder / "none").made(), sought=both)
        rest = context.read(sought)
        beads = _Beads(leads=context.joined(first, more), found=(*found.beads, *rest.beads), cut=found.cut + rest.cut)
        seen = impact.read(kept, lost=lost, digests=_digests(run), seen=run.coverage.seen)
        return seen, beads, (mailings, addressees.read(mail))


_Mailings = tuple[addressees.Met, addressees.Met]  # found at first, and by what was met


def _all(*some: Sought | None) -> tuple[Sought, ...]:
    return tuple(one for one in some if one is not None)


def _messages(
    pointers: Iterable[addressees.Pointers], mailings: Iterable[addressees.Mailing], folder: Path
) -> addressees.Search | None:
    met = addressees.messages(mailings)
    return addressees.search(pointers, folder / "messages", met) if met else None


def _addressed(
    incidents: Sequence[Incident],
    pointers: Sequence[addressees.Pointers],
    mailings: _Mailings,
    digests: Mapping[str, str],
) -> tuple[Incident, ...]:
    first, further = mailings
    return addressees.told(incidents, pointers, first.all, further.all, digests, first.cut + further.cut)


def addressed(
    incidents: tuple[Incident, ...],
    rules: Iterable[Rule],
    lake: Lake,
    *,
    jobs: int = 0,
    engine: Engine = local,
) -> tuple[Incident, ...]:
    """To whom else something was sent from where the findings of a hunt point, as `respond` tells it of its own."""
    pointers = addressees.pointers(incidents[:_MOST_WEIGHED], Assets(), addressees.observables(rules))
    back = partial(lookover.look_back, lake, impact.around(()), jobs=jobs, engine=engine)
    with tempfile.TemporaryDirectory(prefix="tocsin-") as name:
        folder = Path(name)
        kept = impact.Kept(folder=folder).made()
        if (mail := addressees.search(pointers, folder / "mail")) is None:
            return incidents
        back(kept, sought=(mail,))
        mailings = addressees.read(mail)
        further = _messages(pointers, mailings.all, folder)
        if further is not None:
            back(kept, sought=(further,))
        met = mailings, addressees.read(further)
        told = _addressed(incidents[: len(pointers)], pointers, met, lake.state.evidence)
        return (*told, *incidents[len(pointers) :])


def _digests(run: Run) -> dict[str, str]:
    return {source.path: source.sha256 for source in run.custody if source.path == source.file}


def raws(response: Response, incidents: Iterable[Incident]) -> Mapping[Place, Raw]:
    """The records that incidents cite, read again from the evidence: context first, then the worst findings."""
    incidents = tuple(incidents)
    places = [
        (one.path, one.chunk, one.rec)
        for incident in incidents
        for one in (
            *incident.cited_besides(),
            *(finding.at for finding in sorted(incident.findings, key=lambda one: -LEVELS.index(one.level))),
        )
    ]
    if response.lake is not None:
        # What stands beside an incident may be of weeks before it.
        days = {at.ts_us // _DAY_US for one in incidents for at in one.cited_besides() if at.ts_us is not None}
        beside = [(day * _DAY_US, day * _DAY_US) for day in sorted(days)]
        spans = [(one.first_us, one.last_us) for one in incidents]
        return lookover.raws(response.lake, places, [*spans, *beside])
    mapped = tuple(collect.reader(mapping) for mapping in response.mappings)
    return collect.again(places, response.evidence, response.run.custody, mapped)


def observations(response: Response, incidents: Iterable[Incident]) -> Mapping[str, Observation]:
    """What was seen of whoever did it, by incident, with what these logs and rules could have shown besides."""
    run = response.run
    seen_with = observing.view(run.rules.rules, run.coverage.rules, ours=response.assets, is_outside=is_public)
    return {one.id: observing.observe(one, seen_with) for one in incidents}


def attributions(seen: Mapping[str, Observation], known: attribution.Known) -> Mapping[str, Attribution]:
    """Who it may have been, by incident: technical, and last, since stopping never waits for blaming."""
    return {name: attribution.weigh(one, known) for name, one in seen.items()}
