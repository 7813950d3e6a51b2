"""Nothing in, the rules that come with Tocsin out: a folder of the package, named like a pack that somebody added."""

from __future__ import annotations

from pathlib import Path
from typing import Final

OWN: Final = "tocsin"  # what the pack is called; nobody can add another of that name
FOLDER: Final = Path(__file__).parent.with_name("rules")
LICENCE: Final = "Apache 2.0"
SOURCE: Final = "comes with tocsin"
