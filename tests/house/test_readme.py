"""The README opens with what the product is for and two lines to paste; CI runs those very lines."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
# What follows is run by `.ci/run` as it stands, in an environment where the installing is done.
LINE = re.compile(r"(?P<install>.*pip install (?P<what>[^&]*?)) *&& *(?P<run>.+)")


def _opening() -> tuple[str, list[str]]:
    before, _, rest = README.read_text(encoding="utf-8").partition("\n```")
    block = rest.partition("\n")[2].partition("\n```")[0]
    return before, block.splitlines()


def test_it_says_what_it_is_for_first() -> None:
    before, _ = _opening()
    paragraphs = [part for part in before.split("\n\n") if part.strip() and not part.startswith(("#", "[!"))]
    assert before.startswith("# Tocsin")
    assert paragraphs
    assert len(before) < 2000, "two lines to paste are found without scrolling"


def test_two_lines_to_paste() -> None:
    _, lines = _opening()
    assert len(lines) == 2, "one line runs the main job, the other passes the tests"
    job, tests = (LINE.fullmatch(line) for line in lines)
    assert job is not None
    assert tests is not None
    assert job["what"] == "."
    assert job["run"].startswith("tocsin ")
    assert tests["what"].strip("'\"") == ".[test]"
    assert tests["run"].startswith("python -m pytest ")


def test_the_lines_need_no_other_tool() -> None:
    _, lines = _opening()
    assert not [line for line in lines if re.search(r"\b(uv|just|make|sudo|git clone)\b", line)]
