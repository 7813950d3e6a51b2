"""A team's observations in, clusters of activity out, with names of their own and a history: joined, merged, split.

The first question about an incident is whether one has seen these people before. Observations are compared pair by pair
(`likeness.py`), and those that are alike are together. The order in which they came makes no difference to which are
together, only to what the clusters are called and to their history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from tocsin.attribute.likeness import alike
from tocsin.attribute.profiles import Profiles
from tocsin.model.attribution import OWN_CLUSTER
from tocsin.model.cluster import Change, Cluster, Clusters, Likeness
from tocsin.model.observation import Observation

# Neither countries nor peoples nor weather of one place: a name must not suggest who it was.
_FIRST: Final = (
    "amber ashen brass chalk cobalt copper coral ebony flint garnet ivory jade linen marble ochre onyx pearl pewter "
    "quartz russet saffron sepia silver slate teal topaz umber velvet walnut wicker willow zinc"
).split()
_SECOND: Final = (
    "abacus anchor anvil basket bellows bobbin bucket candle chisel compass ladder lantern lathe loom mallet mirror "
    "needle oar pulley quill rudder saddle sail spindle spool stencil tiller trellis trowel valve wheel winch"
).split()


def gather(new: Iterable[Observation], known: Clusters, profiles: Profiles | None = None) -> Clusters:
    """Put observations to those that are known already; one with an id that is known takes its place.

    Args:
        profiles: of public groups, by which one tells what is rare elsewhere too.
    """
    kept = {one.id: one for one in known.observations} | {one.id: one for one in new}
    observations = tuple(kept[name] for name in sorted(kept))
    likenesses = alike(observations, profiles.holders if profiles else {}, len(profiles.groups) if profiles else 0)
    parts = _parts(sorted(kept), likenesses)
    at = known.gathered + 1
    return Clusters(gathered=at, observations=observations, clusters=_follow(known.clusters, parts, likenesses, at))


def _parts(names: Sequence[str], likenesses: Iterable[Likeness]) -> list[tuple[str, ...]]:
    root = {name: name for name in names}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for likeness in likenesses:
        one, other = sorted((find(likeness.one), find(likeness.other)))
        root[other] = one
    parts: dict[str, list[str]] = {}
    for name in names:
        parts.setdefault(find(name), []).append(name)
    return [tuple(part) for part in parts.values()]


def _follow(
    before: Sequence[Cluster], parts: Sequence[tuple[str, ...]], likenesses: Sequence[Likeness], at: int
) -> tuple[Cluster, ...]:
    """Each part goes on as the oldest of the clusters that has most of its incidents there, or is a new one."""
    heirs = _heirs(before, parts)
    followed: dict[str, Cluster] = {one.id: one for one in before}
    taken = {one.name for one in before}
    for part in parts:
        own = heirs.get(part)
        origins = [one for one in before if not one.merged_into and set(one.incidents) & set(part)]
        why = _why(part, likenesses)
        if own is None:
            new = _opened(part, origins, why, at, taken)
            followed[new.id] = new
            taken.add(new.name)
        else:
            followed[own.id] = _changed(own, part, origins, likenesses, at)
    for one in before:
        if not one.merged_into and one.id not in {heir.id for heir in heirs.values()}:
            followed[one.id] = _ended(one, followed.values(), at)
    return tuple(followed.values())


def _heirs(before: Sequence[Cluster], parts: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], Cluster]:
    heirs: dict[tuple[str, ...], Cluster] = {}
    for one in before:  # the oldest first
        if one.merged_into:
            continue
        shared = sorted(
            (part for part in parts if set(part) & set(one.incidents)),
            key=lambda part: (-len(set(part) & set(one.incidents)), part),
        )
        if shared:
            heirs.setdefault(shared[0], one)
    return heirs


def _opened(
    part: tuple[str, ...], origins: Sequence[Cluster], why: tuple[str, ...], at: int, taken: set[str]
) -> Cluster:
    digest = hashlib.sha256("\n".join((str(at), *part)).encode(errors="surrogatepass")).digest()
    name = f"{_FIRST[digest[0] % len(_FIRST)]} {_SECOND[digest[1] % len(_SECOND)]}".upper()
    unique, number = name, 2
    while unique in taken:
        unique, number = f"{name} {number}", number + 1
    if origins:
        why = (f"split from {origins[0].name}: no longer alike", *why)
    change = Change(at=at, kind="split" if origins else "opened", incidents=part, because=why)
    return Cluster(id=f"{OWN_CLUSTER}{digest[:6].hex()}", name=unique, incidents=part, history=(change,))


def _changed(
    own: Cluster, part: tuple[str, ...], origins: Sequence[Cluster], likenesses: Sequence[Likeness], at: int
) -> Cluster:
    was, now = set(own.incidents), set(part)
    history = list(own.history)
    others = [one for one in origins if one.id != own.id]
    taken = {name for one in others for name in one.incidents} & now
    if others and taken:
        names, why = ", ".join(one.name for one in others), _why(part, likenesses)
        history.append(
            Change(at=at, kind="merged", incidents=tuple(sorted(taken)), because=(f"with incidents of {names}", *why))
        )
    if joined := tuple(sorted(now - was - taken)):
        history.append(Change(at=at, kind="joined", incidents=joined, because=_why(part, likenesses, joined)))
    if left := tuple(sorted(was - now)):
        history.append(Change(at=at, kind="left", incidents=left, because=("no longer alike",)))
    return replace(own, incidents=part, history=tuple(history))


def _ended(one: Cluster, all_now: Iterable[Cluster], at: int) -> Cluster:
    into = max(
        (other for other in all_now if other.id != one.id and not other.merged_into),
        key=lambda other: len(set(other.incidents) & set(one.incidents)),
    )
    change = Change(at=at, kind="merged", incidents=one.incidents, because=(f"into {into.name}",))
    return replace(one, incidents=(), history=(*one.history, change), merged_into=into.id)


def _why(part: Collection[str], likenesses: Sequence[Likeness], new: Collection[str] = ()) -> tuple[str, ...]:
    """The strongest likeness within a part, in words; of those that are new, if some are."""
    within = [one for one in likenesses if one.one in part and one.other in part]
    within = [one for one in within if not new or one.one in new or one.other in new]
    if not within:
        return ()
    best = max(within, key=lambda one: (one.millidecibans, one.one, one.other))
    return tuple(f"{best.one} and {best.other}: {text}" for text in best.because[:4])
