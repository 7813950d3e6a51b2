"""Words of a command line in; what a process would say, and its exit code, out; without starting one.

A process takes a second to import what the one before it had. That one really can be started, and what it does to
whoever starts it, is tested by tests/cli/test_detect.py, tests/cli/test_lake.py and tests/test_respond.py.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from unittest import mock

from tocsin.cli.main import main


def tocsin(words: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """In a folder and an environment, as `subprocess.run` would; standard input is empty."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before = signal.getsignal(signal.SIGTERM)
    try:
        with (
            mock.patch.dict(os.environ, env, clear=True),
            contextlib.chdir(cwd),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main(list(words))
    finally:
        signal.signal(signal.SIGTERM, before)
    return subprocess.CompletedProcess(["tocsin", *words], code, *(_read(stream) for stream in (out, err)))


def _read(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
