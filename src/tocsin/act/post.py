"""A step that posts in, whether it arrived out: one POST over HTTPS, to the address that was written down."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tocsin.model.action import Step

AT_MOST_S: Final = 15.0  # for all of it, however slowly the other side speaks
_READ: Final = 2_000
_LONGEST_TOKEN: Final = 10_000


def post(step: Step, at_most_s: float = AT_MOST_S) -> tuple[bool, str]:
    """No redirection is followed: what stands where is nobody else's business.

    `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) says to whoever receives a post again that it is one.
    What they answer is kept, but for the secret should they send it back.
    """
    token = ""
    try:
        parts = urlsplit(step.url)
        if parts.scheme != "https" or not parts.hostname:
            return False, f"{step.url}: only https addresses are posted to"
        token = _token(step.token_file)
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=at_most_s, context=context)
    except OSError as error:
        return False, f"{step.token_file}: cannot be read: {error.strerror or error}"
    except ValueError as error:
        return False, f"cannot be posted: {error}"
    headers = {"Content-Type": "application/json"}
    headers |= {"Idempotency-Key": f'"{step.once}"'} if step.once else {}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    answered: list[tuple[bool, str]] = []
    path, text = parts.path or "/", step.text.encode()
    sending = threading.Thread(target=lambda: answered.append(_sent(connection, path, text, headers)), daemon=True)
    sending.start()
    sending.join(at_most_s)
    unknown = f"{connection.host}: no answer within {at_most_s:g} s; whether it arrived is not known"
    well, said = answered[0] if answered else (False, unknown)
    return well, said.replace(token, "(the token)") if token else said


def _token(name: str) -> str:
    if not name:
        return ""
    with Path(name).open("rb") as file:
        token = file.read(_LONGEST_TOKEN).decode("ascii", "replace").strip()
    if not token.isprintable() or not token.isascii() or " " in token:
        raise ValueError(f"{name} holds no token of one word")
    return token


def _sent(
    connection: http.client.HTTPSConnection, path: str, text: bytes, headers: Mapping[str, str]
) -> tuple[bool, str]:
    try:
        connection.request("POST", path, body=text, headers=headers)
        answer = connection.getresponse()
        said = answer.read(_READ).decode("utf-8", "replace")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return False, f"{connection.host}: {error}"
    finally:
        connection.close()
    where = answer.headers.get("Location", "") if 300 <= answer.status < 400 else ""
    there = f"it points to {where[:200]}, which is not followed; " if where else ""
    return 200 <= answer.status < 300, f"{answer.status} {there}{said}"
