"""Values of fields in, the tokens that stand for what indicators could ask of them out; and observables in likewise.

What `watch` finds in a value, the tokens of the value hold: an observable that shares none with it is not there. It
does not hold the other way: a word in free text says that a look is worth while, and the look itself is `watch`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from tocsin.detect.observed_fields import Holds
from tocsin.detect.watch import BY_LENGTH, DIGESTS, MOST_PLACE, SPLIT, key_of, may_be_address
from tocsin.model.indicator import HASHES, OBSERVABLE_TYPES, Observable, ObservableType
from tocsin.observe.addresses import address, without_port
from tocsin.observe.domains import domain, parents
from tocsin.observe.names import base_name, mail, sid, ssdeep
from tocsin.observe.urls import host_of, url

Token: TypeAlias = tuple[int, str]  # a type, `WORD` for what stands in free text, and its normal form

VERSION: Final = 2  # raise it with any change to what a value holds: what was indexed before is then indexed anew
WORD: Final = 0
TYPE_OF: Final[Mapping[ObservableType, int]] = {kind: at for at, kind in enumerate(OBSERVABLE_TYPES, start=1)}
CROWDED: Final[Token] = (WORD, "")  # of a text that holds more than is indexed: whoever asks for words looks there, too

_MOST: Final = 4_000  # tokens of one text
_LONGEST_KNOWN: Final = 400  # of lines whose words are remembered
_LONGEST_WORD: Final = 1_100
_SHORTEST_HASH: Final = 32
_LONGEST_TAIL: Final = 255  # no domain, and no name of a file, is longer
_RUN: Final = re.compile("[0-9a-z_.\\-\x80-\U0010ffff]{4,}")
_END: Final = re.compile(r"\.(?![0-9a-z])")  # a dot that no letter or digit follows ends a word
_V4: Final = re.compile(r"(?<![0-9a-z_])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9a-z_])")
_V6: Final = re.compile(r"[0-9a-f:.]{2,100}")
_BARE: Final = re.compile(r"(?<=[0-9a-f]):$")  # a colon that a sentence goes on behind
_MAIL_HOST: Final = re.compile(r"@([0-9a-z_.-]+)")
_HASH: Final = re.compile(r"(?<![0-9a-z])(?:[0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-z])")
_FOLDED: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}  # as bytes are: ASCII alone
_ROOTS: Final = ("hk",)


# --------------------------------------------------------------------------------- what a value holds


def of_value(holds: tuple[Holds, ...], text: str) -> frozenset[Token]:
    """The tokens of one text in a field that may hold such things."""
    found: set[Token] = set()
    for one in holds:
        found.update(_words(text) if one == "text" else _WAYS[one](text))
    return frozenset(found)


def _place(text: str) -> Iterator[Token]:
    if len(text) > MOST_PLACE:
        return
    yield from _one_place(text)
    if "," in text or ";" in text or " " in text:
        for part in [part for part in SPLIT.split(text.strip()) if part][:100]:
            yield from _one_place(part)


def _one_place(text: str) -> Iterator[Token]:
    known = address(without_port(text)) if may_be_address(text) else None
    if known:
        yield TYPE_OF["address"], known
    elif "://" in text:
        yield from _url(text)
    elif "." in text and (name := domain(text.partition(":")[0])):
        yield from _domain(name)


def _domain(name: str) -> Iterator[Token]:
    return ((TYPE_OF["domain"], parent) for parent in parents(name) if "." in parent)


def _url(text: str) -> Iterator[Token]:
    whole = url(text)
    if whole is None:
        if "://" not in text:
            yield from _one_place(text.partition("/")[0])
        return
    yield TYPE_OF["url"], whole
    host = host_of(text) or ""
    if address(host):
        yield TYPE_OF["address"], address(host) or host
    elif host:
        yield from _domain(host)


def _hash(text: str) -> Iterator[Token]:
    for name, digits in DIGESTS.findall(text[:8192]):
        digits = digits.lower()
        kind: ObservableType = "imphash" if name.lower() == "imphash" else BY_LENGTH[len(digits)]
        yield TYPE_OF[kind], digits
        if not name and kind == "md5":
            yield TYPE_OF["imphash"], digits
    if (known := ssdeep(text)) is not None:
        yield TYPE_OF["ssdeep"], known


def _mail(text: str) -> Iterator[Token]:
    yield from _one_mail(text)
    if len(text) < 4096 and SPLIT.search(text):
        for part in SPLIT.split(text)[:200]:
            yield from _one_mail(part)


def _one_mail(text: str) -> Iterator[Token]:
    known = mail(text) if "@" in text else None
    if known is None:
        yield from _account(text)
        return
    yield TYPE_OF["mail"], known
    yield TYPE_OF["account"], known
    yield from _domain(known.rpartition("@")[2])


def _file(text: str) -> Iterator[Token]:
    folded = text.strip().strip('"').lower()
    if len(folded) <= _LONGEST_WORD and ("\\" in folded or "/" in folded):
        yield TYPE_OF["path"], folded
    if 0 < len(name := base_name(folded)) <= _LONGEST_TAIL:
        yield TYPE_OF["file"], name


def _account(text: str) -> Iterator[Token]:
    folded = text.strip().lower()
    if not 0 < len(folded) <= 400:
        return
    yield TYPE_OF["account"], folded
    if sid(folded):
        yield TYPE_OF["sid"], folded
    if "@" in folded:
        yield TYPE_OF["mail"], folded
    if "\\" in folded:
        yield TYPE_OF["account"], folded.rpartition("\\")[2]


def _key(text: str) -> Iterator[Token]:
    key = key_of(text[:4096].lower())
    for _ in range(64 if key.startswith(_ROOTS) else 0):
        if not key:
            return
        yield TYPE_OF["key"], key
        key = key.rpartition("\\")[0]


def _agent(text: str) -> Iterator[Token]:
    if 0 < len(text) <= 1024:
        yield TYPE_OF["agent"], text


_WAYS: Final[Mapping[Holds, Callable[[str], Iterator[Token]]]] = {
    "place": _place,
    "url": _url,
    "hash": _hash,
    "mail": _mail,
    "file": _file,
    "account": _account,
    "key": _key,
    "agent": _agent,
}


def _words(text: str) -> set[Token]:
    """Words of free text that have a dot, and hashes: all that an indicator can be found by without reading on.

    Long texts of logs repeat most of their lines, and no word has two.
    """
    found: set[Token] = set()
    for line in set(text.split("\n")):
        found |= _in_line(line) if len(line) <= _LONGEST_KNOWN else _in_line.__wrapped__(line)
        if len(found) > _MOST:
            return {CROWDED}
    return found


@lru_cache(maxsize=50_000)
def _in_line(text: str) -> set[Token]:
    found: set[Token] = set()
    folded = text.translate(_FOLDED)
    for run in _RUN.findall(folded):
        if "." in run:
            found.update((WORD, word) for word in _tails(run))
            found.update((WORD, one) for one in _V4.findall(run))
        if len(run) >= _SHORTEST_HASH:
            found.update((WORD, one) for one in _HASH.findall(run))
        if len(found) > _MOST:
            return {CROWDED}
    for host in _MAIL_HOST.findall(folded) if "@" in folded else ():  # behind it may stand a letter beyond ASCII
        found.update((WORD, word) for word in _tails(host))
    if "::" in folded or folded.count(":") >= 7:
        found.update((WORD, one) for one in _v6(folded))
    return found if len(found) <= _MOST else {CROWDED}


def _tails(run: str) -> Iterator[str]:
    """The words of a run, and what stands behind each of their dots: the domains that a domain is below."""
    for piece in _END.split(run):
        if "." not in piece:
            continue
        if len(piece) <= _LONGEST_WORD:
            yield piece
        tail = piece[-_LONGEST_TAIL - 1 :]
        while "." in (tail := tail.partition(".")[2]):
            yield tail


def _v6(folded: str) -> Iterator[str]:
    for whole in [_BARE.sub("", piece) for run in _V6.findall(folded) for piece in _END.split(run)]:
        if "::" not in whole and whole.count(":") < 7:
            continue
        starts = [0, *(at + 1 for at, sign in enumerate(whole) if sign in ":.")]
        for start in starts[:40]:
            for tail in (whole[start:], whole[max(start - 1, 0) :]):
                if tail.count(":") >= 2 and address(tail) == tail:
                    yield tail


# --------------------------------------------------------------------------------- what an indicator asks for


@lru_cache(maxsize=1)
def _exact() -> frozenset[ObservableType]:
    """Types that are looked for in fields of their own alone."""
    return frozenset(("imphash", "ssdeep", "account", "sid", "agent"))


def wanted(one: Observable) -> tuple[Token, ...]:
    """Tokens of which a value has at least one where the observable is in it; () if it must be looked for in full.

    Where one of them is a `WORD`, a value with `CROWDED` may hold it, too.
    """
    own = (TYPE_OF[one.type], one.value)
    if one.type in _exact():
        return (own,)
    if one.type == "key":
        key = key_of(one.value)
        return ((TYPE_OF["key"], key),) if key.startswith(_ROOTS) and key.count("\\") < 64 else ()
    if one.type in ("address", "domain", *HASHES):
        return own, (WORD, one.value)
    if one.type in ("url", "mail", "file", "path"):
        word = _anchor(one)
        return (own, (WORD, word)) if word else ()
    return ()


def _anchor(one: Observable) -> str:
    """The longest word in an observable that stands as a word of its own in any text that holds it; '' if none does."""
    text = one.value.lower()
    words = [""]
    for run in _RUN.finditer(text):
        if run.start() == 0 and one.type != "file":
            continue  # what stands before it in a text may belong to the same run
        words += [piece for piece in _END.split(run[0]) if "." in piece and len(piece) <= _LONGEST_TAIL]
    return max(words, key=len)
