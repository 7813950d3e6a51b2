"""A kill at any moment leaves cases that verify. Hundreds of kills: `tests/soak/kill_cases.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cases.killing import kill_once


@pytest.mark.parametrize("seed", range(8))
def test_a_kill_at_any_moment(seed: int, tmp_path: Path) -> None:
    kill_once(tmp_path / "cases", seed)
