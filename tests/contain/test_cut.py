"""The cut against trying every set of actions: no path is left, nothing cheaper exists, and equals go by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.contain.cut import Edge, cut, reach

NODES = ["intruder", "a", "b", "c", "d"]
ACTIONS = ["a1", "a2", "a3", "a4", "a5", "a6"]


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Edge], set[str], dict[str, int]]:
    actions = ACTIONS[: draw(st.integers(1, len(ACTIONS)))]
    edge = st.builds(
        Edge,
        source=st.sampled_from(NODES),
        target=st.sampled_from(NODES[1:]),
        by=st.lists(st.sampled_from(actions), unique=True, max_size=3).map(tuple),
    )
    edges = draw(st.lists(edge, max_size=10))
    held = draw(st.sets(st.sampled_from(NODES[1:]), min_size=1))
    prices = {action: draw(st.integers(0, 4)) for action in actions}
    return edges, held, prices


def _left(edges: Sequence[Edge], done: set[str]) -> list[Edge]:
    return [edge for edge in edges if not done & set(edge.by)]


def _kept_off(edges: Sequence[Edge], held: set[str], done: set[str], beyond: frozenset[str]) -> bool:
    """Nothing is reached that could be kept; and to what cannot, no way is open that could be severed."""
    left = _left(edges, done)
    reached = reach(left, "intruder")
    if reached & (held - beyond):
        return False
    return not any(
        edge.target in beyond & held
        and edge.source in reached
        and (edge.by or edge.source not in {"intruder", *beyond})
        for edge in left
    )


def _worth(chosen: Sequence[str], prices: Mapping[str, int], used: Sequence[str]) -> tuple[int, int]:
    return sum(prices[one] for one in chosen), sum(used.index(one) + 1 for one in chosen)


def _best(edges: Sequence[Edge], held: set[str], prices: Mapping[str, int]) -> tuple[int, int]:
    beyond = frozenset(reach([edge for edge in edges if not edge.by], "intruder") - {"intruder"})
    every = sorted(prices)
    return min(
        _worth(chosen, prices, every)
        for size in range(len(every) + 1)
        for chosen in combinations(every, size)
        if _kept_off(edges, held, set(chosen), beyond)
    )


@pytest.mark.timeout(3_600)  # so that the soak ends on a busy machine, too
@given(problems())
def test_it_is_the_cheapest_that_leaves_no_path(problem: tuple[list[Edge], set[str], dict[str, int]]) -> None:
    edges, held, prices = problem
    found = cut(edges, source="intruder", held=held, prices=prices)
    assert found.gap == 0
    assert _kept_off(edges, held, set(found.chosen), found.beyond)
    assert found.total == sum(prices[one] for one in found.chosen)
    assert _worth(found.chosen, prices, sorted(prices)) == _best(edges, held, prices)


@pytest.mark.timeout(3_600)
@given(problems())
def test_the_same_question_in_another_order_has_the_same_answer(
    problem: tuple[list[Edge], set[str], dict[str, int]],
) -> None:
    edges, held, prices = problem
    one = cut(edges, source="intruder", held=held, prices=prices)
    other = cut(edges[::-1], source="intruder", held=held, prices=dict(reversed(prices.items())))
    assert one == other


def test_one_action_that_severs_many_is_taken_where_it_is_cheaper() -> None:
    edges = [Edge(source="intruder", target=node, by=("isolate", f"block {node}")) for node in ("a", "b", "c")]
    prices = {"isolate": 2, "block a": 1, "block b": 1, "block c": 1}
    assert cut(edges, source="intruder", held={"a", "b", "c"}, prices=prices).chosen == ("isolate",)
    assert cut(edges, source="intruder", held={"a"}, prices=prices).chosen == ("block a",)


def test_what_cannot_be_severed_is_told_and_what_lies_behind_it_is_still_severed() -> None:
    edges = [
        Edge(source="intruder", target="a"),
        Edge(source="intruder", target="a", by=("block",)),
        Edge(source="a", target="b", by=("isolate",)),
    ]
    found = cut(edges, source="intruder", held={"a", "b"}, prices={"block": 1, "isolate": 9})
    assert found.beyond == {"a"}
    assert found.chosen == ("block", "isolate")
