"""A collection of objects that peers read from and write to over TAXII 2.1 (its section 5)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """`id` is a UUID; `alias`, where there is one, stands for it in addresses."""

    id: str
    title: str
    description: str = ""
    alias: str = ""
