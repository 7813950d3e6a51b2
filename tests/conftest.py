"""What every test may use: the shared corpora, how hard hypothesis looks (HYPOTHESIS_PROFILE), who runs what."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

SHARED = Path(__file__).resolve().parents[1].parent / "shared"

# Tests are imported by path, so nothing puts this folder where `import oracle` looks.
sys.path.insert(0, str(Path(__file__).parent))

# No deadline: two busy cores make any single example slow once in a while. Drawing a rule with its
# events takes many small choices, which the check for slow drawing mistakes for a fault.
_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", derandomize=True, max_examples=150, deadline=None, suppress_health_check=_SLOW_IS_FINE)
settings.register_profile(
    "soak", max_examples=5_000, deadline=None, print_blob=True, suppress_health_check=_SLOW_IS_FINE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# What takes longest goes first: workers end together only where no drill begins when the others have ended.
LONGEST = ("test_drill.py", "test_third_act.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each worker has a stretch of the tests in their order, and takes of the other's when it has done its own.

    What the tests of a module share is then made once; dealt out singly, as is usual, each worker makes all of it.
    """
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared corpora. Its absence skips the test, or fails it where TOCSIN_REQUIRE_SHARED=1."""
    if not SHARED.is_dir():
        word = "the shared corpora are not here: expected a folder ../shared beside the repository"
        if os.environ.get("TOCSIN_REQUIRE_SHARED") == "1":
            pytest.fail(word, pytrace=False)
        pytest.skip(word)
    return SHARED
