"""The benchmark's evidence is what it says: real events, as many as asked for, varied as said."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import evidence
import pytest
from evtx import PyEvtxParser

ARCHIVES = (
    "defense_evasion/host/cmd_process_herpaderping_snippingtool.zip",
    "defense_evasion/host/cmd_mshta_javascript_getobject_sct.zip",
    "defense_evasion/host/cmd_psh_stop_netprofm_eventlog_before_reboot.zip",  # with a member of macOS's own
    "credential_access/host/cmd_lsass_memory_dumpert_syscalls.zip",
)
TRAILING = "defense_evasion/host/empire_wdigest_downgrade.tar.gz"
SAME_PROCESS = "{b34bc01c-a92a-5f69-7e02-000000000900}"


@pytest.fixture(scope="module")
def corpus(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small part of the corpora, laid out as the whole is."""
    root = tmp_path_factory.mktemp("corpus")
    for name in ARCHIVES:
        target = root / "atomic" / "windows" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared / "corpus" / "security-datasets" / "atomic" / "windows" / name, target)
    return root


@pytest.fixture(scope="module")
def logs(corpus: Path) -> list[evidence.Log]:
    return evidence.windows_logs(corpus)


def in_memory(name: str, lines: list[bytes]) -> evidence.Log:
    return evidence.Log(name=name, open=lambda: iter(lines), events=len(lines))


def command(number: int) -> bytes:
    return b'{"EventID":1,"ProcessId":"%d","CommandLine":"C:\\\\Tools\\\\run.exe -a %d -b"}' % (
        number,
        number,
    )


def commands_of(lines: Iterator[bytes]) -> list[str]:
    return [json.loads(line)["CommandLine"] for line in lines]


