"""Incidents in, the records around them that name the same process, address, name or arrival out.

A rule sees one record of a doing; whoever looks into it reads the others: what that process did, who else spoke to that
address, what that account opened when it came from that machine. These are context: they date nothing, raise nothing,
join nothing, and each says which thing it shares. NIST SP 800-86, section 3.3, calls it to build on what was found.
"""

from __future__ import annotations

from tocsin.investigate.context.beads import FIELDS, KINDS, Bead, Found, Search, keep, read, search
from tocsin.investigate.context.leads import Lead, Leads, leads
from tocsin.investigate.context.told import further, joined, told

__all__ = [
    "FIELDS",
    "KINDS",
    "Bead",
    "Found",
    "Lead",
    "Leads",
    "Search",
    "further",
    "joined",
    "keep",
    "leads",
    "read",
    "search",
    "told",
]
