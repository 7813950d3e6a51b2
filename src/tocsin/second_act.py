"""The drill's second act on one page: its evidence lies in a lake, an ally shares what it knows, the lake answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tocsin import pipeline, retrohunt
from tocsin.border.assets import read_assets
from tocsin.intake import Taken, take_in
from tocsin.lake.store import open_lake
from tocsin.ledger import Progress
from tocsin.model.hunt import Asked
from tocsin.model.rule import LEVELS, RuleText
from tocsin.rehearse import Made, recalled
from tocsin.retrohunt import Hunt, Hunted

_LOW: Final = LEVELS.index("low")


@dataclass(slots=True, kw_only=True)
class Recall:
    """What came of it; its figures are there once it was judged."""

    taken: Taken
    hunt: Hunt
    hunted: Hunted
    asked_at: float  # by `time.monotonic`: when the ally's word came
    figures: dict[str, Any] = field(default_factory=dict)


@contextmanager
def recall(
    made: Made,
    folder: Path,
    *,
    jobs: int = 0,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Iterator[Recall]:
    """Import what was made, ask it what the ally told of, knowing nothing else; then be judged.

    Args:
        folder: of the lake, which must not be there.

    Yields:
        The answer. After the context it has its figures: those of `recalled.score`, and seconds.
    """
    began = time.monotonic()
    taken = take_in([made.logs], folder, jobs=jobs, on_progress=on_progress)
    imported = time.monotonic()
    rule = made.partner / "rule.yml"
    bundle = made.partner / "bundle.json"
    rules = pipeline.compile_rules([RuleText(path=rule.name, content=rule.read_bytes())])
    hunt = retrohunt.prepared([str(bundle)], rules)
    asked = Asked(by="the drill", authority="a drill", purpose="the second act", names=(bundle.name, rule.name))
    hosts = [asset.name for asset in read_assets(made.assets)[0].all]
    lake = open_lake(folder)
    with retrohunt.retrohunt(lake, hunt, asked, hosts=hosts, jobs=jobs, on_progress=on_progress) as hunted:
        ended = time.monotonic()
        done = Recall(taken=taken, hunt=hunt, hunted=hunted, asked_at=imported)
        yield done
        done.figures = {
            **judge(made, hunted),
            "import_seconds": round(imported - began, 2),
            "hunt_seconds": round(ended - imported, 2),
        }


def judge(made: Made, hunted: Hunted) -> dict[str, Any]:
    """Hold the findings of the hunt against the truth."""
    truth = json.loads(made.truth.read_bytes())
    known = json.loads((made.partner / "known.json").read_bytes())
    run = hunted.response.run
    rules = run.rules.rules
    findings = (
        {
            "id": rules[one.rule].id,
            "at": {"path": one.path, "rec": one.rec},
            "lowered": LEVELS.index(rules[one.rule].level) <= _LOW,
        }
        for one in run.findings
    )
    return recalled.score(truth, known, findings)
