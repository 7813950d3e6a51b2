from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

import pytest

from tocsin.errors import OutputError
from tocsin.output.files import prepare_folder, save


def test_a_file_is_whole_or_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    save(path, lambda file: file.write("one\r\n"))
    assert path.read_bytes() == b"one\r\n"

    def fail(file: TextIO) -> None:
        file.write("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        save(path, fail)
    assert path.read_bytes() == b"one\r\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


def test_it_is_readable_as_other_files_are(tmp_path: Path) -> None:
    (tmp_path / "ours").touch()
    save(tmp_path / "a", lambda file: file.write(""))
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "ours").stat().st_mode


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("precious")
    (tmp_path / "out").symlink_to(tmp_path / "evidence")
    save(tmp_path / "out", lambda file: file.write("new"))
    assert (tmp_path / "evidence").read_text() == "precious"


def test_no_place_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be made"):
        prepare_folder(tmp_path / "file" / "below")
    with pytest.raises(OutputError, match="cannot be written"):
        save(tmp_path / "nowhere" / "a", lambda file: file.write(""))


@pytest.mark.skipif(not Path("/dev/full").exists() or os.name != "posix", reason="needs a full device")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    def write(file: TextIO) -> None:
        with Path("/dev/full").open("w") as full:
            full.write("x" * 100_000)

    with pytest.raises(OutputError, match="No space left"):
        save(tmp_path / "a", write)
    assert not list(tmp_path.iterdir())
