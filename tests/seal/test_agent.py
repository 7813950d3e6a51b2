"""Signatures of an agent are those of the key; what is no agent, or answers otherwise, is an error and no signature."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seal.agents import running_agent
from tocsin.errors import SealError
from tocsin.seal import agent, dsse, keys

KIND = "application/x"


@pytest.mark.skipif(not shutil.which("ssh-agent"), reason="OpenSSH is not here")
def test_openssh_s_own_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, key = tmp_path / "key", keys.make()
    keys.save(path, key, b"")
    held = agent.Key(key.public_key())
    with running_agent(tmp_path / "agent", monkeypatch):
        with pytest.raises(SealError, match="did not sign"):
            held.sign(b"text")
        subprocess.run(["ssh-add", "-q", path], check=True, timeout=60)
        for text in (b"", b"text", bytes(range(256)) * 400):
            assert held.sign(text) == key.sign(text), "Ed25519 is deterministic (RFC 8032, section 5.1.6)"
        assert keys.fingerprint(held) == keys.fingerprint(key)
        opened, accepted = dsse.opened(dsse.sealed(KIND, b"text", [held]), KIND, [key.public_key()])
        assert (opened, list(accepted)) == (b"text", [keys.fingerprint(key)])


@contextmanager
def answering(place: Path, answer: bytes) -> Iterator[None]:
    """Something that answers once, whatever it is asked."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        listening.listen()

        def serve() -> None:
            with listening.accept()[0] as one:
                one.recv(4096)
                one.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(10)


@settings(max_examples=60, deadline=None)
@given(answer=st.binary(max_size=200) | st.binary(max_size=120).map(lambda text: len(text).to_bytes(4, "big") + text))
def test_whatever_else_answers_gives_no_signature(tmp_path_factory: pytest.TempPathFactory, answer: bytes) -> None:
    place = tmp_path_factory.mktemp("agent") / "a"
    with pytest.MonkeyPatch.context() as patch, answering(place, answer):
        patch.setenv(agent.VARIABLE, str(place))
        with pytest.raises(SealError):
            agent.Key(keys.make().public_key()).sign(b"text")


def test_a_signature_of_another_key_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def string(content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + content

    other = string(string(b"ssh-ed25519") + string(keys.make().sign(b"text")))
    monkeypatch.setenv(agent.VARIABLE, str(tmp_path / "a"))
    with answering(tmp_path / "a", string(bytes([14]) + other)), pytest.raises(SealError, match="no signature of that"):
        agent.Key(keys.make().public_key()).sign(b"text")


def test_no_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(agent.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(SealError, match="no agent answers"):
        agent.Key(keys.make().public_key()).sign(b"text")
    monkeypatch.delenv(agent.VARIABLE)
    assert not agent.is_there()
