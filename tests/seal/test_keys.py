"""Ed25519 as RFC 8032 has it, and key files as OpenSSH has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tocsin.errors import SealError
from tocsin.seal import keys

# RFC 8032 §7.1, tests 1 to 3 and SHA(abc): secret, public, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd"
            "25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c3"
            "87b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594"
            "a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd4"
            "54d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303"
            "dca179c138ac17ad9bef1177331a704"
        ),
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_rfc_8032(secret: str, public: str, message: str, signature: str) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    text, signed = bytes.fromhex(message), bytes.fromhex(signature)
    assert key.public_key().public_bytes_raw().hex() == public
    assert keys.sign(key, text) == signed
    assert keys.holds(key.public_key(), signed, text)
    for place in range(len(signed)):
        changed = bytearray(signed)
        changed[place] ^= 1
        assert not keys.holds(key.public_key(), bytes(changed), text)
    assert not keys.holds(key.public_key(), signed, text + b"\0")
    assert not keys.holds(key.public_key(), signed[:-1], text)


P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]


def _sum(one: Point, other: Point) -> Point:
    """RFC 8032 §5.1.4, in the plain form."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P,
    )


def _x(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    if root * root % P != square:
        root = root * pow(2, (P - 1) // 4, P) % P
    return root if root * root % P == square else None


def _order(point: Point) -> int:
    order, at = 1, point
    while at != (0, 1) and order < 9:
        order, at = order + 1, _sum(at, point)
    return order


def test_every_point_of_small_order_is_refused() -> None:
    encodings = {y % P for y in keys._SMALL}
    orders = []
    for y in encodings:
        x = _x(y)
        assert x is not None
        orders += [_order(point) for point in {(x, y), (-x % P, y)}]
    assert sorted(orders) == [1, 2, 4, 4, 8, 8, 8, 8], "these are all eight"
    for y, sign in product(keys._SMALL, (0, 1 << 255)):
        raw = (y | sign).to_bytes(32, "little")
        text = Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
        with pytest.raises(SealError, match="anybody can sign"):
            keys.public(text)


def test_a_key_file_is_what_openssh_writes(tmp_path: Path) -> None:
    path, key = tmp_path / "deep" / "key", keys.make()
    keys.save(path, key, b"a long passphrase")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert keys.public_text(keys.load(path, lambda question: b"a long passphrase")) == keys.public_text(key)
    assert keys.is_private(path)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="OpenSSH is not here")
def test_openssh_agrees(tmp_path: Path) -> None:
    path, key = tmp_path / "key", keys.make()
    keys.save(path, key, b"pass phrase")
    told = _keygen("-y", "-P", "pass phrase", "-f", path)
    assert told.split()[:2] == keys.public_text(key).split()
    (tmp_path / "key.pub").write_text(keys.public_text(key) + " a comment\n")
    assert _keygen("-l", "-f", tmp_path / "key.pub").split()[1] == keys.fingerprint(key)
    assert keys.public_text(keys.load_public(tmp_path / "key.pub")) == keys.public_text(key)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="OpenSSH is not here")
@pytest.mark.parametrize("passphrase", ["", "their own"])
def test_a_key_that_openssh_made(passphrase: str, tmp_path: Path) -> None:
    path = tmp_path / "id_ed25519"
    _keygen("-q", "-t", "ed25519", "-N", passphrase, "-f", path)
    key = keys.load(path, lambda question: passphrase.encode())
    assert keys.fingerprint(key) == keys.fingerprint(keys.load_public(tmp_path / "id_ed25519.pub"))


def _keygen(*words: object) -> str:
    return subprocess.run(
        ["ssh-keygen", *map(str, words)], capture_output=True, text=True, timeout=60, check=True
    ).stdout


@pytest.mark.parametrize("passphrase", [b"", b"pkcs8"])
def test_pkcs8_is_read(passphrase: bytes, tmp_path: Path) -> None:
    key = keys.make()
    protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    path = _written(tmp_path / "key.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    assert keys.fingerprint(keys.load(path, lambda question: passphrase)) == keys.fingerprint(key)


def _written(path: Path, text: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text)
    path.chmod(mode)
    return path


def _never(question: str) -> bytes:
    raise AssertionError(question)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o601])
def test_a_key_that_others_may_touch_is_refused(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "key"
    keys.save(path, keys.make(), b"")
    path.chmod(mode)
    with pytest.raises(SealError, match=f"mode {mode:04o}") as caught:
        keys.load(path, _never)
    assert "chmod 600" in caught.value.hint


def test_a_wrong_passphrase(tmp_path: Path) -> None:
    path = tmp_path / "key"
    keys.save(path, keys.make(), b"right")
    with pytest.raises(SealError, match="does not open with this passphrase"):
        keys.load(path, lambda question: b"wrong")
    with pytest.raises(SealError, match="none was given"):
        keys.load(path, lambda question: b"")


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "key"
    keys.save(path, keys.make(), b"")
    before = path.read_bytes()
    with pytest.raises(SealError, match="is there already"):
        keys.save(path, keys.make(), b"")
    assert path.read_bytes() == before
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "link").symlink_to(elsewhere)
    with pytest.raises(SealError, match="is there already"):
        keys.save(tmp_path / "link", keys.make(), b"")
    assert not elsewhere.exists()


def test_what_is_no_key(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text, word in [
        (b"", "not a private key"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "not a private key"),
        (pem, "not of Ed25519"),
        (b"x" * (keys._LARGEST + 1), "too large"),
    ]:
        with pytest.raises(SealError, match=word):
            keys.load(_written(tmp_path / "key", text), _never)
    with pytest.raises(SealError, match="cannot be read"):
        keys.load(tmp_path / "nowhere", _never)
    with pytest.raises(SealError, match="is not a file"):
        keys.load(tmp_path, _never)
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(SealError, match="is not a file"):
        keys.load(tmp_path / "pipe", _never)
    public = other.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    for text, word in [(b"\xff\xfe", "not a public key"), (b"ssh-ed25519 AAAA", "not a pub"), (public, "not of Ed")]:
        with pytest.raises(SealError, match=word):
            keys.load_public(_written(tmp_path / "key.pub", text))
