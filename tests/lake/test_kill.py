"""A kill at any moment of import, commit, merge and compaction leaves a lake that is whole.

A hundred kills: `tests/soak/kill_lake.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lake.killing import kill_once


@pytest.mark.parametrize("seed", range(10))
def test_a_kill_at_any_moment(seed: int, tmp_path: Path) -> None:
    kill_once(tmp_path, seed)
