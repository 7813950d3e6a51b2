"""Lists of what is known to be good in, which of them an observable stands on out: exactly, by suffix, by radix.

The lists are those of MISP's warning lists, as JSON: a folder, a zip, or the installed package `pymispwarninglists`.
"""

from __future__ import annotations

import importlib.util
import re
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson
from ahocorasick_rs import AhoCorasick

from tocsin.model.indicator import HASHES, Observable, ObservableType
from tocsin.observe.addresses import address, span
from tocsin.observe.domains import domain, parents
from tocsin.observe.urls import host_of

MOST_LIST_BYTES: Final = 256 << 20
MOST_LISTS: Final = 1000
MOST_EXPRESSION: Final = 1000

Prints: TypeAlias = npt.NDArray[np.int64]
How: TypeAlias = Literal["itself", "within"]

# What MISP calls the attributes that a list is about, and what they are here.
_ATTRIBUTES: Final[Mapping[str, ObservableType]] = {
    "ip-src": "address",
    "ip-dst": "address",
    "domain": "domain",
    "hostname": "domain",
    "url": "url",
    "uri": "url",
    "email": "mail",
    "email-src": "mail",
    "email-dst": "mail",
    "target-email": "mail",
    "whois-registrant-email": "mail",
    "filename": "file",
    **{name: name for name in (*HASHES, "imphash", "ssdeep")},
}


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """A list that an observable stands on: itself, or as a part of what stands there (a subdomain, a host's URL)."""

    list: str
    how: How


