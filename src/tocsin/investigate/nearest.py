"""Arrays of keys and times in, what stands nearest before, after and beside out; and what hangs together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tocsin.model.event import Longs

Ints = npt.NDArray[np.integer]


def latest(key: Ints, ts: Longs, ask_key: Ints, ask_ts: Longs) -> Longs:
    """For each question the last of those with its key that are not later, -1 for none."""
    size, asked = len(key), len(ask_key)
    if not size or not asked:
        return np.full(asked, -1, np.int64)
    keys = np.concatenate([key, ask_key]).astype(np.int64)
    times = np.concatenate([ts, ask_ts])
    asks = np.repeat(np.array([0, 1], np.int8), [size, asked])
    order = np.lexsort((asks, times, keys))
    # Carry the last of the known forward; where that has another key there is none.
    place = np.where(asks[order] == 0, np.arange(size + asked), -1)
    last = np.maximum.accumulate(place)
    there = np.where(last >= 0, order[last], -1)
    fits = (there >= 0) & (keys[there] == keys[order])
    answer = np.empty(size + asked, np.int64)
    answer[order] = np.where(fits, there, -1)
    return answer[size:]


def earliest(key: Ints, ts: Longs, ask_key: Ints, ask_ts: Longs) -> Longs:
    """For each question the first of those with its key that are not earlier, -1 for none."""
    turned = latest(key[::-1], -ts[::-1], ask_key, -ask_ts)
    return np.where(turned >= 0, len(key) - 1 - turned, -1)


def nearest(key: Ints, ts: Longs, ask_key: Ints, ask_ts: Longs, reach_us: int) -> Longs:
    """For each question the nearest of those with its key, the earlier of two, -1 if none is within reach."""
    before, after = latest(key, ts, ask_key, ask_ts), earliest(key, ts, ask_key, ask_ts)
    if not len(ts):
        return before
    far = np.int64(reach_us) + 1
    back = np.where(before >= 0, ask_ts - ts[before], far)
    ahead = np.where(after >= 0, ts[after] - ask_ts, far)
    best = np.where(back <= ahead, before, after)
    return np.where(np.minimum(back, ahead) <= reach_us, best, -1)


def chained(key: Ints, ts: Longs, reach_us: int) -> tuple[Longs, Longs]:
    """Neighbours in time of one key, at most so far apart."""
    order = np.lexsort((np.arange(len(key)), ts, key))
    one, other = order[:-1], order[1:]
    near = (key[one] == key[other]) & (ts[other] - ts[one] <= reach_us)
    return one[near], other[near]


def components(size: int, one: Ints, other: Ints) -> Longs:
    """For each node the least node that it hangs together with.

    Labels fall to the least of their neighbours' and are followed to their ends in turn; the rounds grow with the
    logarithm of the longest path, so a chain of a million costs some twenty.
    """
    label = np.arange(size)
    one, other = one.astype(np.int64), other.astype(np.int64)
    while len(one):
        low = np.minimum(label[one], label[other])
        high = np.maximum(label[one], label[other])
        np.minimum.at(label, high, low)
        while True:
            ends = label[label]
            if np.array_equal(ends, label):
                break
            label = ends
        apart = label[one] != label[other]
        one, other = one[apart], other[apart]
    return label


def forest(size: int, one: Ints, other: Ints) -> Longs:
    """Of edges in falling order of worth those that a forest of the worthiest keeps, in that order.

    Borůvka's rounds: each tree takes its best edge to another at once, so the trees at least halve in number each
    time. Where every edge has a place of its own in the order, there is one such forest only, and it is Kruskal's.
    """
    label = np.arange(size)
    left = np.arange(len(one))
    kept: list[Longs] = []
    while True:
        here, there = label[one[left]], label[other[left]]
        apart = here != there
        left, here, there = left[apart], here[apart], there[apart]
        if not len(left):
            return np.sort(np.concatenate(kept)) if kept else left
        best = np.full(size, len(one), np.int64)
        for end in (here, there):
            np.minimum.at(best, end, left)
        kept.append(np.unique(best[best < len(one)]))
        label = components(size, label[one[kept[-1]]], label[other[kept[-1]]])[label]


def grouped(columns: Sequence[Ints]) -> Longs:
    """For each row a number that equal rows share, in the order of the rows' values."""
    size = len(columns[0])
    packed = _packed(columns)
    order = np.lexsort(tuple(columns)[::-1]) if packed is None else np.argsort(packed)
    fresh = np.zeros(size, bool)
    for column in columns if packed is None else [packed]:
        in_order = column[order]
        fresh[1:] |= in_order[1:] != in_order[:-1]
    answer = np.empty(size, np.int64)
    answer[order] = np.cumsum(fresh)
    return answer


def _packed(columns: Sequence[Ints]) -> Longs | None:
    """The columns as one that sorts like them, which is twice as fast; None where they do not fit into 62 bits."""
    key = np.zeros(len(columns[0]), np.int64)
    room = 1
    for column in columns:
        low, high = int(column.min(initial=0)), int(column.max(initial=0))
        room *= high + 1
        if low < 0 or room >= 1 << 62:
            return None
        key = key * (high + 1) + column
    return key
