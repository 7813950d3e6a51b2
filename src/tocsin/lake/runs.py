"""Tokens with where they stand in, one file of sorted arrays out, in which a hundred thousand are found at a glance.

A run is like a level of a log-structured merge tree (O'Neil and others, 1996): written once, never changed, and merged
with others into a larger one. Tokens are sorted by a fingerprint, BLAKE2b (RFC 7693) cut to 64 bits, which is the same
on every machine and in every release; whoever finds a fingerprint compares the text behind it as well.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.errors import LakeError
from tocsin.lake.parts import Part

Token: TypeAlias = tuple[int, str]  # a number that names its type, and its text
Array: TypeAlias = npt.NDArray[Any]

MOST_ROWS: Final = 16  # of one token in one field of a part: for more, the part itself is asked
NO_SECOND: Final = 0xFFFFFFFF

_MAGIC: Final = b"tocsin-run-1\n"
_ALIGN: Final = 64
_SECTIONS: Final[Mapping[str, np.dtype[Any]]] = {
    "print": np.dtype("<u8"),  # of each token: fingerprint, type, text, and where its entries begin
    "kind": np.dtype("u1"),
    "text_at": np.dtype("<u4"),
    "entry_at": np.dtype("<u4"),
    "part": np.dtype("<u4"),  # of each entry: part, field, how often, first and last second, where its rows begin
    "field": np.dtype("<u2"),
    "count": np.dtype("<u4"),
    "first": np.dtype("<u4"),
    "last": np.dtype("<u4"),
    "row_at": np.dtype("<u4"),
    "row": np.dtype("<u4"),
    "v4": np.dtype("<u4"),  # addresses as numbers, sorted, with the places of their tokens
    "v4_token": np.dtype("<u4"),
    "v6": np.dtype("<u8"),  # upper and lower halves, one behind the other
    "v6_token": np.dtype("<u4"),
    "text": np.dtype("u1"),
}


class Census(msgspec.Struct, frozen=True, array_like=True):
    """What a part holds of one log of one host. `sorts` names what kinds of observables its fields could hold."""

    log: str
    host: str
    rows: int
    sorts: tuple[str, ...]


class About(msgspec.Struct, frozen=True):
    """What a run is of: its parts by (kind, path), the names of fields, and the census of each part.

    `version` is of what was looked for: a run of another one lacks tokens that are asked for now.
    """

    version: str
    parts: list[tuple[str, str]]
    fields: list[str]
    census: list[list[Census]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Where tokens stand, a row for each token, part and field; `token` counts from 0. Seconds are since 1970."""

    token: Array
    part: Array
    field: Array
    count: Array
    first: Array
    last: Array
    row_count: Array
    row: Array


def prints(texts: Iterable[bytes]) -> Array:
    """The fingerprints of tokens, which are those of their texts: a text of several types is looked for once."""
    blake = hashlib.blake2b
    joined = b"".join([blake(text, digest_size=8).digest() for text in texts])
    return np.frombuffer(joined, "<u8")


def write(path: Path, about: About, tokens: Sequence[Token], entries: Entries) -> tuple[int, str]:
    """Write a run; gives its size and SHA-256."""
    encoded = [text.encode("utf-8", "surrogatepass") for _, text in tokens]
    kinds = np.fromiter((kind for kind, _ in tokens), np.uint8, len(tokens))
    return _save(path, about, _sorted(prints(encoded), kinds, pa.array(encoded, pa.large_binary()), entries))


def _sorted(marks: Array, kinds: Array, texts: pa.Array, entries: Entries) -> dict[str, Array]:
    """All sections, for tokens that are each there once."""
    order = np.lexsort((kinds, marks))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    token = place[entries.token]
    by = np.lexsort((entries.field, entries.part, token))
    sizes = entries.row_count[by].astype(np.int64)
    begins = (np.cumsum(entries.row_count) - entries.row_count).astype(np.int64)[by]
    texts = texts.take(pa.array(order))
    offsets = np.frombuffer(texts.buffers()[1], "<i8", len(texts) + 1, texts.offset * 8) if len(texts) else np.zeros(1)
    content = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[int(offsets[0]) : int(offsets[-1])]
    found = {
        "print": marks[order],
        "kind": kinds[order],
        "text_at": offsets - offsets[0],
        "entry_at": np.searchsorted(token[by], np.arange(len(order) + 1)),
        "part": entries.part[by],
        "field": entries.field[by],
        "count": entries.count[by],
        "first": entries.first[by],
        "last": entries.last[by],
        "row_at": np.concatenate(([0], np.cumsum(sizes))),
        "row": entries.row[np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))],
        "text": content,
    }
    if max(len(content), len(found["row"]), len(by)) >= 1 << 32:
        raise LakeError("an index grew beyond what one file holds", hint="Divide the lake into several folders.")
    return {**found, **_addresses(found["kind"], texts)}


