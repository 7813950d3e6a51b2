"""Findings in; which of them are this place's routine, and which are requests that nothing came of, out.

What recurs in one shape (`shapes.py`) is how this place works. Axelsson, "The Base-Rate Fallacy and the Difficulty of
Intrusion Detection" (2000): what is common and harmless must not be reported one by one. All bounds are counts. What is
lowered is told, and `quieten=False` lowers nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.links import MEETING_US
from tocsin.investigate.machines import Machines
from tocsin.investigate.nearest import grouped, nearest
from tocsin.investigate.noise import EVERY_DAY
from tocsin.investigate.processes import Lineage
from tocsin.investigate.roles import Role
from tocsin.investigate.shapes import LONGEST, folded
from tocsin.investigate.table import Table
from tocsin.investigate.traces import Traces
from tocsin.model.event import NO_TIME, Codes, Longs
from tocsin.model.incident import Cited, Incident
from tocsin.model.rule import LEVELS

NOTHING, EVERYWHERE, RECURRING, ATTEMPT, PERMITTED = range(5)
BECAUSE: Final[Mapping[int, str]] = {
    EVERYWHERE: "the rule finds something on many machines every day: it adds nothing to the rank",
    RECURRING: "the same thing recurs here day after day since the logs begin: routine, it adds nothing to the rank",
    ATTEMPT: "a request to a web server, and no record shows that anything came of it: it adds nothing to the rank",
    PERMITTED: "a permitted test: a signed permit names the machine, the time, and the address or account that did it",
}

_DAY_US: Final = 86_400_000_000
# Of machines or accounts that do the same, for it to be a custom and not one person's doing.
_SEVERAL: Final = 3
_GENERATIONS: Final = 16  # from a process to its kin
_HIGH: Final = LEVELS.index("high")
_CRITICAL: Final = LEVELS.index("critical")
_MEDIUM: Final = LEVELS.index("medium")

_SHOWS: Final[tuple[Role, ...]] = ("image", "parent_image", "command", "file")
_OWN_KINDS: Final = frozenset({"webserver"})  # whose records are made by whoever asks from outside


def lowered(
    traces: Traces,
    machines: Machines,
    lines: Lineage,
    known: Table,
    everyday: npt.NDArray[np.bool_],
    told: npt.NDArray[np.bool_],
) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """For each finding why it is lowered, `NOTHING` where it is not; and whether it is old news on its machine.

    Args:
        told: those of indicators. That somebody calls every day what others hold to be bad makes it no better.
    """
    answer = np.where(everyday[known.rule], EVERYWHERE, NOTHING).astype(np.int32)
    same = _shapes(traces, known)
    recurs = _recurring(traces, machines, known, same)
    answer[recurs & ~told & (answer == NOTHING) & (known.level < _CRITICAL)] = RECURRING
    # Whoever hides behind routine still starts processes: what comes of, or leads to, something new of weight is new.
    telling = (answer == NOTHING) & (known.level >= _HIGH)
    answer[_kin(lines, known, telling) & (answer == RECURRING)] = NOTHING
    answer[_attempts(traces, machines, known, answer) & (answer == NOTHING)] = ATTEMPT
    return answer, _familiar(machines, known, same) & ~told


def reasons(incident: Incident) -> dict[int, str]:
    """Which findings of an incident are lowered, and why, as `BECAUSE` has it."""
    told = {folded.index: folded.because for folded in incident.folded}
    return {number: why for number, text in told.items() for why in BECAUSE.values() if why in text}


def asked_only(finding: Cited) -> bool:
    """Whether it says no more than that somebody asked a web server for something."""
    return finding.kind in _OWN_KINDS and not (finding.fields.get("sc-status") or "").startswith("2")


def _kin(lines: Lineage, known: Table, telling: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which findings led to these by a line of processes, or came from one of them afterwards.

    Not what else a parent of theirs did, nor what a launcher started before or after: a server that was broken into
    goes on doing its work, also where it was the server itself that wrote what broke it.
    """
    process = lines.process[known.row]
    size = int(max(lines.process.max(initial=0), lines.parent.max(initial=0))) + 1
    launcher = np.zeros(size, bool)
    launcher[lines.process[lines.tree == 0]] = True
    started = np.flatnonzero((lines.process > 0) & (lines.parent > 0) & (lines.tree > 0) & ~launcher[lines.parent])
    edges = np.unique(np.stack([lines.parent[started], lines.process[started]]), axis=1)
    never = np.iinfo(np.int64).max
    above, since = np.zeros(size, bool), np.full(size, never)
    above[process[telling]] = True
    np.minimum.at(since, process[telling], known.ts[telling])
    for _ in range(_GENERATIONS):
        above[edges[0][above[edges[1]]]] = True
        np.minimum.at(since, edges[1], since[edges[0]])
    led = above[process] & (since[process] == never)
    kin: npt.NDArray[np.bool_] = (process > 0) & (led | (known.ts >= since[process]))
    return kin


