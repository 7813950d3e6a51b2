"""The name of a field in, whether it holds what people wrote to each other out.

Of members' mail a report shows who, when and how much, not what.
"""

from __future__ import annotations

from typing import Final

# Names that mean content of mail wherever they stand, and those that do so in logs of mail only.
CONTENT: Final = frozenset(
    {"body", "bodypreview", "internetmessagesubject", "message-subject", "message_subject", "messagesubject", "preview"}
)
_IN_MAIL: Final = frozenset({"content", "subject"})
MAIL_KINDS: Final = frozenset({"mail", "m365", "google_workspace"})


def is_privileged(kind: str, field: str) -> bool:
    last = field.rpartition(".")[2].lower()
    return last in CONTENT or (last in _IN_MAIL and kind in MAIL_KINDS)
