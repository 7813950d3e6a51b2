"""A text and nations in, the text locked under a key that some of them together can open out; and what opens it again.

The text is under AES-128-GCM (NIST SP 800-38D) with a random key, the key is shared by Shamir's scheme (1979; field of
2^128, `pycryptodome`), and each share is sealed to a nation's Ed25519 key turned into one of X25519 (`crypto_box_seal`
of libsodium, `pynacl`). Nothing here makes time pass: nations that agree to can open it early. That leaves signed
entries which say so, and no more is claimed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from Crypto.Protocol.SecretSharing import Shamir
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.exceptions import CryptoError
from nacl.public import SealedBox
from nacl.signing import SigningKey, VerifyKey

from tocsin.errors import SealError
from tocsin.model.endorsement import Nation
from tocsin.seal import dsse, keys
from tocsin.seal.canonical import canonical, decoded

KIND: Final = "application/vnd.tocsin.share.v1+json"
MOST_BYTES: Final = 64 << 20
MOST_NATIONS: Final = 100
_KEY_BYTES: Final = 16
_NONCE_BYTES: Final = 12


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    nation: str
    key: str  # fingerprint of the key it is sealed to
    number: int
    sealed: str  # base64
    digest: str  # SHA-256 of the share, so that a false one is told by whose it is


class Locked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What everybody may hold. Whoever has `threshold` shares can read `content`."""

    format: Literal["tocsin-embargo-1"]
    until: str  # when it is agreed to be opened: UTC, ISO 8601
    threshold: int
    shares: tuple[Share, ...]
    nonce: str
    content: str


