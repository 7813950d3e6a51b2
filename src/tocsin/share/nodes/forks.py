"""Two statements of one place in, the proof that a key signed both out, and back, for anybody to check offline.

An entry states what stands at its own place, and what stands before it; a head states what stands at its place. Two
statements under one key that name different digests for one place cannot both be of a node that keeps one log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from tocsin.errors import SealError, ShareError
from tocsin.model import node as nouns
from tocsin.model.node import Entry, Fork, Head
from tocsin.seal import keys
from tocsin.seal.canonical import canonical, decoded
from tocsin.share.nodes import statements

MOST_BYTES: Final = 8 << 20
_HINT: Final = "Nothing follows from it. docs/nodes.md says what a proof is."
_Rank = tuple[int, bytes]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    branch: nouns.Branch
    key: nouns.PublicKey
    node: nouns.Name
    sequence: nouns.Sequence
    statements: tuple[str, str]
    version: int
    what: str


def told_of(said: Entry | Head, branch: str, sequence: int) -> str | None:
    """The digest that a statement names for a place of its node's log; None where it says nothing of it."""
    if isinstance(said, Head):
        return said.place.digest if (said.place.branch, said.place.sequence) == (branch, sequence) else None
    if said.branch != branch:
        return None
    if said.sequence == sequence:
        return said.digest
    return said.prev if said.sequence == sequence + 1 and said.kind != "restored" else None


def proven(node: str, branch: str, sequence: int, key: str, said: Iterable[Entry | Head]) -> Fork | None:
    """The proof that statements under one key make, if they do. Which two of them are chosen hangs on nothing else.

    For each digest that is named the most direct statement, then the two digests that come first: so those who know
    the same statements have the same proof, and those who bring theirs together as well.
    """
    best: dict[str, tuple[_Rank, bytes]] = {}
    for one in said:
        digest = told_of(one, branch, sequence)
        if digest is not None:
            rank = 2 if isinstance(one, Head) else 0 if one.sequence == sequence else 1
            mine = ((rank, one.sealed), one.sealed)
            best[digest] = min(best.get(digest, mine), mine)
    if len(best) < 2:
        return None
    first, second = sorted(best)[:2]
    return Fork(node=node, branch=branch, sequence=sequence, key=key, statements=(best[first][1], best[second][1]))


def earlier(one: Fork | None, other: Fork | None) -> Fork | None:
    """Of two proofs against one node the one that counts: of the earlier place, or of both what is most direct."""
    if one is None or other is None:
        return one or other
    if (one.sequence, one.branch) != (other.sequence, other.branch):
        return min(one, other, key=lambda fork: (fork.sequence, fork.branch))
    said = [read(sealed) for fork in (one, other) for sealed in fork.statements]
    return proven(one.node, one.branch, one.sequence, one.key, said) or one


def read(sealed: bytes) -> Entry | Head:
    is_head = b'"payloadType":"%b"' % statements.HEAD.encode() in sealed
    return statements.read_head(sealed) if is_head else statements.read_entry(sealed)


def check(fork: Fork) -> None:
    """That it is a proof: whoever holds the private key of `fork.key` made two statements that exclude each other.

    That this key speaks for the node is another question: its fingerprint must be known, or the log that hands it on.

    Raises:
        ShareError: it proves nothing.
    """
    try:
        key = keys.public(fork.key)
        said = [read(sealed) for sealed in fork.statements]
    except (ShareError, SealError) as error:
        raise ShareError(f"proves no fork: it {error.message}", hint=_HINT) from error
    for one in said:
        of = one.place.node if isinstance(one, Head) else one.node
        if of != fork.node or one.key != keys.fingerprint(key) or not statements.holds(one, key):
            raise ShareError("proves no fork: a statement is not of that node under that key", hint=_HINT)
    if proven(fork.node, fork.branch, fork.sequence, fork.key, said) != fork:
        raise ShareError("proves no fork: the two statements do not exclude each other", hint=_HINT)
    if fork.sequence == 0 and keys.fingerprint(key) != fork.node:
        raise ShareError("proves no fork: the first entry of a log is signed with the key that names it", hint=_HINT)


def plain(fork: Fork) -> dict[str, Any]:
    """As JSON holds it."""
    return {
        "branch": fork.branch,
        "key": fork.key,
        "node": fork.node,
        "sequence": fork.sequence,
        "statements": [sealed.decode("ascii") for sealed in fork.statements],
        "version": 1,
        "what": "fork",
    }


def written(fork: Fork) -> bytes:
    """The file of a proof. It is of one form, so that its bytes can be compared."""
    return canonical(plain(fork)) + b"\n"


def of_file(content: bytes) -> Fork:
    """A proof from its file, checked.

    Raises:
        ShareError: it proves nothing.
    """
    if len(content) > MOST_BYTES:
        raise ShareError(f"proves no fork: {len(content):,} bytes are more than a proof has", hint=_HINT)
    try:
        return of_plain(decoded(content.removesuffix(b"\n")))
    except SealError as error:
        raise ShareError(f"proves no fork: it {error.message}", hint=_HINT) from error


def of_plain(told: Any) -> Fork:
    try:
        found = msgspec.convert(told, _File)
        sealed = [one.encode("ascii") for one in found.statements]
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise ShareError(f"proves no fork: {str(error)[:200]}", hint=_HINT) from error
    if (found.version, found.what) != (1, "fork"):
        raise ShareError("proves no fork: it is something else", hint=_HINT)
    fork = Fork(
        node=found.node,
        branch=found.branch,
        sequence=found.sequence,
        key=found.key,
        statements=(sealed[0], sealed[1]),
    )
    check(fork)
    return fork


def in_words(fork: Fork) -> str:
    place = f"entry {fork.sequence:,}" + (f" of its branch {fork.branch[:8]}" if fork.branch else "")
    digests = [told_of(read(sealed), fork.branch, fork.sequence) or "" for sealed in fork.statements]
    told = " and ".join(json.dumps(one[:16]) for one in digests)
    return f"the key {keys.fingerprint(keys.public(fork.key))} signed two logs: at {place} stand {told}"
