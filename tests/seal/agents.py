"""A folder in, OpenSSH's own agent that runs as long as the context out."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tocsin.seal import agent


@contextmanager
def running_agent(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with subprocess.Popen(["ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL) as running:
        try:
            for _ in range(200):
                if place.exists():
                    break
                time.sleep(0.05)
            monkeypatch.setenv(agent.VARIABLE, str(place))
            yield
        finally:
            running.terminate()
