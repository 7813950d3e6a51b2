"""Values of records in, dictionary-encoded columns out: one canonical text per value, types never inferred."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from msgspec import UNSET, UnsetType

from tocsin.collect.clock import Clock
from tocsin.model.event import (
    ABSENT,
    NO_TIME,
    NULL,
    Codes,
    Column,
    Events,
    FieldsOf,
    Longs,
    RawBlock,
    RawRecords,
    Source,
    Texts,
)

if TYPE_CHECKING:
    import pyarrow as pa

# Text is kept without deduplication once this many values were seen, nearly all of them new, and long:
# hashing `Message` or `ScriptBlockText` costs six times what it saves.
_TRIAL = 2_000
_NEARLY_UNIQUE = 0.8
_LONG_CHARS = 80
_OFTEN_NEW = 8  # one value in so many: then all that are new are learned together
_ALL_BUT_UNIQUE = 0.99  # of what Arrow holds: ids and times, with which hashing saves nothing and costs most

_MAX_LEVELS = 254
_TOO_DEEP = f'"nested {_MAX_LEVELS} levels or more: see the raw record"'
_MAX_FIELDS = 4_096  # of one table; hostile logs can name every key anew
EXTRA = "_extra"  # the fields past that limit, as JSON


def text_of(value: Any) -> str | tuple[str, ...] | None:
    """The canonical text of one JSON value; a list gives a text for each element that is not null."""
    match value:
        case str() | None:
            return value
        case True:
            return "true"
        case False:
            return "false"
        case int() | float():
            return repr(value)
        case list():
            return _texts_of(value)
        case _:
            return json_text(value)


def _texts_of(values: list[Any]) -> tuple[str, ...]:
    return tuple(v if isinstance(v, str) else _flat_text(v) for v in values if v is not None)


def _flat_text(value: Any) -> str:
    text = None if isinstance(value, list) else text_of(value)  # a list in a list stays one text, however deep
    return text if isinstance(text, str) else json_text(value)


def json_text(value: Any) -> str:
    """What an object is as a value."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # its limit is 254 levels, and decoding allows more
        return _TOO_DEEP


class _NotText(Exception):
    """A column holds more than text and null."""


class _Codes(dict[Any, int]):
    """Value -> code; a value not seen before gets its code from `add`."""

    __slots__ = ("_add",)

    def __init__(self, add: Callable[[Any], int]) -> None:
        super().__init__({None: NULL, UNSET: ABSENT})
        self._add = add

    def __missing__(self, value: Any) -> int:
        code = self[value] = self._add(value)
        return code


class Vocabulary:
    """The distinct values of one field."""

    __slots__ = ("_fresh", "_ints", "_lists_seen", "_only_text", "_seen", "_strings", "_unique", "lists", "values")

    def __init__(self) -> None:
        self.values: list[str | None] = [None, None]
        self.lists: dict[int, tuple[str, ...]] = {}
        # One dict for each type: in one dict 1, True and 1.0 would be the same key.
        self._strings = _Codes(self._append)
        self._ints = _Codes(lambda value: self._strings[str(value)])
        self._lists_seen: dict[str, int] = {}
        self._seen = 0
        self._fresh = False  # whether many of the last values were new
        self._only_text = True
        self._unique = False

    def _append(self, text: str) -> int:
        if type(text) is not str:
            raise _NotText
        self.values.append(text)
        return len(self.values) - 1

    def encode(self, column: Sequence[Any]) -> Codes | None:
        """Codes of a column of JSON values, in order; None, with nothing taken, if objects are among them.

        UNSET stands for a record that has no such key.
        """
        size = len(column)
        if self._only_text and not self._unique:
            try:  # the strings' dict never holds a number, so one in the column cannot pass for text
                if self._fresh:
                    self._learn(column)
                known = len(self.values)
                codes = np.fromiter(map(self._strings.__getitem__, column), np.int32, size)
                self._fresh = self._fresh or _OFTEN_NEW * (len(self.values) - known) > size
            except (_NotText, TypeError):
                self._only_text = False
            else:
                self._judge(size)
                return codes
        types = set(map(type, column))
        if dict in types:
            return None
        if types == {str} and self._unique:
            first = len(self.values)
            self.values.extend(column)
            return np.arange(first, first + size, dtype=np.int32)
        if types <= {int, type(None), UnsetType}:
            return np.fromiter(map(self._ints.__getitem__, column), np.int32, size)
        return np.fromiter(map(self._code, column), np.int32, size)

    def _learn(self, column: Sequence[Any]) -> None:
        """Give codes to all texts of a column that have none, at once."""
        new = [value for value in dict.fromkeys(column) if value not in self._strings]
        if not set(map(type, new)) <= {str}:
            raise _NotText
        self._strings.update(zip(new, range(len(self.values), len(self.values) + len(new)), strict=True))
        self.values += new
        self._fresh = _OFTEN_NEW * len(new) > len(column)

    def _judge(self, added: int) -> None:
        self._seen += added
        if self._seen < _TRIAL or len(self.values) < _NEARLY_UNIQUE * self._seen:
            return
        sample = self.values[2 : 2 + _TRIAL : 16]
        self._unique = sum(len(text or "") for text in sample) > _LONG_CHARS * len(sample)

    def _code(self, value: Any) -> int:
        if isinstance(value, str) or value is None or value is UNSET:
            return self._strings[value]
        if type(value) is not list:
            return self._strings[text_of(value)]
        whole = json_text(value)
        code = self._lists_seen.get(whole)
        if code is None or whole == _TOO_DEEP:  # these look alike
            text = _texts_of(value)
            if code is None or self.lists[code] != text:
                code = self._lists_seen[whole] = self._append(whole)
                self.lists[code] = text
        return code


