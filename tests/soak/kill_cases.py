"""Hundreds of kills of a process that writes in cases, all in the same cases; half a minute for every hundred.

Run as `python -m pytest -q -n 0 -s --timeout 3600 tests/soak/kill_cases.py`. KILLS and SEED may be set in the
environment; another SEED is another run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cases.killing import kill_once


def test_hundreds_of_kills(tmp_path: Path) -> None:
    kills, seed = int(os.environ.get("KILLS", "300")), int(os.environ.get("SEED", "1"))
    torn = behind = broken_off = 0
    for number in range(kills):
        outcome = kill_once(tmp_path / f"cases-{number // 25}", seed * 1_000_000 + number)
        torn, behind = torn + outcome.torn, behind + outcome.behind
        broken_off = broken_off + (outcome.broken_off if number % 25 == 24 else 0)
    told = f"{kills} kills: {torn} torn lines, {behind} times case.json behind, {broken_off} openings broken off"
    sys.stdout.write(f"\n{told}\n")
    if kills >= 100:
        assert torn, "the kills must fall within lines too, or this shows little"
        assert behind
        assert broken_off
