"""Where a page ended in, the opaque word that leads on from there out, and back (TAXII 2.1, section 3.5).

A word holds all that is needed to go on, and is signed: no server keeps anything for it. It leads to the same page
however often it is used, at any worker, after any restart. It holds for one reader, one resource and one question.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

import orjson

from tocsin.share.taxii.refused import Refused

_MAC_BYTES: Final = 16
_LONGEST: Final = 4096


def made(key: bytes, reader: str, resource: str, question: dict[str, str], after_us: int) -> str:
    told = orjson.dumps([after_us, question], option=orjson.OPT_SORT_KEYS)
    return base64.urlsafe_b64encode(_mac(key, reader, resource, told) + told).decode().rstrip("=")


def read(key: bytes, reader: str, resource: str, word: str) -> tuple[int, dict[str, str]]:
    """Where to go on, and the question that was asked.

    Raises:
        Refused: it is none of ours, or was given to somebody else or for something else.
    """
    refused = Refused(400, "This is no `next` of ours", "Use it as it was given, for the same resource; or begin anew.")
    try:
        # Decoders of Base64 take bits and letters that mean nothing; one word has one form here.
        raw = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)) if len(word) <= _LONGEST else b""
    except (binascii.Error, ValueError) as error:
        raise refused from error
    mac, told = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(key, reader, resource, told)):
        raise refused
    after_us, question = orjson.loads(told)
    return int(after_us), dict(question)


def _mac(key: bytes, reader: str, resource: str, told: bytes) -> bytes:
    parts = (reader.encode(), resource.encode(), told)
    text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.digest(key, text, "sha256")[:_MAC_BYTES]
