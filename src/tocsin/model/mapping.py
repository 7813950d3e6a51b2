"""How records of a log that no reader knows become events: what somebody wrote down in a mapping file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A log source of Sigma whose events are of a kind; parts that are not named are empty."""

    kind: str
    category: str = ""
    product: str = ""
    service: str = ""

    def holds(self, category: str, product: str, service: str) -> bool:
        """Whether a rule that names these parts is about it: it may name fewer, but none other."""
        mine = (self.category, self.product, self.service)
        return all(not asked or asked == part for asked, part in zip((category, product, service), mine, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOf:
    """Where a record tells its time, and how.

    Args:
        fields: the first that a record has; with `joined`, all of them with spaces between.
        forms: `iso`, `epoch`, or a form of `strptime`; they are tried in order.
        zone: of times that name none; None where the zone of the run is meant.
    """

    fields: tuple[str, ...]
    joined: bool = False
    forms: tuple[str, ...] = ("iso",)
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMapping:
    """What a log is recognised by, and what its fields are called.

    Args:
        kind: of its events; its own name, or one that readers have.
        keys: all of them are in the first records of JSON, or in the header of CSV.
        regex: what the beginning of the file holds; '' for anything.
        fields: a JSON path, its keys joined by dots, or a column -> the names of Sigma.
        host: which field tells the machine that wrote the record.
        inside: keys of outer objects under which JSON records stand in an array.
        delimiter: of CSV; '' where the header tells it.
        columns: of CSV without a header.
    """

    name: str
    path: str
    format: Literal["json", "csv"]
    kind: str
    keys: tuple[str, ...] = ()
    regex: str = ""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    time: TimeOf | None = None
    host: str = ""
    inside: frozenset[str] = frozenset()
    delimiter: str = ""
    columns: tuple[str, ...] = ()
    serves: tuple[Served, ...] = ()
