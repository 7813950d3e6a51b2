"""Domains in, a policy zone and how to have it read again out, for unbound (unbound.conf(5), section rpz)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tocsin.contain import zone
from tocsin.contain.zone import VERBS, probes, render, seen
from tocsin.model.action import Block, Place, Step

NAME: Final = "unbound"
CARRIED_OUT: Final = True
__all__ = ["CARRIED_OUT", "NAME", "VERBS", "probes", "render", "seen", "steps"]

_RELOAD: Final = ("unbound-control", "auth_zone_reload")


def steps(before: Sequence[Block], after: Sequence[Block], place: Place, now_us: int) -> tuple[Step, ...]:
    return zone.steps(after, place, now_us, (*(place.control or _RELOAD), place.zone)) if before or after else ()
