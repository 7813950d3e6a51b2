"""Tokens with where they stand in, one file of sorted arrays out, in which a hundred thousand are found at a glance.

A run is like a level of a log-structured merge tree (O'Neil and others, 1996): written once, never changed, and merged
with others into a larger one. A token is its type and 96 bits of BLAKE2b (RFC 7693) of its text, the same on every
machine and in every release: 64 by which tokens are sorted and found, and 32 that are compared then. The text is not
kept. Whoever finds a token looks into the events that it names, where the value itself stands. Behind
the tokens lies what rules are asked of first, the vocabulary of the parts: a block for each field, read when somebody
asks for it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np

from tocsin.errors import LakeError
from tocsin.lake import vocabulary
from tocsin.lake.packing import Array, loosened, packed, squeezed, unpacked
from tocsin.lake.vocabulary import Field, Words

Token: TypeAlias = tuple[int, str]  # a number that names its type, and its text

MOST_ROWS: Final = 16  # of one token in one field of a part: for more, the part itself is asked
NO_SECOND: Final = 0xFFFFFFFF
ADDRESS: Final = 1  # the number of the type that stands for addresses

_FAMILY: Final = b"tocsin-run-"
_MAGIC: Final = b"tocsin-run-3\n"  # version 1 kept all arrays as they are, and the texts; 2 had no vocabulary
_ALIGN: Final = 64

MARK: Final = [("print", "<u8"), ("check", "<u4")]

# Sorted, and looked into where they lie.
_OPEN: Final[Mapping[str, np.dtype[Any]]] = {"print": np.dtype("<u8"), "check": np.dtype("<u4")}
# Read whole when they are first asked for.
_CODED: Final = (
    "kind",  # of each token: its type, and how many entries it has
    "entries",
    "part",  # of each entry: part, field, how often, first second, how many to the last, and how many rows are listed
    "field",
    "count",
    "first",
    "span",
    "rows",
    "row",
    "v4",  # addresses as numbers, sorted, with the places of their tokens
    "v4_token",
    "v6",  # upper and lower halves, one behind the other
    "v6_token",
)


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


def prints(texts: Iterable[bytes]) -> Array:
    """The fingerprints of tokens, which are those of their texts: a text of several types is looked for once."""
    blake = hashlib.blake2b
    joined = b"".join([blake(text, digest_size=12).digest() for text in texts])
    return np.frombuffer(joined, MARK)


def save(path: Path, about: About, sections: Mapping[str, Array], words: Mapping[Field, bytes] = {}) -> tuple[int, str]:
    """Write a run of arrays that are in order, and of blocks of words; gives its size and SHA-256."""
    told = squeezed(encoded := msgspec.msgpack.encode(about))
    coded = {name: packed(sections[name]) for name in _CODED}
    shapes = {name: (width, count, len(content)) for name, (width, count, content) in coded.items()}
    blocks = [(kind, name, len(content)) for (kind, name), content in words.items()]
    head = msgspec.msgpack.encode(_Head(len(told), len(encoded), len(sections["print"]), shapes, blocks))
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:

        def put(content: Any) -> None:
            nonlocal size
            file.write(content)
            digest.update(content)
            size += memoryview(content).nbytes

        put(_MAGIC + len(head).to_bytes(8, "little") + head + told)
        for name, form in _OPEN.items():
            put(b"\0" * (-size % _ALIGN))
            put(np.ascontiguousarray(sections[name], form))
        for content in (*(content for _, _, content in coded.values()), *words.values()):
            put(content)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """Bytes of `About` as they stand and as they are, tokens; of arrays: bytes of a number, numbers, bytes."""

    told: int
    about: int
    tokens: int
    shapes: dict[str, tuple[int, int, int]]
    blocks: list[tuple[str, str, int]]  # kind of log, field, bytes


def is_older(path: Path) -> bool:
    """Whether a run is of an earlier version: it cannot be asked, and is to be written anew."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(_MAGIC))
    except OSError:
        return False
    return begin.startswith(_FAMILY) and begin != _MAGIC