class Released(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A nation's share in the open, signed with the key that it was sealed to."""

    embargo: str  # digest of what is locked
    nation: str
    key: str
    number: int
    share: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocked:
    """`early` are those who gave their share before the agreed time, as they themselves signed."""

    content: bytes
    by: tuple[str, ...]
    early: tuple[str, ...]


def lock(content: bytes, nations: Sequence[Nation], threshold: int, until: str) -> Locked:
    """Lock a text so that `threshold` nations together can open it. Each nation's share is sealed to its first key."""
    ids = [one.id for one in nations]
    if len(set(ids)) != len(ids) or not 2 <= threshold <= len(ids) <= MOST_NATIONS:
        raise SealError(
            f"{threshold} of {len(ids)} nations", hint=f"An embargo is shared among 2 to {MOST_NATIONS} nations."
        )
    if len(content) > MOST_BYTES:
        raise SealError(
            f"larger than {MOST_BYTES >> 20} MB", hint="Lock a digest of it, and give the file itself later."
        )
    key, nonce = os.urandom(_KEY_BYTES), os.urandom(_NONCE_BYTES)
    shares = []
    for nation, (number, share) in zip(nations, Shamir.split(threshold, len(ids), key, ssss=False), strict=True):
        public = keys.public(nation.keys[0])
        box = SealedBox(VerifyKey(public.public_bytes_raw()).to_curve25519_public_key())
        told = Share(
            nation=nation.id,
            key=keys.fingerprint(public),
            number=number,
            sealed=_text(box.encrypt(share)),
            digest=hashlib.sha256(share).hexdigest(),
        )
        shares.append(told)
    head = _head(until, threshold)
    return Locked(
        format="tocsin-embargo-1",
        until=until,
        threshold=threshold,
        shares=tuple(shares),
        nonce=_text(nonce),
        content=_text(AESGCM(key).encrypt(nonce, content, head)),
    )


def _head(until: str, threshold: int) -> bytes:
    """What is agreed is bound to the text: another time or threshold opens nothing."""
    return canonical({"until": until, "threshold": threshold})


def written(locked: Locked) -> bytes:
    return canonical(msgspec.to_builtins(locked))


def digest(locked: Locked) -> str:
    return hashlib.sha256(written(locked)).hexdigest()


def read(content: bytes) -> Locked:
    """What `written` made.

    Raises:
        SealError: it is something else.
    """
    if len(content) > 2 * MOST_BYTES:
        raise SealError(f"larger than {2 * MOST_BYTES >> 20} MB", hint="It is no embargo.")
    try:
        locked = msgspec.convert(decoded(content), Locked)
    except msgspec.ValidationError as error:
        raise SealError(f"is no embargo: {error}") from error
    count, nations = len(locked.shares), {one.nation for one in locked.shares}
    # Numbers are points of the field in which shares are combined: with others that does not end.
    numbered = sorted(one.number for one in locked.shares) == list(range(1, count + 1))
    if not (2 <= locked.threshold <= count <= MOST_NATIONS and numbered and len(nations) == count):
        raise SealError("is no embargo: its shares are not those of so many nations")
    return locked


def release(locked: Locked, nation: str, key: keys.Signing, at: str) -> dict[str, Any]:
    """A nation's share in the open, as a signed entry; it is made once the nation decided to."""
    if not isinstance(key, Ed25519PrivateKey):
        raise SealError("an agent signs, and opens nothing", hint="Name the file of the private key.")
    own = [one for one in locked.shares if one.nation == nation and one.key == keys.fingerprint(key)]
    if not own:
        raise SealError(f"no share of {nation} is sealed to this key", hint="It was sealed to the nation's first key.")
    box = SealedBox(SigningKey(key.private_bytes_raw()).to_curve25519_private_key())
    try:
        share = box.decrypt(_bytes(own[0].sealed))
    except (CryptoError, ValueError) as error:
        raise SealError(f"the share of {nation} does not open: it was damaged, or sealed to somebody else") from error
    if hashlib.sha256(share).hexdigest() != own[0].digest:
        raise SealError(f"the share of {nation} is not the one that was told: whoever locked this gave it a false one")
    told = Released(
        embargo=digest(locked), nation=nation, key=own[0].key, number=own[0].number, share=_text(share), at=at
    )
    return dsse.sealed(KIND, canonical(msgspec.to_builtins(told)), [key])


def unlock(locked: Locked, envelopes: Iterable[Mapping[str, Any]], nations: Sequence[Nation]) -> Unlocked:
    """The text, and who opened it.

    Raises:
        SealError: fewer shares than it takes, or what is locked was changed.
    """
    found: dict[int, Released] = {}
    for envelope in envelopes:
        one = _released(envelope, locked, nations)
        found.setdefault(one.number, one)
    if len(found) < locked.threshold:
        raise SealError(
            f"{len(found)} of the {locked.threshold} shares that it takes are here", hint="Wait for more nations."
        )
    shares = [(number, _bytes(found[number].share)) for number in sorted(found)][: locked.threshold]
    head = _head(locked.until, locked.threshold)
    try:
        key = Shamir.combine(shares, ssss=False)
        content = AESGCM(key).decrypt(_bytes(locked.nonce), _bytes(locked.content), head)
    except (InvalidTag, ValueError) as error:
        raise SealError(
            "the shares are those that were given, and do not open it", hint="Whoever locked it must lock it anew."
        ) from error
    by = tuple(sorted(one.nation for one in found.values()))
    return Unlocked(
        content=content, by=by, early=tuple(sorted(one.nation for one in found.values() if one.at < locked.until))
    )


def _released(envelope: Mapping[str, Any], locked: Locked, nations: Sequence[Nation]) -> Released:
    known = [keys.public(key) for one in nations for key in one.keys]
    text, accepted = dsse.opened(envelope, KIND, known)
    try:
        one = msgspec.convert(decoded(text), Released)
    except msgspec.ValidationError as error:
        raise SealError(f"what was signed is no share: {error}") from error
    if one.embargo != digest(locked):
        raise SealError("a share of another embargo, or of this one before somebody changed it")
    own = next((share for share in locked.shares if share.number == one.number), None)
    if own is None or one.key not in accepted or (one.nation, one.key) != (own.nation, own.key):
        raise SealError("a share that its signer was not given")
    if hashlib.sha256(_bytes(one.share)).hexdigest() != own.digest:
        raise SealError(f"{one.nation} gave a share that is not the one it was given")
    return one


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SealError("holds what is not base64") from error
