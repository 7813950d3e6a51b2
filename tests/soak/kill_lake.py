"""A hundred kills of a process that imports into lakes, merges and compacts; some five minutes on two cores.

Run as `python -m pytest -q -n 0 -s --timeout 3600 tests/soak/kill_lake.py`. KILLS and SEED may be set in the
environment; another SEED is another run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lake.killing import kill_once


def test_a_hundred_kills(tmp_path: Path) -> None:
    kills, seed = int(os.environ.get("KILLS", "100")), int(os.environ.get("SEED", "1"))
    torn = behind = swept = imports = 0
    for number in range(kills):
        outcome = kill_once(tmp_path / f"lake-{number // 4}", seed * 1_000_000 + number)
        torn, behind, swept = torn + outcome.torn, behind + outcome.behind, swept + bool(outcome.swept)
        imports += outcome.imports
    told = f"{kills} kills: {imports} imports acknowledged, {torn} torn lines, {behind} times tables behind the log"
    sys.stdout.write(f"\n{told}, {swept} times files that nobody named\n")
    if kills >= 100:
        assert torn, "the kills must fall within lines too, or this shows little"
        assert behind
        assert swept
