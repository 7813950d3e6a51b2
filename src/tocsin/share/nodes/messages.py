"""A message between nodes in, a file out, and back: for whatever carries bytes (docs/nodes.md)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

from tocsin.errors import SealError, ShareError
from tocsin.model import node as nouns
from tocsin.share.nodes import forks, payloads, statements
from tocsin.share.nodes.known import NOTHING, Has, Message

MOST_BYTES: Final = 256 << 20
MOST_ENTRIES: Final = 200_000
_HINT: Final = "Name a file that `tocsin share give` or `tocsin share bundle` of a peer's node wrote."


class _Has(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    log: nouns.Digest
    branch: nouns.Branch
    sequence: Annotated[int, msgspec.Meta(ge=NOTHING, le=2**53 - 1)]
    digest: nouns.Digest


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    digest: nouns.Digest
    salt: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    text: str


class _Fork(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    branch: nouns.Branch
    key: nouns.PublicKey
    node: nouns.Name
    sequence: nouns.Sequence
    statements: tuple[str, str]
    version: Literal[1]
    what: Literal["fork"]


_Many = msgspec.Meta(max_length=MOST_ENTRIES)
_Few = msgspec.Meta(max_length=1_000)  # each costs the check of a signature or two before it is known whose it is


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    what: Literal["node message"]
    version: Literal[1]
    to: nouns.Name
    head: str
    has: Annotated[tuple[_Has, ...], _Many]
    got: Annotated[tuple[nouns.Digest, ...], _Many]
    entries: Annotated[tuple[str, ...], _Many]
    heads: Annotated[tuple[str, ...], _Few]
    forks: Annotated[tuple[_Fork, ...], _Few]
    payloads: Annotated[tuple[_Payload, ...], msgspec.Meta(max_length=2_000_000)]


def written(told: Message) -> bytes:
    """The file. The same message gives the same bytes."""
    whole = _Message(
        what="node message",
        version=1,
        to=told.to,
        head=told.head.sealed.decode("ascii"),
        has=tuple(_Has(one.log, one.branch, one.sequence, one.digest) for one in told.has),
        got=told.got,
        entries=tuple(one.sealed.decode("ascii") for one in told.entries),
        heads=tuple(one.sealed.decode("ascii") for one in told.heads),
        forks=tuple(msgspec.convert(forks.plain(one), _Fork) for one in told.forks),
        payloads=tuple(_Payload(digest, salt.hex(), content.decode()) for digest, salt, content in told.payloads),
    )
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def is_one(content: bytes) -> bool:
    """Whether a file says of itself that it is a message, by its first bytes."""
    return b'"node message"' in content[:200]


def read(content: bytes) -> Message:
    """A message from its file. Digests of payloads are compared; whose signatures hold is known with the logs.

    Raises:
        ShareError: it is none, is too large, or one of its parts is not in its form.
    """
    if len(content) > MOST_BYTES:
        raise ShareError(f"is larger than {MOST_BYTES >> 20} MiB", hint=_HINT)
    try:
        told = msgspec.json.decode(content, type=_Message)
        sealed: list[Any] = [[one.encode("ascii") for one in some] for some in (told.entries, told.heads)]
        found = Message(
            head=statements.read_head(told.head.encode("ascii")),
            to=told.to,
            has=tuple(
                Has(log=one.log, branch=one.branch, sequence=one.sequence, digest=one.digest) for one in told.has
            ),
            got=told.got,
            entries=tuple(statements.read_entry(one) for one in sealed[0]),
            heads=tuple(statements.read_head(one) for one in sealed[1]),
            forks=tuple(forks.of_plain(msgspec.to_builtins(one)) for one in told.forks),
            payloads=tuple((one.digest, bytes.fromhex(one.salt), one.text.encode()) for one in told.payloads),
        )
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ShareError(f"is no message between nodes: {str(error)[:200]}", hint=_HINT) from error
    except SealError as error:
        raise ShareError(f"is no message between nodes: {error.message}", hint=_HINT) from error
    for digest, salt, text in found.payloads:
        if why := payloads.fault_of(digest, salt, text):
            raise ShareError(f"holds the payload {digest[:16]}, and {why}", hint=_HINT)
    return found
