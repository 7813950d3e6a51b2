"""Own rules on logs in the formats that programs write, read as a user's are: which fire, how often, and no other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from rules.events import stem
from tocsin.detect import Detector
from tocsin.pipeline import detect

NATIVE = Path(__file__).parent / "native"
EXPECTED: dict[str, dict[str, int]] = yaml.safe_load((NATIVE / "expected.yml").read_text("utf-8"))


def test_every_log_is_expected() -> None:
    assert {path.name for path in NATIVE.iterdir()} - {"README.md", "expected.yml"} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_native(name: str, own: Detector) -> None:
    with detect([NATIVE / name], own.rules, jobs=1) as run:
        found = Counter(stem(own.rules.rules[finding.rule].path) for finding in run.findings)
        assert all(source.format and not source.problems for source in run.custody)
    assert dict(found) == EXPECTED[name]


def test_a_good_part_of_the_rules_is_tried_like_this() -> None:
    tried = {name for rules in EXPECTED.values() for name in rules}
    assert len(tried) >= 40
