"""Events for correlations, kept on disk by workers and read again: nothing is lost, and the order is of no matter."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from detect.compiled import compiled
from tocsin.detect import streams
from tocsin.detect.matcher import Detector, Matches
from tocsin.model.event import NO_TIME, Column, Events, RawRecords, Source

RULES = """
title: One
name: one
logsource: {product: windows, service: system}
detection: {s: {EventID: 1}, condition: s}
---
title: Other
logsource: {product: windows, service: system}
detection: {s: {EventID: 2}, condition: s}
---
title: Together
correlation: {type: event_count, rules: [one], group-by: [User], timespan: 1m, condition: {gte: 2}}
"""
DETECTOR = Detector(compiled(RULES))


def table(path: str, ts: list[int], users: list[str | None], rec: list[int] | None = None) -> Events:
    values = [None, None, *dict.fromkeys(user for user in users if user is not None)]
    codes = [values.index(user) if user is not None else 0 for user in users]
    return Events(
        kind="windows",
        sources=(Source(path="another"), Source(path=path, file=f"{path}.zip")),
        ts=np.array(ts, np.int64),
        src=np.ones(len(ts), np.int32),
        rec=np.array(rec or range(len(ts)), np.int64),
        chunk=np.full(len(ts), -1),
        raw=RawRecords(),
        columns={"User": Column(codes=np.array(codes, np.int32), values=values)},
        fields_of=(),
    )


def frames(events: Events, variant: int = 0) -> bytes:
    return b"".join(streams.frames(DETECTOR, events, Matches(rows=[(variant, np.arange(len(events)))])))


def test_the_projection_has_what_correlations_ask_for() -> None:
    assert "User" in DETECTOR.projection


def test_rules_that_no_correlation_refers_to_are_not_kept() -> None:
    assert frames(table("a", [1], ["u"]), variant=1) == b""


def test_what_was_kept_is_read_in_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(frames(table("b", [5, NO_TIME, 3], ["u", None, "U"])))
    (tmp_path / "0").write_bytes(frames(table("a", [5, 4], ["v", ""])))
    read = streams.read(tmp_path.iterdir())
    assert read.ts.tolist() == [NO_TIME, 3, 4, 5, 5]
    assert [read.sources[at] for at in read.source.tolist()] == [
        ("windows", f"{name}.zip", name) for name in ("b", "b", "a", "a", "b")
    ]
    assert read.rec.tolist() == [1, 2, 1, 0, 0]
    [(rule, stream)] = read.streams.items()
    assert rule == 0
    assert stream.event.tolist() == [3, 2, 4, 0, 1]
    assert [read.vocabulary[code] for code in stream.fields["User"].tolist()] == ["v", "", "u", "", "u"]
    assert [read.shown[code] for code in stream.fields["User"].tolist()] == ["v", "", "U", "", "U"]


def test_an_event_that_was_matched_twice_is_one(tmp_path: Path) -> None:
    twice = frames(table("a", [1, 2], ["u", "v"])) + frames(table("a", [2, 2], ["v", "w"], rec=[1, 2]))
    (tmp_path / "0").write_bytes(twice)
    read = streams.read(tmp_path.iterdir())
    assert read.rec.tolist() == [0, 1, 2]
    assert read.streams[0].event.tolist() == [0, 1, 1, 2]


def test_half_a_frame_is_not_read(tmp_path: Path) -> None:
    whole, more = frames(table("a", [1, 2], ["u", "v"])), frames(table("b", [3], ["w"]))
    for size in {*range(0, len(more), 7), 1, 7, 8, 9, len(more) - 1}:
        (tmp_path / "0").write_bytes(whole + more[:size])
        assert streams.read([tmp_path / "0"]).ts.tolist() == [1, 2]


def test_the_order_of_tables_and_tasks_is_of_no_matter(tmp_path: Path) -> None:
    chance = random.Random(7)
    rows = [(chance.randrange(9), chance.choice(["u", "U", "v"]), number) for number in range(40)]

    def seen() -> object:
        chance.shuffle(rows)
        for place in range(4):
            part = rows[place * 10 : place * 10 + 10]
            (tmp_path / str(place)).write_bytes(frames(table("a", *map(list, zip(*part, strict=True)))))
        read = streams.read(tmp_path.iterdir())
        stream = read.streams[0]
        users = [read.shown[code] for code in stream.fields["User"].tolist()]
        return read.ts.tolist(), read.rec.tolist(), sorted(zip(stream.event.tolist(), users, strict=True))

    assert seen() == seen() == seen()


def test_too_many_events_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(frames(table("a", [1, 2], ["u", "v"])) + frames(table("b", [3], ["w"])))
    read = streams.read(tmp_path.iterdir(), most=2)
    assert (read.ts.tolist(), read.left_out) == ([1, 2], 1)


def test_nothing_at_all() -> None:
    read = streams.read([])
    assert (len(read.ts), read.streams) == (0, {})
