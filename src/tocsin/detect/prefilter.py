"""Python's regular expressions in, one Hyperscan database out that tells at once which are worth trying.

The two disagree on Unicode, on folding of case, on anchors and on syntax. So each expression is parsed
by Python's own parser and written anew as one over the bytes of UTF-8 that finds everything Python
would find, and may find more. What cannot be written so is always found.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Final

import hyperscan

# Private since Python 3.11, and the only parser there is; what it gives in another shape is always found.
_parser: Any = importlib.import_module("re._parser")

MOST_REPEATED = 32  # counts beyond are taken for any count: compiling takes time and room for each
MOST_POSITIONS = 2000  # of one expression, each repetition counted
# The Vectorscan of hyperscan 0.9.1 loses matches that end in two letters of either case: behind a run of nearly all
# bytes that is longer than its registers (`x.*ab`), or alone. Behind a run of all bytes it does not.
NEARLY_ALL: Final = 96  # codes of ASCII: a class of as many is written as all bytes
_FLAGS: Final = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_ALLOWEMPTY

ALWAYS: Final = ""  # the empty expression is found in every value, the empty one included

_FOLDS: Final = re.compile(r"\(\?[a-z]*i")
_ASCII: Final = frozenset(range(128))
_SPACE: Final = frozenset(code for code in _ASCII if chr(code).isspace())  # \x1c to \x1f are space to Python
_WORD: Final = frozenset(code for code in _ASCII if chr(code).isalnum() or chr(code) == "_")
_DIGIT: Final = frozenset(code for code in _ASCII if chr(code).isdecimal())
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": _DIGIT,
    "CATEGORY_NOT_DIGIT": _ASCII - _DIGIT,
    "CATEGORY_SPACE": _SPACE,
    "CATEGORY_NOT_SPACE": _ASCII - _SPACE,
    "CATEGORY_WORD": _WORD,
    "CATEGORY_NOT_WORD": _ASCII - _WORD,
}
# Letters of ASCII that another letter beyond it equals when case does not count: İ and ı, the kelvin sign, ſ.
_FOLDED: Final = frozenset(map(ord, "iIkKsS"))


def database(expressions: Mapping[int, str]) -> bytes:
    """The database, as Hyperscan writes it down for this machine; empty for no expressions.

    It reports the numbers of the expressions, once each, for a block that is one value in UTF-8
    (surrogates passed); every expression that Python's `search` finds there is among them.
    """
    if not expressions:
        return b""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of expressions that Python finds odd
        written = {number: _written(text) for number, text in expressions.items()}
    try:
        return _compiled(written)
    except hyperscan.HyperscanError:
        return _compiled({number: text if _taken(text) else ALWAYS for number, text in written.items()})


def _compiled(written: Mapping[int, str]) -> bytes:
    built = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    built.compile(
        expressions=[text.encode("ascii") for text in written.values()],
        ids=list(written),
        elements=len(written),
        flags=[_FLAGS] * len(written),
    )
    dumped: bytes = hyperscan.dumpb(built)
    return dumped


def _taken(text: str) -> bool:
    try:
        _compiled({0: text})
    except hyperscan.HyperscanError:
        return False
    return True


def _written(text: str) -> str:
    try:
        parsed = _parser.parse(text)
        flags = parsed.state.flags
        if flags & re.ASCII:
            return ALWAYS
        found = _sequence(parsed, flags)
    except (_NotWritten, re.error, RecursionError, OverflowError):
        return ALWAYS
    least, most = _parser.parse(found).getwidth()
    lost = _FOLDS.search(text) and least <= 2 and most > 1  # a single letter is found
    return ALWAYS if lost or _positions(found) > MOST_POSITIONS else found


class _NotWritten(Exception):
    pass


def _sequence(parsed: Iterable[tuple[Any, Any]], flags: int) -> str:
    return "".join(_one(str(operation), value, flags) for operation, value in parsed)


def _one(operation: str, value: Any, flags: int) -> str:
    match operation:
        case "LITERAL" if value > 127 and not flags & re.IGNORECASE:
            return _bytes(chr(value))
        case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
            codes, wide = _characters(operation, value, flags)
            return _class(codes, wide) + ("{1,4}" if wide else "")
        case "BRANCH":
            return f"(?:{'|'.join(_sequence(branch, flags) for branch in value[1])})"
        case "SUBPATTERN":
            _, added, removed, inner = value
            return f"(?:{_sequence(inner, (flags | added) & ~removed)})"
        case "ATOMIC_GROUP":
            return f"(?:{_sequence(value, flags)})"
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = value
            return _repeated(least, most, inner, flags)
        case "ASSERT" | "ASSERT_NOT":
            return ""
        case "AT":
            return _anchor(str(value), flags)
        case "GROUPREF":
            return "[\\x00-\\xff]*"
        case "GROUPREF_EXISTS":
            _, matched, otherwise = value
            return f"(?:{_sequence(matched, flags)}|{_sequence(otherwise or (), flags)})"
    raise _NotWritten(operation)


def _anchor(where: str, flags: int) -> str:
    if where == "AT_BEGINNING_STRING" or (where == "AT_BEGINNING" and not flags & re.MULTILINE):
        return "^"
    # Hyperscan's end is also before a last newline, as Python's `$` is.
    if where == "AT_END_STRING" or (where == "AT_END" and not flags & re.MULTILINE):
        return "$"
    return ""  # boundaries of words and lines depend on Unicode and on what follows the last newline


def _repeated(least: int, most: Any, inner: Any, flags: int) -> str:
    most = int(most)
    operation, value = inner[0] if len(inner) == 1 else (None, None)
    if str(operation) in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
        codes, wide = _characters(str(operation), value, flags)
        text = _class(codes, wide)
        most = most * 4 if wide else most  # each byte of a character counts by itself
    else:
        text = f"(?:{_sequence(inner, flags)})"
    least = min(least, MOST_REPEATED)
    if most <= MOST_REPEATED:
        return f"{text}{{{least},{most}}}" if most else ""
    return f"{text}{{{least},}}"


def _characters(operation: str, value: Any, flags: int) -> tuple[frozenset[int], bool]:
    """The ASCII codes that one character may be, and whether it may be one beyond ASCII."""
    folds = bool(flags & re.IGNORECASE)
    match operation:
        case "ANY":
            return (_ASCII if flags & re.DOTALL else _ASCII - {ord("\n")}), True
        case "NOT_LITERAL":
            return (_ASCII if folds else _ASCII - {value}), True
        case "LITERAL":
            codes, wide = _ASCII & {value}, value > 127
        case _:
            codes, wide, negated = _set(value)
            if negated:
                return (_ASCII if folds else _ASCII - codes), True
    if folds:
        beyond = wide
        wide = wide or bool(codes & _FOLDED)
        cases = {ord(case) for code in codes for case in (chr(code).lower(), chr(code).upper())}
        codes = codes | cases | (_FOLDED if beyond else frozenset())
    return codes, wide


def _set(parts: Iterable[tuple[Any, Any]]) -> tuple[frozenset[int], bool, bool]:
    """A set in brackets: its ASCII codes, whether it holds others, and whether it means all but these."""
    codes: set[int] = set()
    wide = negated = False
    for operation, value in parts:
        match str(operation):
            case "NEGATE":
                negated = True
            case "LITERAL":
                codes |= _ASCII & {value}
                wide = wide or value > 127
            case "RANGE":
                codes |= _ASCII & frozenset(range(value[0], min(value[1], 127) + 1))
                wide = wide or value[1] > 127
            case "CATEGORY" if str(value) in _CATEGORIES:
                codes |= _CATEGORIES[str(value)]
                wide = True
            case other:
                raise _NotWritten(other)
    return frozenset(codes), wide, negated


def _bytes(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


def _class(codes: frozenset[int], wide: bool) -> str:
    """One byte out of some. A character beyond ASCII is bytes beyond ASCII."""
    if not codes and not wide:
        raise _NotWritten("a set of nothing")
    if wide and len(codes) >= NEARLY_ALL:
        return "[\\x00-\\xff]"
    if len(codes) == 1 and not wide:
        return _bytes(chr(next(iter(codes))))
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    if wide:
        ranges.append([0x80, 0xFF])
    return "[" + "".join(f"\\x{first:02x}-\\x{last:02x}" for first, last in ranges) + "]"


def _positions(text: str) -> int:
    """How large the expression is once its counts are written out, roughly."""
    parsed = _parser.parse(text)

    def size(sequence: Any) -> int:
        total = 0
        for operation, value in sequence:
            match str(operation):
                case "BRANCH":
                    total += sum(map(size, value[1]))
                case "SUBPATTERN":
                    total += size(value[3])
                case "MAX_REPEAT":
                    times = int(value[1]) if int(value[1]) <= 4 * MOST_REPEATED else int(value[0])
                    total += size(value[2]) * max(times, 1)
                case _:
                    total += 1
        return total

    return size(parsed)
