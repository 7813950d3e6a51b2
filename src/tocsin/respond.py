"""The corridor on one page: logs in, incidents out, through the rooms in their order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path

from tocsin import investigate, pipeline
from tocsin.ledger import Progress
from tocsin.model.attack import NO_FACTS, Facts
from tocsin.model.coverage import IndicatorCoverage
from tocsin.model.incident import Incident
from tocsin.model.mapping import LogMapping
from tocsin.model.rule import RuleSet
from tocsin.model.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What was found, and what of it belongs together: to act on now first, then the review queue."""

    run: Run
    incidents: tuple[Incident, ...]


@contextmanager
def respond(
    logs: Iterable[str | Path],
    rules: RuleSet,
    *,
    indicators: IndicatorCoverage | None = None,
    ever: bool = False,
    jobs: int = 0,
    since_us: int | None = None,
    until_us: int | None = None,
    zone: tzinfo = UTC,
    mappings: Sequence[LogMapping] = (),
    attack: Facts = NO_FACTS,
    attack_release: str = "",
    quieten: bool = True,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Iterator[Response]:
    """Match rules with logs, and join what they found.

    Args:
        quieten: fold repeats, and lower what happens everywhere every day; what was done so is told.

    The other arguments are those of `pipeline.detect`.

    Yields:
        The response; its run's findings are kept on disk until the context ends.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tocsin-") as traced,
        pipeline.detect(
            logs,
            rules,
            indicators=indicators,
            ever=ever,
            jobs=jobs,
            since_us=since_us,
            until_us=until_us,
            zone=zone,
            mappings=mappings,
            attack=attack,
            attack_release=attack_release,
            traced=Path(traced),
            on_progress=on_progress,
        ) as run,
    ):
        traces = investigate.read(Path(traced).iterdir())
        digests = {source.path: source.sha256 for source in run.custody if source.path == source.file}
        incidents = investigate.gather(run.findings, rules.rules, traces, digests=digests, quieten=quieten)
        yield Response(run=run, incidents=incidents)
