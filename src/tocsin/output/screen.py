r"""Text from logs and rules in, text that a terminal shows as it stands out: control characters become `\x1b`."""

from __future__ import annotations

import re
from typing import Final

# What moves the cursor, changes colours, reorders or hides its neighbours: categories Cc, Cf, Cs, Zl and Zp of
# Unicode 16, and the characters that are blank or of no width without being called so.
_UNSEEN: Final = (
    r"\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
)
UNSEEN: Final = re.compile(f"[{_UNSEEN}]")


def shown(text: str, limit: int = 0) -> str:
    """Text without a character that acts instead of being seen; longer than `limit` it is cut in the middle."""
    # Most text is plain; to see that it is takes a twentieth of the time of the expression.
    if not (text.isascii() and text.isprintable()) and UNSEEN.search(text):
        text = UNSEEN.sub(_escape, text)
    return cut(text, limit) if limit else text


def cut(text: str, limit: int) -> str:
    """At most `limit` characters: both ends, which tell most of a path or a command, and `…` between them."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 2
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