def _addresses(kinds: Array, texts: pa.Array) -> dict[str, Array]:
    """Tokens that are addresses as numbers, in order."""
    places = np.flatnonzero(kinds == ADDRESS)
    named = texts.take(pa.array(places)).cast(pa.large_string()) if len(places) else pa.array([], pa.large_string())
    six = np.asarray(pc.match_substring(named, ":").to_numpy(zero_copy_only=False), bool)
    quads = pc.split_pattern(named.filter(pa.array(~six)), ".")
    numbers = quads.flatten().cast(pa.int64()).to_numpy().reshape(-1, 4) @ np.array([1 << 24, 1 << 16, 1 << 8, 1])
    order = np.argsort(numbers, kind="stable")
    longs = [_long(text) for text in named.filter(pa.array(six)).to_pylist()]
    by = sorted(range(len(longs)), key=longs.__getitem__)
    halves = [longs[at] >> 64 for at in by] + [longs[at] & ((1 << 64) - 1) for at in by]
    return {
        "v4": numbers[order],
        "v4_token": places[~six][order],
        "v6": np.array(halves, "<u8"),
        "v6_token": places[six][by] if by else places[:0],
    }


ADDRESS: Final = 1  # the number of the type that stands for addresses


def _long(text: str) -> int:
    return int(ipaddress.IPv6Address(text))


def _save(path: Path, about: About, sections: Mapping[str, Array]) -> tuple[int, str]:
    told = msgspec.msgpack.encode(about)
    lengths = {name: len(sections[name]) for name in _SECTIONS}
    head = msgspec.msgpack.encode((len(told), lengths))
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:

        def put(content: Any) -> None:
            nonlocal size
            file.write(content)
            digest.update(content)
            size += memoryview(content).nbytes

        put(_MAGIC + len(head).to_bytes(8, "little") + head + told)
        for name, form in _SECTIONS.items():
            put(b"\0" * (-size % _ALIGN))
            put(np.ascontiguousarray(sections[name], form))
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


