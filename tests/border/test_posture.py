"""What a team says it has in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.border.posture import read_posture
from tocsin.errors import ListError

WHOLE = """
version = 1
in-place = ["M1032", "M1030"]
partly = ["M1017"]

[effort]
M1051 = 2
"""


def test_whole(tmp_path: Path) -> None:
    path = tmp_path / "posture.toml"
    path.write_text("\ufeff" + WHOLE, encoding="utf-8")
    told = read_posture(path)
    assert (told.in_place, told.partly, dict(told.efforts)) == ({"M1032", "M1030"}, {"M1017"}, {"M1051": 2})


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "version"),
        ("version = 2", "2"),
        ("version = 1\nin-place = ['T1059']", "matching regex"),
        ("version = 1\nin-place = ['M1032']\npartly = ['M1032']", "M1032 in place, and in part"),
        ("version = 1\n[effort]\nM1032 = 0", ">= 1"),
        ("version = 1\n[effort]\nM1032 = 6", "<= 5"),
        ("version = 1\nin_place = []", "unknown field"),
        ("version = 1\nin-place = [" + "[" * 5000, ""),
        ("\udcff", "utf-8"),
        ("version = 1 #" + "x" * (1 << 20), "larger"),
    ],
)
def test_what_is_none(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "posture.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ListError) as caught:
        read_posture(path)
    assert word in caught.value.message
    assert caught.value.hint


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="No such file"):
        read_posture(tmp_path / "none.toml")
