"""One value's text in, whether a pattern holds of it out: everything that is not decided by a pass over literals."""

from __future__ import annotations

import ipaddress
import re
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from tocsin.model.event import Column
from tocsin.model.rule import Pattern

_LONGEST_MATCH_S = 1.0  # of processor time: hostile text can make a backtracking expression run for hours
# Text that was made to be slow comes in numbers: who was held up often enough waits less for the next.
_SHORT_MATCH_S = 0.02
_PATIENCE = 3  # values
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_HEX = re.compile(r"0[xX][0-9a-fA-F]+")

Predicate = Callable[[str], bool]


class GaveUp(Exception):
    """A regular expression took too long on a value."""


def predicate(pattern: Pattern) -> Predicate:
    """A test of one text, of which the case was not folded.

    Raises:
        ValueError: the pattern is of a kind that does not look at one value.
    """
    match pattern.kind:
        case "equals" | "contains" | "startswith" | "endswith":
            return _folding(pattern, _literal(pattern.kind, pattern.text))
        case "wildcard":
            return _folding(pattern, glob(pattern.text))
        case "regex":
            return _regex(pattern.text)
        case "cidr":
            return _cidr(pattern.text)
        case "lt" | "lte" | "gt" | "gte":
            return _compare(pattern.kind, Decimal(pattern.text))
        case "minute" | "hour" | "day" | "week" | "month" | "year":
            return _time_part(pattern.kind, int(pattern.text))
    raise ValueError(f"{pattern.kind} does not look at one value")


def _folding(pattern: Pattern, test: Predicate) -> Predicate:
    return test if pattern.cased else lambda text: test(text.lower())


def _literal(kind: str, literal: str) -> Predicate:
    match kind:
        case "equals":
            return literal.__eq__
        case "contains":
            return lambda text: literal in text
        case "startswith":
            return lambda text: text.startswith(literal)
        case _:
            return lambda text: text.endswith(literal)


def glob(pattern: str) -> Predicate:
    """A wildcard pattern, matched left to right without backtracking: `*` takes as little as it can."""
    pieces: list[str] = [""]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "*":
            pieces.append("")
        elif character == "?":
            pieces[-1] += "."
        else:
            at += character == "\\"
            pieces[-1] += re.escape(pattern[at : at + 1])
        at += 1
    first, *middle = [re.compile(piece, re.DOTALL) for piece in pieces]
    last = re.compile(f"{pieces[-1]}\\Z", re.DOTALL)
    last_size = len(re.sub(r"\\(.)", r"\1", pieces[-1], flags=re.DOTALL))

    def test(text: str) -> bool:
        if not middle:
            return first.fullmatch(text) is not None
        start = first.match(text)
        if start is None:
            return False
        at = start.end()
        for piece in middle[:-1]:
            found = piece.search(text, at)
            if found is None:
                return False
            at = found.end()
        return len(text) - last_size >= at and last.match(text, len(text) - last_size) is not None

    return test


def _regex(text: str) -> Predicate:
    search = re.compile(text).search
    given_up = 0

    def test(value: str) -> bool:
        nonlocal given_up
        try:
            with _time_limit(_LONGEST_MATCH_S if given_up < _PATIENCE else _SHORT_MATCH_S):
                return search(value) is not None
        except GaveUp:
            given_up += 1
            raise

    return test


@contextmanager
def _time_limit(longest_s: float) -> Iterator[None]:
    """Raise `GaveUp` when the block takes too long; Python's `re` looks for signals while it searches.

    Only a main thread hears signals, such as that of a worker process; elsewhere there is no limit.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, longest_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _give_up(*_signal: object) -> None:
    raise GaveUp


def _cidr(network: str) -> Predicate:
    parsed = ipaddress.ip_network(network)

    def test(value: str) -> bool:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return False
        if parsed.version == 4 and isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        return address.version == parsed.version and address in parsed

    return test


def number(text: str) -> Decimal | None:
    """Exactly: 64-bit masks do not fit into a float."""
    if _HEX.fullmatch(text):
        return Decimal(int(text, 16))
    if not _DECIMAL.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond all measure: nothing, or more than any number
        return Decimal(float(text))


def _compare(kind: str, bound: Decimal) -> Predicate:
    def test(value: str) -> bool:
        found = number(value)
        if found is None:
            return False
        match kind:
            case "lt":
                return found < bound
            case "lte":
                return found <= bound
            case "gt":
                return found > bound
            case _:
                return found >= bound

    return test


def _time_part(kind: str, wanted: int) -> Predicate:
    def test(value: str) -> bool:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return False
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        part: int = moment.isocalendar().week if kind == "week" else getattr(moment, kind)
        return part == wanted

    return test


def texts_of(column: Column, code: int) -> tuple[str, ...]:
    """The texts that a value offers: a list's elements, none for null."""
    if code in column.lists:
        return column.lists[code]
    text = column.values[code]
    return () if text is None else (text,)


def any_text(column: Column, code: int, test: Predicate) -> bool:
    """Whether a test holds for any text of a value."""
    return any_of_texts(texts_of(column, code), test)


def any_of_texts(texts: Iterable[str], test: Predicate) -> bool:
    """Whether a test holds for any text. One that it gives up on does not hide the others.

    Raises:
        GaveUp: it gave up on some, and held for none.
    """
    given_up: GaveUp | None = None
    for text in texts:
        try:
            if test(text):
                return True
        except GaveUp as error:
            given_up = error
    if given_up:
        raise given_up
    return False


def fields_agree(pattern: Pattern, column: Column, code: int, other: Column, other_code: int) -> bool:
    """Whether any text of one value is as a `fieldref` pattern wants it to any text of the other."""
    kind = pattern.kind.removeprefix("fieldref").removeprefix("_") or "equals"
    for wanted in texts_of(other, other_code):
        literal = Pattern(None, kind, wanted if pattern.cased else wanted.lower(), pattern.cased)  # type: ignore[arg-type]
        if any_text(column, code, predicate(literal)):
            return True
    return False