class Run:
    """A run that is open; its arrays stay on the disk until they are looked into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: dict[str, Array] = {}
        try:
            self._map = np.asarray(np.memmap(path, np.uint8, "r"))  # as what it is, each look into it costs twice
            self._head, at = self._begin()
            told, at = self._map[at : at + self._head.told], at + self._head.told
            for name, form in _OPEN.items():
                at += -at % _ALIGN
                size = self._head.tokens * form.itemsize
                self._read[name] = self._map[at : at + size].view(form)  # one that ends early has no such size
                at += size
            self._starts: dict[str, int] = {}
            for name, (_, _, size) in self._head.shapes.items():
                self._starts[name], at = at, at + size
            self._blocks: dict[Field, tuple[int, int]] = {}
            for kind, name, size in self._head.blocks:
                self._blocks[kind, name], at = (at, at + size), at + size
            if at != len(self._map) or list(self._head.shapes) != list(_CODED):
                raise ValueError("it does not end where it should")  # noqa: TRY301 - told with all other damage
            self.about = msgspec.msgpack.decode(loosened(told.tobytes(), self._head.about), type=About)
        except (OSError, ValueError, KeyError, MemoryError, msgspec.MsgspecError) as error:
            raise self._damaged(error) from error

    def _begin(self) -> tuple[_Head, int]:
        start = len(_MAGIC) + 8
        begin = self._map[:start].tobytes()
        if not begin.startswith(_MAGIC):
            older = begin.startswith(_FAMILY)
            raise ValueError("it is of another version of tocsin" if older else "it does not begin as one")
        end = start + int.from_bytes(begin[-8:], "little")
        if end > len(self._map):
            raise ValueError("its head is damaged")
        return msgspec.msgpack.decode(self._map[start:end].tobytes(), type=_Head), end

    def _damaged(self, error: Exception) -> LakeError:
        return LakeError(
            f"{self.path}: no index that can be read: {error}",
            hint="`tocsin lake mend` makes it anew from the events.",
        )

    def __len__(self) -> int:
        return self._head.tokens

    def sha256(self) -> str:
        """The digest of the whole file."""
        return hashlib.sha256(self._map.data).hexdigest()

    def __getitem__(self, name: str) -> Array:
        """An array of the file; or `entry_at` and `row_at`, where entries of tokens and rows of entries begin."""
        if name not in self._read:
            match name:
                case "entry_at" | "row_at":
                    sizes = self["entries" if name == "entry_at" else "rows"]
                    self._read[name] = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)))
                case "last":
                    self._read[name] = self["first"].astype(np.int64) + self["span"]
                case _:
                    self._read[name] = self._unpacked(name)
        return self._read[name]

    def _unpacked(self, name: str) -> Array:
        (width, count, size), start = self._head.shapes[name], self._starts[name]
        try:
            return unpacked(width, count, self._map[start : start + size].tobytes())
        except (OSError, ValueError, TypeError, MemoryError) as error:
            raise self._damaged(error) from error

    @property
    def fields(self) -> Collection[Field]:
        """Of which there are words."""
        return self._blocks.keys()

    def words(self, key: Field) -> Words:
        """The distinct values of a field, and the parts that hold them."""
        first, stop = self._blocks[key]
        try:
            words = vocabulary.read(self._map[first:stop].tobytes())
            if max([-1, *words.parts.tolist(), *words.unheld.tolist()]) >= len(self.about.parts):
                raise ValueError("its vocabulary names a part that it has not")  # noqa: TRY301 - told with other damage
        except (OSError, ValueError, TypeError, MemoryError, msgspec.MsgspecError) as error:
            raise self._damaged(error) from error
        return words

    def find(self, marks: Array) -> tuple[Array, Array]:
        """Tokens that have one of these fingerprints: numbers of fingerprints, and the places of their tokens.

        Args:
            marks: in order.
        """
        ours, checks = self["print"], self["check"]
        wanted, check = np.ascontiguousarray(marks["print"]), np.ascontiguousarray(marks["check"])
        token = np.searchsorted(ours, wanted)
        at = np.arange(np.searchsorted(token, len(ours)))
        found = [(at[:0], token[:0])]
        while len(at):  # a text has a token for each type, and others may have the first half of its print
            alike = np.flatnonzero(ours[token[: len(at)]] == wanted[at])
            at, token = at[alike], token[alike]
            same = checks[token] == check[at]
            found.append((at[same], token[same]))
            token = token + 1
            inside = np.searchsorted(token, len(ours))
            at, token = at[:inside], token[:inside]
        return np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])

    @cached_property
    def crowds(self) -> list[int]:
        """The place of the token of type 0 that has no text, if it is here."""
        _, found = self.find(prints([b""]))
        return [token for token in found.tolist() if not self["kind"][token]]

    def within(self, version: int, first: int, last: int) -> Array:
        """Places of the tokens that are addresses of a range."""
        if version == 4:
            low, high = np.searchsorted(self["v4"], (first, last + 1))
            return self["v4_token"][low:high].astype(np.int64)
        upper, lower = np.split(self["v6"].astype(np.uint64), 2)
        numbers = [int(a) << 64 | int(b) for a, b in zip(upper, lower, strict=True)]
        inside = [at for at, number in enumerate(numbers) if first <= number <= last]
        return self["v6_token"][inside].astype(np.int64)

    def entries(self, tokens: Array) -> tuple[Array, Array]:
        """Entries of tokens, and for each of these which of `tokens` it is of."""
        begin, end = self["entry_at"][tokens], self["entry_at"][tokens + 1]
        sizes = end - begin
        which = np.repeat(np.arange(len(tokens)), sizes)
        return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes - begin, sizes), which

    def rows(self, entry: int) -> Array | None:
        """The rows of an entry in its part; None where they are too many to be listed."""
        begin, end = int(self["row_at"][entry]), int(self["row_at"][entry + 1])
        return None if begin == end else self["row"][begin:end].astype(np.int64)
