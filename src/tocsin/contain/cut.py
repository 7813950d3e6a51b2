"""Links, what may sever them and at which price in; the cheapest set of actions that leaves no path out.

A minimum cut in which one action may sever many links is an integer programme: x of an action is 1 if it is done, p of
a node is 1 if the intruder reaches it. For each link p(target) >= p(source) - sum of x that sever it; p is 1 where they
begin and 0 where they must not get to. HiGHS solves it through `scipy.optimize.milp`. Prices are integers, so that the
least is the least and not nearly so. Of several that cost the same, the one is taken whose ids stand first: with the
smallest sum of their places in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocsin.errors import TocsinError

_AT_MOST_S: Final = 60.0  # then the best so far is taken, and its gap is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`by` are ids of actions each of which severs it."""

    source: str
    target: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """`gap` is how far from the least it may be, as a share of `total`; 0 where it is the least.

    `beyond` are nodes that stay in reach whatever is done.
    """

    chosen: tuple[str, ...]
    total: int
    gap: float
    beyond: frozenset[str]


def cut(edges: Iterable[Edge], *, source: str, held: Iterable[str], prices: Mapping[str, int]) -> Cut:
    """Keep the intruder at `source` from every node of `held` that can be kept from them.

    Of a node that cannot, every way to it that can be severed is severed all the same.

    Args:
        prices: of each action by id, 0 or more.
    """
    # In one order whatever order they came in: of equals the solver takes what it meets first.
    known = {(one.source, one.target, tuple(sorted(action for action in one.by if action in prices))) for one in edges}
    edges = [Edge(source=source, target=target, by=by) for source, target, by in sorted(known)]
    beyond = frozenset(reach([one for one in edges if not one.by], source) - {source})
    wanted, goals = _demanded(edges, source, frozenset(held), beyond)
    wanted, goals = _between(wanted, source, goals)
    used = sorted({action for edge in wanted for action in edge.by})
    if not goals or not used:
        return Cut(chosen=(), total=0, gap=0.0, beyond=beyond)
    place = {action: number + 1 for number, action in enumerate(sorted(prices))}
    programme = _Programme(wanted, source, goals, {one: (prices[one], place[one]) for one in used})
    chosen, gap = programme.solved()
    return Cut(chosen=chosen, total=sum(prices[one] for one in chosen), gap=gap, beyond=beyond)


def reach(edges: Iterable[Edge], source: str) -> set[str]:
    """Nodes that are reached from one, itself among them."""
    onward: dict[str, list[str]] = {}
    for edge in edges:
        onward.setdefault(edge.source, []).append(edge.target)
    found, waiting = {source}, [source]
    while waiting:
        for node in onward.get(waiting.pop(), ()):
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found


def _demanded(
    edges: Sequence[Edge], source: str, held: frozenset[str], beyond: frozenset[str]
) -> tuple[list[Edge], set[str]]:
    """The links, and the nodes that must not be reached.

    A node in `beyond` cannot be among them. Each severable link to it gets an end of its own, which can.
    """
    goals = set(held - beyond - {source})
    ends: list[Edge] = []
    for number, edge in enumerate(edges):
        if edge.target in beyond and edge.target in held and (edge.by or edge.source not in {source, *beyond}):
            ends.append(Edge(source=edge.source, target=f"\0{number}", by=edge.by))
            goals.add(f"\0{number}")
    return [*edges, *ends], goals


def _between(edges: Sequence[Edge], source: str, goals: set[str]) -> tuple[list[Edge], set[str]]:
    """Only what lies on some path from the intruder to a goal."""
    ahead = reach(edges, source)
    top = "\0all goals"
    back = reach(
        [
            *(Edge(source=edge.target, target=edge.source) for edge in edges),
            *(Edge(source=top, target=goal) for goal in goals),
        ],
        top,
    )
    return [edge for edge in edges if edge.source in ahead and edge.target in back], goals & ahead


class _Programme:
    """The integer programme, and what is asked of it ."""

    def __init__(
        self, edges: Sequence[Edge], source: str, goals: set[str], actions: Mapping[str, tuple[int, int]]
    ) -> None:
        from scipy.sparse import csr_array  # a second of a cold start, which only plans pay

        self.actions = tuple(actions)
        place = {action: number for number, action in enumerate(actions)}
        nodes: dict[str, int] = {}
        for edge in edges:
            for name in (edge.source, edge.target):
                nodes.setdefault(name, len(actions) + len(nodes))
        rows: list[int] = []
        columns: list[int] = []
        values: list[float] = []
        for row, edge in enumerate(edges):
            terms = {nodes[edge.target]: 1.0}
            terms[nodes[edge.source]] = terms.get(nodes[edge.source], 0.0) - 1.0
            terms |= {place[action]: 1.0 for action in edge.by}
            rows += [row] * len(terms)
            columns += terms
            values += terms.values()
        self.size = len(actions) + len(nodes)
        self.matrix = csr_array((values, (rows, columns)), shape=(len(edges), self.size))
        self.low, self.high = np.zeros(self.size), np.ones(self.size)
        self.low[nodes[source]] = 1.0
        for goal in goals:
            self.high[nodes[goal]] = 0.0
        self.whole = np.zeros(self.size)
        self.whole[: len(actions)] = 1
        # First the price; of equal ones the places of their ids in order, which never outweigh one unit of it.
        worth = np.array(list(actions.values()), dtype=np.float64)
        self.price = np.zeros(self.size)
        self.price[: len(actions)] = worth[:, 0] * (worth[:, 1].sum() + 1) + worth[:, 1]

    def solved(self) -> tuple[tuple[str, ...], float]:
        from scipy.optimize import Bounds, LinearConstraint, milp

        result = milp(
            self.price,
            integrality=self.whole,
            bounds=Bounds(self.low, self.high),
            constraints=LinearConstraint(self.matrix, 0.0, np.inf),
            options={"mip_rel_gap": 0.0, "time_limit": _AT_MOST_S},
        )
        if result.x is None:
            raise TocsinError(f"no plan could be worked out: {result.message}", hint="Try again on a quieter machine.")
        taken = result.x[: len(self.actions)] > 0.5
        gap = 0.0 if result.status == 0 else float(result.mip_gap or 0.0)
        return tuple(name for name, done in zip(self.actions, taken.tolist(), strict=True) if done), gap
