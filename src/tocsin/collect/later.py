"""A regular expression in, one that is compiled when it is first used out.

A run meets a few of the formats that can be read, and compiling the expressions of all of them took half of a warm
start. What a format is recognised by is tried in turn, so that of those behind the one that fits nothing is compiled.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def later(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What `re.compile` gives, but for the time at which it is done."""
    return cast("re.Pattern[AnyStr]", _Later(pattern, flags))


class _Later:
    """Stands in for an expression: each of its attributes is taken over when it is first asked for."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._pattern, self._flags = pattern, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._pattern, self._flags), name)  # `re` keeps what was compiled
        setattr(self, name, found)
        return found
