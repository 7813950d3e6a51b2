"""Times of what somebody did in, the time zone in which these would be office hours out, if any fits.

Each hour of each day counts once, so that a script of a thousand steps is one hour's work. A zone is told only if
the hours are many, on several days, and fall into its office hours far more often than chance would have it; and if
the zones that fit as well are its neighbours. It is weak evidence at best: intruders work while their victims do, or
while these sleep.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

HOUR_US: Final = 3_600_000_000
FROM, TO = 8, 18  # office hours
DAYS: Final = 5  # on which something was done, at least
HOURS: Final = 12
SHARE: Final = 80  # of 100 hours that must fall into office hours; by chance 42 would
NEAR: Final = 1  # hours by which zones that fit as well may differ


def zone(times_us: Iterable[int]) -> str:
    """As "UTC+8"; '' where nothing can be told."""
    hours = {ts_us // HOUR_US for ts_us in times_us}
    if len(hours) < HOURS or len({hour // 24 for hour in hours}) < DAYS:
        return ""
    fits = {offset: sum(FROM <= (hour + offset) % 24 < TO for hour in hours) for offset in range(-11, 13)}
    most = max(fits.values())
    best = [offset for offset, fit in fits.items() if fit == most]
    if 100 * most < SHARE * len(hours) or best[-1] - best[0] > 2 * NEAR:
        return ""
    middle = best[len(best) // 2]
    return f"UTC{middle:+d}" if middle else "UTC"
