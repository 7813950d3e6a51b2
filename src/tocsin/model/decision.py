"""What a person decided: about what, in which role, why, when, and on the strength of what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Role: TypeAlias = Literal[
    "analyst",
    "duty",  # the officer of the watch
    "lead",  # of the incident
    "owner",  # of a system that is touched
    "leadership",  # of the centre, or of the agency that is touched
    "legal",
    "privacy",  # data protection
    "liaison",  # to partners and allies
    "minister",  # or an office that speaks for one
    "oversight",
]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """It is what a signature covers; changing any of it breaks the signature.

    Args:
        case: id of the case; '' for a decision about none.
        subject: what is decided on, such as `close`.
        choice: what was chosen, such as `yes`.
        by: name of the person; `key` is the fingerprint of the key that signs.
        at: UTC, ISO 8601 with six digits of a second.
        seen: SHA-256 of what the person had before them.
        head: of the case's log at that time, '' where there is none: what was written before cannot change unnoticed.
    """

    case: str
    subject: str
    choice: str
    role: Role
    by: str
    key: str
    at: str
    reason: str
    seen: str
    head: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A person whose key is known. `key` is the public key as OpenSSH writes it, `fingerprint` what people compare."""

    name: str
    key: str
    fingerprint: str
