"""A hundred kills of a process that imports into lakes, merges and compacts, each within a stage of that.

Run as `python -m pytest -q -n 0 -s --timeout 3600 tests/soak/kill_lake.py`. KILLS and SEED may be set in the
environment; another SEED is another run.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

from lake.killing import STAGES, kill_once


def test_a_hundred_kills(tmp_path: Path) -> None:
    kills, seed = int(os.environ.get("KILLS", "100")), int(os.environ.get("SEED", "1"))
    torn = behind = swept = imports = unheard = 0
    within: Counter[str] = Counter()
    for number in range(kills):
        outcome = kill_once(tmp_path / f"lake-{number // 4}", seed * 1_000_000 + number)
        torn, behind, swept = torn + outcome.torn, behind + outcome.behind, swept + bool(outcome.swept)
        imports, unheard = imports + outcome.imports, unheard + (not outcome.imports)
        within.update(set(outcome.within) or ("between stages",))
    told = ", ".join(f"{count} in {stage}" for stage, count in within.most_common())
    left = f"{torn} torn lines, {behind} times tables behind the log, {swept} times files that nobody named"
    sys.stdout.write(f"\n{kills} kills, {unheard} before any import was acknowledged, {imports} imports acknowledged\n")
    sys.stdout.write(f"{told}\n{left}\n")
    if kills >= 100:
        assert torn, "the kills must fall within lines too, or this shows little"
        assert behind
        assert swept
        assert not set(STAGES) - set(within)
        assert unheard < kills / 2
