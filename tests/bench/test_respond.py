"""The benchmark of gathering and reports runs, and ends with its figures as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"


def test_figures_of_a_small_run(shared: Path) -> None:
    assert shared.is_dir()
    command = [sys.executable, BENCH / "respond.py", "--only", "gather", "report"]
    command += ["--sizes", "2000", "8000", "--findings", "300"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    figures = json.loads(told[-1])
    assert figures["gather_growth"] > 0
    assert {"gather_2000_s", "gather_8000_s", "gather_memory_growth", "report_s", "report_mb"} <= figures.keys()
