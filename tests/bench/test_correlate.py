"""The benchmark of correlations runs, finds something with every type, and ends with its figures as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tocsin.model.correlation import CORRELATION_TYPES

BENCH = Path(__file__).resolve().parents[2] / "bench"


def test_figures_of_a_small_run() -> None:
    command = [sys.executable, BENCH / "correlate.py", "--sizes", "5000", "20000"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    figures = json.loads(told[-1])
    assert figures["correlate_growth"] > 0
    assert {f"correlate_{kind}_{size}_s" for kind in CORRELATION_TYPES for size in (5000, 20000)} <= figures.keys()
    lines = [line.split() for line in told[1:-1]]
    assert {line[1] for line in lines if int(line[4].replace(",", ""))} == set(CORRELATION_TYPES)
