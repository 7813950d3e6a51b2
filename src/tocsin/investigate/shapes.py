"""A finding in, its shape out: its rule and what that looked at, with what changes from time to time folded away.

Numbers, identifiers and private addresses are folded; public addresses and encoded text are not, for another of these
is another thing.
"""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass, field
from typing import Final

from tocsin.investigate.normal import is_public
from tocsin.model.finding import Finding

_MOST: Final = 200_000  # values that are remembered
LONGEST: Final = 400  # of a text that is folded; what is behind it goes by its digest
# Numbers of processes, sessions and ports differ each time; names of accounts are compared apart.
_PASSING: Final = re.compile(
    r"(?i)(?:guid|logonid|processid|recordid|port|time|pid)$|^(?:subject|target)(?:user|domain)name$"
)
_IDENTIFIER: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX: Final = re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{6,}\b")
_ADDRESS: Final = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
_DIGITS: Final = re.compile(r"\d+")
# Encoded text is what it says, letter by letter: another command under the same cover is another shape.
_ENCODED: Final = re.compile(r"[A-Za-z0-9+/]{32,}={0,2}")


@dataclass(slots=True)
class Shapes:
    """Shapes that were met, by number. Each distinct value is folded once, whatever number of findings have it."""

    numbers: dict[tuple[object, ...], int] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)
    passing: dict[str, bool] = field(default_factory=dict)

    def number(self, finding: Finding) -> int:
        """Of what a rule looked at, without what changes from time to time."""
        says = [(name, self._value(value)) for name, value in finding.fields.items() if value and self._stays(name)]
        key = (finding.rule, finding.kind, *sorted(says))
        return self.numbers.setdefault(key, len(self.numbers))

    def _stays(self, name: str) -> bool:
        known = self.passing.get(name)
        if known is None:
            known = self.passing[name] = _PASSING.search(name) is None
        return known

    def _value(self, text: str) -> str:
        known = self.folded.get(text)
        if known is None:
            if len(self.folded) >= _MOST:
                self.folded.clear()
            known = self.folded[text] = sys.intern(folded(text[:LONGEST]) + _rest(text))
        return known


def _rest(text: str) -> str:
    """A long text that begins as usual and ends otherwise is another."""
    if len(text) <= LONGEST:
        return ""
    return hashlib.blake2b(_DIGITS.sub("#", text[LONGEST:]).encode(errors="surrogatepass"), digest_size=8).hexdigest()


def folded(text: str) -> str:
    kept = _ENCODED.findall(text)
    text = _ENCODED.sub("~", text).lower()
    text = _ADDRESS.sub(lambda found: "~" + _letters(found[0]) if is_public(found[0]) else "lan", text)
    text = _DIGITS.sub("#", _HEX.sub("#", _IDENTIFIER.sub("#", text)))
    return " ".join([text, *kept])


def _letters(text: str) -> str:
    """An address that the folding of numbers does not touch."""
    return text.translate(str.maketrans("0123456789", "abcdefghij"))
