"""A folder in, the people out whose keys are known here: a small file for each of them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tocsin.errors import SealError
from tocsin.model.decision import Signer
from tocsin.seal import durable, keys

_LONGEST: Final = 100
_SUFFIX: Final = ".json"


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of a person. `key_file` is '' where the private key is not here."""

    signer: Signer
    added_at: str
    key_file: str = ""


def checked_name(name: str) -> str:
    """In the normal form NFC, as it is compared and signed."""
    name = unicodedata.normalize("NFC", name.strip())
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise SealError(
            f"{name[:_LONGEST]!r} cannot be the name of a person",
            hint=f"A name has 1 to {_LONGEST} characters, all of which can be seen.",
        )
    return name


def of(name: str, key: Ed25519PrivateKey | Ed25519PublicKey) -> Signer:
    text = keys.public_text(key)
    keys.public(text)  # refuses what nobody should trust
    return Signer(name=checked_name(name), key=text, fingerprint=keys.fingerprint(key))


def key_place(folder: Path, name: str) -> Path:
    """Where the private key of somebody is kept who does not name a place."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "person"
    return folder / "keys" / f"{readable}-{hashlib.sha256(folded(name).encode()).hexdigest()[:8]}"


def add(folder: Path, known: Known) -> None:
    """Remember a person. A name or a key that is known already is refused: it must be plain who signed."""
    for other in everybody(folder):
        if folded(other.signer.name) == folded(known.signer.name):
            hint = "Add the other key under a name that can be told apart, such as with a number."
            raise SealError(f"{known.signer.name}: is known already, with a key {other.signer.fingerprint}", hint=hint)
        if other.signer.fingerprint == known.signer.fingerprint:
            raise SealError(f"this key is known already, as that of {other.signer.name}", hint="One key, one person.")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable.replace(_place(folder, known.signer), msgspec.json.format(msgspec.json.encode(known)) + b"\n")
    except OSError as error:
        hint = "See to its permissions and free space."
        raise SealError(f"{folder}: cannot be written in: {error.strerror or error}", hint=hint) from error


def everybody(folder: Path) -> tuple[Known, ...]:
    """In the order of their names."""
    found = []
    for path in sorted(folder.glob(f"[!.]*{_SUFFIX}")):
        try:
            known = msgspec.json.decode(path.read_bytes(), type=Known)
        except (OSError, ValueError) as error:
            raise SealError(f"{path}: cannot be read: {error}", hint="Remove it, and add the person again.") from error
        if keys.fingerprint(keys.public(known.signer.key)) != known.signer.fingerprint:
            raise SealError(f"{path}: its fingerprint is not of its key", hint="Remove it, and add the person again.")
        found.append(known)
    return tuple(sorted(found, key=lambda known: folded(known.signer.name)))


def find(folder: Path, name: str) -> Known:
    """By name, in whatever letters, or by fingerprint."""
    there = everybody(folder)
    for known in there:
        if folded(known.signer.name) == folded(name) or known.signer.fingerprint == name:
            return known
    names = ", ".join(known.signer.name for known in there) or "nobody yet"
    raise SealError(f"{name}: no such person is known here", hint=f"Known are: {names}. `tocsin person add` adds one.")


def _place(folder: Path, signer: Signer) -> Path:
    return folder / f"{hashlib.sha256(signer.fingerprint.encode()).hexdigest()[:32]}{_SUFFIX}"


def folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name.strip()).casefold()
