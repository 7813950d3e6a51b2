"""What is feared, what one has against it, and what could be seen in, what to mend first out."""

from __future__ import annotations

from tocsin.harden.rank import weigh
from tocsin.harden.sight import Watching, watching

__all__ = ["Watching", "watching", "weigh"]
