"""The import contracts hold, and each of them catches the break it was made for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

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

WHATS = [what for _, what, _ in BREAKS]

# One process for all: the tool starts once, and of each tree reads only what is not as in the one before.
LINT = """
import contextlib, io, json, os, sys
from pathlib import Path
from importlinter.cli import lint_imports

os.chdir(sys.argv[1])
for asked in json.load(sys.stdin):
    before = {}
    for name, text in asked["files"].items():
        path = Path("src", "tocsin", name)
        path.parent.mkdir(exist_ok=True)
        before[path] = path.read_text(encoding="utf-8") if path.exists() else None
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    with contextlib.redirect_stdout(io.StringIO()) as told:
        code = lint_imports("pyproject.toml", asked["contracts"], cache_dir=sys.argv[2])
    for path, text in before.items():
        path.unlink() if text is None else path.write_text(text, encoding="utf-8")
        if text is None and not list(path.parent.iterdir()):
            path.parent.rmdir()
    print(json.dumps([code, told.getvalue()]))
"""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """The exit code and the words of the tool for each break, made in a copy of the sources; "" is for no break."""
    copy, kept = tmp_path_factory.mktemp("broken"), tmp_path_factory.mktemp("graph")
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    asked: list[dict[str, Any]] = [{"contracts": [], "files": {}}]
    asked += [{"contracts": [contract], "files": files} for contract, _, files in BREAKS]
    done = subprocess.run(
        [sys.executable, "-P", "-c", LINT, copy, kept],
        input=json.dumps(asked),
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    told = map(json.loads, done.stdout.splitlines())
    return {what: (code, words) for what, (code, words) in zip(["", *WHATS], told, strict=True)}


def test_the_contracts_hold(verdicts: dict[str, tuple[int, str]]) -> None:
    code, words = verdicts[""]
    assert code == 0, words
    assert "0 broken" in words


@pytest.mark.parametrize("what", WHATS)
def test_a_break_is_caught(what: str, verdicts: dict[str, tuple[int, str]]) -> None:
    code, words = verdicts[what]
    assert code == 1, words
    assert "0 kept, 1 broken" in words
