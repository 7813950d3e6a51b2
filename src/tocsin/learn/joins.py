"""Groups of ATT&CK and entries of a list of threat actors in, which entry tells of which group out.

An entry is joined by its own name first, then by its other names, and only to one group: an entry that could be
several is left alone, for its country may be that of another. That an entry calls itself similar to a group joins
nothing: the list calls an Iranian group similar to two others, and a Chinese one to Turla.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tocsin.learn.names import plain
from tocsin.model.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """An entry and its group, or none. It is `close` where it goes by what the group itself is called.

    `lumped` are other groups whose name or number it has as well, so that its names may be theirs; `crossing`
    those of which it has no more than an alias.
    """

    actor: Actor
    group: str = ""
    is_close: bool = False
    lumped: tuple[str, ...] = ()
    crossing: tuple[str, ...] = ()


def join(names: Mapping[str, Iterable[str]], actors: Iterable[Actor]) -> list[Joined]:
    """Each actor with its group; `names` has those of each group, first what it is called."""
    called: dict[str, set[str]] = {}
    known: dict[str, set[str]] = {}
    for group, words in names.items():
        for place, word in enumerate((group, *words)):
            known.setdefault(plain(word), set()).add(group)
            if place < 2:
                called.setdefault(plain(word), set()).add(group)
    return [_joined(actor, called, known) for actor in actors]


def _joined(actor: Actor, called: Mapping[str, set[str]], known: Mapping[str, set[str]]) -> Joined:
    own = plain(actor.name)
    others = {plain(word) for word, _ in actor.names} - {own}
    ways = (called.get(own, set()), known.get(own, set()), _having(known, others))
    strength = next((place for place, way in enumerate(ways) if len(way) == 1), None)
    group = next(iter(ways[strength])) if strength is not None else ""
    # A name that its own group has too says nothing about another.
    telling = [word for word in (own, *others) if group not in known.get(word, ())]
    lumped = _having(called, telling) - {group}
    crossing = _having(known, telling) - {group} - lumped
    return Joined(
        actor=actor,
        group=group,
        is_close=strength == 0,
        lumped=tuple(sorted(lumped)),
        crossing=tuple(sorted(crossing)),
    )


def _having(names: Mapping[str, set[str]], words: Iterable[str]) -> set[str]:
    return {group for word in words for group in names.get(word, ())}
