"""The benchmark of the lake runs on few events, and finds with DuckDB what it finds with the index."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"


def test_figures_of_a_small_run(shared: Path) -> None:
    command = [sys.executable, BENCH / "lake.py", "--events", "30000", "--logs", "1500", "--repeat", "1"]
    asked, kept = map(
        json.loads, subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    )
    assert asked.keys() >= {"hunt_100k_s", "hunt_vs_scan", "hunt_vs_distinct_join", "index_share", "lake_share"}
    assert kept.keys() >= {"import_core_events_s_1", "rule_hunt_speedup", "compacted_index_share"}
    assert asked["seen"] > 0
