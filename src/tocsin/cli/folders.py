"""The environment in, this user's folders out (XDG Base Directory Specification)."""

from __future__ import annotations

import os
from pathlib import Path


def cache() -> Path:
    return _below("XDG_CACHE_HOME", ".cache")


def data() -> Path:
    return _below("XDG_DATA_HOME", ".local/share")


def state() -> Path:
    return _below("XDG_STATE_HOME", ".local/state")


def _below(variable: str, otherwise: str) -> Path:
    named = os.environ.get(variable, "")
    # The specification tells to ignore a path that is not absolute.
    base = Path(named) if Path(named).is_absolute() else Path.home() / otherwise
    return base / "tocsin"
