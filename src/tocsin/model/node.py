"""A node's log: what a node said, one entry after the other, and what shows that it said two things at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

# A node is named by the fingerprint of its first key, for good; a branch by a random number, the first one by ''.
Name: TypeAlias = Annotated[str, Meta(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
Digest: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Branch: TypeAlias = Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?$")]
Moment: TypeAlias = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")]
Sequence: TypeAlias = Annotated[int, Meta(ge=0, le=2**53 - 1)]
PublicKey: TypeAlias = Annotated[str, Meta(pattern=r"^(ssh-ed25519 [A-Za-z0-9+/=]{68})?$")]

MOST_PAYLOADS = 5_000  # of one entry: 5,000 digests are a third of a megabyte

Kind: TypeAlias = Literal["objects", "revocation", "rotation", "restored", "receipt", "heads"]
Why: TypeAlias = Literal["first", "planned", "stolen", "ended"]
Digests: TypeAlias = Annotated[tuple[Digest, ...], Meta(max_length=MOST_PAYLOADS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place in the log of a node, and the digest of what stands there."""

    node: Name
    branch: Branch
    sequence: Sequence
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """What was told: salted digests, so that nobody can guess what of from the log alone."""

    payloads: Digests


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """What is taken back, by its digests; and digests of letters that say why, one for each peer it had reached."""

    takes_back: Digests
    letters: Digests


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """The key that signs from the next entry on; '' where none does.

    Args:
        proof: the new key's own signature over its place, so that nobody can claim the key of somebody else.
        name: what the node calls itself, in the first entry.
    """

    to: PublicKey
    why: Why
    proof: Annotated[str, Meta(max_length=88)]
    name: Annotated[str, Meta(max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """From here on it writes in a branch: it came back from a backup that ends at the entry before this one."""

    remembers: Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Entries of others, by digest, that have arrived and are heeded. Whose, those see who follow their logs."""

    of: Digests


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """How far it knew the logs of others: digests of places, which say nothing but to those who follow them."""

    known: Digests


Body: TypeAlias = Objects | Revocation | Rotation | Restored | Receipt | Heads
BODIES: Mapping[Kind, type[Body]] = {
    "objects": Objects,
    "revocation": Revocation,
    "rotation": Rotation,
    "restored": Restored,
    "receipt": Receipt,
    "heads": Heads,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a log, whose form was checked; whether its signature holds is known by whoever knows the key.

    Args:
        key: fingerprint of the key that signs.
        prev: digest of the entry before; zeros for the first.
        at: when its node says that it wrote it. Nothing is ordered by it.
        digest: SHA-256 of what is signed.
        sealed: its envelope, in its one form; `text` and `signature` are what it holds.
    """

    node: Name
    key: Name
    branch: Branch
    sequence: Sequence
    prev: Digest
    at: Moment
    kind: Kind
    body: Body
    digest: Digest
    sealed: bytes
    text: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """How far a node says that its own log goes; `carries` is the digest of the message that it came with."""

    place: Place
    key: Name
    at: Moment
    carries: Digest
    sealed: bytes
    text: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Two statements under one key, of which each says that something else stands at one place of one log."""

    node: Name
    branch: Branch
    sequence: Sequence
    key: PublicKey
    statements: tuple[bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """A node whose fingerprint somebody heard over another way than its log came by.

    Args:
        follows: the node that it was before, where a person said that it is the same people.
    """

    node: Name
    name: str
    by: str
    added_at: Moment
    follows: str = ""