class TableBuilder:
    """Records of one kind, gathered from one or many sources into one `Events`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.rows = 0
        self.size_bytes = 0  # of the blocks read into it, for whoever decides when it is full
        self.clock = Clock()  # of the source at hand
        self._sources: list[Source] = []
        self._source = -1  # whose records come next
        self._fields_of: list[FieldsOf] = []
        self.raw = RawRecords()
        self._vocabularies: dict[str, Vocabulary] = {}
        self._chunks: dict[str, list[tuple[Longs, Codes]]] = {}
        self._texts: dict[str, list[tuple[Longs, pa.StringArray]]] = {}
        self._past_limit: dict[int, dict[str, Any]] = {}
        self._ts: list[tuple[Longs, Longs]] = []
        self._rec: list[Longs] = []
        self._chunk: list[Longs] = []
        self._src: list[Codes] = []

    def begin(self, source: Source, fields_of: FieldsOf, clock: Clock) -> None:
        """What comes next is of this source; `fields_of` reads one of its raw records in full."""
        self.clock = clock
        self._sources.append(source)
        self._fields_of.append(fields_of)
        self._source = len(self._sources) - 1

    def resume(self, source: int, clock: Clock) -> None:
        """What comes next is of a source that was begun before, by its number."""
        self.clock, self._source = clock, source

    def extend(self, rec: Longs, chunk: Longs, raw: RawBlock) -> int:
        """Announce as many records of the source at hand as `rec` has; returns the row of the first."""
        first = self.rows
        self._rec.append(rec)
        self._chunk.append(chunk)
        self._src.append(np.full(len(rec), self._source, np.int32))
        self.raw.extend(len(rec), raw)
        self.rows += len(rec)
        return first

    def put(self, name: str, rows: Longs, values: Sequence[Any]) -> bool:
        """Give rows that `extend` announced their values of one field; False if there are objects among these."""
        vocabulary = self._vocabularies.get(name)
        if vocabulary is None:
            if len(self._vocabularies) >= _MAX_FIELDS:
                for row, value in zip(rows.tolist(), values, strict=True):
                    self._past_limit.setdefault(row, {})[name] = value
                return True
            vocabulary = self._vocabularies[name] = Vocabulary()
            self._chunks[name] = []
        codes = vocabulary.encode(values)
        if codes is not None:
            self._chunks[name].append((rows, codes))
        return codes is not None

    def put_repeated(self, name: str, rows: Longs, values: Sequence[Any], index: Longs) -> None:
        """Like `put` where `rows[i]` has `values[index[i]]`."""
        if len(self._vocabularies) >= _MAX_FIELDS and name not in self._vocabularies:
            self.put(name, rows, [values[at] for at in index.tolist()])
            return
        self.put(name, rows[:0], ())
        codes = self._vocabularies[name].encode(values)
        if codes is not None:
            self._chunks[name].append((rows, codes[index]))

    def put_texts(self, name: str, rows: Longs, texts: pa.StringArray) -> None:
        """Like `put` with texts that Arrow holds: no Python text is made of them before somebody asks for it."""
        if name not in self._vocabularies and len(self._vocabularies) >= _MAX_FIELDS:
            self.put(name, rows, texts.to_pylist())
            return
        self.put(name, rows[:0], ())
        self._texts.setdefault(name, []).append((rows, texts))

    def blank(self, name: str, rows: Longs) -> None:
        """Take back what `put` gave rows of a field."""
        if name in self._chunks:
            self._chunks[name].append((rows, np.full(len(rows), ABSENT, np.int32)))
        for row in rows.tolist() if self._past_limit else ():
            self._past_limit.get(row, {}).pop(name, None)

    def put_time(self, rows: Longs, ts: Longs) -> None:
        self._ts.append((rows, ts))

    def finish(self) -> Events:
        if self._past_limit:
            kept, chunks = self._vocabularies.pop(EXTRA, None), self._chunks.pop(EXTRA, [])
            if kept:  # the log has such a key itself
                self._vocabularies[f"{EXTRA}_"], self._chunks[f"{EXTRA}_"] = kept, chunks
            self._vocabularies[EXTRA], self._chunks[EXTRA] = Vocabulary(), []
            rows = np.fromiter(self._past_limit, np.int64, len(self._past_limit))
            self.put(EXTRA, rows, [json_text(fields) for fields in self._past_limit.values()])
        columns, made = dict[str, Column](), dict[tuple[int, ...], Column]()
        for name, vocabulary in self._vocabularies.items():
            texts = self._only_texts(name)  # two names of one value share a column
            columns[name] = made[texts] if texts in made else self._column(name, vocabulary)
            if texts:
                made[texts] = columns[name]
        ts = np.full(self.rows, NO_TIME, np.int64)
        for rows, values in self._ts:
            ts[rows] = values
        return Events(
            kind=self.kind,
            sources=tuple(self._sources),
            ts=ts,
            src=_joined(self._src, np.int32),
            rec=_joined(self._rec, np.int64),
            chunk=_joined(self._chunk, np.int64),
            raw=self.raw,
            columns=columns,
            fields_of=tuple(self._fields_of),
        )

    def _only_texts(self, name: str) -> tuple[int, ...]:
        """What tells the texts of a field that came from `put_texts` alone; () for others."""
        if any(len(rows) for rows, _ in self._chunks[name]):
            return ()
        return tuple(id(texts) for _, texts in self._texts.get(name, ()))

    def _column(self, name: str, vocabulary: Vocabulary) -> Column:
        pieces = self._texts.get(name, [])
        if pieces and vocabulary.lists:  # a list's text and the same text by itself are two values
            for rows, texts in pieces:
                self.put(name, rows, texts.to_pylist())
        elif pieces:
            return self._encoded(self._chunks[name], vocabulary.values[2:], pieces)
        return Column(codes=self._dense(self._chunks[name]), values=vocabulary.values, lists=vocabulary.lists)

    def _encoded(
        self, chunks: list[tuple[Longs, Codes]], values: list[str | None], pieces: list[tuple[Longs, pa.StringArray]]
    ) -> Column:
        """One vocabulary for the values that are known already and for those that Arrow holds."""
        import pyarrow as pa

        every = pa.concat_arrays([pa.array(values, pa.string()), *(texts for _, texts in pieces)])
        first = pieces[0][1]
        if len(first) >= _TRIAL and len(first.dictionary_encode().dictionary) >= _ALL_BUT_UNIQUE * len(first):
            texts, indices = every, np.arange(2, len(every) + 2, dtype=np.int32)
        else:
            encoded = every.dictionary_encode()
            texts, indices = encoded.dictionary, encoded.indices.to_numpy() + 2
        known = np.concatenate((np.array([ABSENT, NULL], np.int32), indices[: len(values)]))
        codes = self._dense([(rows, known[part]) for rows, part in chunks])
        codes[np.concatenate([rows for rows, _ in pieces])] = indices[len(values) :]
        return Column(codes=codes, values=Texts(texts))

    def _dense(self, chunks: list[tuple[Longs, Codes]]) -> Codes:
        codes = np.zeros(self.rows, np.int32)
        for rows, part in chunks:
            codes[rows] = part
        return codes


def _joined(parts: list[Any], dtype: type) -> Any:
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
