"""Envelopes as DSSE v1.0 has them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import SealError
from tocsin.seal import dsse, keys

KIND = "http://example.com/HelloWorld"
EVE = keys.make()
ANN, BEN = keys.make(), keys.make()


def test_the_example_of_the_protocol() -> None:
    assert dsse.pae(KIND, b"hello world") == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    # Its signature is of another algorithm, raw r and s; that it holds over our text shows that the text is right.
    signature = base64.b64decode(
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
    )
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:]))
    public = ec.EllipticCurvePublicNumbers(
        46950820868899156662930047687818585632848591499744589407958293238635476079160,
        5640078356564379163099075877009565129882514886557779369047442380624545832820,
        ec.SECP256R1(),
    ).public_key()
    signed = dsse.pae(KIND, b"hello world")
    public.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    assert dsse.sealed(KIND, b"hello world", [ANN])["payload"] == "aGVsbG8gd29ybGQ="


def test_lengths_are_of_bytes() -> None:
    assert dsse.pae("ē", "ā".encode()) == "DSSEv1 2 ē 2 ā".encode()


@given(st.text(), st.binary(), st.text(), st.binary())
def test_no_two_things_are_signed_as_one(kind: str, text: bytes, other: str, others: bytes) -> None:
    assert (dsse.pae(kind, text) == dsse.pae(other, others)) == ((kind, text) == (other, others))


@given(st.binary(max_size=200))
def test_there_and_back(text: bytes) -> None:
    opened, accepted = dsse.opened(dsse.sealed(KIND, text, [ANN]), KIND, [BEN.public_key(), ANN.public_key()])
    assert opened == text
    assert set(accepted) == {keys.fingerprint(ANN)}


def test_a_key_counts_once() -> None:
    envelope = dsse.sealed(KIND, b"text", [ANN, ANN, BEN])
    envelope["signatures"][1]["keyid"] = "another name"
    known = [ANN.public_key(), ANN.public_key(), BEN.public_key()]
    assert len(dsse.opened(envelope, KIND, known)[1]) == 2


def test_nothing_follows_from_the_name_of_a_key() -> None:
    envelope = dsse.sealed(KIND, b"text", [EVE])
    envelope["signatures"][0]["keyid"] = keys.fingerprint(ANN)
    with pytest.raises(SealError, match="no signature"):
        dsse.opened(envelope, KIND, [ANN.public_key()])
    envelope = dsse.sealed(KIND, b"text", [ANN])
    for name in (keys.fingerprint(EVE), None, 7):
        envelope["signatures"][0]["keyid"] = name
        assert set(dsse.opened(envelope, KIND, [ANN.public_key()])[1]) == {keys.fingerprint(ANN)}
    del envelope["signatures"][0]["keyid"]
    assert set(dsse.opened(envelope, KIND, [ANN.public_key()])[1]) == {keys.fingerprint(ANN)}


def test_either_alphabet_of_base64() -> None:
    envelope = dsse.sealed(KIND, b"\xfb\xff\xfe" * 9, [ANN])
    envelope["payload"] = envelope["payload"].translate({ord("+"): "-", ord("/"): "_"})
    envelope["signatures"][0]["sig"] = envelope["signatures"][0]["sig"].translate({ord("+"): "-", ord("/"): "_"})
    assert dsse.opened(envelope, KIND, [ANN.public_key()])[0] == b"\xfb\xff\xfe" * 9


def _broken() -> list[Any]:
    whole = dsse.sealed(KIND, b"text", [ANN])
    return [
        {},
        {**whole, "payload": "not base64!"},
        {**whole, "payload": base64.b64encode(b"other").decode()},
        {**whole, "payload": None},
        {**whole, "payloadType": "application/json"},
        {**whole, "signatures": []},
        {**whole, "signatures": "many"},
        {**whole, "signatures": [None]},
        {**whole, "signatures": [{"keyid": "a"}]},
        {**whole, "signatures": [{"sig": ""}]},
        {**whole, "signatures": [{"sig": "é"}]},
        {**whole, "signatures": whole["signatures"] * 65},
    ]


@pytest.mark.parametrize("envelope", _broken())
def test_a_broken_envelope(envelope: dict[str, Any]) -> None:
    with pytest.raises(SealError):
        dsse.opened(envelope, KIND, [ANN.public_key()])