def leaves(record: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in record.items():
        found |= leaves(value) if isinstance(value, dict) else {key: value}
    return found


def test_the_same_seed_gives_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    files = {}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        size = evidence.write_jsonl(tmp_path / name, corpus, 500, seed=seed, commands=0.1)
        files[name] = (tmp_path / name).read_bytes()
        assert size == len(files[name])
    assert files["a"] == files["b"] != files["c"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]  # nothing half-written is left


@pytest.mark.parametrize("events", [1, 7, 1000, 12_000])  # fewer than there are, and more
def test_there_are_exactly_as_many_events_as_asked_for(logs: list[evidence.Log], events: int) -> None:
    assert sum(1 for _ in evidence.windows_events(logs, events)) == events
    assert sum(1 for _ in evidence.windows_events(logs, events, commands=0.5)) == events


def test_every_line_is_one_json_object(logs: list[evidence.Log]) -> None:
    for line in evidence.windows_events(logs, 1000, distinct=1.0, commands=0.5):
        assert b"\n" not in line
        assert isinstance(json.loads(line), dict)


def test_logs_are_interleaved_in_proportion() -> None:
    logs = [in_memory(name, [json.dumps({"log": name}).encode()] * size) for name, size in (("a", 300), ("b", 100))]
    drawn = [json.loads(line)["log"] for line in evidence.windows_events(logs, 4000)]
    assert Counter(drawn) == {"a": 3000, "b": 1000}
    for start in range(0, 4000, 400):
        assert 80 <= drawn[start : start + 400].count("b") <= 120


def test_a_part_of_a_log_is_taken_from_all_of_it() -> None:
    log = in_memory("a", [b'{"n":%d}' % n for n in range(1000)])
    drawn = [json.loads(line)["n"] for line in evidence.windows_events([log], 10)]
    assert [n // 100 for n in drawn] == list(range(10))


def test_only_times_ids_and_command_lines_change(logs: list[evidence.Log]) -> None:
    may_change = ("time", "process", "guid", "record", "message", "commandline", "scriptblocktext")
    for log in logs:
        rng = evidence.Random(log.name)
        replica = evidence._replica(rng, 3)
        for number, line in enumerate(log.open()):
            if number % 20:
                continue
            before = leaves(json.loads(line))
            after = leaves(json.loads(evidence.vary(line, replica, rng, record_id=number, distinct=0.5)))
            assert list(before) == list(after)
            changed = {key for key in before if before[key] != after[key]}
            assert changed
            assert [key for key in changed if not any(word in key.lower() for word in may_change)] == []


def test_a_process_is_the_same_process_in_all_events_of_a_replica() -> None:
    ids = {"ProcessGuid": SAME_PROCESS, "ProcessId": "4660", "CallerProcessId": "0x1234"}
    message = f"ProcessId: 4660\r\nProcessGuid: {SAME_PROCESS}"
    lines = [json.dumps({**ids, "Message": message}, separators=(",", ":")).encode()] * 100
    seen: dict[str, set[str]] = {}
    for drawn in evidence.windows_events([in_memory("a", lines)], 300):
        record = json.loads(drawn)
        assert f"ProcessId: {record['ProcessId']}" in record["Message"]
        assert record["ProcessGuid"] in record["Message"]
        assert int(record["CallerProcessId"], 16) == int(record["ProcessId"])
        seen.setdefault(record["ProcessGuid"], set()).add(record["ProcessId"])
    assert len(seen) == 3  # one a replica
    assert all(len(ids) == 1 for ids in seen.values())
    assert SAME_PROCESS not in seen


@pytest.mark.parametrize(("distinct", "least", "most"), [(0.0, 0, 0), (0.3, 0.27, 0.33), (1.0, 1.0, 1.0)])
def test_the_share_of_distinct_command_lines(distinct: float, least: float, most: float) -> None:
    log = in_memory("a", [command(number) for number in range(50)])
    original = set(commands_of(log.open()))
    drawn = commands_of(evidence.windows_events([log], 4000, distinct=distinct))
    own = [text for text in drawn if text not in original]
    assert least <= len(own) / len(drawn) <= most
    assert len(set(own)) == len(own)
    assert all(text.startswith("C:\\Tools\\run.exe ") for text in own)


def test_a_share_of_events_with_command_lines_can_be_asked_for(logs: list[evidence.Log]) -> None:
    lines = list(evidence.windows_events(logs, 2000, commands=0.4))
    share = sum(1 for line in lines if b'CommandLine":"' in line or b'ScriptBlockText":"' in line) / len(lines)
    assert 0.4 <= share < 0.45


def test_an_archive_gives_what_can_be_read_of_it(shared: Path, tmp_path: Path) -> None:
    whole = shared / "corpus" / "security-datasets" / "atomic" / "windows" / TRAILING
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    texts = []
    for archive in (whole, cut):
        ((name, lines),) = evidence._members(archive)
        texts.append([json.loads(line)["message"] for line in lines(archive, name)])
    assert len(texts[0]) == 2710  # a line end follows the end of the compressed stream
    assert 500 < len(texts[1]) < 2710
    assert texts[1] == texts[0][: len(texts[1])]


@pytest.fixture(scope="module")
def evtx(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, int], Path]:
    folder = tmp_path_factory.mktemp("evtx")

    def make(records: int, seed: int) -> Path:
        path = folder / f"{len(list(folder.iterdir()))}.evtx"
        written = evidence.write_evtx(path, shared / "corpus" / "evtx-attack-samples", records, seed=seed)
        assert records <= written < records + 1000
        assert sum(1 for _ in PyEvtxParser(str(path)).records_json()) == written
        return path

    return make


def test_the_library_reads_every_record_of_a_large_evtx(evtx: Callable[[int, int], Path]) -> None:
    content = evtx(9000, 1).read_bytes()  # more than the samples hold once
    chunks = (len(content) - evidence.HEADER_BYTES) // evidence.CHUNK_BYTES
    assert struct.unpack_from("<8sQQ", content) == (b"ElfFile\0", 0, chunks - 1)
    assert struct.unpack_from("<H", content, 42) == (chunks,)
    assert struct.unpack_from("<I", content, 124) == (zlib.crc32(content[:120]),)


def test_the_same_seed_gives_the_same_evtx(evtx: Callable[[int, int], Path]) -> None:
    first, again, other = (evtx(1000, seed).read_bytes() for seed in (1, 1, 2))
    assert first == again
    assert first != other
