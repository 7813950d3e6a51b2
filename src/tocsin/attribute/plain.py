"""Plain dictionaries in the benchmark's form in, an Observation out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tocsin.model.observation import Observation, Trait


def observation(told: Mapping[str, Any]) -> Observation:
    """What the benchmark's `run` shows a system."""
    first, last = str(told.get("first_seen") or ""), str(told.get("last_seen") or "")
    traits = [Trait(kind="technique", value=value) for value in told.get("techniques", ())]
    traits += [Trait(kind="software", value=value) for value in told.get("software", ())]
    return Observation(id="", traits=tuple(traits), first_seen=first, last_seen=last)
