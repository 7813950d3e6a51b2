"""Who may ask our server: a peer with the proofs that they are, and what they may do in which collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from tocsin.model.peer import Peer

Right: TypeAlias = Literal["read", "write", "delete"]
RIGHTS: tuple[Right, ...] = get_args(Right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """One who may ask.

    Args:
        id: that of the peer, or the name of a system of ours.
        peer: the agreement that decides what they are told; None for a system of ours, which is told everything.
        agreement: SHA-256 of its file; what was decided under another is decided again.
        tokens: SHA-256 of the tokens that prove it, in hexadecimal.
        certificates: SHA-256 of certificates of theirs; where there are any, one is needed beside the token.
        rights: by the id of the collection.
        a_minute: how many requests are answered.
    """

    id: str
    peer: Peer | None
    agreement: str
    tokens: tuple[str, ...]
    certificates: tuple[str, ...]
    rights: Mapping[str, frozenset[Right]]
    a_minute: int
