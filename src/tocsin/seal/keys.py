"""A key file and a passphrase in, an Ed25519 key out (RFC 8032), and its fingerprint as OpenSSH tells it.

A private key is kept in the form of OpenSSH (`openssh-key-v1`, bcrypt and AES-256), so that `ssh-keygen` can read it,
change its passphrase and show its fingerprint. Read are that form and PKCS#8 (RFC 5958), with a passphrase or without.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from tocsin.errors import SealError
from tocsin.seal import durable

ROUNDS: Final = 64  # of bcrypt: about 0.8 s on the machine it was measured on, 0.3 s with the 16 of the library
_LARGEST: Final = 64 << 10  # a file with one key has a few hundred bytes
_OPENSSH: Final = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_PEM: Final = b"-----BEGIN "
_OTHERS: Final = 0o077  # permission bits of everybody but the owner

# A signature under a point of small order can be made without a secret, and can hold for many texts. Such a point is
# told by its y alone, whatever the bit for the sign of x; two of these are forms that RFC 8032 §5.1.3 forbids.
_P: Final = 2**255 - 19
_Y_OF_ORDER_8: Final = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL: Final = frozenset({0, 1, _P - 1, _Y_OF_ORDER_8, _P - _Y_OF_ORDER_8, _P, _P + 1})

Ask = Callable[[str], bytes]  # a question to the person, the passphrase


class Signing(Protocol):
    """What signs: a private key from a file, or one that an agent holds."""

    def sign(self, data: bytes, /) -> bytes: ...

    def public_key(self) -> Ed25519PublicKey: ...


def make() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def public_text(key: Signing | Ed25519PublicKey) -> str:
    """The public key as one line of OpenSSH, without a comment (RFC 8709 §4)."""
    public = key if isinstance(key, Ed25519PublicKey) else key.public_key()
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")


def public(text: str) -> Ed25519PublicKey:
    """The key of one line of OpenSSH; a comment behind it is allowed and means nothing."""
    try:
        key = load_ssh_public_key(text.strip().encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SealError("is not a public key as OpenSSH writes it", hint=_HINT_PUBLIC) from error
    if not isinstance(key, Ed25519PublicKey):
        raise SealError("is a public key, but not of Ed25519", hint=_HINT_PUBLIC)
    raw = key.public_bytes_raw()
    if int.from_bytes(raw, "little") % 2**255 in _SMALL:
        raise SealError("is a public key under which anybody can sign (a point of small order)", hint="Do not use it.")
    return key


def fingerprint(key: Signing | Ed25519PublicKey) -> str:
    """As `ssh-keygen -l` tells it: SHA-256 of the key's wire form, in base64 without padding."""
    wire = base64.b64decode(public_text(key).split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(wire).digest()).decode("ascii").rstrip("=")


def sign(key: Signing, text: bytes) -> bytes:
    return key.sign(text)


def holds(key: Ed25519PublicKey, signature: bytes, text: bytes) -> bool:
    """Whether a signature is of this key over this text (RFC 8032 §5.1.7)."""
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True


def save(path: Path, key: Ed25519PrivateKey, passphrase: bytes) -> None:
    """Write a new file that only its owner may read. An empty passphrase leaves it unprotected."""
    protection = (
        PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(ROUNDS).build(passphrase)
        if passphrase
        else NoEncryption()
    )
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, protection)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable.create(path, text, mode=0o600)
        durable.settle(path.parent)
    except FileExistsError as error:
        hint = "A key is never written over. Choose another file."
        raise SealError(f"{path}: is there already", hint=hint) from error
    except OSError as error:
        hint = "See to its permissions and free space."
        raise SealError(f"{path}: cannot be written: {error.strerror or error}", hint=hint) from error


def is_private(path: Path) -> bool:
    """Whether a file holds a private key, by its first bytes."""
    return _read(path, owned=False).lstrip().startswith(_PEM)


def load_public(path: Path) -> Ed25519PublicKey:
    text = _read(path, owned=False)
    try:
        return public(text.decode())
    except UnicodeDecodeError as error:
        raise SealError(f"{path}: is not a public key as OpenSSH writes it", hint=_HINT_PUBLIC) from error
    except SealError as error:
        raise SealError(f"{path}: {error.message}", hint=error.hint) from error


def load(path: Path, ask: Ask) -> Ed25519PrivateKey:
    """The private key in a file that belongs to this user and that nobody else may read. `ask` is for a passphrase."""
    text = _read(path, owned=True)
    try:
        key = _decoded(text, None)
    except TypeError:  # so the library says that a passphrase is needed
        key = _unlocked(path, text, ask(f"Passphrase of {path}: "))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SealError(f"{path}: is not a private key that can be read", hint=_HINT_PRIVATE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SealError(f"{path}: is a private key, but not of Ed25519", hint=_HINT_PRIVATE)
    return key


_HINT_PUBLIC: Final = "It is one line that begins with ssh-ed25519. `ssh-keygen -t ed25519` makes a pair."
_HINT_PRIVATE: Final = "Read are Ed25519 keys in the form of OpenSSH or PKCS#8. `ssh-keygen -t ed25519` makes one."


def _unlocked(path: Path, text: bytes, passphrase: bytes) -> object:
    if not passphrase:
        raise SealError(f"{path}: needs its passphrase, and none was given", hint="Try again.")
    try:
        return _decoded(text, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SealError(
            f"{path}: does not open with this passphrase", hint="Try again; `ssh-keygen -y -f FILE` tries it too."
        ) from error


def _decoded(text: bytes, passphrase: bytes | None) -> object:
    if text.lstrip().startswith(_OPENSSH):
        return load_ssh_private_key(text, passphrase)
    return load_pem_private_key(text, passphrase)


def _read(path: Path, *, owned: bool) -> bytes:
    """A small regular file. `owned`: what is checked is the file that was opened, not what may take its name later."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            about = os.fstat(number)
            if not stat.S_ISREG(about.st_mode):
                raise SealError(f"{path}: is not a file", hint="Name the file that holds the key.")
            if owned:
                _refuse_what_others_read(path, about)
            text = os.read(number, _LARGEST + 1)
        finally:
            os.close(number)
    except OSError as error:
        hint = "See to its name and permissions."
        raise SealError(f"{path}: cannot be read: {error.strerror or error}", hint=hint) from error
    if len(text) > _LARGEST:
        raise SealError(f"{path}: is too large for a key", hint="Name the file that holds the key.")
    return text


def _refuse_what_others_read(path: Path, about: os.stat_result) -> None:
    if about.st_uid != os.geteuid():
        raise SealError(f"{path}: belongs to another user", hint="A key is used only by the one it belongs to.")
    if about.st_mode & _OTHERS:
        raise SealError(
            f"{path}: others may read or change it (mode {stat.S_IMODE(about.st_mode):04o})",
            hint=f"chmod 600 {path}, and if others could have read it, make a new key.",
        )
