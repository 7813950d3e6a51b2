"""What the rule pack finds on real logs, rule by rule: a change of the numbers must be meant.

To make the table anew: `TOCSIN_UPDATE_GOLDEN=1 pytest tests/corpus/test_golden.py`; then read the difference.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from corpus.pack import Pack
from tocsin.pipeline import detect

GOLDEN = Path(__file__).parent / "golden" / "findings_per_rule.json"
PARTS = (
    "evtx-attack-samples",
    "security-datasets/atomic/aws",
    "security-datasets/atomic/linux",
    "security-datasets/atomic/windows",
    "security-datasets/compound",
    "sigma-regression",
)


@pytest.mark.parametrize("part", PARTS)
def test_findings_per_rule(part: str, shared: Path, pack: Pack) -> None:
    found = _found(shared / "corpus" / part, pack)
    golden = json.loads(GOLDEN.read_text("utf-8")) if GOLDEN.exists() else {}
    if os.environ.get("TOCSIN_UPDATE_GOLDEN") == "1":
        GOLDEN.parent.mkdir(exist_ok=True)
        table = json.dumps({**golden, part: found}, indent=1, ensure_ascii=False, sort_keys=True)
        GOLDEN.write_text(table + "\n", "utf-8")
        pytest.skip("the table was made anew: read what changed in it")
    assert found == golden[part]


def _found(logs: Path, pack: Pack) -> dict[str, Any]:
    """Records read, and for each rule (id, and the variant where it has several) its title and findings."""
    counts: Counter[tuple[int, str]] = Counter()
    with detect([logs], pack.detector.rules) as run:
        counts.update((finding.rule, finding.variant) for finding in run.findings)
        records = sum(source.read for source in run.custody)
        fired = {rule.rule: rule.findings for rule in run.coverage.rules if rule.state == "fired"}
    assert fired == _summed(counts)
    rules = {}
    for (number, variant), count in counts.items():
        rule = run.rules.rules[number]
        name = f"{rule.id} ({variant})" if variant else rule.id
        assert name not in rules
        rules[name] = {"title": rule.title, "findings": count}
    return {"records": records, "rules": rules}


def _summed(counts: Counter[tuple[int, str]]) -> dict[int, int]:
    found: Counter[int] = Counter()
    for (rule, _), count in counts.items():
        found[rule] += count
    return dict(found)
