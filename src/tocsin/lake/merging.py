"""Tokens and where they stand in, a run of them out; runs in, one that says what they do of parts still there out."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tocsin.errors import LakeError
from tocsin.lake import runs, vocabulary
from tocsin.lake.packing import Array
from tocsin.lake.parts import Part
from tocsin.lake.runs import ADDRESS, MARK, About, Census, Run, Token
from tocsin.lake.vocabulary import Field


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


def write(
    path: Path, about: About, tokens: Sequence[Token], entries: Entries, words: Mapping[Field, bytes]
) -> tuple[int, str]:
    """Write a run; gives its size and SHA-256."""
    marks = runs.prints(text.encode("utf-8", "surrogatepass") for _, text in tokens)
    kinds = np.fromiter((kind for kind, _ in tokens), np.uint8, len(tokens))
    sections, places = _united(marks, kinds, entries)
    return runs.save(path, about, {**sections, **_addressed(_numbers(tokens), places)}, words)


def _united(marks: Array, kinds: Array, entries: Entries) -> tuple[dict[str, Array], Array]:
    """Sections of tokens, of which equal ones become one and those that no entry speaks of go; and their new places.

    The place is -1 for a token that went.
    """
    order = np.lexsort((kinds, marks["check"], marks["print"]))
    same = np.zeros(len(order), bool)
    same[1:] = (marks[order][1:] == marks[order][:-1]) & (kinds[order][1:] == kinds[order][:-1])
    number = np.empty(len(order), np.int64)
    number[order] = np.cumsum(~same) - 1
    token = number[entries.token]
    heads = order[~same]
    used = np.zeros(len(heads), bool)
    used[token] = True
    new = np.where(used, np.cumsum(used) - 1, -1)
    heads, token = heads[used], new[token]
    by = np.lexsort((entries.field, entries.part, token))
    sizes = entries.row_count[by].astype(np.int64)
    begins = (np.cumsum(entries.row_count) - entries.row_count).astype(np.int64)[by]
    if max(len(heads), len(entries.row), len(by)) >= 1 << 32:
        raise LakeError("an index grew beyond what one file holds", hint="Divide the lake into several folders.")
    return {
        "print": marks["print"][heads],
        "check": marks["check"][heads],
        "kind": kinds[heads],
        "entries": np.bincount(token, minlength=len(heads)),
        "part": entries.part[by],
        "field": entries.field[by],
        "count": entries.count[by],
        "first": entries.first[by],
        "span": entries.last[by] - entries.first[by],
        "rows": sizes,
        "row": entries.row[np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(int(sizes.sum()))],
    }, new[number]


def _numbers(tokens: Sequence[Token]) -> dict[str, Array]:
    """Tokens that are addresses as numbers."""
    places = np.array([at for at, (kind, _) in enumerate(tokens) if kind == ADDRESS], np.int64)
    named = pa.array([tokens[at][1] for at in places.tolist()], pa.large_string())
    six = np.asarray(pc.match_substring(named, ":").to_numpy(zero_copy_only=False), bool)
    quads = pc.split_pattern(named.filter(pa.array(~six)), ".")
    fours = quads.flatten().cast(pa.int64()).to_numpy().reshape(-1, 4) @ np.array([1 << 24, 1 << 16, 1 << 8, 1])
    sixes = [int(ipaddress.IPv6Address(text)) for text in named.filter(pa.array(six)).to_pylist()]
    halves = [one >> 64 for one in sixes] + [one & ((1 << 64) - 1) for one in sixes]
    return {"v4": fours, "v4_token": places[~six], "v6": np.array(halves, np.uint64), "v6_token": places[six]}


def _addressed(numbers: Mapping[str, Array], places: Array) -> dict[str, Array]:
    """In order, each once, with the new places of their tokens."""
    token = places[numbers["v4_token"]]
    fours, at = np.unique(numbers["v4"][token >= 0], return_index=True)
    six = places[numbers["v6_token"]]
    upper, lower = (half[six >= 0] for half in np.split(numbers["v6"], 2))
    six = six[six >= 0]
    order = np.lexsort((lower, upper))
    order = order[np.flatnonzero(np.diff(six[order], prepend=-1))]  # one address is one token
    halves = np.concatenate((upper[order], lower[order]))
    return {"v4": fours, "v4_token": token[token >= 0][at], "v6": halves, "v6_token": six[order]}


def merge(some: Sequence[Run], path: Path, living: Iterable[Part]) -> tuple[int, str]:
    """Write one run that says what these do of parts that are still there."""
    alive = {(part.kind, part.path) for part in living}
    parts: dict[tuple[str, str], int] = {}
    fields: dict[str, int] = {}
    census: list[list[Census]] = []
    pieces: list[dict[str, Array]] = []
    numbers: list[dict[str, Array]] = []
    words: list[tuple[Run, Array]] = []
    marks, kinds, first_token = [], [], 0
    for run in some:
        about = run.about
        of_part = np.full(len(about.parts), -1, np.int64)
        for at, part in enumerate(about.parts):
            if part in alive and part not in parts:  # a part that two runs speak of is taken from the first
                of_part[at] = parts[part] = len(parts)
                census.append(about.census[at])
        words.append((run, of_part))
        of_field = np.array([fields.setdefault(name, len(fields)) for name in about.fields] or [0], np.int64)
        pieces.append(_alive(run, of_part, of_field, first_token))
        mark = np.empty(len(run), MARK)
        mark["print"], mark["check"] = run["print"], run["check"]
        marks.append(mark)
        kinds.append(run["kind"])
        moved = {name: run[name].astype(np.int64) + first_token for name in ("v4_token", "v6_token")}
        numbers.append({"v4": run["v4"], "v6": run["v6"].astype(np.uint64).reshape(2, -1), **moved})
        first_token += len(run)
    joined = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    about = About(version=some[0].about.version, parts=list(parts), fields=list(fields), census=census)
    sections, places = _united(np.concatenate(marks), np.concatenate(kinds), Entries(**joined))
    every = {name: np.concatenate([one[name] for one in numbers], axis=-1) for name in numbers[0]}
    sections |= _addressed({**every, "v6": every["v6"].reshape(-1)}, places)
    return runs.save(path, about, sections, _words(words))


def _words(some: Sequence[tuple[Run, Array]]) -> dict[Field, bytes]:
    """The vocabulary of runs, whose parts have new numbers: a field at a time, for all of them may be large."""
    found = {}
    for key in sorted({key for run, _ in some for key in run.fields}):
        block = vocabulary.merged([(run.words(key), of_part) for run, of_part in some if key in run.fields])
        if block is not None:
            found[key] = block
    return found


def _alive(run: Run, of_part: Array, of_field: Array, first_token: int) -> dict[str, Array]:
    """The entries of a run that are of parts which are still there, by their new numbers."""
    part = of_part[run["part"]] if len(run["part"]) else np.zeros(0, np.int64)
    kept = part >= 0
    return {
        "token": (np.repeat(np.arange(len(run)), run["entries"]) + first_token)[kept],
        "part": part[kept],
        "field": of_field[run["field"]][kept] if len(kept) else part,
        "count": run["count"][kept],
        "first": run["first"][kept].astype(np.int64),
        "last": run["last"][kept],
        "row_count": run["rows"][kept].astype(np.int64),
        "row": run["row"][np.repeat(kept, run["rows"])],
    }
