from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tocsin.errors import OutputError
from tocsin.rehearse.intrusion import STEPS
from tocsin.rehearse.sample import make


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(tmp_path / name)
    assert _digests(tmp_path / "one") == _digests(tmp_path / "two")
    assert len(_digests(tmp_path / "one")) == 2 + 9


def test_about_two_thousand_events_and_one_half(tmp_path: Path) -> None:
    make(tmp_path)
    whole = half = 0
    for path in (tmp_path / "logs").iterdir():
        for line in path.read_text().splitlines():
            try:
                assert isinstance(json.loads(line), dict)
                whole += 1
            except json.JSONDecodeError:
                half += 1
    assert (whole, half) == (2000 + len(STEPS), 1)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(OutputError, match="holds something"):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    with pytest.raises(OutputError, match="cannot be written"):
        make(tmp_path / "mine" / "below")
