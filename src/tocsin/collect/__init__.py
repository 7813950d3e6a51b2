"""Log files in, Events out, whichever tool wrote them, and what became of every record on the way."""

from __future__ import annotations

from tocsin.collect.mapped import reader
from tocsin.collect.read import read, read_bytes, read_units
from tocsin.collect.reread import again
from tocsin.collect.units import Unit, plan

__all__ = ["Unit", "again", "plan", "read", "read_bytes", "read_units", "reader"]
