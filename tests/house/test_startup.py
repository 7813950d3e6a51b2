"""Starting is cheap: the libraries that cost most are not loaded before they are needed."""

from __future__ import annotations

import subprocess
import sys

# Of the 0.7 s of a warm start, pySigma with its pipelines would take 0.12 s and pyarrow 0.03 s from a warm
# disk, and several times as much from a cold one.
HEAVY = ("cryptography", "pyarrow", "sigma")


def test_the_command_line_loads_nothing_heavy() -> None:
    ask = f"import sys, tocsin.cli.main; print(*[name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=60, check=True)
    assert loaded.stdout.split() == []
