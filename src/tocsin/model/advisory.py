"""What nations tell the world of one or more cases: sentences, with what each rests on and how it is marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

# Parts, in the order in which they stand.
Part: TypeAlias = Literal["background", "summary", "tradecraft", "tooling", "studies", "disclaimer"]

Sort: TypeAlias = Literal["ipv4-addr", "ipv6-addr", "domain-name", "sha256", "sha1", "md5"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """`evidence` are ids or addresses of what it rests on; `terms` bind intelligence in it (`model/pap.py`).

    `percent` is the likelihood that its words tell, None where they tell none.
    """

    text: str
    evidence: tuple[str, ...]
    marking: str
    terms: tuple[str, ...] = ()
    percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """`nation` is the id by which it seals, `contact` where readers turn to."""

    nation: str
    name: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """One case, under a name that is none, with the techniques that were seen in it."""

    called: str
    sentences: tuple[Sentence, ...]
    techniques: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A technique: `use` is what was seen of it, `detection` the rules that did."""

    tactic: str
    technique: str
    name: str
    use: Sentence
    detection: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A mitigation of ATT&CK, in the order in which to take them."""

    id: str
    name: str
    techniques: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An indicator, `defanged` for people. Days are UTC, '' where no record has a time."""

    sort: Sort
    value: str
    defanged: str
    first: str
    last: str
    cases: int
    marking: str
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """All of it. `authors` are in the order in which they are named; `marking` is that of the release."""

    number: str
    revision: int
    title: str
    date: str
    marking: str
    authors: tuple[Author, ...]
    parts: tuple[tuple[Part, tuple[Sentence, ...]], ...]
    studies: tuple[Study, ...]
    rows: tuple[Row, ...]
    measures: tuple[Measure, ...]
    indicators: tuple[Shown, ...]
    release: str  # of ATT&CK
    notes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()  # since the revision before
