"""The drill on one page: evidence is made, the mission runs on it, and somebody who knows the truth scores it."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tocsin import exercise, rehearse
from tocsin.border.assets import read_assets
from tocsin.border.people import read_people
from tocsin.border.permit import read_permit
from tocsin.border.press import read_claim
from tocsin.engine import local
from tocsin.ledger import Progress
from tocsin.model.rule import RuleSet
from tocsin.rehearse import Made, Profile, score
from tocsin.rehearse import Progress as Day
from tocsin.respond import Response, respond


def make(
    *, seed: int, events: int, folder: Path, profile: Profile | None, jobs: int, on_day: Callable[[Day], None]
) -> Made:
    """Make the evidence, as `rehearse.make` does, each of the two bodies in a process of its own but for one job."""
    apart = None if (jobs or local.default_jobs()) == 1 else local.standing
    return rehearse.make(seed=seed, events=events, folder=folder, profile=profile, apart=apart, told=on_day)


@dataclass(slots=True, kw_only=True)
class Performance:
    """A rule set's go at the evidence; its figures, and how it was contained, are there once it was judged."""

    name: str
    response: Response
    figures: dict[str, Any] = field(default_factory=dict)
    contained: exercise.Exercise | None = None


@contextmanager
def perform(
    made: Made,
    name: str,
    rules: RuleSet,
    folder: Path,
    *,
    jobs: int = 0,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_judging: AbstractContextManager[None] | None = None,
) -> Iterator[Performance]:
    """Respond to what was made, knowing the logs, the lists, the permit and what the press was told; then be judged.

    Args:
        folder: where, by the time the context ends, whoever called has put `incidents.json` and the folder `cases`.
        on_judging: entered while it is judged: that takes seconds, in which nothing else is told.

    Yields:
        The performance. After the context it has its figures: those of `score.score`, with `seconds` from the first log
        to the last case, and `peak_mb` of the largest process so far.
    """
    began = time.monotonic()
    with respond(
        [made.logs],
        rules,
        assets=read_assets(made.assets)[0],
        people=read_people(made.people)[0],
        claim=read_claim(made.claim),
        permits=[read_permit(made.permit, [made.permit.with_suffix(".pub")])],
        jobs=jobs,
        on_progress=on_progress,
    ) as response:
        performance = Performance(name=name, response=response)
        yield performance
    seconds = time.monotonic() - began
    with on_judging or nullcontext():
        performance.contained = exercise.contain(folder / "cases", read_assets(made.assets)[0])
        performance.figures = {**judge(made, folder), "seconds": round(seconds, 2), "peak_mb": _peak_mb()}


def judge(made: Made, folder: Path) -> dict[str, Any]:
    """Score what was concluded: incidents to act on now as their cases have them, the review queue as it is written."""
    truth = json.loads(made.truth.read_bytes())
    queue = [one for one in score.incidents_of(folder / "incidents.json") if one["rank"] != "act now"]
    return score.score(truth, [*score.incidents_of(folder / "cases"), *queue])


def _peak_mb() -> float:
    """The most memory that this process or one of its workers has held, in 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return round(max(resource.getrusage(one).ru_maxrss for one in who) * unit / 1e6, 1)
