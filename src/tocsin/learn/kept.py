"""The environment in, the folder out in which what this user learned is kept."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """XDG Base Directory Specification: a relative path is ignored."""
    named = os.environ.get("XDG_DATA_HOME", "")
    base = Path(named) if named.startswith("/") else Path.home() / ".local" / "share"
    return base / "tocsin"
