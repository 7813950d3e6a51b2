"""Statements of nodes whose keys are known to everybody, made the same each time."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tocsin.model.node import Body, Entry, Head, Objects, Restored, Rotation, Why
from tocsin.seal import keys
from tocsin.seal.chain import ROOT
from tocsin.share.nodes import statements
from tocsin.share.nodes.book import place_of

AT = "2026-11-28T19:00:00.000000Z"
BRANCH = "0123456789abcdef" * 2


def key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def name(number: int) -> str:
    return keys.fingerprint(key(number))


def first(number: int = 1) -> Entry:
    rotation = handed_on(number, None, number, "first", name(number))
    return said(rotation, None, number)


def handed_on(new: int, after: Entry | None, node: int, why: Why = "planned", called: str = "") -> Rotation:
    to = keys.public_text(key(new))
    word = statements.word_of_new_key(
        to,
        node=name(node),
        branch=after.branch if after else "",
        sequence=after.sequence + 1 if after else 0,
        prev=after.digest if after else ROOT,
    )
    proof = base64.b64encode(key(new).sign(word)).decode()
    return Rotation(to=to, why=why, proof=proof, name=f"node {new}" if called else "")


def said(body: Body, after: Entry | None, signer: int, *, node: int = 0, branch: str | None = None) -> Entry:
    """The entry after another one, signed with a key; `node` is the number of its first key, otherwise the signer's."""
    if branch is None:
        branch = after.branch if after is not None else ""
    return statements.entry(
        body,
        node=after.node if after is not None else name(node or signer),
        branch=branch,
        sequence=after.sequence + 1 if after is not None else 0,
        prev=after.digest if after is not None else ROOT,
        at=AT,
        key=key(signer),
    )


def objects(after: Entry, what: int, signer: int = 1) -> Entry:
    return said(Objects(payloads=(f"{what:064x}",)), after, signer)


def restored(after: Entry, signer: int = 1, branch: str = BRANCH) -> Entry:
    return said(Restored(remembers=after.sequence), after, signer, branch=branch)


def head(of: Entry, signer: int = 1) -> Head:
    return statements.head(place_of(of), at=AT, carries="0" * 64, key=key(signer))
