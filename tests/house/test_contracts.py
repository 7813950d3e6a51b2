"""The import contracts hold, and each of them catches the break it was made for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What an intruder would do: contract, what it is, files below src/tocsin.
BREAKS = [
    ("layers", "a room imports a room", {"collect/intruder.py": "import tocsin.detect\n"}),
    (
        "layers",
        "an import hidden in a function",
        {"detect/intruder.py": "def sneak():\n    import tocsin.output\n"},
    ),
    (
        "layers",
        "an import for types only",
        {"output/intruder.py": "import typing\n\nif typing.TYPE_CHECKING:\n    from tocsin import learn\n"},
    ),
    ("layers", "a room imports a story", {"engine/intruder.py": "import tocsin.pipeline\n"}),
    ("layers", "a noun imports a room", {"model/intruder.py": "import tocsin.collect\n"}),
    ("layers", "a story imports the command line", {"pipeline.py": "import tocsin.cli\n"}),
    ("layers", "a floor imports a room", {"seal/intruder.py": "import tocsin.cases\n"}),
    ("layers", "the seals know the border", {"seal/intruder.py": "import tocsin.border\n"}),
    ("layers", "an undeclared room", {"utils/__init__.py": ""}),
    ("layers", "an undeclared file", {"helpers.py": ""}),
    (
        "readers",
        "a log format imports its neighbour",
        {"collect/formats/one.py": "", "collect/formats/two.py": "import tocsin.collect.formats.one\n"},
    ),
    (
        "writers",
        "an output imports its neighbour",
        {"output/formats/one.py": "", "output/formats/two.py": "import tocsin.output.formats.one\n"},
    ),
    (
        "enforcers",
        "an enforcer imports its neighbour",
        {"contain/enforcers/one.py": "", "contain/enforcers/two.py": "import tocsin.contain.enforcers.one\n"},
    ),
    ("processes", "a plan runs something", {"contain/intruder.py": "import subprocess\n"}),
    ("network", "a room opens a connection", {"collect/intruder.py": "import urllib.request\n"}),
    ("network", "a room opens a socket", {"detect/intruder.py": "from socket import create_connection\n"}),
    ("processes", "a room starts a process", {"detect/intruder.py": "import subprocess\n"}),
    (
        "processes",
        "the room of the network starts a process",
        {"learn/intruder.py": "import multiprocessing\n"},
    ),
    ("unpickling", "a file is unpickled", {"engine/intruder.py": "import pickle\n"}),
    (
        "cycles",
        "neighbours in a circle",
        {"detect/one.py": "import tocsin.detect.two\n", "detect/two.py": "import tocsin.detect.one\n"},
    ),
]


def _lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    lint = "import sys; from importlinter.cli import lint_imports_command as run; run(sys.argv[1:])"
    return subprocess.run(
        [
            sys.executable,
            "-P",
            "-c",
            lint,
            "--no-cache",
            "--config",
            str(folder / "pyproject.toml"),
            *options,
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_contracts_hold() -> None:
    verdict = _lint(ROOT)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr


@pytest.mark.parametrize(("contract", "what", "files"), BREAKS, ids=[what for _, what, _ in BREAKS])
def test_a_break_is_caught(contract: str, what: str, files: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, text in files.items():
        path = tmp_path / "src" / "tocsin" / name
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    verdict = _lint(tmp_path, "--contract", contract)
    assert verdict.returncode == 1, verdict.stdout + verdict.stderr
    assert "0 kept, 1 broken" in verdict.stdout, what
