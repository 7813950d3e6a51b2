"""Text with wildcards in, the pattern that asks for it out; and back, and split at a separator.

A glob is a sequence of texts and wildcards. The pattern's text is the canonical form: neighbouring texts
joined, runs of wildcards in one order, and only `*`, `?` and the backslash escaped.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from tocsin.model.rule import Kind, Pattern


class Wild(enum.Enum):
    MANY = "*"
    ONE = "?"


Glob: TypeAlias = tuple[str | Wild, ...]

MANY: Final = Wild.MANY
ONE: Final = Wild.ONE

_ESCAPE = str.maketrans({"\\": "\\\\", "*": "\\*", "?": "\\?"})
_TOKEN = re.compile(r"\\(.)|([*?])|([^\\*?]+)", re.DOTALL)


def normal(parts: Iterable[str | Wild]) -> Glob:
    """The one way to write a glob: texts joined, and in a run of wildcards each `?` before one `*`."""
    found: list[str | Wild] = []
    for part in parts:
        if part == "":
            continue
        last = found[-1] if found else ""
        if isinstance(part, str) and isinstance(last, str) and found:
            found[-1] = last + part
        elif part is ONE and last is MANY:
            found.insert(len(found) - 1, ONE)
        elif part is not MANY or last is not MANY:
            found.append(part)
    return tuple(found)


def pattern(field: str | None, parts: Iterable[str | Wild], *, cased: bool = False) -> Pattern:
    """The pattern that asks for the glob. Texts are lower-cased one by one: case depends on neighbours."""
    glob = normal(parts)
    if not cased:
        glob = tuple(part.lower() if isinstance(part, str) else part for part in glob)
    kind: Kind = "wildcard"
    match glob:
        case ():
            return Pattern(field, "equals", "", cased)
        case (str(text),):
            kind = "equals"
        case (Wild.MANY, str(text)):
            kind = "endswith"
        case (str(text), Wild.MANY):
            kind = "startswith"
        case (Wild.MANY, str(text), Wild.MANY):
            kind = "contains"
        case _:
            text = "".join(part.translate(_ESCAPE) if isinstance(part, str) else part.value for part in glob)
    return Pattern(field, kind, text, cased)


def glob_of(asked: Pattern) -> Glob | None:
    """The glob a pattern asks for, None where it asks otherwise."""
    match asked.kind:
        case "equals":
            return normal((asked.text,))
        case "startswith":
            return (asked.text, MANY)
        case "endswith":
            return (MANY, asked.text)
        case "contains":
            return (MANY, asked.text, MANY)
        case "wildcard":
            tokens = _TOKEN.findall(asked.text)
            return normal(Wild(wild) if wild else escaped or text for escaped, wild, text in tokens)
    return None


def covers(glob: Sequence[str | Wild], text: str) -> bool:
    """Whether the glob covers the whole text, as it is written."""
    reached: Collection[int] = (0,)
    for part in glob:
        if part is MANY:
            reached = range(min(reached), len(text) + 1)
        elif part is ONE:
            reached = [at + 1 for at in reached if at < len(text)]
        elif isinstance(part, str):
            reached = [at + len(part) for at in reached if text.startswith(part, at)]
        if not reached:
            return False
    return len(text) in reached


def splits(glob: Glob, separator: str) -> Iterator[tuple[Glob, Glob]]:
    """Every way in which a text made of two around a separator can be covered: a glob for each of the two.

    The separator is one character. It stands in one of the glob's texts, or a wildcard covers it.
    """
    for place, part in enumerate(glob):
        before, after = glob[:place], glob[place + 1 :]
        if part is MANY:
            yield normal((*before, MANY)), normal((MANY, *after))
        elif part is ONE:
            yield normal(before), normal(after)
        else:
            assert isinstance(part, str)
            for at in (found.start() for found in re.finditer(re.escape(separator), part)):
                yield normal((*before, part[:at])), normal((part[at + 1 :], *after))
