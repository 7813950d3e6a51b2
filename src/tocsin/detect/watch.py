"""Indicators and Events in, the rows that hold their observables out: once for each distinct value of a field.

An address is looked for in any of its spellings, and in networks. A domain stands for its subdomains, for the hosts of
URLs and of mail addresses. A URL is itself alone. A file's name is that of any path; an account's name that of any
domain, unless the indicator names the domain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from tocsin.detect.observed_fields import FIELDS, OBSERVED, RAW, RAW_KINDS, SPOKEN_KINDS, Holds
from tocsin.detect.words import Words
from tocsin.model.event import NO_TIME, Column, Events, Longs
from tocsin.model.indicator import Observable, ObservableType
from tocsin.model.rule import INDICATOR, RuleSet
from tocsin.observe.addresses import address, network, without_port
from tocsin.observe.domains import domain, parents
from tocsin.observe.names import base_name, digest, mail
from tocsin.observe.urls import host_of, url

_KNOWN_VALUES: Final = 100_000  # whose answer is remembered from table to table
_LONGEST_KNOWN: Final = 512
MOST_COLONED: Final = 200  # characters of a digest with colons
MOST_PLACE: Final = 4096  # characters of a place, or of several

_FIRST_VALUE: Final = 2
_FOREVER: Final = int(np.iinfo(np.int64).max)
DIGESTS: Final = re.compile(r"(?:(\w+)=)?\b([0-9A-Fa-f]{128}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{32})\b")
BY_LENGTH: Final[Mapping[int, ObservableType]] = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
SPLIT: Final = re.compile(r"[,;|\s]+")
_ROOTS: Final = (
    ("hkey_local_machine", "hklm"),
    ("hkey_users", "hku"),
    ("hkey_current_user", "hkcu"),
    ("hkey_classes_root", "hkcr"),
    ("\\registry\\machine", "hklm"),
    ("\\registry\\user", "hku"),
)
_BETWEEN: Final = b"\xff"  # no text has this byte
_NOTHING: Final[tuple[int, ...]] = ()

Found: TypeAlias = tuple[int, ...]


@dataclass(slots=True)
class Seen:
    """What one table holds, sorted by row and rule.

    Args:
        fields: for each pair, places in `names`.
        outside: by rule, events that hold what it looks for at a time when it did not hold.
        looked_at: fields that had values, of `FIELDS`, and `RAW` where records were searched.
    """

    rows: Longs
    rules: Longs
    fields: list[tuple[int, ...]]
    names: tuple[str, ...]
    outside: dict[int, int] = field(default_factory=dict)
    looked_at: frozenset[str] = frozenset()


class Index:
    """Observables by type and value, with the numbers of the rules that look for them."""

    def __init__(self, wanted: Iterable[tuple[Observable, int]]) -> None:
        self.by_type: dict[ObservableType, dict[str, Found]] = {}
        self._networks: dict[tuple[int, int], dict[int, Found]] = {}
        for one, rule in wanted:
            value = key_of(one.value) if one.type == "key" else one.value
            table = self.by_type.setdefault(one.type, {})
            table[value] = (*table.get(value, _NOTHING), rule)
            if one.type == "network" and (net := network(one.value)):
                prefixes = self._networks.setdefault((net.version, net.max_prefixlen - net.prefixlen), {})
                first = int(net.network_address) >> (net.max_prefixlen - net.prefixlen)
                prefixes[first] = (*prefixes.get(first, _NOTHING), rule)
        self._ways: dict[Holds, Callable[[str], Found]] = {
            "place": self._place,
            "url": self._url,
            "hash": self._hash,
            "mail": self._mail,
            "file": self._file,
            "account": self._account,
            "key": self._key,
            "agent": lambda text: self._get("agent", text),
        }

    def way(self, holds: Holds) -> Callable[[str], Found]:
        """What looks at a text in a field that may hold such things."""
        return self._ways[holds]

    def _get(self, kind: ObservableType, value: str) -> Found:
        return self.by_type[kind].get(value, _NOTHING) if kind in self.by_type else _NOTHING

    def _place(self, text: str) -> Found:
        if len(text) > MOST_PLACE:
            return _NOTHING
        found = self._one_place(text)
        if not found and ("," in text or ";" in text or " " in text):  # several hops, several answers
            parts = [part for part in SPLIT.split(text.strip()) if part][:100]
            return sum((self._one_place(part) for part in parts if part != text), _NOTHING)
        return found

    def _one_place(self, text: str) -> Found:
        known = address(without_port(text)) if may_be_address(text) else None
        if known:
            return self._address(known)
        if "://" in text:
            return self._url(text)
        name = domain(text.partition(":")[0]) if "." in text else None
        return self._domain(name) if name else _NOTHING

    def _address(self, known: str) -> Found:
        found = self._get("address", known)
        if self._networks:
            version, size = (6, 128) if ":" in known else (4, 32)
            number = _number(known)
            for (of, bits), prefixes in self._networks.items():
                if of == version and bits <= size and (more := prefixes.get(number >> bits)):
                    found = (*found, *more)
        return found

    def _domain(self, name: str) -> Found:
        table = self.by_type.get("domain")
        if not table:
            return _NOTHING
        return sum((table.get(parent, _NOTHING) for parent in parents(name)), _NOTHING)

    def _url(self, text: str) -> Found:
        whole = url(text)
        if whole is None:
            return self._one_place(text.partition("/")[0]) if "://" not in text else _NOTHING
        host = host_of(text) or ""
        found = self._get("url", whole)
        return found + (self._address(host) if address(host) else self._domain(host))

    def _hash(self, text: str) -> Found:
        found = _NOTHING
        for name, digits in DIGESTS.findall(plain_digest(text)):
            digits = digits.lower()
            kind: ObservableType = "imphash" if name.lower() == "imphash" else BY_LENGTH[len(digits)]
            found += self._get(kind, digits)
            if not name and kind == "md5":
                found += self._get("imphash", digits)
        if "ja4" in self.by_type:
            found += self._get("ja4", text.strip().lower())
        return found + (self._get("ssdeep", text.strip()) if "ssdeep" in self.by_type else _NOTHING)

    def _mail(self, text: str) -> Found:
        found = self._one_mail(text)
        if not found and len(text) < 4096 and SPLIT.search(text):
            return sum((self._one_mail(part) for part in SPLIT.split(text)[:200]), _NOTHING)
        return found

    def _one_mail(self, text: str) -> Found:
        known = mail(text) if "@" in text else None
        if known is None:
            return self._account(text) if "account" in self.by_type else _NOTHING
        return self._get("mail", known) + self._get("account", known) + self._domain(known.rpartition("@")[2])

    def _file(self, text: str) -> Found:
        folded = text.strip().strip('"').lower()
        return self._get("path", folded) + self._get("file", base_name(folded))

    def _account(self, text: str) -> Found:
        folded = text.strip().lower()
        found = self._get("account", folded) + self._get("sid", folded) + self._get("mail", folded)
        if "\\" in folded:
            found += self._get("account", folded.rpartition("\\")[2])
        return found

    def _key(self, text: str) -> Found:
        table = self.by_type.get("key")
        if not table:
            return _NOTHING
        key, found = key_of(text[:4096].lower()), _NOTHING
        while key:
            found += table.get(key, _NOTHING)
            key = key.rpartition("\\")[0]
        return found


def key_of(text: str) -> str:
    """A registry key with the short name of its root."""
    for long, short in _ROOTS:
        if text.startswith(long):
            return short + text[len(long) :]
    return text.rstrip("\\")


def plain_digest(text: str) -> str:
    """What may hold digests; that of a certificate loses the colons between its bytes."""
    whole = digest(text) if ":" in text and len(text) <= MOST_COLONED else None
    return whole[1] if whole else text[:8192]


def may_be_address(text: str) -> bool:
    """False for what is clearly none: asking in full costs ten times as much."""
    return (text[-1:] in "0123456789abcdefABCDEF:]" and ("." in text or ":" in text)) or "%" in text


def _number(known: str) -> int:
    if ":" in known:
        net = network(f"{known}/128")
        return int(net.network_address) if net else 0
    a, b, c, d = known.split(".")
    return int(a) << 24 | int(b) << 16 | int(c) << 8 | int(d)


class Watch:
    """The plain indicators among rules, ready to be looked for in any number of Events."""

    def __init__(self, rules: RuleSet, *, ever: bool = False) -> None:
        """`ever`: whenever an event was, not only while an indicator held."""
        plain = [(number, rule.indicator) for number, rule in enumerate(rules.rules) if rule.logsource == INDICATOR]
        wanted = [(one, number) for number, indicator in plain if indicator for one in indicator.observables]
        self.rules = tuple(number for number, _ in plain)
        self.types = frozenset(one.type for one, _ in wanted)
        self._index = Index(wanted)
        sorts = tuple(holds for holds, types in OBSERVED.items() if not self.types.isdisjoint(types))
        self._fields = {
            name: tuple(one for one in holds if one in sorts)
            for name, holds in FIELDS.items()
            if not set(holds).isdisjoint(sorts)
        }
        self.projection = frozenset(self._fields)
        of_value: dict[Observable, Found] = {}
        for one, number in wanted:
            of_value[one] = (*of_value.get(one, _NOTHING), number)
        self._words = Words(of_value)
        self._rules_of_word = [of_value[one] for one in self._words.observables]
        self._since = np.full(len(rules.rules), NO_TIME)
        self._until = np.full(len(rules.rules), _FOREVER)
        for number, indicator in plain:
            if indicator and not ever:
                self._since[number] = NO_TIME if indicator.since_us is None else indicator.since_us
                self._until[number] = _FOREVER if indicator.until_us is None else indicator.until_us
        self._known: dict[tuple[Holds, ...], dict[str, Found]] = {}

    def __bool__(self) -> bool:
        return bool(self.rules)

    def scan(self, events: Events, among: Longs | None = None) -> Seen:
        """Look in one table; with `among`, only in these rows (in order)."""
        names: list[str] = []
        parts: list[tuple[Longs, Longs, int]] = []  # rows, rules, place in names
        looked_at: set[str] = set()
        for name in sorted(self._fields.keys() & events.columns.keys()):
            column = events.columns[name]
            if len(column.values) > _FIRST_VALUE:
                looked_at.add(name)
                found = self._in_column(column, self._fields[name])
                if found:
                    rows, rules = _rows(column, found)
                    parts.append((rows, rules, len(names)))
                    names.append(name)
        if events.kind in RAW_KINDS and len(self._words):
            looked_at.add(RAW)
            parts += self._in_records(events, names)
        if events.kind in SPOKEN_KINDS and len(self._words):
            parts += self._in_words_alone(events, names)
        return self._told(events, among, parts, tuple(names), frozenset(looked_at))

    def _in_column(self, column: Column, holds: tuple[Holds, ...]) -> dict[int, Found]:
        """Code -> rules, for the distinct values of a field that hold something."""
        structured = tuple(one for one in holds if one != "text")
        found: dict[int, Found] = {}
        if structured:
            known = self._known.setdefault(structured, {})
            looks = [self._index.way(one) for one in structured]
            for code, text in _values(column):
                rules = known.get(text)
                if rules is None:
                    rules = _NOTHING
                    for look in looks:  # hardly a value holds anything: nothing is made for one that does not
                        if more := look(text):
                            rules = tuple(dict.fromkeys((*rules, *more)))
                    if len(known) < _KNOWN_VALUES and len(text) <= _LONGEST_KNOWN:
                        known[text] = rules
                if rules:
                    found[code] = (*found.get(code, _NOTHING), *rules)
        if "text" in holds and len(self._words):
            codes, texts = zip(*_values(column), strict=True)
            for at, word in self._words.find(texts):
                found[codes[at]] = (*found.get(codes[at], _NOTHING), *self._rules_of_word[word])
        return {code: tuple(dict.fromkeys(rules)) for code, rules in found.items()}

    def _in_records(self, events: Events, names: list[str]) -> Iterator[tuple[Longs, Longs, int]]:
        """Words in whole records of text; each is told with the field that holds it."""
        for first, content, starts in events.raw.blocks():
            for places, words in self._words.find_bytes(content):
                rows = first + np.searchsorted(starts, places, "right") - 1
                for row, word in sorted(set(zip(rows.tolist(), words.tolist(), strict=True))):
                    name = _holder(events, row, self._words.observables[word].value)
                    if name not in names:
                        names.append(name)
                    rules = np.array(self._rules_of_word[word], np.int64)
                    yield np.full(len(rules), row), rules, names.index(name)

    def _in_words_alone(self, events: Events, names: list[str]) -> Iterator[tuple[Longs, Longs, int]]:
        """Words in records that have none of the fields that may hold observables, and so say all in words."""
        silent = np.ones(len(events), bool)
        for name in FIELDS.keys() & events.columns.keys():
            silent &= events.columns[name].codes < _FIRST_VALUE
        name = SPOKEN_KINDS[events.kind]
        told = ((row, events.all_fields(row)) for row in self._that_may_hold(events, np.flatnonzero(silent)))
        told = ((row, said) for row, said in told if all(said.get(one) is None for one in FIELDS))
        alone = [(row, text) for row, said in told if isinstance(text := said.get(name), str)]
        for at, word in self._words.find([text for _, text in alone]):
            if name not in names:
                names.append(name)
            rules = np.array(self._rules_of_word[word], np.int64)
            yield np.full(len(rules), alone[at][0]), rules, names.index(name)

    def _that_may_hold(self, events: Events, rows: Longs) -> list[int]:
        """Rows whose raw records hold a word: as they stand, or with white space where JSON writes it escaped."""
        records = [events.raw[row] for row in rows.tolist()]
        starts = np.cumsum([0, *(len(record) + 1 for record in records)])
        written = _BETWEEN.join(records)
        spaced = written
        for escape in (b"\\t", b"\\n", b"\\r"):
            spaced = spaced.replace(escape, b"  ")
        found: set[int] = set()
        for content in (written, spaced) if records else ():
            for places, _ in self._words.find_bytes(content):
                found.update((np.searchsorted(starts, places, "right") - 1).tolist())
        return [int(rows[at]) for at in sorted(found)]

    def _told(
        self,
        events: Events,
        among: Longs | None,
        parts: list[tuple[Longs, Longs, int]],
        names: tuple[str, ...],
        looked_at: frozenset[str],
    ) -> Seen:
        none = np.zeros(0, np.int64)
        rows = np.concatenate((none, *(part[0] for part in parts)))
        rules = np.concatenate((none, *(part[1] for part in parts)))
        place = np.concatenate((none, *(np.full(len(part[0]), part[2]) for part in parts)))
        if among is not None:
            inside = np.isin(rows, among)
            rows, rules, place = rows[inside], rules[inside], place[inside]
        ts = events.ts[rows]
        holds = (ts == NO_TIME) | ((ts >= self._since[rules]) & (ts < self._until[rules]))
        pairs = np.unique(rules[~holds] << 32 | rows[~holds]) >> 32
        outside = dict(zip(*(one.tolist() for one in np.unique(pairs, return_counts=True)), strict=True))
        rows, rules, place = rows[holds], rules[holds], place[holds]
        order = np.lexsort((place, rules, rows))
        rows, rules, place = rows[order], rules[order], place[order]
        fresh = np.ones(len(rows), bool)
        fresh[1:] = (rows[1:] != rows[:-1]) | (rules[1:] != rules[:-1])
        heads = np.flatnonzero(fresh).tolist()
        ends = [*heads[1:], len(rows)][: len(heads)]
        fields = [tuple(dict.fromkeys(place[head:end].tolist())) for head, end in zip(heads, ends, strict=True)]
        return Seen(rows[fresh], rules[fresh], fields, names, outside, looked_at)


def _values(column: Column) -> Iterator[tuple[int, str]]:
    """The texts of a column with the codes they belong to; a list gives its elements."""
    for code, text in enumerate(column.values):
        if code >= _FIRST_VALUE:
            if code in column.lists:
                yield from ((code, one) for one in column.lists[code])
            else:
                yield code, text or ""


def _rows(column: Column, found: Mapping[int, Found]) -> tuple[Longs, Longs]:
    """Rows and rules, a pair for each row whose value holds what a rule looks for."""
    count = np.zeros(len(column.values), np.int64)
    start = np.zeros(len(column.values), np.int64)
    rules: list[int] = []
    for code, some in found.items():
        start[code], count[code] = len(rules), len(some)
        rules += some
    rows = np.flatnonzero(count[column.codes] > 0)
    counts = count[column.codes[rows]]
    repeated = np.repeat(rows, counts)
    inner = np.arange(len(repeated)) - np.repeat(np.cumsum(counts) - counts, counts)
    return repeated, np.array(rules, np.int64)[start[column.codes[repeated]] + inner]


def _holder(events: Events, row: int, value: str) -> str:
    """The field of a record in which a word stands: the shortest that holds it."""
    wanted = value.rstrip("/").lower()
    held = [
        (len(text), name)
        for name, told in events.all_fields(row).items()
        for text in ((told,) if isinstance(told, str) else told or ())
        if wanted in text.lower()
    ]
    return min(held, default=(0, RAW))[1]
