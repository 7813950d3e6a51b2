"""Collections of Velociraptor, KAPE, UAC and CyLR as one input: what is in them, whose it is, and what stands twice."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from collect import make_evtx
from collect.test_sources import LINES, sha256, tarred, zipped
from tocsin.collect import plan, read, read_units, triage
from tocsin.model.custody import Custody
from tocsin.model.event import Events

EVTX = make_evtx.sample()
ACCESS = b'192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5\n'
CLIENT = json.dumps({"Hostname": "DC01", "OS": "windows", "Fqdn": "DC01.example", "Architecture": "amd64"}).encode()
VELOCIRAPTOR = {
    "client_info.json": CLIENT,
    "collection_context.json": b'{"session_id": "F.1"}',
    "uploads.json": b'{"vfs_path": "C:\\\\x"}\n',
    "results/Windows.EventLogs.Evtx.json": LINES,
    "uploads/auto/C%3A/Windows/System32/winevt/Logs/Security.evtx": EVTX,
    "uploads/ntfs/%5C%5C.%5CC%3A/Windows/System32/winevt/Logs/Security.evtx": EVTX,
    "uploads/auto/C%3A/inetpub/access.log": ACCESS,
    "uploads/auto/C%3A/Windows/System32/config/SYSTEM": b"regf" + bytes(5000),
    "uploads/ntfs/%5C%5C.%5CC%3A/$MFT": b"FILE0" + bytes(3000),
}


def _survey(*paths: Path) -> tuple[list[Events], dict[str, Custody]]:
    accounts: list[Custody] = []
    tables = list(read_units(plan(paths), None, accounts.append))
    return tables, {account.path: account for account in accounts}


def _hosts(tables: list[Events]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for events in tables:
        column = events.hosts()
        for row in range(len(events)):
            host = (column.text(row) if column else None) or ""
            found.setdefault(events.sources[events.src[row]].path.rpartition("/")[2], set()).add(host)
    return found


def _packed(folder: Path) -> Path:
    (folder / "Collection-DC01.zip").write_bytes(zipped(VELOCIRAPTOR))
    return folder / "Collection-DC01.zip"


def _unpacked(folder: Path) -> Path:
    for name, content in VELOCIRAPTOR.items():
        path = folder / "Collection" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / "Collection"


def test_a_collection_of_velociraptor_is_one_input(tmp_path: Path) -> None:
    path = _packed(tmp_path)
    tables, accounts = _survey(path)
    read_from = {name.partition("!")[2]: one.read for name, one in accounts.items() if one.read}
    assert read_from == {
        "results/Windows.EventLogs.Evtx.json": 50,
        "uploads/auto/C%3A/Windows/System32/winevt/Logs/Security.evtx": 4,
        "uploads/auto/C%3A/inetpub/access.log": 1,
    }
    twice = accounts[f"{path}!uploads/ntfs/%5C%5C.%5CC%3A/Windows/System32/winevt/Logs/Security.evtx"]
    assert twice.same_as == f"{path}!uploads/auto/C%3A/Windows/System32/winevt/Logs/Security.evtx"
    assert (twice.read, twice.sha256, twice.size_bytes, twice.problems) == (0, sha256(EVTX), len(EVTX), ())
    assert accounts[twice.same_as].sha256 == twice.sha256
    hive = accounts[f"{path}!uploads/auto/C%3A/Windows/System32/config/SYSTEM"]
    assert hive.problems == ("no log, but a registry hive",)
    # A log that names its machine is believed; of others the collection tells whose they are.
    assert _hosts(tables) == {
        "access.log": {"DC01"},
        "Windows.EventLogs.Evtx.json": {"DC01"},
        "Security.evtx": {text or "DC01" for text in _hosts(list(read(_evtx(tmp_path))))["x.evtx"]},
    }


def _evtx(folder: Path) -> Path:
    (folder / "x.evtx").write_bytes(EVTX)
    return folder / "x.evtx"


def test_an_unpacked_collection_tells_its_host_too(tmp_path: Path) -> None:
    folder = _unpacked(tmp_path)
    (tmp_path / "other.log").write_bytes(ACCESS)
    hosts = _hosts(_survey(tmp_path)[0])
    assert hosts["access.log"] == {"DC01"}
    assert hosts["other.log"] == {""}
    assert {unit.host for unit in plan([folder])} == {"DC01"}


UAC = {
    "uac.log": b"2026-03-01 10:00:00 +0000 INF Creating output file\n",
    "[root]/var/log/nginx/access.log": ACCESS,
    "[root]/var/log/nginx/access.log.2.gz": gzip.compress(ACCESS * 2),
    "[root]/var/log/nginx/access.log.3.xz": lzma.compress(ACCESS * 3),
    "[root]/var/log/nginx/access.log.4.bz2": bz2.compress(ACCESS * 4),
    "live_response/process/ps.txt": b"PID TTY\n  1 ?\n",
    "bodyfile/bodyfile.txt": b"0|/bin/sh|1|-rwxr-xr-x|0|0|5|1|1|1|1\n",
}


@pytest.mark.parametrize("outer", ["tar.gz", "tar", "zip"])
def test_a_collection_of_uac_is_one_input(tmp_path: Path, outer: str) -> None:
    name = "uac-www1.example-linux-20260301100000.tar.gz"
    content = gzip.compress(tarred(UAC))
    if outer == "tar":
        content, name = tarred(UAC), name.removesuffix(".gz")
    elif outer == "zip":
        name, content = "all.zip", zipped({name: content})
    (tmp_path / name).write_bytes(content)
    tables, accounts = _survey(tmp_path)
    logs = {path.rpartition("/")[2]: one.read for path, one in accounts.items() if one.read and "nginx" in path}
    assert logs == {
        "access.log": 1,
        "access.log.2.gz!access.log.2": 2,
        "access.log.3.xz!access.log.3": 3,
        "access.log.4.bz2!access.log.4": 4,
    }
    hosts = set.union(*_hosts(tables).values())
    assert hosts == {"www1.example"}


def test_folders_of_kape_and_cylr(tmp_path: Path) -> None:
    kape = tmp_path / "C" / "Windows" / "System32" / "winevt" / "logs"
    kape.mkdir(parents=True)
    (kape / "Security.evtx").write_bytes(EVTX)
    (tmp_path / "_kape.cli").write_text("--tsource C: --tdest D:\\out --target EventLogs\n")
    (tmp_path / "2026-03-01T100000_CopyLog.csv").write_text("CopiedTimestamp,SourceFile\n2026-03-01,C:\\x\n")
    (tmp_path / "HOST1.zip").write_bytes(zipped({"C/Windows/System32/winevt/Logs/System.evtx": EVTX}))
    _, accounts = _survey(tmp_path)
    assert sum(one.read for one in accounts.values()) == 8
    assert not [one for one in accounts.values() if one.damaged]


def test_links_and_other_spellings_are_read_once_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "z.json").write_bytes(LINES)
    (tmp_path / "a.json").symlink_to("z.json")
    os.link(tmp_path / "z.json", tmp_path / "zz.json")
    tables, accounts = _survey(tmp_path)
    assert sum(map(len, tables)) == 50
    assert {Path(path).name: Path(one.same_as).name for path, one in accounts.items()} == {
        "z.json": "",
        "a.json": "z.json",
        "zz.json": "z.json",
    }
    odd = Path(f"{tmp_path}/../{tmp_path.name}/z.json")
    _, accounts = _survey(tmp_path / "z.json", odd)
    assert sum(one.read for one in accounts.values()) == 50
    assert sum(map(len, read([tmp_path / "a.json", tmp_path / "z.json"]))) == 50


def test_a_zip_of_collections_tells_the_host_of_each(tmp_path: Path) -> None:
    other = {"client_info.json": CLIENT.replace(b"DC01", b"WS02"), "uploads/auto/b.log": ACCESS}
    folders = {f"one/{name}": content for name, content in other.items()}
    whole = {"Collection-DC01.zip": zipped(VELOCIRAPTOR), **folders, "beside/c.log": ACCESS}
    (tmp_path / "all.zip").write_bytes(zipped(whole))
    hosts = _hosts(_survey(tmp_path)[0])
    assert {name: hosts[name] for name in ("access.log", "b.log", "c.log")} == {
        "access.log": {"DC01"},
        "b.log": {"WS02"},
        "c.log": {""},
    }


def test_only_members_of_one_content_are_left_out(tmp_path: Path) -> None:
    forged = {"a": LINES, "b": LINES.replace(b"4624", b"4625"), "c": LINES, "empty": b"", "e2": b""}
    (tmp_path / "x.zip").write_bytes(zipped(forged))
    survey = triage.survey(str(tmp_path / "x.zip"))
    assert survey is not None
    assert survey.same == {"c": ("a", sha256(LINES))}
    # Another archive is another collection: each is read.
    (tmp_path / "y.zip").write_bytes(zipped(forged))
    tables, _ = _survey(tmp_path)
    assert sum(map(len, tables)) == 200


def test_a_checksum_alone_makes_no_two_members_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.zip").write_bytes(zipped({"a": b"first\n", "b": b"other\n"}))
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        entries = archive.infolist()
        monkeypatch.setattr(triage, "_digest", lambda _, entry: entry.filename)
        for entry in entries:
            entry.CRC = 1
        assert triage._same(archive, entries) == {}


@pytest.mark.parametrize(
    "told",
    [b"", b"[]", b"{", b'{"Hostname": 5}', b'{"Hostname": "a b"}', b'{"Hostname": "../x"}', b"[[[[]]]]", b"null"],
)
def test_a_collection_that_does_not_say_whose_it_is(told: bytes) -> None:
    assert triage.client_host(told) == ""


@pytest.mark.parametrize(
    "told", [CLIENT, b"[" + CLIENT + b"]", CLIENT + b"\n" + CLIENT, b'{"os_info": {"hostname": "DC01"}}']
)
def test_the_forms_of_the_client(told: bytes) -> None:
    assert triage.client_host(told) == "DC01"


def test_a_collection_of_many_members_takes_no_time_for_each(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for number in range(5_000):
            archive.writestr(f"uploads/auto/C%3A/f{number}.txt", f"text {number}\n")
    began = time.process_time()
    _, accounts = _survey(tmp_path)
    assert len(accounts) == 5_001
    assert time.process_time() - began < 15


def test_members_with_the_names_of_tar(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "uac-h-linux-20260301.tar", "w") as archive:
        (tmp_path / "f").write_bytes(ACCESS)
        archive.add(tmp_path / "f", "[root]/var/log/access.log")
        archive.add(tmp_path / "f", "[root]/var/log/../log/access.log")
    tables, _ = _survey(tmp_path / "uac-h-linux-20260301.tar")
    assert _hosts(tables) == {"access.log": {"h"}}
