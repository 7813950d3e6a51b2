"""A text and keys in, a signed envelope out, and back: DSSE, protocol and envelope v1.0.

The library `securesystemslib` has this too, with its own kinds of keys and signers around it; what the specification
asks for is the few lines below (docs/decisions/0012-seals.md).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tocsin.errors import SealError
from tocsin.seal import keys

_MOST_SIGNATURES: Final = 64


def pae(kind: str, text: bytes) -> bytes:
    """What is signed: the type and the text, each behind its length, so that neither can pass for the other."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(text), text)


def sealed(kind: str, text: bytes, signers: Sequence[keys.Signing]) -> dict[str, Any]:
    """The envelope, as JSON holds it. `kind` is the media type of the text, and is signed with it."""
    signed = pae(kind, text)
    return {
        "payload": base64.b64encode(text).decode("ascii"),
        "payloadType": kind,
        "signatures": [
            {"keyid": keys.fingerprint(key), "sig": base64.b64encode(keys.sign(key, signed)).decode("ascii")}
            for key in signers
        ],
    }


def opened(
    envelope: Mapping[str, Any], kind: str, known: Iterable[Ed25519PublicKey]
) -> tuple[bytes, Mapping[str, Ed25519PublicKey]]:
    """The text, and those of the known keys, by fingerprint, that signed it: each once, however often it signed.

    `keyid` is a hint that nobody signed: it chooses the key to try first, and nothing follows from it.
    """
    text, signatures = _parts(envelope, kind)
    signed = pae(kind, text)
    by_name = {keys.fingerprint(key): key for key in known}
    accepted: dict[str, Ed25519PublicKey] = {}
    for name, signature in signatures:
        first = [by_name[name]] if name in by_name else []
        for key in (*first, *by_name.values()):
            if keys.holds(key, signature, signed):
                accepted[keys.fingerprint(key)] = key
                break
    if not accepted:
        raise SealError("no signature of the envelope is of a key that is known here", hint="Get the signer's key.")
    return text, accepted


def _parts(envelope: Mapping[str, Any], kind: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    named, text, signatures = (envelope.get(name) for name in ("payloadType", "payload", "signatures"))
    if not (isinstance(named, str) and isinstance(text, str) and isinstance(signatures, list | tuple) and signatures):
        raise SealError("is not a DSSE envelope: payload, payloadType and signatures are needed")
    if len(signatures) > _MOST_SIGNATURES:
        raise SealError(f"the envelope has {len(signatures):,} signatures; at most {_MOST_SIGNATURES} are looked at")
    if named != kind:
        raise SealError(f"the envelope holds {named[:100]}, and {kind} was asked for")
    found = []
    for one in signatures:
        signature = one.get("sig") if isinstance(one, Mapping) else None
        if not isinstance(signature, str):
            raise SealError("the envelope has a signature without `sig`")
        name = one.get("keyid", "")
        found.append((name if isinstance(name, str) else "", _unpacked(signature)))
    return _unpacked(text), found


def _unpacked(text: str) -> bytes:
    """Base64 in its standard or its URL-safe form: verifiers must take either."""
    try:
        return base64.b64decode(text.translate(_STANDARD), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SealError("the envelope holds what is not base64") from error


_STANDARD: Final = {ord("-"): "+", ord("_"): "/"}
