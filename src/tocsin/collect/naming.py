"""Keys of nested JSON records in, field names out: joined by dots, as Sigma writes those of cloud logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tocsin.collect.claims import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Dotted:
    """A field is called by its keys, `a.b.c`, unless it has another name. Lists of objects are spread.

    Args:
        times: paths that tell the event's time, the best first.
        names: other names, by dotted path; they stand before a key of the record that is so called.
        also: names that values have besides -> dotted paths, the first that a record has. They stand behind a key
            of the record that is so called; an object comes as its JSON text.
    """

    times: Sequence[str]
    names: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, Sequence[str]] = field(default_factory=dict)
    besides: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        paths = {path for paths in self.also.values() for path in paths}
        besides = {path: tuple(name for name, paths in self.also.items() if path in paths) for path in paths}
        object.__setattr__(self, "besides", besides)

    @property
    def spreads(self) -> bool:
        return True

    def name(self, path: Path) -> tuple[str, int]:
        dotted = ".".join(path)
        known = self.names.get(dotted)
        return (dotted, 1) if known is None else (known, 0)

    def time_rank(self, path: Path) -> int | None:
        dotted = ".".join(path)
        return self.times.index(dotted) if dotted in self.times else None

    def names_below(self, path: Path) -> frozenset[str] | None:
        dotted = ".".join(path) + "."
        below = {name for key, name in self.names.items() if key.startswith(dotted)}
        below |= {name for name, keys in self.also.items() if any(key.startswith(dotted) for key in keys)}
        if any(time.startswith(dotted) for time in self.times):
            below.add("_ts")
        return frozenset(below)
