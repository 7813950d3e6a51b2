"""Folders, globs, archives and names: the same events however they are packed, and every file accounted for."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from collect import make_evtx
from collect.reference import row_of
from tocsin.collect import plan, read, read_units
from tocsin.errors import EvidenceError
from tocsin.model.custody import Custody

LINES = b"".join(
    json.dumps({"EventID": 4624 + n, "Channel": "Security", "@timestamp": f"2024-05-01T08:00:{n:02d}Z"}).encode()
    + b"\n"
    for n in range(50)
)
EVTX = make_evtx.sample()


def rows(path: Path | str) -> list[tuple[int, int, dict[str, object], bytes]]:
    return [
        (int(events.rec[row]), int(events.ts[row]), dict(row_of(events, row)), events.raw[row])
        for events in read(path)
        for row in range(len(events))
    ]


def custody(*paths: Path | str) -> dict[str, Custody]:
    """What became of each source; parts of one are put together as far as these tests look."""
    accounts: list[Custody] = []
    for _ in read_units(plan(paths), None, accounts.append):
        pass
    return {account.path: account for account in accounts}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, *, streamed: bool = False) -> bytes:
    class _Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: object) -> int:
            raise io.UnsupportedOperation

        def tell(self) -> int:
            raise io.UnsupportedOperation

    file = _Unseekable() if streamed else io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(members: dict[str, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


LONG = "d" * 90 + "/" + "f" * 120 + ".json"
PACKED: dict[str, Callable[[bytes], tuple[bytes, str]]] = {
    "gz": lambda content: (gzip.compress(content), "!p"),
    "two gz": lambda content: (gzip.compress(content[:100]) + gzip.compress(content[100:]), "!p"),
    "gz and padding": lambda content: (gzip.compress(content) + b"\n" + b"\0" * 40_000, "!p"),
    "gz in gz": lambda content: (gzip.compress(gzip.compress(content)), "!p"),
    "zst": lambda content: (zstandard.compress(content), "!p"),
    "zip": lambda content: (zipped({"a/x": content}), "!a/x"),
    "zip, stored": lambda content: (zipped({"x": content}, zipfile.ZIP_STORED), "!x"),
    "zip, bzip2": lambda content: (zipped({"x": content}, zipfile.ZIP_BZIP2), "!x"),
    "zip, LZMA": lambda content: (zipped({"x": content}, zipfile.ZIP_LZMA), "!x"),
    "zip in zip": lambda content: (zipped({"i.zip": zipped({"x": content})}), "!i.zip!x"),
    "gz in zip": lambda content: (zipped({"x.gz": gzip.compress(content)}), "!x.gz!x"),
    "tar": lambda content: (tarred({"x": content}), "!x"),
    "tar.gz": lambda content: (gzip.compress(tarred({"x": content})), "!x"),
    "tar.zst": lambda content: (zstandard.compress(tarred({"x": content})), "!x"),
    "tar, GNU long name": lambda content: (tarred({LONG: content}), f"!{LONG}"),
    "tar, pax long name": lambda content: (tarred({LONG: content}, tarfile.PAX_FORMAT), f"!{LONG}"),
    "zip in tar.gz": lambda content: (gzip.compress(tarred({"i.zip": zipped({"x": content})})), "!i.zip!x"),
}


@pytest.mark.parametrize("content", [LINES, EVTX], ids=["json", "evtx"])
@pytest.mark.parametrize("kind", PACKED)
def test_packed_is_read_as_plain(tmp_path: Path, kind: str, content: bytes) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "p"
    plain.write_bytes(content)
    stored, member = PACKED[kind](content)
    packed.write_bytes(stored)
    assert rows(packed) == rows(plain)
    accounts = custody(packed)
    assert set(accounts) == {str(packed), f"{packed}{member}"}
    outer, inner = accounts[str(packed)], accounts[f"{packed}{member}"]
    assert (outer.size_bytes, outer.sha256, outer.read, outer.problems) == (len(stored), sha256(stored), 0, ())
    assert (inner.size_bytes, inner.sha256, inner.problems) == (len(content), sha256(content), ())
    assert (inner.file, inner.read, inner.damaged) == (str(packed), len(rows(plain)), {})
    assert {source.sha256 for events in read(packed) for source in events.sources} == {sha256(stored)}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_digest_is_of_the_bytes_in_the_evidence(tmp_path: Path, encoding: str) -> None:
    content = LINES.decode().encode(encoding)
    (tmp_path / "x.json").write_bytes(content)
    (account,) = custody(tmp_path).values()
    assert (account.read, account.size_bytes, account.sha256) == (50, len(content), sha256(content))


def test_a_neighbour_without_a_reader_troubles_nobody(tmp_path: Path) -> None:
    members = {"README.txt": b"words", "x.json": LINES, "empty": b"", "y.evtx": EVTX}
    for name, content in {
        "a.tar": tarred(members),
        "b.tgz": gzip.compress(tarred(members)),
        "c.zip": zipped(members),
    }.items():
        (tmp_path / name).write_bytes(content)
        accounts = custody(tmp_path / name)
        told = {
            path.rpartition("!")[2]: (account.read, account.problems)
            for path, account in accounts.items()
            if "!" in path
        }
        assert told == {
            "README.txt": (0, ("no reader knows this format",)),
            "x.json": (50, ()),
            "empty": (0, ("empty",)),
            "y.evtx": (4, ()),
        }
        assert accounts[str(tmp_path / name)].problems == ()


def test_a_long_name_of_a_folder_is_not_the_next_files(tmp_path: Path) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        folder = tarfile.TarInfo("e" * 150)
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        entry = tarfile.TarInfo("x.json")
        entry.size = len(LINES)
        archive.addfile(entry, io.BytesIO(LINES))
    (tmp_path / "a.tar").write_bytes(file.getvalue())
    assert str(tmp_path / "a.tar!x.json") in custody(tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_read_once_each(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x.json", LINES)
        archive.writestr("x.json", LINES)
    assert len(rows(tmp_path)) == 100


TORN: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "zst": zstandard.compress,
    "tar": lambda content: tarred({"x": content}),
    "tar.gz": lambda content: gzip.compress(tarred({"x": content})),
    "zip": lambda content: zipped({"x": content}),
    "zip, stored": lambda content: zipped({"x": content}, zipfile.ZIP_STORED),
    "zip, streamed": lambda content: zipped({"x": content}, streamed=True),
    "zip in tar": lambda content: tarred({"i.zip": zipped({"x": content})}),
}
MANY = b"".join(
    json.dumps({"EventID": n, "Channel": "Security", "Noise": sha256(str(n).encode())}).encode() + b"\n"
    for n in range(20_000)
)


@pytest.mark.parametrize("kind", TORN)
def test_what_a_torn_archive_still_holds_is_read(tmp_path: Path, kind: str) -> None:
    stored = TORN[kind](MANY)
    (tmp_path / "p").write_bytes(stored[: len(stored) // 2])
    found = rows(tmp_path / "p")
    assert 5_000 < len(found) < 15_000
    assert [raw for *_, raw in found] == MANY.split(b"\n")[: len(found)]
    accounts = custody(tmp_path / "p")
    assert any(account.problems for account in accounts.values())
    assert accounts[str(tmp_path / "p")].sha256 == sha256(stored[: len(stored) // 2])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("streamed", [False, True])
def test_members_before_the_tear_are_whole(tmp_path: Path, method: int, streamed: bool) -> None:
    members = {"a/": b"", "a/x.json": LINES, "y.evtx": EVTX, "z.json": MANY}
    stored = zipped(members, method, streamed=streamed)
    (tmp_path / "p").write_bytes(stored[: -len(stored) // 3])
    accounts = custody(tmp_path / "p")
    read_back = {path.rpartition("!")[2]: account.read for path, account in accounts.items() if "!" in path}
    if method == zipfile.ZIP_DEFLATED or (method == zipfile.ZIP_STORED and not streamed):
        assert (read_back["a/x.json"], read_back["y.evtx"]) == (50, 4)
        assert 0 < read_back["z.json"] < 20_000
    assert accounts[str(tmp_path / "p")].problems


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_archive_is_no_reason_to_fail(tmp_path: Path, seed: int) -> None:
    import random

    draw = random.Random(seed)
    stored = bytearray(draw.choice(list(PACKED.values()))(draw.choice([LINES, EVTX]))[0])
    for _ in range(draw.randint(1, 4)):
        stored[draw.randrange(min(len(stored), 2_000))] ^= 1 << draw.randrange(8)
    (tmp_path / "p").write_bytes(stored)
    accounts = custody(tmp_path / "p")
    assert accounts[str(tmp_path / "p")].sha256 == sha256(bytes(stored))


def test_a_member_that_is_encrypted(tmp_path: Path) -> None:
    stored = bytearray(zipped({"x.json": LINES, "y.json": LINES}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        stored[stored.index(mark) + at] |= 1
    (tmp_path / "p.zip").write_bytes(stored)
    accounts = custody(tmp_path)
    assert accounts[str(tmp_path / "p.zip!y.json")].read == 50
    assert "encrypted" in accounts[str(tmp_path / "p.zip!x.json")].problems[0]


@pytest.mark.parametrize("depth", [3, 4, 5, 9])
def test_archives_in_archives_end_somewhere(tmp_path: Path, depth: int) -> None:
    content = LINES
    for _ in range(depth):
        content = zipped({"i": content})
    (tmp_path / "p.zip").write_bytes(content)
    accounts = custody(tmp_path)
    deepest = max(accounts.values(), key=lambda account: account.path.count("!"))
    assert deepest.read == 50 if depth <= 4 else deepest.problems == ("no reader knows this format",)


def test_names_that_stand_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("missing", "*.evtx", "empty"):
        with pytest.raises(EvidenceError) as raised:
            plan([tmp_path / name])
        assert raised.value.hint


def test_a_glob_a_folder_and_a_file_count_a_file_once(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_bytes(LINES)
    (tmp_path / "in" / "b[1].json").write_bytes(LINES)
    units = plan([tmp_path / "**" / "*.json", tmp_path, tmp_path / "in" / "b[1].json"])
    assert [Path(unit.path).name for unit in units] == ["a.json", "b[1].json"]


def test_links_pipes_and_loops(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(LINES)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe")
    assert [Path(unit.path).name for unit in plan([tmp_path])] == ["x.json"]
    for name in ("pipe", "itself", "nowhere"):
        with pytest.raises(EvidenceError, match="not a regular file"):
            plan([tmp_path / name])


def test_what_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.json").write_bytes(LINES)

    def refuse(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(EvidenceError, match="Permission denied") as raised:
        plan([tmp_path])
    assert raised.value.hint


@pytest.mark.parametrize("name", ["new\nline", "\x1b[31mred", "tab\t", "quote'\"", "é", "a!b", "-", "..x"])
def test_names_with_anything_in_them(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.json").write_bytes(LINES)
    (tmp_path / "p.zip").write_bytes(zipped({f"{name}/../../x": LINES}))
    assert len(rows(tmp_path)) == 100
    assert custody(tmp_path)[str(tmp_path / f"{name}.json")].read == 50


@pytest.mark.parametrize("content", [LINES, EVTX, gzip.compress(LINES), zipped({"x": EVTX}), tarred({"x": LINES})])
def test_standard_input(content: bytes) -> None:
    code = "from tocsin.collect import read; print(sum(len(events) for events in read('-')))"
    done = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=True)
    assert int(done.stdout) in (4, 50)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.evtx", LINES),
        ("x.json", EVTX),
        ("x.gz", LINES),
        ("x.zip", EVTX),
        ("x", gzip.compress(EVTX)),
        ("x.log", bytes(LINES)),
    ],
)
def test_names_say_nothing(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert len(rows(tmp_path)) in (4, 50)


BOMBS = {
    "gz": lambda: gzip.compress(b"\0" * (280 << 20), 9),
    "gz in gz": lambda: gzip.compress(gzip.compress(b"\0" * (280 << 20), 9), 9),
    "zst": lambda: zstandard.compress(b"\0" * (280 << 20), 19),
    "zip": lambda: zipped({"x": b"\0" * (280 << 20)}),
    "bzip2 in zip": lambda: zipped({"x": b"\0" * (280 << 20)}, zipfile.ZIP_BZIP2),
    "LZMA in zip": lambda: zipped({"x": b"\0" * (280 << 20)}, zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_are_told_and_not_held(tmp_path: Path, kind: str) -> None:
    (tmp_path / "p").write_bytes(BOMBS[kind]())
    (tmp_path / "x.json").write_bytes(LINES)
    code = """
import resource, sys
from tocsin.collect import plan, read_units
accounts = []
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
events = sum(len(events) for events in read_units(plan([sys.argv[1]]), None, accounts.append))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(events, (after - before) >> 10, any("expands" in p for a in accounts for p in a.problems))
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    events, grown_mb, told = done.stdout.split()
    assert (events, told) == ("50", "True")
    assert int(grown_mb) < 220
