"""Matches of rules that correlations refer to in, compact frames on disk out; and frames in, streams of events out.

A frame holds the rows of one variant in one table, each column with the values that these rows hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from tocsin.border.frames import framed, messages
from tocsin.detect.correlate import NOTHING, Stream
from tocsin.detect.matcher import Detector, Matches
from tocsin.model.event import Column, Events, Longs

MOST_EVENTS: Final = 20_000_000  # that are held in memory; each takes some 150 bytes


class _Texts(msgspec.Struct, frozen=True, array_like=True):
    """A column: for each row an index into the values, int32."""

    codes: bytes
    values: list[str]


class _Frame(msgspec.Struct, frozen=True, array_like=True):
    """Rows of one rule; `sources` are (file, path), other columns int64."""

    rule: int
    kind: str
    sources: list[tuple[str, str]]
    source: bytes  # int32
    ts: bytes
    rec: bytes
    chunk: bytes
    host: _Texts
    fields: dict[str, _Texts]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Frame).decode


def frames(detector: Detector, events: Events, matches: Matches) -> Iterator[bytes]:
    """What of one table correlations need."""
    wanted = {part for one in detector.rules.correlations for part in one.parts}
    host = events.hosts()
    for number, rows in matches.rows:
        variant = detector.rules.variants[number]
        if variant.rule not in wanted:
            continue
        sources, source = np.unique(events.src[rows], return_inverse=True)
        frame = _encode(
            _Frame(
                rule=variant.rule,
                kind=events.kind,
                sources=[(events.sources[at].file, events.sources[at].path) for at in sources.tolist()],
                source=source.astype(np.int32).tobytes(),
                ts=events.ts[rows].tobytes(),
                rec=events.rec[rows].tobytes(),
                chunk=events.chunk[rows].tobytes(),
                host=_texts(host, rows),
                fields={name: _texts(events.columns.get(field), rows) for name, field in variant.carry},
            )
        )
        yield framed(frame)


def _texts(column: Column | None, rows: Longs) -> _Texts:
    if column is None:
        return _Texts(np.zeros(len(rows), np.int32).tobytes(), [""])
    codes, at = np.unique(column.codes[rows], return_inverse=True)
    return _Texts(at.astype(np.int32).tobytes(), [column.values[code] or "" for code in codes.tolist()])


# --------------------------------------------------------------------------------- and back


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """All events that correlations look at, each once, in order of time, then of place; and what fired for them.

    Args:
        streams: by rule.
        vocabulary: the text of each code, lower-case; `shown` the same as logs write it.
        source: index into `sources`, which are (kind, file, path).
        host: index into `hosts`.
        left_out: how many events were more than are read.
    """

    streams: Mapping[int, Stream]
    vocabulary: Sequence[str]
    shown: Sequence[str]
    ts: Longs
    source: Longs
    sources: Sequence[tuple[str, str, str]]
    rec: Longs
    chunk: Longs
    host: Longs
    hosts: Sequence[str]
    left_out: int = 0


@dataclass(slots=True)
class _Vocabulary:
    """Texts by their code; those that differ in case alone share one, and are shown as the first in order."""

    codes: dict[str, int]
    shown: list[str]

    def code(self, text: str) -> int:
        folded = text.lower()
        code = self.codes.setdefault(folded, len(self.shown))
        if code == len(self.shown):
            self.shown.append(text)
        elif text < self.shown[code]:
            self.shown[code] = text
        return code


def read(paths: Iterable[Path], most: int = MOST_EVENTS) -> Sightings:
    """Read the frames of all tasks, in the order of their names, up to so many events."""
    vocabulary = _Vocabulary({"": NOTHING}, [""])
    hosts: dict[str, int] = {}
    sources: dict[tuple[str, str, str], int] = {}
    rules: list[int] = []
    parts: list[tuple[Longs, ...]] = []  # rule's place, ts, source, rec, chunk, host
    fields: list[dict[str, Longs]] = []
    count = left_out = 0
    for frame in (_decode(message) for path in sorted(paths) for message in messages(path)):
        at = _codes(frame.source)
        if count + len(at) > most:
            left_out += len(at)
            continue
        count += len(at)
        of_source = [sources.setdefault((frame.kind, *source), len(sources)) for source in frame.sources]
        of_host = [hosts.setdefault(text, len(hosts)) for text in frame.host.values]
        rules.append(frame.rule)
        parts.append(
            (
                np.frombuffer(frame.ts, np.int64),
                np.array(of_source, np.int64)[at],
                np.frombuffer(frame.rec, np.int64),
                np.frombuffer(frame.chunk, np.int64),
                np.array(of_host, np.int64)[_codes(frame.host.codes)],
            )
        )
        fields.append({name: _coded(texts, vocabulary) for name, texts in frame.fields.items()})
    joined = _joined(rules, parts, fields, vocabulary, list(sources), list(hosts))
    return replace(joined, left_out=left_out)


def _codes(content: bytes) -> Longs:
    return np.frombuffer(content, np.int32).astype(np.int64)


def _coded(texts: _Texts, vocabulary: _Vocabulary) -> Longs:
    return np.array([vocabulary.code(text) for text in texts.values], np.int64)[_codes(texts.codes)]


def _joined(
    rules: Sequence[int],
    parts: Sequence[tuple[Longs, ...]],
    fields: Sequence[Mapping[str, Longs]],
    vocabulary: _Vocabulary,
    sources: Sequence[tuple[str, str, str]],
    hosts: Sequence[str],
) -> Sightings:
    none = np.zeros(0, np.int64)
    ts, source, rec, chunk, host = (np.concatenate((none, *(part[at] for part in parts))) for at in range(5))
    rank = np.empty(len(sources), np.int64)  # of sources by their names, for the order in which tasks end is chance
    rank[sorted(range(len(sources)), key=lambda at: sources[at][::-1])] = np.arange(len(sources))
    order = np.lexsort((rec, chunk, rank[source], ts))
    columns = [column[order] for column in (ts, source, chunk, rec)]
    fresh = np.ones(len(order), bool)
    fresh[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    event = np.empty(len(order), np.int64)
    event[order] = np.cumsum(fresh) - 1
    firsts = order[fresh]
    ends = np.cumsum([len(part[0]) for part in parts])
    of_rule: dict[int, list[int]] = {}
    for at, rule in enumerate(rules):
        of_rule.setdefault(rule, []).append(at)
    streams = {}
    for rule, places in of_rule.items():
        rows = np.concatenate([np.arange(ends[at] - len(parts[at][0]), ends[at]) for at in places])
        names = sorted({name for at in places for name in fields[at]})
        streams[rule] = Stream(
            ts=ts[rows],
            event=event[rows],
            unit=event[rows],
            fields={
                name: np.concatenate([fields[at].get(name, np.full(len(parts[at][0]), NOTHING)) for at in places])
                for name in names
            },
        )
    return Sightings(
        streams=streams,
        vocabulary=list(vocabulary.codes),
        shown=vocabulary.shown,
        ts=ts[firsts],
        source=source[firsts],
        sources=sources,
        rec=rec[firsts],
        chunk=chunk[firsts],
        host=host[firsts],
        hosts=hosts,
    )
