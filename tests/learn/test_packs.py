from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pytest

from learn.packing import RULE, tarred, zipped
from tocsin.errors import RuleError
from tocsin.learn import archives, packs


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder of packs that is empty."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "tocsin" / "packs"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "some rules"
    for name in ("b/two.yaml", "b/a/three.YML", "one.yml", "b/notes.md", ".git/config.yml", "b/._one.yml"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(RULE)
    (top / "LICENSE.txt").write_text("Detection Rule License (DRL) 1.1")
    return top


def paths(*names: object) -> list[str]:
    return [text.path for text in packs.resolve([str(name) for name in names])]


def refusal(*names: object) -> RuleError:
    with pytest.raises(RuleError) as caught:
        packs.resolve([str(name) for name in names])
    assert caught.value.hint
    return caught.value


def test_a_folder_is_looked_through_in_order(folder: Path) -> None:
    assert paths(folder) == [f"{folder}/{name}" for name in ("b/a/three.YML", "b/two.yaml", "one.yml")]
    assert {text.content for text in packs.resolve([str(folder)])} == {RULE}


def test_a_file_is_itself_whatever_it_is_called(folder: Path) -> None:
    assert paths(folder / "one.yml", folder / "b" / "notes.md") == [f"{folder}/one.yml", f"{folder}/b/notes.md"]


@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tgz"])
def test_members_carry_the_name_of_their_archive(tmp_path: Path, make: object) -> None:
    path = tmp_path / "rules.bin"
    path.write_bytes(make({"z/b.yml": RULE, "a.yml": RULE, "tests/x.txt": b""}))  # type: ignore[operator]
    assert paths(path) == [f"{path}!a.yml", f"{path}!z/b.yml"]


def test_names_keep_their_order_and_each_file_counts_once(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "a.yml"
    other.write_bytes(RULE)
    assert paths(folder / "one.yml", other, folder, other) == [
        f"{folder}/one.yml",
        str(other),
        f"{folder}/b/a/three.YML",
        f"{folder}/b/two.yaml",
    ]


def test_no_name_means_every_pack(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "pack.zip"
    archive.write_bytes(zipped({"x.yml": RULE}))
    packs.add(str(archive), "zeta")
    packs.add(str(folder))
    assert packs.names() == ["some-rules", "zeta"]
    assert paths() == ["some-rules!b/a/three.YML", "some-rules!b/two.yaml", "some-rules!one.yml", "zeta!x.yml"]
    assert paths("zeta") == ["zeta!x.yml"]


def test_without_a_pack_the_rules_that_come_with_tocsin_are_used(folder: Path, home: Path) -> None:
    own = paths()
    assert own == paths(packs.OWN) == [f"tocsin!{name.partition('!')[2]}" for name in own]
    assert packs.own().rules == len(own) > 0
    assert packs.names() == []
    packs.add(str(folder))
    assert set(paths()).isdisjoint(own)
    assert set(paths("some-rules", packs.OWN)) == {*paths(), *own}


def test_nobody_takes_the_place_of_the_rules_that_come_with_tocsin(folder: Path, home: Path) -> None:
    own = paths(packs.OWN)
    with pytest.raises(RuleError, match="come with tocsin"):
        packs.add(str(folder), packs.OWN)
    home.mkdir(parents=True)
    (home / "tocsin.zip").write_bytes(zipped({"x.yml": RULE}))
    assert packs.names() == []
    assert paths() == paths(packs.OWN) == own


def test_nothing_that_fits(folder: Path, tmp_path: Path) -> None:
    packs.add(str(folder), "mine")
    assert "mine" in refusal("nix").hint
    (tmp_path / "empty").mkdir()
    assert "no rules in it" in refusal(tmp_path / "empty").message
    archive = tmp_path / "empty.zip"
    archive.write_bytes(zipped({"readme.md": b""}))
    assert "no rules in it" in refusal(archive).message


def test_one_bad_name_is_enough(folder: Path, tmp_path: Path) -> None:
    archive = tmp_path / "bad.zip"
    archive.write_bytes(zipped({"../x.yml": RULE}))
    assert "leads out" in refusal(folder, archive).message


def test_links_stay_inside_their_folder(folder: Path, tmp_path: Path) -> None:
    (folder / "again.yml").symlink_to(folder / "one.yml")
    (folder / "elsewhere").symlink_to(tmp_path)
    assert f"{folder}/again.yml" in paths(folder)
    (folder / "out.yml").symlink_to("/etc/passwd")
    assert "leads out of the folder" in refusal(folder).message


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yml")
    assert "not a regular file" in refusal(folder).message


def test_of_a_huge_file_no_more_is_read_than_shows_that(folder: Path) -> None:
    with (folder / "one.yml").open("r+b") as file:
        file.truncate(1 << 34)
    [text] = packs.resolve([str(folder / "one.yml")])
    assert len(text.content) == archives.MOST_MEMBER_BYTES + 1


# --------------------------------------------------------------------------------- adding


def test_what_is_kept(folder: Path, home: Path) -> None:
    pack = packs.add(str(folder))
    assert (pack.name, pack.rules, pack.licences, pack.source) == ("some-rules", 3, ("DRL 1.1",), str(folder))
    assert sorted(path.name for path in home.iterdir()) == ["some-rules.json", "some-rules.zip"]
    with zipfile.ZipFile(home / "some-rules.zip") as archive:
        assert archive.namelist() == ["LICENSE.txt", "b/a/three.YML", "b/two.yaml", "one.yml"]
    told = json.loads((home / "some-rules.json").read_bytes())
    assert told["added_at"].endswith("Z")
    assert told["sha256"] == hashlib.sha256((home / "some-rules.zip").read_bytes()).hexdigest()
    assert packs.packs() == [pack]


def test_the_digest_is_of_what_was_fetched(tmp_path: Path) -> None:
    archive = tmp_path / "Rules v1.2.tar.gz"
    archive.write_bytes(tarred({"a.yml": RULE}))
    pack = packs.add(str(archive))
    assert pack.name == "rules-v1.2"
    assert pack.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()


def test_adding_again_replaces(folder: Path, tmp_path: Path) -> None:
    packs.add(str(folder), "mine")
    archive = tmp_path / "x.zip"
    archive.write_bytes(zipped({"x.yml": RULE}))
    packs.add(str(archive), "mine")
    assert paths("mine") == ["mine!x.yml"]
    assert [pack.rules for pack in packs.packs()] == [1]


@pytest.mark.parametrize(
    "content", [zipped({"../x.yml": RULE}), zipped({"a.txt": b""}), b"PK\x03\x04 broken", b"plain"]
)
def test_what_is_refused_changes_nothing(folder: Path, tmp_path: Path, home: Path, content: bytes) -> None:
    archive = tmp_path / "x.zip"
    archive.write_bytes(content)
    with pytest.raises(RuleError):
        packs.add(str(archive), "fresh")
    assert not home.exists() or not list(home.iterdir())
    packs.add(str(folder), "mine")
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    with pytest.raises(RuleError):
        packs.add(str(archive), "mine")
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "A B", ".hidden", "x" * 65, "a\n"])
def test_a_name_that_cannot_be_one(folder: Path, name: str) -> None:
    with pytest.raises(RuleError, match="cannot be the name of a pack"):
        packs.add(str(folder), name)


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no such file"):
        packs.add(str(tmp_path / "nix"))


def test_a_disk_that_is_full(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packs.add(str(folder), "mine")
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    (folder / "four.yml").write_bytes(RULE)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RuleError, match="No space left"):
        packs.add(str(folder), "mine")
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"name": "mine"}'])
def test_a_description_that_is_lost_or_of_another_pack(folder: Path, home: Path, content: bytes | None) -> None:
    packs.add(str(folder), "mine")
    if content is None:
        (home / "mine.json").unlink()
    else:
        (home / "mine.json").write_bytes(content)
    [pack] = packs.packs()
    assert (pack.name, pack.rules, pack.source, pack.licences) == ("mine", 3, "", ("DRL 1.1",))


