"""Records in, in any order within a few days, log files out: in order of time, rotated, counted.

As in life, some of it is there twice (what a collector did not hear of is sent again), some is not there (a disk was
full, a sensor stood still for a day), and some lines are torn (whoever wrote them was stopped in their midst).

What belongs to a step of an incident is told by its *mark*; where its record came to stand is kept, for the truth.
"""

from __future__ import annotations

import gzip
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Final, TypeAlias, cast

from tocsin.rehearse.dice import Dice
from tocsin.rehearse.rhythm import day_of, next_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Whose doing a record is: an incident and a step of it, or what was permitted."""

    incident: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a record stands: the line counts from 1, the offset is in bytes of the file, unpacked."""

    path: str
    line: int
    offset: int
    bytes: int
    ts_us: int
    torn: str = ""  # how, if it was: see `Tear`


# What is kept of a record until it is written: bytes of one line or more, or something that `finish` makes them of.
Payload: TypeAlias = Any


# What reaches its store by a collector that sends again what was not confirmed.
_SENT_AGAIN: Final = ("windows/", "cloud/")
_EVERY: Final = 4_000
_RECENT: Final = 24  # how many are sent again at most
_RUN: Final = 1_000


@dataclass(slots=True, kw_only=True)
class Stream:
    """The log of one sensor.

    Args:
        name: its path below the folder of logs, with `{day}` where its rotation puts one.
        every: how many days go into one file, counted from a Monday.
        head: what stands above the records of each file, given its first moment.
        finish: what makes bytes of a record when its place in the order is known: numbers that count up are given
            then.
        order: its place among all streams of the drill, by when it was first heard of.
    """

    name: str
    order: tuple[int, int] = (0, 0)
    every: int = 7
    head: Callable[[int], bytes] | None = None
    finish: Callable[[Payload], bytes] | None = None
    holes: tuple[Hole, ...] = ()
    tears: list[Tear] = field(default_factory=list)  # the next one last
    kept: list[tuple[int, int, Payload, Mark | None]] = field(default_factory=list)
    due: int = 0  # how many of these are written next
    again: bool = False  # what is not confirmed is sent again
    dice: Dice = field(default_factory=lambda: Dice.dealt(()))  # of what is written next
    path: str = ""
    day: str = ""
    part: int = 1  # of its day or week: a log that was torn goes on in another file
    deaf_us: int = 0  # until then nothing reached its store
    ends_us: int = 0
    file: IO[bytes] | None = None
    raw: IO[bytes] | None = None  # what `file` packs into
    lines: int = 0
    offset: int = 0
    recent: deque[tuple[bytes, int, Mark | None]] = field(default_factory=lambda: deque(maxlen=_RECENT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Logs whose path begins with `logs` that were lost, from a moment until another."""

    logs: str
    from_us: int
    until_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tear:
    """From a moment on, the next record of logs whose path begins with `logs` is cut, and a new file begun.

    Args:
        how: `stopped`: a collector died over it, and sent it again when it was back. `lost`: the line to a forwarder
            was lost, and what it had to say until `until_us` was never kept. `cut`: files are cut by their size, so
            that the record goes on in the next one.
    """

    logs: str
    how: str
    at_us: int
    until_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How many chances a stream needs to write what is due: of `runs` of records, with one tear between each two."""

    order: tuple[int, int]
    name: str
    runs: list[int]


def thrown(dice: Dice, runs: Sequence[int]) -> list[float]:
    """The chances that a stream asked for, one for each record, each tear, and each time that something goes again."""
    random = dice.random
    numbers = []
    for number, run in enumerate(runs):
        if number:
            numbers.append(random())
        for _ in range(run):
            numbers.append(random())
            if numbers[-1] < 1 / _EVERY:
                numbers.append(random())
    return numbers


class Tape:
    """Logs of a drill. Memory is that of a few days, however long it is.

    All logs share one sequence of chances, whoever writes them: a tape asks for its part of it before it writes.

    Args:
        turn: counts up with what happens; of who was first heard of in the same turn, the order is the tape's own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        begins_us: int,
        packed: bool,
        holes: Iterable[Hole] = (),
        tears: Iterable[Tear] = (),
    ) -> None:
        self.turn = 0
        self.records = 0
        self.lost: list[Hole] = []  # what a torn line took with it
        self.marked: dict[Mark, list[Place]] = {}
        self.torn: list[Place] = []
        self._folder = folder
        self._begins_us = begins_us
        self._packed = packed
        self._holes = tuple(holes)
        self._tears = sorted(tears, key=lambda tear: -tear.at_us)
        self._streams: dict[str, Stream] = {}
        self._count = 0

    def stream(
        self,
        name: str,
        *,
        every: int = 7,
        head: Callable[[int], bytes] | None = None,
        finish: Callable[[Payload], bytes] | None = None,
    ) -> Stream:
        """The stream of that name; what else is said counts the first time."""
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = Stream(
                name=name,
                order=(self.turn, len(self._streams)),
                again=name.startswith(_SENT_AGAIN),
                every=every,
                head=head,
                finish=finish,
                holes=tuple(hole for hole in self._holes if name.startswith(hole.logs)),
                tears=[tear for tear in self._tears if name.startswith(tear.logs)],
            )
        return stream

    def put(self, stream: Stream, ts_us: int, payload: Payload, mark: Mark | None) -> None:
        """Keep a record; what was before the first day nobody has a log of."""
        if ts_us < self._begins_us:
            return
        for hole in stream.holes:
            if hole.from_us <= ts_us < hole.until_us:
                return
        self._count += 1
        stream.kept.append((ts_us, self._count, payload, mark))

    def asks(self, until_us: int) -> list[Asked]:
        """Put in order what happened before a moment, and ask for the chances that it takes to write it."""
        asked = []
        for stream in self._streams.values():
            stream.kept.sort()  # by time, then by who was first: the count is never the same twice
            stream.due = bisect_left(stream.kept, (until_us,))
            runs = _runs(stream)
            if runs != [0]:
                asked.append(Asked(order=stream.order, name=stream.name, runs=runs))
        return asked

    def write(self, numbers: Mapping[str, Sequence[float]]) -> None:
        """Write what was asked for, with the chances of each stream; nothing before it may be put any more."""
        for stream in self._streams.values():
            stream.dice = Dice.dealt(numbers.get(stream.name, ()))
            self._write_due(stream)
            del stream.kept[: stream.due]

    def close(self) -> None:
        for stream in self._streams.values():
            _shut(stream)

    def _write_due(self, stream: Stream) -> None:
        """Write what is nobody's doing and meets with nothing in runs: that is nearly all of it, and a third faster."""
        run: list[tuple[int, Payload]] = []
        again, random, until_us = stream.again, stream.dice.random, _undisturbed(stream)
        for ts_us, _, payload, mark in stream.kept[: stream.due]:
            if mark is not None or ts_us >= until_us:
                self._write_run(stream, run)
                self._write(stream, ts_us, payload, mark)
                until_us = _undisturbed(stream)
                continue
            run.append((ts_us, payload))
            if again and random() < 1 / _EVERY:
                self._write_run(stream, run)
                self._send_again(stream)
            elif len(run) == _RUN:
                self._write_run(stream, run)
        self._write_run(stream, run)

    def _write_run(self, stream: Stream, run: list[tuple[int, Payload]]) -> None:
        if not run:
            return
        assert stream.file
        lines = [_bytes(stream, payload) for _, payload in run]
        text = b"".join(lines)
        stream.file.write(text)
        count = text.count(b"\n")
        stream.lines += count
        stream.offset += len(text)
        self.records += count
        if stream.again:
            stream.recent.extend(
                (line, ts_us, None) for line, (ts_us, _) in zip(lines[-_RECENT:], run[-_RECENT:], strict=True)
            )
        run.clear()

    def _write(self, stream: Stream, ts_us: int, payload: Payload, mark: Mark | None) -> None:
        line = _bytes(stream, payload)
        if ts_us < stream.deaf_us:
            return
        if ts_us >= stream.ends_us:
            self._rotate(stream, ts_us)
        elif stream.file is None:
            self._open(stream, ts_us, stream.part + 1)
        if stream.tears and ts_us >= stream.tears[-1].at_us:
            self._tear(stream, ts_us, line, mark)
            return
        self._append(stream, ts_us, line, mark)
        if stream.again:
            stream.recent.append((line, ts_us, mark))
            if stream.dice.chance(1 / _EVERY):
                self._send_again(stream)

    def _send_again(self, stream: Stream) -> None:
        """Some of what came last, as a collector does that heard of no receipt."""
        for earlier, at_us, own in list(stream.recent)[stream.dice.below(len(stream.recent)) :]:
            self._append(stream, at_us, earlier, own)

    def _tear(self, stream: Stream, ts_us: int, line: bytes, mark: Mark | None) -> None:
        tear = stream.tears.pop()
        at = 1 + stream.dice.below(len(line) - 2)
        while 10 in line[at - 1 : at + 1]:  # between two lines nothing is torn
            at -= 1
        self._append(stream, ts_us, line[:at], mark, tear.how)
        if tear.how != "lost":
            self._open(stream, ts_us, stream.part + 1)
            self._append(stream, ts_us, *((line, mark) if tear.how == "stopped" else (line[at:], mark, tear.how)))
        else:
            _shut(stream)
            stream.deaf_us = tear.until_us
            self.lost.append(Hole(logs=stream.name.partition("{day}")[0], from_us=ts_us, until_us=tear.until_us))

    def _append(self, stream: Stream, ts_us: int, text: bytes, mark: Mark | None, torn: str = "") -> None:
        assert stream.file
        stream.file.write(text)
        whole = text.endswith(b"\n")
        count = 1 if whole and text.find(b"\n") == len(text) - 1 else text.count(b"\n") + (not whole)
        if mark is not None or torn:
            self._keep(stream, ts_us, text, mark, torn)
        stream.lines += count
        stream.offset += len(text)
        self.records += count

    def _keep(self, stream: Stream, ts_us: int, text: bytes, mark: Mark | None, torn: str) -> None:
        """Note where lines stand: those of a mark, and the one that is torn, the last of a file or the first."""
        offset, places = stream.offset, []
        lines = text.splitlines(keepends=True)
        severed = len(lines) - 1 if not text.endswith(b"\n") else 0
        for number, line in enumerate(lines):
            place = Place(
                path=stream.path,
                line=stream.lines + number + 1,
                offset=offset,
                bytes=len(line),
                ts_us=ts_us,
                torn=torn if number == severed else "",
            )
            places.append(place)
            offset += len(line)
        if torn:
            self.torn.append(places[severed])
        if mark is not None:
            self.marked.setdefault(mark, []).extend(places)

    def _rotate(self, stream: Stream, ts_us: int) -> None:
        day = day_of(ts_us)
        first = day - timedelta(days=(day.toordinal() - 1) % stream.every)
        stream.day = f"{first:%Y%m%d}"
        stream.ends_us = next_us(first, stream.every)
        self._open(stream, ts_us, 1)

    def _open(self, stream: Stream, ts_us: int, part: int) -> None:
        _shut(stream)
        stream.part = part
        path = stream.name.format(day=stream.day)
        if part > 1:
            stem, dot, kind = path.rpartition(".")
            path = f"{stem}_{part}{dot}{kind}"
        stream.path = path + (".gz" if self._packed else "")
        target = self._folder / stream.path
        target.parent.mkdir(parents=True, exist_ok=True)
        raw = target.open("wb", buffering=1 << 20)
        file: IO[bytes] = raw
        if self._packed:
            # A fixed time in the header: the same seed gives the same bytes.
            file = cast("IO[bytes]", gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=1, mtime=0))
        stream.file, stream.raw = file, raw
        head = stream.head(ts_us) if stream.head else b""
        file.write(head)
        stream.lines, stream.offset = head.count(b"\n"), len(head)
        stream.recent.clear()


def _bytes(stream: Stream, payload: Payload) -> bytes:
    line: bytes | str = stream.finish(payload) if stream.finish else payload
    return line.encode() if isinstance(line, str) else line


def _undisturbed(stream: Stream) -> int:
    """Until when records just follow each other: then another file is begun, or a line is torn."""
    if stream.file is None:
        return 0
    return min(stream.ends_us, stream.tears[-1].at_us) if stream.tears else stream.ends_us


def _runs(stream: Stream) -> list[int]:
    """How many of the records that are due stand before, between and after its tears, if they may be sent again."""
    kept, due = stream.kept, stream.due
    runs, tears, start, deaf_us = [], list(stream.tears), 0, stream.deaf_us
    while True:
        start = bisect_left(kept, (deaf_us,), start, due)
        ends = bisect_left(kept, (tears[-1].at_us,), start, due) if tears else due
        runs.append(ends - start if stream.again else 0)
        if ends == due:
            return runs
        tear = tears.pop()
        deaf_us = tear.until_us if tear.how == "lost" else deaf_us
        start = ends + 1  # behind the one that is torn


def _shut(stream: Stream) -> None:
    # Closing what packs leaves what it packs into open.
    for file in (stream.file, stream.raw):
        if file:
            file.close()
    stream.file = stream.raw = None
