"""Partitions, crashes, delays, duplicates, reorderings, restorations and a liar: few seeds; the soak has many."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.partitions import run


@pytest.mark.parametrize("seed", [1, 6])
def test_after_healing_the_honest_agree(tmp_path: Path, seed: int) -> None:
    found = run(tmp_path, seed, steps=70)
    assert found.rounds <= 4
