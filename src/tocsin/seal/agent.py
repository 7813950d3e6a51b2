"""A public key and a text in, the signature of the `ssh-agent` that holds the private key out.

After draft-ietf-sshm-ssh-agent, sections 3 and 3.6: one message there, one back, over the socket of this user's own
agent that SSH_AUTH_SOCK names. Nothing leaves the machine, and the private key does not leave the agent.
"""

from __future__ import annotations

import base64
import os
import socket
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tocsin.errors import SealError
from tocsin.seal import keys

VARIABLE: Final = "SSH_AUTH_SOCK"
_SIGN: Final = 13  # SSH_AGENTC_SIGN_REQUEST
_SIGNED: Final = 14  # SSH_AGENT_SIGN_RESPONSE
_KIND: Final = b"ssh-ed25519"
_LARGEST: Final = 4096  # an answer with one signature has some ninety bytes
_PATIENCE_S: Final = 120.0  # an agent may ask its owner first


@dataclass(frozen=True, slots=True)
class Key:
    """A private key that is in the agent, as those in files are used."""

    public: Ed25519PublicKey

    def public_key(self) -> Ed25519PublicKey:
        return self.public

    def sign(self, text: bytes) -> bytes:
        """Ask for a signature over the text (RFC 8709, section 6), and see that it holds."""
        place = os.environ.get(VARIABLE, "")
        blob = base64.b64decode(keys.public_text(self.public).split()[1])
        answer = _asked(place, bytes([_SIGN]) + _string(blob) + _string(text) + bytes(4))
        if answer[:1] != bytes([_SIGNED]):
            hint = (
                "`ssh-add FILE` gives it the key; `ssh-add -l` lists those it has. Or its owner was asked, and refused."
            )
            raise SealError(f"the agent at {place} did not sign with {keys.fingerprint(self.public)}", hint=hint)
        envelope, _ = _first(answer[1:])
        kind, rest = _first(envelope)
        signature, _ = _first(rest)
        if kind != _KIND or not keys.holds(self.public, signature, text):
            raise SealError(f"the agent at {place} answered with what is no signature of that key", hint=_HINT)
        return signature


_HINT: Final = "See which agent SSH_AUTH_SOCK names, or sign with the key's file."


def is_there() -> bool:
    """Whether an agent is named at all."""
    return bool(os.environ.get(VARIABLE))


def _asked(place: str, message: bytes) -> bytes:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
            agent.settimeout(_PATIENCE_S)
            agent.connect(place)
            agent.sendall(_string(message))
            size = int.from_bytes(_received(agent, 4), "big")
            if size > _LARGEST:
                raise SealError(f"the agent at {place} answered with {size:,} bytes", hint=_HINT)
            return _received(agent, size)
    except OSError as error:
        raise SealError(f"no agent answers at {place}: {error.strerror or error}", hint=_HINT) from error


def _received(agent: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        more = agent.recv(size - len(content))
        if not more:
            raise ConnectionError("it hung up")
        content += more
    return content


def _string(content: bytes) -> bytes:
    """RFC 4251, section 5: a string is its length and its bytes."""
    return len(content).to_bytes(4, "big") + content


def _first(content: bytes) -> tuple[bytes, bytes]:
    """The string at the beginning and what follows; short content gives a short string, which no signature is."""
    size = int.from_bytes(content[:4], "big")
    return content[4 : 4 + size], content[4 + size :]