class Exact:
    """Texts, kept as 64-bit fingerprints: a million take 8 MB, and one of 10^12 questions is answered wrongly."""

    __slots__ = ("prints",)

    def __init__(self, prints: Prints) -> None:
        self.prints = np.sort(prints)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Exact:
        return cls(np.fromiter(map(hash, texts), np.int64, len(texts)))

    def hold_any(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """For each text whether it is here."""
        wanted = np.fromiter(map(hash, texts), np.int64, len(texts))
        at = np.minimum(self.prints.searchsorted(wanted), max(len(self.prints) - 1, 0))
        return self.prints[at] == wanted if len(self.prints) else np.zeros(len(texts), bool)

    def __contains__(self, text: str) -> bool:
        wanted = hash(text)
        at = int(self.prints.searchsorted(wanted))
        return at < len(self.prints) and int(self.prints[at]) == wanted


class Ranges:
    """Networks of one version as intervals that do not touch: a look-up is one search, however long the list is."""

    __slots__ = ("_firsts", "_lasts")

    def spans(self) -> list[tuple[int, int]]:
        return list(zip(self._firsts, self._lasts, strict=True))

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        firsts: list[int] = []
        lasts: list[int] = []
        for first, last in sorted(spans):
            if lasts and first <= lasts[-1] + 1:
                lasts[-1] = max(lasts[-1], last)
            else:
                firsts.append(first)
                lasts.append(last)
        self._firsts = firsts
        self._lasts = lasts

    def hold(self, first: int, last: int) -> bool:
        at = bisect_right(self._firsts, first) - 1
        return at >= 0 and last <= self._lasts[at]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodList:
    """One list, ready to be asked.

    Args:
        types: of observables that it is about.
        below: names whose subdomains stand on it too.
    """

    name: str
    types: frozenset[ObservableType]
    exact: Exact | None = None
    below: Exact | None = None
    ranges: tuple[Ranges, Ranges] | None = None
    parts: AhoCorasick | None = None
    expressions: tuple[re.Pattern[str], ...] = ()

    def holds(self, one: Observable) -> How | None:
        """How an observable stands on the list, None where it does not. A URL stands there by its host."""
        how: How = "itself"
        if one.type == "url" and "url" in self.types:
            if self._holds("url", one.value) == "itself":
                return "itself"
            host = host_of(one.value)
            if host is None:
                return None
            kind: ObservableType = "address" if address(host) else "domain"
            found = self._holds(kind, host) if self.parts is None else None
            return "within" if found else None
        if one.type == "network":
            return how if "address" in self.types and self._network(one.value) else None
        return self._holds(one.type, one.value) if one.type in self.types else None

    def _holds(self, kind: ObservableType, value: str) -> How | None:
        if self.exact is not None and value in self.exact:
            return "itself"
        if kind == "address" and self.ranges is not None and self._network(value):
            return "itself"
        if self.parts is not None and self.parts.find_matches_as_indexes(value):
            return "itself"
        if any(one.search(value) for one in self.expressions):
            return "itself"
        if self.below is not None and kind == "domain" and any(parent in self.below for parent in parents(value)):
            return "within"
        return None

    def _network(self, text: str) -> bool:
        found = span(text)
        if found is None or self.ranges is None:
            return False
        version, first, last = found
        return self.ranges[version == 6].hold(first, last)


class KnownGood:
    """All lists. `problems` are (list, what is wrong with it)."""

    def __init__(self, lists: Sequence[GoodList], problems: Sequence[tuple[str, str]] = ()) -> None:
        self.lists = tuple(lists)
        self.problems = tuple(problems)
        self._by_type: dict[ObservableType, list[GoodList]] = {}
        # All lists as one tell of most observables that they stand on none.
        none = np.zeros(0, np.int64)
        self._any_text = Exact(np.concatenate((none, *(one.exact.prints for one in lists if one.exact is not None))))
        self._any_below = Exact(np.concatenate((none, *(one.below.prints for one in lists if one.below is not None))))
        spans = [[one.ranges[at].spans() for one in lists if one.ranges] for at in range(2)]
        self._any_range = tuple(Ranges(each for some in spans[at] for each in some) for at in range(2))

    def find(self, one: Observable) -> tuple[Listed, ...]:
        """The lists that an observable stands on, in the order of their names."""
        kind: ObservableType = "address" if one.type == "network" else one.type
        lists = self._by_type.get(kind)
        if lists is None:
            lists = self._by_type[kind] = [each for each in self.lists if kind in each.types]
        if not self._may_stand(one):
            lists = [each for each in lists if each.parts is not None or each.expressions]
        found = ((each.name, each.holds(one)) for each in lists)
        return tuple(sorted(Listed(name, how) for name, how in found if how))

    def candidates(self, observables: Iterable[Observable]) -> frozenset[Observable]:
        """Those of many that may stand on some list; asking for them alone saves most of the time."""
        asked = list(dict.fromkeys(observables))
        hosts = [(host_of(one.value) or one.value) if one.type == "url" else one.value for one in asked]
        found = self._any_text.hold_any([one.value for one in asked]) | self._any_text.hold_any(hosts)
        above = [
            (at, parent)
            for at, (one, host) in enumerate(zip(asked, hosts, strict=True))
            if one.type in ("domain", "url")
            for parent in parents(host)
        ]
        below = self._any_below.hold_any([parent for _, parent in above])
        found[[at for (at, _), held in zip(above, below.tolist(), strict=True) if held]] = True
        others = [each for each in self.lists if each.parts is not None or each.expressions]
        for at, (one, host) in enumerate(zip(asked, hosts, strict=True)):
            if not found[at]:
                of_number = one.type in ("address", "network") or (
                    one.type == "url" and host[-1:] in "0123456789abcdef"
                )
                found[at] = (of_number and self._in_range(host)) or any(each.holds(one) for each in others)
        return frozenset(one for one, held in zip(asked, found.tolist(), strict=True) if held)

    def _in_range(self, text: str) -> bool:
        found = span(text)
        return found is not None and self._any_range[found[0] == 6].hold(*found[1:])

    def _may_stand(self, one: Observable) -> bool:
        """False only where no text and no range of any list can be meant."""
        value = (host_of(one.value) or "") if one.type == "url" else one.value
        if one.value in self._any_text or value in self._any_text:
            return True
        if one.type in ("address", "network", "url") and self._in_range(value):
            return True
        return one.type in ("domain", "url") and any(parent in self._any_below for parent in parents(value))


# --------------------------------------------------------------------------------- reading


def installed() -> Path | None:
    """Where the package `pymispwarninglists` keeps its lists, None where it is not installed. Nothing of it is run."""
    found = importlib.util.find_spec("pymispwarninglists")
    for place in (found.submodule_search_locations or ()) if found else ():
        folder = Path(place) / "data" / "misp-warninglists" / "lists"
        if folder.is_dir():
            return folder
    return None


def load(place: Path) -> KnownGood:
    """The lists of a folder, a zip or one file.

    Raises:
        OSError: it cannot be read.
        zipfile.BadZipFile: it is a damaged archive.
    """
    lists: list[GoodList] = []
    problems: list[tuple[str, str]] = []
    for name, content in _files(place):
        if isinstance(content, str):
            problems.append((name, content))
            continue
        try:
            lists.append(compiled(orjson.loads(content), name))
        except (orjson.JSONDecodeError, ValueError) as fault:
            problems.append((name, f"no warning list: {fault}"))
    return KnownGood(sorted(lists, key=lambda one: one.name), problems)


def _files(place: Path) -> Iterator[tuple[str, bytes | str]]:
    """Name and content of each list, or what is wrong with it."""
    if place.is_dir():
        for path in sorted(place.rglob("*.json"))[:MOST_LISTS]:
            if _is_list(path.as_posix()):
                small = path.stat().st_size <= MOST_LIST_BYTES
                yield path.parent.name, path.read_bytes() if small else "larger than any list"
    elif zipfile.is_zipfile(place):
        with zipfile.ZipFile(place) as archive:
            for member in [one for one in archive.infolist() if _is_list(one.filename)][:MOST_LISTS]:
                small = member.file_size <= MOST_LIST_BYTES
                name = Path(member.filename).parent.name
                yield name, archive.read(member)[:MOST_LIST_BYTES] if small else "larger than any list"
    elif place.stat().st_size <= MOST_LIST_BYTES:
        yield place.stem, place.read_bytes()
    else:
        yield place.stem, "larger than any list"


def _is_list(name: str) -> bool:
    return name.endswith("list.json") and "__MACOSX" not in name


def compiled(content: Any, name: str) -> GoodList:
    """A warning list as MISP writes it, ready to be asked.

    Raises:
        ValueError: what is wrong with it.
    """
    if not isinstance(content, dict) or not isinstance(content.get("list"), list):
        raise ValueError("it needs a mapping with `list`")  # noqa: TRY004  a file is wrong, not a caller
    entries = [one for one in content["list"] if isinstance(one, str) and one and not one.isspace()]
    attributes = content.get("matching_attributes") or ()
    types = frozenset(_ATTRIBUTES[part] for one in attributes for part in str(one).split("|") if part in _ATTRIBUTES)
    if not attributes:
        types = frozenset(_ATTRIBUTES.values())
    match content.get("type", "string"):
        case "string":
            # Names of domains that open with a dot mean what is below them as well.
            dotted = [entry for entry in entries if entry.startswith(".")]
            return GoodList(
                name=name,
                types=types,
                exact=Exact.of(_normal(entries)),
                below=Exact.of(_normal(dotted)) if dotted else None,
            )
        case "hostname":
            prints = Exact.of(_normal(entries))
            return GoodList(name=name, types=types, exact=prints, below=prints)
        case "cidr":
            return GoodList(name=name, types=types, ranges=_ranges(entries))
        case "substring":
            folded = [entry.lower() for entry in entries]
            return GoodList(name=name, types=types, parts=AhoCorasick(folded) if folded else None)
        case "regex":
            return GoodList(name=name, types=types, expressions=tuple(map(_expression, entries)))
    raise ValueError(f"its type {str(content.get('type'))[:40]!r} is not known")


def _normal(entries: Sequence[str]) -> list[str]:
    """Lower-case, without a leading dot; names beyond ASCII as they are registered."""
    joined = "\n".join(entries).lower()
    if joined.isascii() and "\n." not in joined and " " not in joined and joined[:1] != ".":
        return joined.split("\n") if entries else []  # a million names in a tenth of the time
    return [_registered(entry.strip().lstrip(".")) for entry in entries]


def _registered(entry: str) -> str:
    folded = entry.lower()
    return folded if folded.isascii() else domain(folded) or folded


def _ranges(entries: Sequence[str]) -> tuple[Ranges, Ranges]:
    spans: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
    for entry in entries:
        found = span(entry)
        if found is not None:
            version, first, last = found
            spans[version].append((first, last))
    return Ranges(spans[4]), Ranges(spans[6])


def _expression(text: str) -> re.Pattern[str]:
    """An expression between slashes with flags behind, as PHP wants it."""
    found = re.fullmatch(r"/(.*)/([a-z]*)", text, re.DOTALL)
    body, flags = (found[1], found[2]) if found else (text, "")
    if len(body) > MOST_EXPRESSION:
        raise ValueError(f"an expression longer than {MOST_EXPRESSION} characters")
    try:
        return re.compile(body, re.IGNORECASE if "i" in flags else 0)
    except re.error as fault:
        raise ValueError(f"the expression {body[:60]!r}: {fault}") from None
