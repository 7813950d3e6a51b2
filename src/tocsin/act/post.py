"""A text and an address in, whether it arrived out: one POST over HTTPS, to the address that was written down."""

from __future__ import annotations

import http.client
import ssl
from typing import Final
from urllib.parse import urlsplit

_AT_MOST_S: Final = 15.0
_READ: Final = 2_000


def post(url: str, text: str) -> tuple[bool, str]:
    """No redirection is followed: what stands where is nobody else's business."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return False, f"{url}: only https addresses are posted to"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPSConnection(
        parts.hostname, parts.port, timeout=_AT_MOST_S, context=ssl.create_default_context()
    )
    try:
        connection.request("POST", path, body=text.encode(), headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read(_READ).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return False, f"{parts.hostname}: {error}"
    finally:
        connection.close()
    return 200 <= answer.status < 300, f"{answer.status} {said}"