class Run:
    """A run that is open; its arrays stay on the disk until they are looked into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._map = np.memmap(path, np.uint8, "r")
            self.about, lengths, at = self._head()
            self._sections: dict[str, Array] = {}
            for name, form in _SECTIONS.items():
                at += -at % _ALIGN
                size = lengths[name] * form.itemsize
                self._sections[name] = self._map[at : at + size].view(form)  # one that ends early has no such size
                at += size
            if at != len(self._map):
                raise ValueError("it does not end where it should")  # noqa: TRY301 - told with all other damage
        except (OSError, ValueError, KeyError, msgspec.MsgspecError) as error:
            raise LakeError(
                f"{path}: no index that can be read: {error}",
                hint="`tocsin lake mend` makes it anew from the events.",
            ) from error

    def _head(self) -> tuple[About, dict[str, int], int]:
        start = len(_MAGIC) + 8
        begin = self._map[:start].tobytes()
        if not begin.startswith(_MAGIC):
            raise ValueError("it does not begin as one")
        size = int.from_bytes(begin[-8:], "little")
        if size > len(self._map):
            raise ValueError("its head is damaged")
        told, lengths = msgspec.msgpack.decode(
            self._map[start : start + size].tobytes(), type=tuple[int, dict[str, int]]
        )
        end = start + size + told
        return msgspec.msgpack.decode(self._map[start + size : end].tobytes(), type=About), lengths, end

    def __len__(self) -> int:
        return len(self._sections["print"])

    def sha256(self) -> str:
        """The digest of the whole file."""
        return hashlib.sha256(self._map.data).hexdigest()

    def __getitem__(self, name: str) -> Array:
        return self._sections[name]

    def text(self, token: int) -> str:
        at = self._sections["text_at"]
        return self._sections["text"][at[token] : at[token + 1]].tobytes().decode("utf-8", "surrogatepass")

    @cached_property
    def texts(self) -> pa.Array:
        """The texts of all tokens."""
        small = len(self["text"]) < 1 << 31  # then offsets are what Arrow wants, and nothing is copied
        offsets = np.ascontiguousarray(self["text_at"], "<i4" if small else "<i8")
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(self["text"]))]
        return pa.Array.from_buffers(pa.binary() if small else pa.large_binary(), len(self), buffers)

    def find(self, marks: Array, texts: pa.Array) -> tuple[Array, Array]:
        """Tokens that have one of these texts: numbers of texts, and the places of their tokens.

        Args:
            marks: fingerprints of `texts`, in order.
        """
        ours = self["print"]
        at = np.arange(len(marks))
        token = np.searchsorted(ours, marks)
        found = [(at[:0], token[:0])]
        while len(at):  # a text has a token for each of its types, and another text may have its fingerprint
            there = token < len(ours)
            there[there] = ours[token[there]] == marks[at[there]]
            at, token = at[there], token[there]
            same = pc.equal(self.texts.take(pa.array(token)).cast(texts.type), texts.take(pa.array(at)))
            held = np.asarray(same.to_numpy(zero_copy_only=False), bool)
            found.append((at[held], token[held]))
            token = token + 1
        return np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])

    @cached_property
    def crowds(self) -> list[int]:
        """The place of the token of type 0 that has no text, if it is here."""
        _, found = self.find(prints([b""]), pa.array([b""], pa.large_binary()))
        return [token for token in found.tolist() if not self["kind"][token]]

    def within(self, version: int, first: int, last: int) -> Array:
        """Places of the tokens that are addresses of a range."""
        if version == 4:
            low, high = np.searchsorted(self["v4"], (first, last + 1))
            return self["v4_token"][low:high].astype(np.int64)
        upper, lower = np.split(self["v6"], 2)
        numbers = [int(a) << 64 | int(b) for a, b in zip(upper, lower, strict=True)]
        inside = [at for at, number in enumerate(numbers) if first <= number <= last]
        return self["v6_token"][inside].astype(np.int64)

    def entries(self, tokens: Array) -> tuple[Array, Array]:
        """Entries of tokens, and for each of these which of `tokens` it is of."""
        begin, end = self["entry_at"][tokens].astype(np.int64), self["entry_at"][tokens + 1].astype(np.int64)
        sizes = end - begin
        which = np.repeat(np.arange(len(tokens)), sizes)
        return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes - begin, sizes), which

    def rows(self, entry: int) -> Array | None:
        """The rows of an entry in its part; None where they are too many to be listed."""
        begin, end = int(self["row_at"][entry]), int(self["row_at"][entry + 1])
        return None if begin == end else self["row"][begin:end].astype(np.int64)


def merge(runs: Sequence[Run], path: Path, living: Iterable[Part]) -> tuple[int, str]:
    """Write one run that says what these do of parts that are still there."""
    alive = {(part.kind, part.path) for part in living}
    parts: dict[tuple[str, str], int] = {}
    fields: dict[str, int] = {}
    census: list[list[Census]] = []
    pieces: list[dict[str, Array]] = []
    marks, kinds, texts, first_token = [], [], [], 0
    for run in runs:
        about = run.about
        of_part = np.full(len(about.parts), -1, np.int64)
        for at, part in enumerate(about.parts):
            if part in alive and part not in parts:  # a part that two runs speak of is taken from the first
                of_part[at] = parts[part] = len(parts)
                census.append(about.census[at])
        of_field = np.array([fields.setdefault(name, len(fields)) for name in about.fields] or [0], np.int64)
        sizes = _steps(run["entry_at"])
        new_part = of_part[run["part"]] if len(run["part"]) else np.zeros(0, np.int64)
        kept = new_part >= 0
        counts = _steps(run["row_at"])
        pieces.append(
            {
                "token": (np.repeat(np.arange(len(run)), sizes) + first_token)[kept],
                "part": new_part[kept],
                "field": of_field[run["field"]][kept] if len(kept) else new_part,
                "count": run["count"][kept],
                "first": run["first"][kept],
                "last": run["last"][kept],
                "row_count": counts[kept],
                "row": run["row"][np.repeat(kept, counts)],
            }
        )
        marks.append(run["print"])
        kinds.append(run["kind"])
        texts.append(run.texts.cast(pa.large_binary()))
        first_token += len(run)
    joined = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    about = About(version=runs[0].about.version, parts=list(parts), fields=list(fields), census=census)
    return _save(path, about, _united(np.concatenate(marks), np.concatenate(kinds), pa.concat_arrays(texts), joined))


def _steps(places: Array) -> npt.NDArray[np.int64]:
    """How far it is from each to the next."""
    wide = places.astype(np.int64)
    return wide[1:] - wide[:-1]


def _united(marks: Array, kinds: Array, texts: pa.Array, joined: dict[str, Array]) -> dict[str, Array]:
    """Equal tokens become one; those that no entry speaks of any more go."""
    order = np.lexsort((kinds, marks))
    if len(order) and _colliding(marks, kinds, texts, order):
        order = np.array(sorted(order.tolist(), key=lambda at: (int(marks[at]), int(kinds[at]), texts[at].as_py())))
    ordered = texts.take(pa.array(order))
    same = np.zeros(len(order), bool)
    if len(order) > 1:
        same[1:] = (marks[order][1:] == marks[order][:-1]) & (kinds[order][1:] == kinds[order][:-1])
        same[1:] &= np.asarray(pc.equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False), bool)
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(~same) - 1
    token = number[joined["token"]]
    heads = order[~same]
    used = np.zeros(len(heads), bool)
    used[token] = True
    place = np.cumsum(used) - 1
    heads = heads[used]
    entries = Entries(**{**joined, "token": place[token]})
    return _sorted(marks[heads], kinds[heads], texts.take(pa.array(heads)), entries)


def _colliding(marks: Array, kinds: Array, texts: pa.Array, order: Array) -> bool:
    """Whether two texts of one type have one fingerprint: then equal ones may not stand side by side."""
    ordered = texts.take(pa.array(order))
    twin = (marks[order][1:] == marks[order][:-1]) & (kinds[order][1:] == kinds[order][:-1])
    equal = np.asarray(pc.equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False), bool)
    return bool((twin & ~equal).any())
