"""Files are told apart by what is in them, and a folder is all files in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tocsin.border import files
from tocsin.errors import IndicatorError

BUNDLE = {
    "type": "bundle",
    "objects": [{"type": "indicator", "id": "indicator--1", "pattern": "[url:value = 'http://evil.example/']"}],
}
EVENT = {"Event": {"info": "x", "Attribute": [{"type": "ip-dst", "value": "192.0.2.1", "to_ids": True}]}}


def test_what_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(BUNDLE))
    (tmp_path / "b.json").write_text("\ufeff" + json.dumps(EVENT))
    (tmp_path / "c.txt").write_text("evil.example\n")
    (tmp_path / "d.csv").write_text("[2001:db8::1]  \nevil2.example\n")
    (tmp_path / "manifest.json").write_text("{}")
    assert [one.path.rpartition("/")[2] for one in files.read([str(tmp_path)]).indicators] == [
        *("a.json", "b.json", "c.txt", "d.csv", "d.csv")
    ]


@pytest.mark.parametrize("name", ["absent.txt", "empty", "odd.json", "large.txt"])
def test_what_cannot_be_read_is_said(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd.json").write_text('{"a": 1}')
    (tmp_path / "large.txt").write_text("evil.example\n" * 100)
    with pytest.raises(IndicatorError) as fault:
        files.read([str(tmp_path / name)])
    assert name in fault.value.message
    assert fault.value.hint
