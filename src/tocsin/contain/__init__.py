"""Cuts an intruder off: an incident in, plans, what is missing before they may be done, what was seen of them out."""

from __future__ import annotations

from tocsin.contain import authority, cacao, verify
from tocsin.contain.enforcers import ENFORCERS
from tocsin.contain.guard import Own
from tocsin.contain.plan import plan
from tocsin.contain.recover import PREFIX, recovery
from tocsin.contain.routes import POSTED, route

__all__ = ["ENFORCERS", "POSTED", "PREFIX", "Own", "authority", "cacao", "plan", "recovery", "route", "verify"]
