"""What was found and needs nobody's eyes one by one: counted, with why it was set aside and where to look."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.model.citation import Citation
from tocsin.model.rule import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Findings of one rule that are in no incident of the queue.

    Args:
        because: why they are set aside, as a sentence.
        count: findings; `hosts` on how many machines, `days` on at least how many days of UTC.
        on: the first of these machines by name.
        citations: the first of the findings.
    """

    rule_id: str
    title: str
    level: Level
    because: str
    count: int
    hosts: int
    days: int
    first_us: int | None
    last_us: int | None
    on: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
