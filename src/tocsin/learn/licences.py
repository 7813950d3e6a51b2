"""Files of a pack in, the licences its rules come under out, in the words people know them by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_NAMED: Final = re.compile(r"(licen[cs]e|copying|notice|unlicense)([._-][\w.-]*)?", re.IGNORECASE)
_HEAD_BYTES: Final = 4096

# What a licence's first lines say, the particular before the general.
_KNOWN: Final = (
    (re.compile(r"detection rule license.{0,20}?\b(\d\.\d)", re.IGNORECASE | re.DOTALL), "DRL {}"),
    (re.compile(r"detection rule license", re.IGNORECASE), "DRL"),
    (re.compile(r"apache license\W+version (\d\.\d)", re.IGNORECASE), "Apache {}"),
    (re.compile(r"gnu affero general public license\W+version (\d)", re.IGNORECASE), "AGPL {}"),
    (re.compile(r"gnu lesser general public license\W+version (\d(?:\.\d)?)", re.IGNORECASE), "LGPL {}"),
    (re.compile(r"gnu general public license\W+version (\d)", re.IGNORECASE), "GPL {}"),
    (re.compile(r"elastic license (\d\.\d)", re.IGNORECASE), "Elastic {}"),
    (re.compile(r"\bMIT License\b|permission is hereby granted, free of charge", re.IGNORECASE), "MIT"),
    (re.compile(r"redistribution and use in source and binary forms", re.IGNORECASE), "BSD"),
    (re.compile(r"cc0 1\.0 universal", re.IGNORECASE), "CC0 1.0"),
    (re.compile(r"attribution-sharealike (\d\.\d)", re.IGNORECASE), "CC BY-SA {}"),
    (re.compile(r"creative commons attribution (\d\.\d)", re.IGNORECASE), "CC BY {}"),
)


def is_licence(name: str) -> bool:
    """Whether a file of a pack tells under which licence it comes."""
    return _NAMED.fullmatch(name.rpartition("/")[2]) is not None


def licence_of(contents: Mapping[str, bytes]) -> tuple[str, ...]:
    """The licences that a pack's files name; a text that is not known is told by its file's name."""
    found: dict[str, None] = {}
    for name in sorted(filter(is_licence, contents)):
        text = contents[name][:_HEAD_BYTES].decode("utf-8", "replace")
        for pattern, word in _KNOWN:
            if match := pattern.search(text):
                found[word.format(*match.groups())] = None
                break
        else:
            found[name] = None
    return tuple(found)