def _recurring(traces: Traces, machines: Machines, known: Table, same: Longs) -> npt.NDArray[np.bool_]:
    """What recurs on `EVERY_DAY` days: with one machine and account since the first third, or with several since then.

    An intruder who calls home every day has one machine or a few, and comes when the logs have long begun.
    """
    size = len(known)
    answer = np.zeros(size, bool)
    timed = np.flatnonzero(known.ts != NO_TIME)
    if not len(timed):
        return answer
    early_until = _third(traces.ts[traces.ts != NO_TIME])
    same = same[timed]
    day = known.ts[timed] // _DAY_US
    who = [machines.of[known.row[timed]], traces.role("account")[known.row[timed]]]
    who.append(traces.role("principal")[known.row[timed]])
    actor = grouped(who) + 1
    named = np.any([column > 0 for column in who], axis=0)
    own = grouped([same, actor])
    begins = (_least(own, known.ts[timed]) <= early_until) & named
    alone = (_counts(own, day) >= EVERY_DAY) & begins
    custom = _counts(same, np.where(begins, actor, 0)) - (_least(same, np.where(begins, 1, 0)) == 0) >= _SEVERAL
    # Of a sign-in to the cloud neither machine nor program is told: all of one rule look the same, whoever it is. That
    # others do it every day says nothing of whoever does it for the first time.
    shows = np.any([machines.of[known.row[timed]], *(traces.role(role)[known.row[timed]] for role in _SHOWS)], axis=0)
    spread = (_counts(same, day) >= EVERY_DAY) & custom & shows
    answer[timed] = alone | spread
    return answer


def _familiar(machines: Machines, known: Table, same: Longs) -> npt.NDArray[np.bool_]:
    """Which findings are of a shape that was on their machine on several days before: old news, if not yet routine.

    They stay what they are; but that one of them comes near something else is chance as likely as not, so they take no
    machine and are no second thing of weight. What is critical never is.
    """
    answer = np.zeros(len(known), bool)
    machine = machines.of[known.row]
    at = np.flatnonzero((known.ts != NO_TIME) & (machine > 0) & (known.level < _CRITICAL))
    if not len(at):
        return answer
    key, day = grouped([same[at], machine[at]]), known.ts[at] // _DAY_US
    order = np.lexsort((day, key))
    key, day = key[order], day[order]
    other = np.diff(key, prepend=-1) != 0
    number = np.cumsum(other | (np.diff(day, prepend=day[0]) != 0))  # of the pair of key and day
    answer[at[order]] = number - np.maximum.accumulate(np.where(other, number, 0)) >= _SEVERAL
    return answer


def _third(ts: Longs) -> int:
    """When the first third of the evidence ends: of its span, and of the days that it has, whichever is earlier.

    One record with a wrong time, which an intruder may have written, stretches the span but adds one day only.
    """
    days = np.unique(ts // _DAY_US)
    first, last = int(ts.min()), int(ts.max())
    return min(first + (last - first) // 3, int(days[len(days) // 3] + 1) * _DAY_US)


def _shapes(traces: Traces, known: Table) -> Longs:
    columns: list[npt.NDArray[np.integer]] = [known.shape]
    for role in _SHOWS:
        codes = traces.role(role)[known.row]
        used, at = np.unique(codes, return_inverse=True)
        numbers: dict[str, int] = {}
        same = [numbers.setdefault(folded(traces.shown[code][:LONGEST]), len(numbers)) for code in used.tolist()]
        columns.append(np.array(same or [0], np.int64)[at])
    return grouped(columns)


def _counts(key: Longs, value: npt.NDArray[np.integer]) -> Longs:
    """For each row how many values its key has."""
    low = value - value.min(initial=0)
    _, firsts = np.unique(grouped([key, low]), return_index=True)
    return np.bincount(key[firsts], minlength=int(key.max(initial=0)) + 1)[key].astype(np.int64)


def _least(key: Longs, ts: Longs) -> Longs:
    least = np.full(int(key.max(initial=0)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, key, ts)
    answer: Longs = least[key]
    return answer


def requests(traces: Traces, rows: Longs) -> npt.NDArray[np.bool_]:
    """Which records are what somebody asked a service for, whatever came of it."""
    kinds = np.array([kind in _OWN_KINDS for kind, _, _ in traces.sources] or [False])
    asked: npt.NDArray[np.bool_] = kinds[traces.source[rows]]
    return asked


def _attempts(traces: Traces, machines: Machines, known: Table, answer: Codes) -> npt.NDArray[np.bool_]:
    """Requests after which nothing was found on that machine, and whose sender is seen nowhere else.

    Where a rule itself asked for a request that was answered, it is none.
    """
    asked = requests(traces, known.row) & ~known.answered
    weight = (known.level >= _MEDIUM) & (answer == NOTHING) & ~asked & (known.ts != NO_TIME)
    here, rows = np.flatnonzero(asked & (known.ts != NO_TIME)), np.flatnonzero(weight)
    of = machines.of[known.row]
    near = nearest(of[rows], known.ts[rows], np.where(of[here] > 0, of[here], -1), known.ts[here], MEETING_US)
    came_of_it = np.zeros(len(known), bool)
    came_of_it[here[near >= 0]] = True
    senders = traces.role("address")[known.row]
    elsewhere = [traces.role(role)[known.row[rows]] for role in ("address", "peer_address")]
    came_of_it |= (senders > 0) & np.isin(senders, np.unique(np.concatenate(elsewhere)))
    answered: npt.NDArray[np.bool_] = asked & ~came_of_it
    return answered
