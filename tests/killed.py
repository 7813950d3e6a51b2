"""A program that is killed while it writes, in pieces and with pauses: what it had said before."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def slowly(chance: random.Random, pauses_s: Sequence[float]) -> Callable[[int, bytes], None]:
    """In place of `durable.write_all`: every write is cut in pieces, so that a kill falls within one, too."""

    def write(number: int, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            piece = chance.randrange(1, 1 + len(rest))
            os.write(number, rest[:piece])
            rest = rest[piece:]
            time.sleep(chance.choice(pauses_s))

    return write


def said_before_the_kill(program: str, root: Path, seed: int, most_s: float, kill: Callable[[int], None]) -> list[str]:
    """Run it until it says that it is ready and a random while longer, kill it; the whole lines that it said then."""
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(root), str(seed), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    time.sleep(random.Random(seed).uniform(0, most_s))
    kill(child.pid)
    said = [line.strip() for line in child.stdout if line.endswith("\n")]
    child.stdout.close()
    assert child.wait(timeout=60) == -signal.SIGKILL
    return said
