"""The structured data of RFC 5424 in a line in, its parameters out."""

from __future__ import annotations

import re
from typing import Final

# An element of structured data: quotes and closing brackets in its values are escaped (RFC 5424 §6.3.3).
_ELEMENT: Final = re.compile(r'\[([^ =\]"]{1,255})((?: [^ =\]"]{1,255}="(?:[^"\\]|\\.)*+")*+) ?\]', re.DOTALL)
_PARAM: Final = re.compile(r' ([^ =\]"]{1,255})="((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPED: Final = re.compile(r'\\(["\\\]])')


def parameters(text: str, at: int) -> tuple[dict[str, str | tuple[str, ...]], int]:
    """The parameters of the structured data that begins here, and where it ends; damaged data is part of the message.

    A parameter may be given several times (RFC 5424 §6.3.3).
    """
    values: dict[str, list[str]] = {}
    end = at + 1 if text.startswith("-", at) else at
    while element := _ELEMENT.match(text, end):
        for name, value in _PARAM.findall(element[2]):
            values.setdefault(f"{element[1]}.{name}", []).append(_ESCAPED.sub(r"\1", value))
        if not element[2]:
            values.setdefault(element[1], []).append("")
        end = element.end()
    return {name: some[0] if len(some) == 1 else tuple(some) for name, some in values.items()}, end
