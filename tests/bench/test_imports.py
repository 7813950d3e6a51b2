"""Every script of bench/ can be started: what it takes from the rooms is still there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"


def test_all_scripts_import_what_they_name() -> None:
    names = sorted(path.stem for path in BENCH.glob("*.py"))
    told = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = subprocess.run([sys.executable, "-c", told, *names], cwd=BENCH, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
