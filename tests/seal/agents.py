"""A folder in, OpenSSH's own agent that runs as long as the context out."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tocsin.seal import agent


def _answers(place: Path) -> bool:
    """Its socket is there a moment before it listens, and on a busy machine that moment is long."""
    with socket.socket(socket.AF_UNIX) as one:
        return one.connect_ex(str(place)) == 0


@contextmanager
def running_agent(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL) as running:
        try:
            for _ in range(200):
                if _answers(place):
                    break
                time.sleep(0.05)
            monkeypatch.setenv(agent.VARIABLE, str(place))
            yield
        finally:
            running.terminate()
