"""A value in, its one form as JSON out (RFC 8785), and back: what two people sign as equal has equal bytes."""

from __future__ import annotations

import json
from typing import Any

import rfc8785

from tocsin.errors import SealError

_HINT = "Numbers must lie within ±(2^53 - 1); names and texts must be Unicode without halves of surrogate pairs."


def canonical(value: Any) -> bytes:
    """RFC 8785 §3.2. Keys must be text; what JSON cannot hold, or only inexactly, is an error."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise SealError(f"cannot be written as canonical JSON: {error}", hint=_HINT) from error
    except RecursionError as error:
        raise SealError("cannot be written as canonical JSON: too deeply nested", hint=_HINT) from error


def decoded(text: bytes) -> Any:
    """The value of canonical JSON. Any other form is refused, so that one value never stands under two digests.

    This also refuses a key that is there twice, which readers of JSON resolve each in their own way.
    """
    other: list[str] = []  # numbers that are no plain integers: of these JSON and RFC 8785 have different forms

    def integer(digits: str) -> int | float:
        number = _number(digits)
        if isinstance(number, float):
            other.append(digits)
        return number

    def broken(digits: str) -> float:
        other.append(digits)
        return float(digits)

    try:
        told = text.decode()
        value = json.loads(told, parse_int=integer, parse_float=broken, parse_constant=broken)
    except (ValueError, RecursionError) as error:
        raise SealError(f"is not JSON: {error}") from error
    if not (told.isascii() and not other and _plainly(value) == told) and canonical(value) != text:
        raise SealError("is JSON, but not in the canonical form of RFC 8785")
    return value


def _plainly(value: Any) -> str:
    """The canonical form where texts are ASCII and numbers integers: there, Python's own C writes the same bytes.

    A log is read line by line whenever a lake is opened, and the library for RFC 8785 takes ten times as long.
    """
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except RecursionError:
        return ""


def _number(digits: str) -> int | float:
    """RFC 8785 writes a double without its point up to 10^21; beyond 2^53 no other number can be meant."""
    return int(digits) if len(digits) < 16 or abs(int(digits[:400])) < 2**53 else float(digits)
