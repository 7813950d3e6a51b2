"""The corridor on one page: logs in, incidents out, through the rooms in their order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from tocsin import collect, investigate
from tocsin.ledger import Progress
from tocsin.model.incident import Incident
from tocsin.model.mapping import LogMapping
from tocsin.model.raw import Place, Raw
from tocsin.model.rule import LEVELS, RuleSet
from tocsin.model.run import Run
from tocsin.pipeline import How, detect


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What was found, and what of it belongs together: to act on now first, then the review queue."""

    run: Run
    incidents: tuple[Incident, ...]
    evidence: tuple[str | Path, ...] = ()
    mappings: tuple[LogMapping, ...] = ()


@contextmanager
def respond(
    logs: Iterable[str | Path],
    rules: RuleSet,
    *,
    quieten: bool = True,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    **how: Unpack[How],
) -> Iterator[Response]:
    """Match rules with logs, and join what they found.

    Args:
        quieten: fold repeats, and lower what happens everywhere every day; what was done so is told.
        how: as in `pipeline.detect`.

    Yields:
        The response; its run's findings are kept on disk until the context ends.
    """
    evidence = tuple(logs)
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-") as traced,
        detect(evidence, rules, traced=Path(traced), on_progress=on_progress, **how) as run,
    ):
        traces = investigate.read(Path(traced).iterdir())
        digests = {source.path: source.sha256 for source in run.custody if source.path == source.file}
        incidents = investigate.gather(run.findings, rules.rules, traces, digests=digests, quieten=quieten)
        yield Response(run=run, incidents=incidents, evidence=evidence, mappings=tuple(how.get("mappings") or ()))


def raws(response: Response, incidents: Iterable[Incident]) -> Mapping[Place, Raw]:
    """The records that incidents cite, read again from the evidence: context first, then the worst findings."""
    places = [
        (one.path, one.chunk, one.rec)
        for incident in incidents
        for one in (
            *incident.cited_besides(),
            *(finding.at for finding in sorted(incident.findings, key=lambda one: -LEVELS.index(one.level))),
        )
    ]
    mapped = tuple(collect.reader(mapping) for mapping in response.mappings)
    return collect.again(places, response.evidence, response.run.custody, mapped)
