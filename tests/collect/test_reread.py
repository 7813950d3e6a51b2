"""Records are found again by their place, and only in evidence that is still what was read."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tocsin import collect
from tocsin.collect import reread as module
from tocsin.collect.reread import CHANGED
from tocsin.model.custody import Custody
from tocsin.model.raw import Place, Raw

LINES = [
    b'{"EventID":%d,"Channel":"Security","TimeCreated":"2026-01-01T00:00:00Z","Computer":"a","n":"%s"}'
    % (4624, bytes([97 + number % 26]) * (50 + number))
    for number in range(300)
]


def plain(folder: Path) -> Path:
    path = folder / "log.jsonl"
    path.write_bytes(b"\n".join(LINES) + b"\n")
    return path


def compressed(folder: Path) -> Path:
    path = folder / "log.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(LINES) + b"\n"))
    return path


def packed(folder: Path) -> Path:
    path = folder / "logs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/log.jsonl", b"\n".join(LINES) + b"\n")
        archive.writestr("b/other.jsonl", b"\n".join(LINES[::-1]) + b"\n")
    return path


def seen(path: Path) -> tuple[list[Custody], dict[Place, bytes]]:
    custody: list[Custody] = []
    records: dict[Place, bytes] = {}
    for events in collect.read_units(collect.plan([path]), frozenset(), custody.append):
        for row in range(len(events)):
            source = events.sources[int(events.src[row])].path
            records[source, int(events.chunk[row]), int(events.rec[row])] = bytes(events.raw[row])
    return custody, records


@pytest.mark.parametrize("made", [plain, compressed, packed])
def test_what_was_read_is_found_again(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    path = made(tmp_path)
    custody, records = seen(path)
    wanted = list(records)[::7]
    found = collect.again(wanted, [path], custody)
    assert {place: raw.content for place, raw in found.items()} == {place: records[place] for place in wanted}
    assert {raw.kind for raw in found.values()} == {"windows"}


def test_of_a_large_file_only_parts_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plain(tmp_path)
    custody, records = seen(path)
    monkeypatch.setattr(module, "_PART_BYTES", 2_000)
    monkeypatch.setattr(module, "MOST_DECODED", 8_000)  # the file has 65,000
    wanted = list(records)[100:103]
    found = collect.again(wanted, [path], custody)
    assert [found[place].content for place in wanted] == [records[place] for place in wanted]
    spread = collect.again(list(records)[::30], [path], custody)
    assert any(raw.missing for raw in spread.values()), "what is too much is told"
    assert any(raw.content for raw in spread.values())


@pytest.mark.parametrize("made", [plain, compressed, packed])
def test_of_changed_evidence_nothing_is_given(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    path = made(tmp_path)
    custody, records = seen(path)
    spoilt = [Custody(path=one.path, file=one.file, size_bytes=one.size_bytes, sha256="0" * 64) for one in custody]
    found = collect.again(records, [path], spoilt)
    assert set(found.values()) == {Raw(missing=CHANGED)}
    path.unlink()
    assert all(raw.missing and not raw.content for raw in collect.again(records, [path], custody).values())


def test_a_changed_byte_is_found_in_a_large_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plain(tmp_path)
    custody, records = seen(path)
    monkeypatch.setattr(module, "_PART_BYTES", 2_000)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    assert set(collect.again(list(records)[:2], [path], custody).values()) == {Raw(missing=CHANGED)}


def test_a_long_record_is_cut_and_its_length_told(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(LINES[0].replace(b'"n":"', b'"n":"' + b"y" * 200_000) + b"\n")
    custody, records = seen(path)
    (raw,) = collect.again(records, [path], custody).values()
    assert (len(raw.content), raw.size_bytes) == (module.LONGEST, len(next(iter(records.values()))))


@pytest.mark.parametrize("part_bytes", [1 << 20, 64 << 10])
def test_real_event_logs(shared: Path, part_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PART_BYTES", part_bytes)
    logs = (shared / "corpus" / "evtx-attack-samples").rglob("*.evtx")
    path = min((one for one in logs if one.stat().st_size > 1 << 20), key=lambda one: (one.stat().st_size, one))
    custody, records = seen(path)
    wanted = list(records)[::50]
    found = collect.again(wanted, [path], custody)
    assert {place: raw.content for place, raw in found.items()} == {
        place: records[place][: module.LONGEST] for place in wanted
    }
