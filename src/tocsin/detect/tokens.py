"""Values of fields in, the tokens that stand for what indicators could ask of them out; and observables in likewise.

What `watch` finds in a value, the tokens of the value hold: an observable that shares none with it is not there. It
does not hold the other way: a word in free text says that a look is worth while, and the look itself is `watch`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np

from tocsin.detect.observed_fields import Holds
from tocsin.detect.watch import BY_LENGTH, DIGESTS, MOST_PLACE, SPLIT, key_of, may_be_address, plain_digest
from tocsin.model.indicator import HASHES, OBSERVABLE_TYPES, Observable, ObservableType
from tocsin.observe.addresses import address, without_port
from tocsin.observe.domains import domain, parents
from tocsin.observe.names import base_name, ja4, mail, sid, ssdeep
from tocsin.observe.urls import host_of, url

Token: TypeAlias = tuple[int, str]  # a type, `WORD` for what stands in free text, and its normal form

VERSION: Final = 3  # raise it with any change to what a value holds: what was indexed before is then indexed anew
WORD: Final = 0
TYPE_OF: Final[Mapping[ObservableType, int]] = {kind: at for at, kind in enumerate(OBSERVABLE_TYPES, start=1)}
CROWDED: Final[Token] = (WORD, "")  # of a text that holds more than is indexed: whoever asks for words looks there, too

_MOST: Final = 4_000  # tokens of one text
_LOT_CHARS: Final = 1 << 20  # of texts that are looked at together
_LONGEST_KNOWN: Final = 400  # of runs of letters whose words are remembered
_SHORTEST_RUN: Final = 4
_LONGEST_V6: Final = 100
_LONGEST_WORD: Final = 1_100
_SHORTEST_HASH: Final = 32
_LONGEST_TAIL: Final = 255  # no domain, and no name of a file, is longer
_RUN: Final = re.compile("[0-9a-z_.\\-\x80-\U0010ffff]{4,}")
_END: Final = re.compile(r"\.(?![0-9a-z])")  # a dot that no letter or digit follows ends a word
_V4: Final = re.compile(r"(?<![0-9a-z_])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9a-z_])")
_BARE: Final = re.compile(r"(?<=[0-9a-f]):$")  # a colon that a sentence goes on behind
_HOST: Final = re.compile(rb"[0-9a-z_.-]+")
_HASHES: Final = frozenset((32, 40, 64, 128))  # digits
_LOWERED: Final = bytes(c + 32 if 65 <= c <= 90 else c for c in range(256))
_IN_RUNS: Final = bytes(c if c > 127 or chr(c) in "0123456789abcdefghijklmnopqrstuvwxyz_.-" else 32 for c in _LOWERED)
_IN_WORDS: Final = bytes(c if chr(c) in "0123456789abcdefghijklmnopqrstuvwxyz" else 32 for c in range(256))
_HEX: Final = b"0123456789abcdefABCDEF"
_NO_HEX: Final = bytes(c if c == ord(":") else 32 for c in range(256))
_SEVEN: Final = b":" * 7
_IN_V6: Final = bytes(c if chr(c) in "0123456789abcdef:." else 32 for c in _LOWERED)
_ROOTS: Final = ("hk",)


# --------------------------------------------------------------------------------- what a value holds


def of_value(holds: tuple[Holds, ...], text: str) -> frozenset[Token]:
    """The tokens of one text in a field that may hold such things."""
    return of_values(holds, [text])[0]


def of_values(holds: tuple[Holds, ...], texts: Sequence[str]) -> list[frozenset[Token]]:
    """The tokens of texts; words of free text are looked for in all of them at once."""
    found = [{token for one in holds if one != "text" for token in _WAYS[one](text)} for text in texts]
    if "text" in holds:
        for at in _lots(texts):
            for tokens, words in zip(found[at], _words(texts[at]), strict=True):
                tokens |= words
    return list(map(frozenset, found))


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
    for name, digits in DIGESTS.findall(plain_digest(text)):
        digits = digits.lower()
        kind: ObservableType = "imphash" if name.lower() == "imphash" else BY_LENGTH[len(digits)]
        yield TYPE_OF[kind], digits
        if not name and kind == "md5":
            yield TYPE_OF["imphash"], digits
    if (known := ja4(text)) is not None:
        yield TYPE_OF["ja4"], known
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


def _lots(texts: Sequence[str]) -> Iterator[slice]:
    """As many as stay near the processor."""
    first, size = 0, 0
    for at, text in enumerate(texts):
        size += len(text)
        if size >= _LOT_CHARS or at == len(texts) - 1:
            yield slice(first, at + 1)
            first, size = at + 1, 0


def _words(texts: Sequence[str]) -> list[set[Token]]:
    """Words of free texts that have a dot, and hashes: all that an indicator can be found by without reading on."""
    found: list[set[Token]] = [set() for _ in texts]
    told = [text.encode("utf-8", "surrogatepass") for text in texts]
    for at, run in _runs(told, _IN_RUNS, b".", _SHORTEST_HASH):
        found[at].update(_in_run(run) if len(run) <= _LONGEST_KNOWN else _in_run.__wrapped__(run))
    for at, text in enumerate(told):
        if b"@" in text:  # behind it may stand a letter beyond ASCII
            for piece in set(text.translate(_LOWERED).split(b"@")[1:]):
                if host := _HOST.match(piece):
                    found[at].update((WORD, word) for word in _tails(host[0].decode()))
    coloned = [at for at, text in enumerate(told) if b"::" in text or _SEVEN in text.translate(_NO_HEX, _HEX)]
    for at, run in _runs([told[at] for at in coloned], _IN_V6, b":"):
        if b"::" in run or run.count(b":") >= 7:
            found[coloned[at]].update(_v6(run))
    return [words if len(words) <= _MOST else {CROWDED} for words in found]


def _runs(texts: Sequence[bytes], signs: bytes, mark: bytes, long: int = 1 << 60) -> Iterator[tuple[int, bytes]]:
    """Runs of signs in which a mark is, or that are long, with the number of their text.

    Args:
        signs: what each byte is taken for; what belongs to no run is blank.
    """
    told = b" ".join(texts).translate(signs)
    each = np.frombuffer(told, np.uint8)
    within = np.concatenate(([False], each != ord(" "), [False]))
    starts, stops = np.flatnonzero(within[1:] != within[:-1]).reshape(-1, 2).T
    wanted = stops - starts >= long
    wanted[np.searchsorted(starts, np.flatnonzero(each == ord(mark)), "right") - 1] = True
    starts, stops = starts[wanted], stops[wanted]
    ends = np.cumsum([len(text) + 1 for text in texts])
    for at, start, stop in zip(
        np.searchsorted(ends, starts, "right").tolist(), starts.tolist(), stops.tolist(), strict=True
    ):
        yield at, told[start:stop]


@lru_cache(maxsize=100_000)
def _in_run(told: bytes) -> tuple[Token, ...]:
    run = told.decode("utf-8", "surrogatepass")
    if len(run) < _SHORTEST_RUN:
        return ()
    found: set[Token] = set()
    if "." in run:
        found.update((WORD, word) for word in _tails(run))
    if run.count(".") >= 3:
        found.update((WORD, one) for one in _V4.findall(run))
    if len(run) >= _SHORTEST_HASH:
        words = told.translate(_IN_WORDS).split()
        found.update((WORD, one.decode()) for one in words if len(one) in _HASHES and not one.translate(None, _HEX))
    return tuple(found)


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


@lru_cache(maxsize=10_000)
def _v6(run: bytes) -> tuple[Token, ...]:
    found = set()
    pieces = (run[at : at + _LONGEST_V6].decode("ascii") for at in range(0, len(run), _LONGEST_V6))
    for whole in [_BARE.sub("", piece) for part in pieces for piece in _END.split(part)]:
        if "::" not in whole and whole.count(":") < 7:
            continue
        starts = [0, *(at + 1 for at, sign in enumerate(whole) if sign in ":.")]
        for start in starts[:40]:
            for tail in (whole[start:], whole[max(start - 1, 0) :]):
                if tail.count(":") >= 2 and address(tail) == tail:
                    found.add((WORD, tail))
        if len(found) > _MOST:
            break
    return tuple(found)


# --------------------------------------------------------------------------------- what an indicator asks for


# Types that are looked for in fields of their own alone, and those that stand as a word as they are.
_EXACT: Final = frozenset[str](("imphash", "ssdeep", "account", "sid", "agent", "ja4"))
_AS_WORDS: Final = frozenset[str](("address", "domain", *HASHES))


def wanted(one: Observable) -> tuple[Token, ...]:
    """Tokens of which a value has at least one where the observable is in it; () if it must be looked for in full.

    Where one of them is a `WORD`, a value with `CROWDED` may hold it, too.
    """
    own = (TYPE_OF[one.type], one.value)
    if one.type in _AS_WORDS:
        return own, (WORD, one.value)
    if one.type in _EXACT:
        return (own,)
    if one.type == "key":
        key = key_of(one.value)
        return ((TYPE_OF["key"], key),) if key.startswith(_ROOTS) and key.count("\\") < 64 else ()
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
