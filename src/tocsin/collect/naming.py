"""Keys of nested JSON records in, field names out: joined by dots, as Sigma writes those of cloud logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dotted:
    """A field is called by its keys, `a.b.c`, unless it has another name.

    Args:
        times: paths that tell the event's time, the best first.
        names: other names, by dotted path; they stand before a key of the record that is so called.
    """

    times: Sequence[str]
    names: Mapping[str, str] = field(default_factory=dict)

    def name(self, path: Path) -> tuple[str, int]:
        dotted = ".".join(path)
        known = self.names.get(dotted)
        return (dotted, 1) if known is None else (known, 0)

    def time_rank(self, path: Path) -> int | None:
        dotted = ".".join(path)
        return self.times.index(dotted) if dotted in self.times else None

    def names_below(self, path: Path) -> frozenset[str] | None:
        dotted = ".".join(path) + "."
        below = frozenset(name for key, name in self.names.items() if key.startswith(dotted))
        return below | ({"_ts"} if any(time.startswith(dotted) for time in self.times) else frozenset())