def test_a_relative_data_home_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "somewhere")
    assert packs.folder() == Path.home() / ".local" / "share" / "tocsin" / "packs"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("# Licenses\n... under the [Detection Rule License (DRL) 1.1](https://x)", "DRL 1.1"),
        (
            "                                 Apache License\n                           Version 2.0, January",
            "Apache 2.0",
        ),
        ("GNU GENERAL PUBLIC LICENSE\n                       Version 3, 29 June 2007", "GPL 3"),
        ("MIT License\n\nCopyright", "MIT"),
        ("Ours alone.", "docs/LICENCE.md"),
    ],
)
def test_licences_are_called_by_their_names(tmp_path: Path, text: str, word: str) -> None:
    archive = tmp_path / "x.zip"
    archive.write_bytes(zipped({"a.yml": RULE, "docs/LICENCE.md": text.encode()}))
    assert packs.add(str(archive)).licences == (word,)


def test_the_real_pack(shared: Path) -> None:
    archive = shared / "corpus" / "sigma-rules.zip"
    texts = packs.resolve([str(archive)])
    with zipfile.ZipFile(archive) as opened:
        wanted = sorted(name for name in opened.namelist() if name.endswith(".yml"))
    assert [text.path for text in texts] == [f"{archive}!{name}" for name in wanted]
    pack = packs.add(str(archive))
    assert pack.licences == ("DRL 1.1",)
    assert [text.content for text in packs.resolve([])] == [text.content for text in texts]
