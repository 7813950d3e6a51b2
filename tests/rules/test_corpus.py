"""What own rules find on logs that we did not make, rule by rule: a change of the numbers must be meant.

To make the table anew: `TOCSIN_UPDATE_GOLDEN=1 pytest tests/rules/test_corpus.py`; then read the difference.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from rules.events import stem
from tocsin.detect import Detector
from tocsin.pipeline import detect

GOLDEN = Path(__file__).parent / "golden.json"
PARTS = ("evtx-attack-samples", "security-datasets", "sigma-regression")
LEAST_THAT_FIRE = 25


@pytest.fixture(scope="module")
def found(shared: Path, own: Detector) -> dict[str, Any]:
    """For each rule and part of the corpora its findings; and how many files there are, and how many it fires on."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    on: dict[str, set[str]] = defaultdict(set)
    files = 0
    for part in PARTS:
        with detect([shared / "corpus" / part], own.rules) as run:
            files += sum(bool(source.read) for source in run.custody)
            for finding in run.findings:
                name = stem(own.rules.rules[finding.rule].path)
                counts[name][part] += 1
                on[name].add(finding.path)
    return {
        "files": files,
        "rules": {name: {**counts[name], "files": len(on[name])} for name in sorted(counts)},
    }


def test_findings_per_rule(found: dict[str, Any]) -> None:
    if os.environ.get("TOCSIN_UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
        pytest.skip("the table was made anew: read what changed in it")
    assert found == json.loads(GOLDEN.read_text("utf-8"))


def test_many_rules_fire_on_what_we_did_not_make(found: dict[str, Any]) -> None:
    assert len(found["rules"]) >= LEAST_THAT_FIRE


def test_no_rule_fires_on_more_than_half_of_the_files(found: dict[str, Any]) -> None:
    assert max(one["files"] for one in found["rules"].values()) <= found["files"] / 2
