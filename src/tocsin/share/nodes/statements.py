"""What a node says and its key in, a sealed statement in its one form out, and back: entries and heads of logs.

Each is a DSSE envelope (protocol v1.0) with one signature over canonical JSON (RFC 8785). An envelope that could also
be written otherwise is refused: a statement has one form, and a log the same bytes at every node (docs/nodes.md).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tocsin.errors import ShareError
from tocsin.model import node as nouns
from tocsin.model.node import Body, Entry, Head, Kind, Place
from tocsin.seal import dsse, keys
from tocsin.seal.canonical import canonical
from tocsin.seal.chain import ROOT

ENTRY: Final = "application/vnd.tocsin.node-entry.v1+json"
HEAD: Final = "application/vnd.tocsin.node-head.v1+json"
KEY: Final = "application/vnd.tocsin.node-key.v1+json"
LONGEST: Final = (
    2 << 20
)  # of an envelope: 5,000 digests and their base64 are half a megabyte, places of heads twice that

_KINDS: Final[Mapping[type[Body], Kind]] = {body: kind for kind, body in nouns.BODIES.items()}
_HINT: Final = "It is left out; what its node says otherwise stands. docs/nodes.md has the form."


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: nouns.Name
    sig: Annotated[str, msgspec.Meta(min_length=88, max_length=88)]


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    payloadType: str  # noqa: N815 - as DSSE calls it
    signatures: tuple[_Signature]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: nouns.Moment
    branch: nouns.Branch
    key: nouns.Name
    kind: nouns.Kind
    node: nouns.Name
    prev: nouns.Digest
    sequence: nouns.Sequence
    told: msgspec.Raw
    version: Annotated[int, msgspec.Meta(ge=1, le=1)]


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    at: nouns.Moment
    carries: nouns.Digest
    key: nouns.Name
    place: Place
    version: Annotated[int, msgspec.Meta(ge=1, le=1)]


_ENVELOPES: Final = msgspec.json.Decoder(_Envelope)
_ENTRIES: Final = msgspec.json.Decoder(_Entry)
_HEADS: Final = msgspec.json.Decoder(_Head)
_BODIES: Final = {kind: msgspec.json.Decoder(body) for kind, body in nouns.BODIES.items()}


def entry(body: Body, *, node: str, branch: str, sequence: int, prev: str, at: str, key: keys.Signing) -> Entry:
    """Write and sign the next entry of a log."""
    told = {
        "at": at,
        "branch": branch,
        "key": keys.fingerprint(key),
        "kind": _KINDS[type(body)],
        "node": node,
        "prev": prev,
        "sequence": sequence,
        "told": msgspec.to_builtins(body),
        "version": 1,
    }
    return read_entry(_sealed(ENTRY, canonical(told), key))


def head(place: Place, *, at: str, carries: str, key: keys.Signing) -> Head:
    fingerprint = keys.fingerprint(key)
    told = {"at": at, "carries": carries, "key": fingerprint, "place": msgspec.to_builtins(place), "version": 1}
    return read_head(_sealed(HEAD, canonical(told), key))


def word_of_new_key(to: str, *, node: str, branch: str, sequence: int, prev: str) -> bytes:
    """What a new key signs to show that it is there and agrees to speak for this node from this place on."""
    told = {"branch": branch, "node": node, "prev": prev, "sequence": sequence, "to": to}
    return dsse.pae(KEY, canonical(told))


def read_entry(sealed: bytes) -> Entry:
    """An entry from its envelope. Its signature is not looked at: see `holds`.

    Raises:
        ShareError: it is none, or not in its one form.
    """
    text, signature, keyid = _opened(sealed, ENTRY)
    try:
        wire = _ENTRIES.decode(text)
        body = _BODIES[wire.kind].decode(wire.told)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ShareError(f"is no entry of a log: {str(error)[:200]}", hint=_HINT) from error
    told = {name: getattr(wire, name) for name in wire.__struct_fields__} | {"told": msgspec.to_builtins(body)}
    _same(text, told)
    if keyid != wire.key or (wire.sequence == 0) != (wire.prev == ROOT):
        raise ShareError("is no entry of a log: its key or its place are not told as one", hint=_HINT)
    return Entry(
        node=wire.node,
        key=wire.key,
        branch=wire.branch,
        sequence=wire.sequence,
        prev=wire.prev,
        at=wire.at,
        kind=wire.kind,
        body=body,
        digest=hashlib.sha256(text).hexdigest(),
        sealed=sealed,
        text=text,
        signature=signature,
    )


def read_head(sealed: bytes) -> Head:
    """A head from its envelope, as `read_entry`."""
    text, signature, keyid = _opened(sealed, HEAD)
    try:
        wire = _HEADS.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ShareError(f"is no head of a log: {str(error)[:200]}", hint=_HINT) from error
    _same(text, msgspec.to_builtins(wire))
    if keyid != wire.key:
        raise ShareError("is no head of a log: its envelope names another key", hint=_HINT)
    return Head(
        place=wire.place,
        key=wire.key,
        at=wire.at,
        carries=wire.carries,
        sealed=sealed,
        text=text,
        signature=signature,
    )


def holds(said: Entry | Head, key: Ed25519PublicKey) -> bool:
    """Whether the signature is of this key. The key's fingerprint must be compared before."""
    kind = ENTRY if isinstance(said, Entry) else HEAD
    return keys.holds(key, said.signature, dsse.pae(kind, said.text))


def unpacked(text: str) -> bytes:
    """Base64 of a signature; what is none is refused."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ShareError("holds what is not base64", hint=_HINT) from error


def _sealed(kind: str, text: bytes, key: keys.Signing) -> bytes:
    return canonical(dsse.sealed(kind, text, [key]))


def _opened(sealed: bytes, kind: str) -> tuple[bytes, bytes, str]:
    """The text, its signature and the name of its key, of an envelope that can be written in no other way."""
    if len(sealed) > LONGEST:
        raise ShareError(f"a statement of {len(sealed):,} bytes: at most {LONGEST:,} are read", hint=_HINT)
    try:
        found = _ENVELOPES.decode(sealed)
        text = base64.b64decode(found.payload, validate=True)
        signature = base64.b64decode(found.signatures[0].sig, validate=True)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ShareError(f"is no statement of a node: {str(error)[:200]}", hint=_HINT) from error
    again = msgspec.json.encode(found) == sealed and base64.b64encode(text).decode("ascii") == found.payload
    if found.payloadType != kind or len(signature) != 64 or not again:
        raise ShareError(f"is no statement of the type {kind} in its one form", hint=_HINT)
    return text, signature, found.signatures[0].keyid


def _same(text: bytes, told: Any) -> None:
    """RFC 8785 of what was understood must be what was signed: unknown names, and names twice, are found so.

    The forms hold only whole numbers, and their names are ASCII: so the library's sorted form is that of RFC 8785.
    """
    form = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        again = form.encode()
    except UnicodeEncodeError:
        again = b""
    if again != text:
        raise ShareError("is a statement that is not in the form of RFC 8785, or says more than is understood")
