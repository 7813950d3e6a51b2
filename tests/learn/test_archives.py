from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from learn.packing import RULE, tarred, zipped
from tocsin.errors import RuleError
from tocsin.learn import archives

ESCAPES = [
    "../out.yml",
    "a/../../out.yml",
    "/etc/out.yml",
    "C:/out.yml",
    "c:out.yml",
    "a\\..\\out.yml",
    "\\\\host\\share\\out.yml",
    "a/\x1b[31m.yml",
    "a\nb.yml",
]


def everything(name: str) -> bool:
    return True


def rules(name: str) -> bool:
    return name.endswith(".yml")


def kept(tmp_path: Path, content: bytes, name: str = "pack.zip") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def refusal(path: Path, wanted: archives.Wanted = rules) -> str:
    with pytest.raises(RuleError) as caught:
        archives.read(path, wanted)
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("name", ["pack.zip", "pack.tar.gz", "rules.evtx"])
@pytest.mark.parametrize("make", [zipped, tarred, lambda contents: tarred(contents, "w")], ids=["zip", "tgz", "tar"])
def test_members_are_read_whatever_the_archive_is_called(tmp_path: Path, make: object, name: str) -> None:
    content = make({"b/z.yml": b"z", "./a/./x.yml": b"x", "README.md": b"r"})  # type: ignore[operator]
    found = archives.read(kept(tmp_path, content, name), rules)
    assert list(found.items()) == [("a/x.yml", b"x"), ("b/z.yml", b"z")]


@pytest.mark.parametrize("name", ESCAPES)
@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_a_name_that_leads_elsewhere_refuses_the_archive(tmp_path: Path, make: object, name: str) -> None:
    content = make({"good.yml": RULE, name: RULE})  # type: ignore[operator]
    message = refusal(kept(tmp_path, content))
    assert "refused" in message
    assert ascii(name) in message
    assert "\x1b" not in message


def test_names_are_judged_even_where_nobody_wants_the_member(tmp_path: Path) -> None:
    assert "leads out" in refusal(kept(tmp_path, zipped({"good.yml": RULE, "../readme.md": b""})))


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o010644], ids=["link", "device", "pipe"])
def test_a_zip_with_a_link(tmp_path: Path, mode: int) -> None:
    info = zipfile.ZipInfo("a.yml")
    info.external_attr = mode << 16
    message = refusal(kept(tmp_path, zipped({info: b"/etc/passwd"})))
    assert "link or a device" in message
    assert "a.yml" in message


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_a_tar_with_a_link(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("a.yml")
    info.type, info.linkname = kind, "/etc/passwd"
    assert "link or a device" in refusal(kept(tmp_path, tarred({info: b""})))


@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_a_member_that_is_too_large(tmp_path: Path, make: object) -> None:
    large = bytes(archives.MOST_MEMBER_BYTES + 1)
    content = make({"good.yml": RULE, "large.yml": large})  # type: ignore[operator]
    message = refusal(kept(tmp_path, content))
    assert "'large.yml' is larger than 4 MiB" in message


@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_members_that_are_too_large_together(tmp_path: Path, make: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 3 << 20)
    content = make({f"{at}.yml": bytes(1 << 20) for at in range(4)})  # type: ignore[operator]
    assert "more than 3 MiB" in refusal(kept(tmp_path, content))


def test_a_tar_bomb_of_members_that_nobody_wants(tmp_path: Path) -> None:
    """300 MiB of nothing in 300 kB: a stream must be unpacked to be passed over."""
    content = tarred({"large.bin": bytes(300 << 20), "a.yml": RULE})
    assert "it unpacks to more than 256 MiB" in refusal(kept(tmp_path, content))


def test_a_zip_that_lies_about_a_size(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.yml": bytes(8 << 20)}))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(mark) + offset, 100)
    assert "cannot be read" in refusal(kept(tmp_path, bytes(content)))


@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_too_many_members(tmp_path: Path, make: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 10)
    content = make({f"{at}.txt": b"" for at in range(11)})  # type: ignore[operator]
    assert "more than 10 members" in refusal(kept(tmp_path, content))


def test_an_encrypted_member(tmp_path: Path) -> None:
    content = bytearray(zipped({"good.yml": RULE, "secret.yml": RULE}))
    at = content.rindex(b"PK\x01\x02")
    content[at + 8] |= 1
    assert "'secret.yml' is encrypted" in refusal(kept(tmp_path, bytes(content)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_stands_in_it_twice(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.yml", b"one")
        archive.writestr("./a.yml", b"two")
    assert "'a.yml' stands in it twice" in refusal(kept(tmp_path, file.getvalue()))


@pytest.mark.parametrize("make", [zipped, tarred], ids=["zip", "tar"])
def test_an_archive_that_is_cut_short_or_damaged(tmp_path: Path, make: object) -> None:
    """Anywhere: a clear word, or (what is damaged being of no interest) the right rules."""
    whole: bytes = make({"a.yml": RULE * 50, "b.yml": RULE})  # type: ignore[operator]
    wanted = {"a.yml": RULE * 50, "b.yml": RULE}
    told = set()
    for at in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[at] ^= 0x55
        for content in (whole[:at], bytes(flipped)):
            path = kept(tmp_path, content)
            try:
                found = archives.read(path, rules)
            except RuleError as error:
                told.add(error.message.startswith(str(path)))
            else:
                assert set(found.values()) <= set(wanted.values())
    assert told == {True}


@pytest.mark.parametrize("content", [b"", b"title: x", gzip.compress(b"title: x", mtime=0), b"Rar!\x1a\x07"])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    message = refusal(kept(tmp_path, content))
    assert "neither a zip" in message or "cannot be read" in message


def test_what_is_written_is_the_same_each_time() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    archives.write(first, {"b": b"2", "a": b"1"})
    archives.write(second, {"a": b"1", "b": b"2"})
    assert first.getvalue() == second.getvalue()
    assert zipfile.ZipFile(first).namelist() == ["a", "b"]
