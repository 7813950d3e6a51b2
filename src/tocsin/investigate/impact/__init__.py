"""Incidents and the records around them in; what was accessed, staged and left, each with its bounds, out.

Findings see only what rules match. So when incidents are known, workers look at the evidence once more for records of
their machines, accounts and addresses, at their time (`keep`); `assess` makes claims of these. Each sort of claim is
a module that knows no other: its `GATES` say which records it wants, its `claims` what they show. What somebody says
was taken is held against the whole of the logs (`asked`, `judge`).
"""

from __future__ import annotations

from tocsin.investigate.impact.asked import Asked, asked
from tocsin.investigate.impact.assess import Evidence, assess, read
from tocsin.investigate.impact.look import FIELDS, KINDS, Kept, keep
from tocsin.investigate.impact.scene import Around, Scene, addresses_of, around, scenes
from tocsin.investigate.impact.verdict import judge

__all__ = [
    "FIELDS",
    "KINDS",
    "Around",
    "Asked",
    "Evidence",
    "Kept",
    "Scene",
    "addresses_of",
    "around",
    "asked",
    "assess",
    "judge",
    "keep",
    "read",
    "scenes",
]
