"""Many seeds of nodes on the worst of networks; some ten seconds each.

Run as `python -m pytest -q -n 0 -s --timeout 7200 tests/soak/node_partitions.py`. SEEDS, FIRST and STEPS may be set in
the environment.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from nodes.partitions import run


def test_many_seeds(tmp_path: Path) -> None:
    first, seeds = int(os.environ.get("FIRST", "1000")), int(os.environ.get("SEEDS", "60"))
    steps = int(os.environ.get("STEPS", "150"))
    found = []
    for seed in range(first, first + seeds):
        found.append(run(tmp_path / str(seed), seed, steps=steps))
        shutil.rmtree(tmp_path / str(seed))
    most = max(one.rounds for one in found)
    told = (
        f"{seeds} seeds of {steps} steps: agreement after at most {most} rounds, "
        f"{sum(one.revocations for one in found)} revocations, {sum(one.restored for one in found)} restorations seen, "
        f"{sum(one.unread for one in found)} messages that could not be read yet, nobody honest accused"
    )
    sys.stdout.write(f"\n{told}\n")
    if seeds >= 20:
        assert sum(one.restored for one in found), "restorations must happen, or this shows little"
        assert sum(one.revocations for one in found)
