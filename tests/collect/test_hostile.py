"""Evidence that was damaged, or made to break its reader: no exception, all that is whole is read, all else is counted.

TOCSIN_SOAK=1 tries two thousand variants of each kind of damage instead of two hundred.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from collect import make_evtx
from collect.reference import parsed, row_of, texts
from tocsin.collect import plan, read_bytes, read_units
from tocsin.collect.columns import EXTRA
from tocsin.model.custody import Custody
from tocsin.model.event import Events

VARIANTS = 2_000 if os.environ.get("TOCSIN_SOAK") == "1" else 200
RECORDS: list[dict[str, Any]] = [
    {"EventID": 4624 + n, "Channel": "Security", "EventData": {"User": f"ann{n}", "é": [n, None]}, "@timestamp": n}
    for n in range(30)
]
LINES = [json.dumps(record, ensure_ascii=False).encode() for record in RECORDS]


def survey(path: Path, projection: frozenset[str] | None = None) -> tuple[list[Events], Custody]:
    """Everything of one plain file, and what became of it."""
    accounts: list[Custody] = []
    tables = list(read_units(plan([path]), projection, accounts.append))
    (account,) = accounts
    assert account.read == sum(map(len, tables))
    for events in tables:
        for row in range(len(events)):
            fields = dict(events.all_fields(row))
            assert row_of(events, row) == {n: t for n, t in fields.items() if projection is None or n in projection}
        assert events.to_arrow().num_rows == len(events)
    return tables, account


def flipped(content: bytes, seed: int, most: int = 4) -> bytes:
    draw, damaged = random.Random(seed), bytearray(content)
    for _ in range(draw.randint(1, most)):
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
    if draw.random() < 0.2:
        del damaged[draw.randrange(len(damaged)) :]
    return bytes(damaged)


def test_flipped_bits_in_json_lines_cost_their_own_lines(tmp_path: Path) -> None:
    content = b"\n".join(LINES) + b"\n"
    for seed in range(VARIANTS):
        damaged = flipped(content, seed)
        (tmp_path / "x.json").write_bytes(damaged)
        tables, account = survey(tmp_path / "x.json")
        raws = [raw for events in tables for raw in events.raw]
        whole = Counter(damaged.split(b"\n")) & Counter(LINES)
        assert not whole - Counter(raws), seed
        lines = [line for line in damaged.split(b"\n") if line.removeprefix(b"\xef\xbb\xbf").strip()]
        if account.format:
            assert account.read + sum(account.damaged.values()) == len(lines), seed
        else:
            assert account.problems, seed


@pytest.mark.parametrize("indent", [None, 2])
def test_flipped_bits_in_an_array_are_survived(tmp_path: Path, indent: int | None) -> None:
    content = json.dumps(RECORDS, indent=indent).encode()
    kept = []
    for seed in range(VARIANTS // 2):
        (tmp_path / "x.json").write_bytes(flipped(content, seed, most=1))
        _, account = survey(tmp_path / "x.json")
        kept.append(account.read)
        assert account.read >= len(RECORDS) or account.damaged or account.problems or account.mended, seed
    if indent:  # a damaged record takes no other along; one variant in five is cut off besides
        assert sorted(kept)[VARIANTS // 8] >= len(RECORDS) - 1


def _evtx(records: int = 60) -> bytes:
    events = [
        (n, make_evtx.event(n, 4688, {"CommandLine": f"run {n}", "Version": "9"} if n % 7 else {}, seconds=n % 60))
        for n in range(1, records + 1)
    ]
    return make_evtx.file([events[: records // 2], events[records // 2 :]])


@pytest.mark.parametrize("projection", [None, frozenset({"CommandLine", "EventID"})], ids=["full", "projected"])
def test_flipped_bits_in_evtx_are_survived(tmp_path: Path, projection: frozenset[str] | None) -> None:
    content = _evtx()
    undamaged = {raw for events in survey_bytes(tmp_path, content, projection)[0] for raw in events.raw}
    used = [at for at in range(len(content)) if content[at]]
    for seed in range(VARIANTS):
        draw, damaged = random.Random(seed), bytearray(content)
        for _ in range(draw.randint(1, 3)):
            damaged[draw.choice(used)] ^= 1 << draw.randrange(8)
        if draw.random() < 0.2:
            del damaged[draw.randrange(len(damaged)) :]
        tables, account = survey_bytes(tmp_path, bytes(damaged), projection)
        raws = {raw for events in tables for raw in events.raw}
        missing = len(undamaged - raws)
        if len(damaged) == len(content) and account.format:  # what was changed is whole still, or is counted
            assert account.read + sum(account.damaged.values()) >= 60, seed
        else:
            assert not missing or account.read or account.damaged or account.problems, seed


def survey_bytes(folder: Path, content: bytes, projection: frozenset[str] | None) -> tuple[list[Events], Custody]:
    (folder / "x.evtx").write_bytes(content)
    return survey(folder / "x.evtx", projection)


def test_flipped_bits_in_real_evtx_are_survived(shared: Path, tmp_path: Path) -> None:
    files = sorted((shared / "corpus" / "sigma-regression").rglob("*.evtx"))
    for seed in range(VARIANTS):
        draw = random.Random(seed)
        content = bytearray(draw.choice(files).read_bytes())
        for _ in range(draw.randint(1, 12)):
            content[draw.randrange(min(len(content), 16_000))] ^= 1 << draw.randrange(8)
        survey_bytes(tmp_path, bytes(content), None if seed % 2 else frozenset({"CommandLine", "Channel"}))


@pytest.mark.parametrize("length", [0, 1, 7, 8, 100, 4095, 4096, 4097, 4607, 4608, 5000, 69_631, 69_632, 70_000])
def test_evtx_that_ends_anywhere(tmp_path: Path, length: int) -> None:
    _, account = survey_bytes(tmp_path, _evtx()[:length], None)
    assert account.read == (0 if length <= 5000 else 30)
    if length not in (4096, 69_632):
        assert account.damaged or account.problems or account.read


@pytest.mark.parametrize("depth", [13, 200, 900, 5_000, 200_000])
def test_deep_json_is_kept_or_counted(tmp_path: Path, depth: int) -> None:
    deep = b'{"EventID":1,"Channel":"x","deep":' + b'{"a":' * depth + b"1" + b"}" * depth + b',"User":"anna"}'
    lists = b'{"EventID":1,"Channel":"x","deep":' + b"[" * depth + b"1" + b"]" * depth + b',"User":"anna"}'
    (tmp_path / "x.json").write_bytes(b"\n".join([LINES[0], deep, lists, LINES[1]]))
    tables, account = survey(tmp_path / "x.json")
    users = [row_of(events, row).get("User") for events in tables for row in range(len(events))]
    if depth <= 900:
        assert users == ["ann0", "anna", "anna", "ann1"]
    else:
        assert (users, sum(account.damaged.values())) == (["ann0", "ann1"], 2)


def test_lists_too_deep_to_write_down_stay_apart() -> None:
    deep = "[" * 300 + "1" + "]" * 300
    lines = [f'{{"EventID":1,"Channel":"x","a":["{word}",{deep}]}}' for word in ("one", "two")]
    events = read_bytes("\n".join(lines).encode())
    assert [row_of(events, row)["a"][0] for row in range(2)] == ["one", "two"]  # type: ignore[index]


@pytest.mark.parametrize("gap", [b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\\ud800", b"\xf8\x88\x80\x80\x80"])
def test_text_that_is_not_utf8_is_mended_and_counted(tmp_path: Path, gap: bytes) -> None:
    bad = b'{"EventID":1,"Channel":"x","User":"an' + gap + b'na","Host":"desk7"}'
    (tmp_path / "x.json").write_bytes(b"\n".join([LINES[0], bad, LINES[1]]) + b"\n")
    (events,), account = survey(tmp_path / "x.json")
    assert (account.read, dict(account.damaged), sum(account.mended.values())) == (3, {}, 1)
    assert row_of(events, 1)["Host"] == "desk7"
    assert events.raw[1] == bad
    user = row_of(events, 1)["User"]
    assert isinstance(user, str)
    assert user.startswith("an")
    assert user.endswith("na")


def test_control_characters_in_text_are_mended_and_counted(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b'{"EventID":1,"Channel":"x","a":"x\ty\x1b"}\r\n' + LINES[0])
    (events,), account = survey(tmp_path / "x.json")
    assert dict(account.mended) == {"control characters in text": 1}
    assert row_of(events, 0)["a"] == "x\ty\x1b"


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"}",
        b"[1]",
        b"null",
        b"1",
        b'"x"',
        b'{"EventID":1}}',
        b'{"a":1},{"b":2}',
        b"\x00",
        b"{}{}",
        b'{"a":1',
        b'{"a":01}',
        b"{'a':1}",
        b'{"a":1,}',
        b"\xff",
        b"," * 9,
    ],
)
def test_a_line_that_is_no_record_is_counted(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "x.json").write_bytes(b"\n".join([LINES[0], line, LINES[1], b"", line]))
    (events,), account = survey(tmp_path / "x.json")
    assert list(events.raw) == LINES[:2]
    assert sum(account.damaged.values()) == 2


@pytest.mark.parametrize(("number", "text"), [(b"NaN", "NaN"), (b"-Infinity", "-Infinity"), (b"1e999", "1e999")])
def test_numbers_that_json_does_not_have_are_kept_as_text(tmp_path: Path, number: bytes, text: str) -> None:
    (tmp_path / "x.json").write_bytes(b"\n".join([LINES[0], b'{"EventID":1,"Score":%s}' % number]))
    (events,), account = survey(tmp_path / "x.json")
    assert row_of(events, 1) == {"EventID": "1", "Score": text} == dict(events.all_fields(1))
    assert (dict(account.damaged), dict(account.mended)) == ({}, {"NaN or Infinity, kept as text": 1})


LONG_LINE = """
import json, resource, sys
from pathlib import Path
from tocsin.collect import plan, read_units
accounts = []
usage = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
before = usage()
events = sum(len(events) for events in read_units(plan([sys.argv[1]]), None, accounts.append))
damaged = {reason: count for account in accounts for reason, count in account.damaged.items()}
print(json.dumps([events, usage() - before, damaged]))
"""


@pytest.mark.parametrize("indented", [False, True])
def test_one_line_of_100_mb_is_skipped(tmp_path: Path, indented: bool) -> None:
    record = json.dumps(RECORDS[0], indent=2).encode() if indented else LINES[0]
    with (tmp_path / "x.json").open("wb") as file:
        file.write(record + b'\n{"EventID":1,"Channel":"')
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n' + record + b"\n")
    done = subprocess.run(
        [sys.executable, "-c", LONG_LINE, str(tmp_path / "x.json")], capture_output=True, text=True, check=True
    )
    events, grown_mb, damaged = json.loads(done.stdout)
    assert events == 2
    assert sum(damaged.values()) >= 1
    assert grown_mb < 350


def test_more_keys_than_columns_go_to_one_more_column(tmp_path: Path) -> None:
    lines = [
        json.dumps({"EventID": 1, "Channel": "x", EXTRA: "own", **{f"k{n}_{key}": key for key in range(1_000)}})
        for n in range(50)
    ]
    (tmp_path / "x.json").write_text("\n".join(lines), encoding="utf-8")
    (events,) = read_units(plan([tmp_path]), None, lambda custody: None)
    assert len(events) == 50
    assert len(events.columns) < 4_200
    for row in range(50):
        fields = dict(row_of(events, row))
        extra = json.loads(str(fields.pop(EXTRA, "{}")))
        if f"{EXTRA}_" in fields:
            fields[EXTRA] = fields.pop(f"{EXTRA}_")
        assert fields | {name: str(value) for name, value in extra.items()} == dict(events.all_fields(row))


def test_thousands_of_layouts_lose_nothing() -> None:
    draw = random.Random(7)
    names = [f"f{n}" for n in range(40)]
    records = [
        {"EventID": n, "Channel": "x", **{name: name for name in draw.sample(names, draw.randint(1, 40))}}
        for n in range(3_000)
    ]
    events = read_bytes("\n".join(map(json.dumps, records)).encode())
    for row in range(0, 3_000, 7):
        assert Counter(row_of(events, row).values()) == texts(parsed(events.raw[row]))


def test_keys_named_like_our_own() -> None:
    names = [
        "_ts",
        "_raw",
        "_raw_",
        "_src",
        "_rec",
        "_kind",
        "_host",
        "_extra",
        "__class__",
        "__proto__",
        "a\0b",
        "\x1b[31m",
    ]
    record = {"EventID": 1, "Channel": "x", **{name: f"v{n}" for n, name in enumerate(names)}}
    events = read_bytes(json.dumps(record).encode())
    fields = row_of(events, 0)
    assert {name: fields[name] for name in names} == {name: f"v{n}" for n, name in enumerate(names)}
    table = events.to_arrow()
    assert table.num_columns == 6 + len(record)
    assert table["_raw"].to_pylist() == [events.raw[0]]
    assert read_bytes(json.dumps(record).encode(), projection=frozenset({"EventID"})).columns.keys() == {"EventID"}


def test_a_file_of_brackets_takes_no_minutes(tmp_path: Path) -> None:
    for number, content in enumerate([b"{\n" * (1 << 20), b"}\n" * (1 << 20), b"{}" * (1 << 18), b'"\n{' * (1 << 20)]):
        head = json.dumps([RECORDS[0]], indent=1).encode() + b"\n"
        (tmp_path / f"{number}.json").write_bytes(head + content)
        survey_only = list(read_units(plan([tmp_path / f"{number}.json"]), None, lambda custody: None))
        assert sum(map(len, survey_only)) >= 1
