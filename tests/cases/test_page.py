"""docs/cases.md: its program verifies cases without Tocsin, and finds what was changed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cases.making import PEOPLE, decide, incident
from tocsin import cases
from tocsin.cli import case

PAGE = (Path(__file__).parents[2] / "docs" / "cases.md").read_text(encoding="utf-8")


def _verify(folder: Path, *heads: str) -> tuple[int, str, str]:
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    run = [sys.executable, "-I", "-c", program, str(folder), *heads]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_program_of_the_page(tmp_path: Path) -> None:
    cases.open_case(tmp_path, incident(), by="Ben", documents=[("custody.json", b"{}")])
    folder = tmp_path / "inc-1"
    with cases.writing(folder) as log:
        cases.note(log, "kōrero \u2028", by="Ben")
        decide(log)
        cases.close(log, by="Ben", reason="done")
    head = cases.verify(folder).head
    code, out, err = _verify(folder, head[:16])
    assert (code, err) == (0, "")
    assert f"6 entries, head {head}" in out
    assert f"Aroha Ngata ({PEOPLE['Aroha Ngata'].fingerprint}): close yes" in out
    assert "is not in this log" in _verify(folder, "0" * 16)[2]
    log_file, state = folder / "log.jsonl", folder / "case.json"
    whole = log_file.read_bytes()
    log_file.write_bytes(whole + b'{"digest":"')
    assert _verify(folder)[0] == 0, "an end that is not whole is no fault"
    for changed, word in (
        (whole.replace(b"rero", b"rera"), "line 3: its digest"),
        (whole.replace(b'"verb":"noted"', b'"verb":"noted",'), "line 3"),
        (b"".join(whole.splitlines(keepends=True)[:-1]), "missing at the end"),
        (b"".join(whole.splitlines(keepends=True)[1:]), "line 1: its place"),
    ):
        log_file.write_bytes(changed)
        code, _, err = _verify(folder)
        assert code == 1
        assert word in err
    log_file.write_bytes(whole)
    state.write_text(state.read_text().replace('"count": 6', '"count": 7'))
    assert _verify(folder)[0] == 1
    state.write_text(state.read_text().replace('"count": 7', '"count": 6'))
    for document in (folder / "kept").iterdir():
        kept = document.read_bytes()
        document.write_bytes(b"x")
        assert _verify(folder)[0] == 1
        document.write_bytes(kept)
    assert _verify(folder)[0] == 0


def test_the_commands_of_the_page_exist() -> None:
    from typer.main import get_command

    there = get_command(case.app)
    verbs = re.findall(r"tocsin case (\w+)(?: (add|done))?", PAGE)
    assert verbs
    for verb, second in verbs:
        command = there.commands[verb]  # type: ignore[attr-defined]
        if second:
            assert second in command.commands


@pytest.mark.parametrize("name", ["log.jsonl", "case.json", "kept/", "torn/", "lock"])
def test_the_layout_of_the_page(name: str, tmp_path: Path) -> None:
    assert f"CASE/{name}" in PAGE
