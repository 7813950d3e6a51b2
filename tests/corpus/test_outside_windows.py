"""Which rules of which pack fire on logs that are not of Windows and that we did not make: a change must be meant.

To make the table anew: `TOCSIN_UPDATE_GOLDEN=1 pytest tests/corpus/test_outside_windows.py`; then read the difference.
Rules that only stand in correlations give no finding and do not count.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tocsin.collect import mapping_files
from tocsin.learn import packs
from tocsin.model.mapping import LogMapping
from tocsin.model.rule import RuleSet
from tocsin.pipeline import compile_rules, detect

GOLDEN = Path(__file__).parent / "golden" / "outside_windows.json"
MAPPINGS = Path(__file__).parents[1] / "collect" / "mappings"
# Where the corpora have such logs; those of Windows that lie beside them are read and not counted.
LOGS = ("security-datasets/atomic/linux", "security-datasets/atomic/aws", "security-datasets/compound")
DEVICES = "sigma-regression/rules/cisco"
LEAST_THAT_FIRE = 36
OF_WINDOWS = b"product: windows"


def _fired(shared: Path, rules: RuleSet, mappings: Sequence[LogMapping]) -> Iterator[tuple[str, str, str]]:
    """Title, kind of log and part of the corpora of each finding."""
    for part in (*LOGS, DEVICES):
        with detect([shared / "corpus" / part], rules, mappings=mappings) as run:
            for finding in run.findings:
                if finding.kind != "windows":
                    yield run.rules.rules[finding.rule].title, finding.kind, part


@pytest.fixture(scope="module")
def fired(shared: Path) -> dict[str, Any]:
    """Pack -> title -> how many findings in which part of the corpora, by kind of log."""
    mappings = mapping_files.load(sorted(MAPPINGS.glob("*.yml")))
    table: dict[str, Any] = {}
    for name, source in (("SigmaHQ", str(shared / "corpus" / "sigma-rules.zip")), ("Tocsin", packs.OWN)):
        texts = [text for text in packs.resolve([source]) if name == "Tocsin" or OF_WINDOWS not in text.content]
        counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for title, kind, part in _fired(shared, compile_rules(texts, mappings=mappings), mappings):
            counts[title][f"{part}: {kind}"] += 1
        table[name] = {title: dict(sorted(counts[title].items())) for title in sorted(counts)}
    return table


def test_the_table_of_rules_outside_windows(fired: dict[str, Any]) -> None:
    if os.environ.get("TOCSIN_UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(json.dumps(fired, indent=1, sort_keys=True) + "\n", "utf-8")
        pytest.skip("the table was made anew: read what changed in it")
    assert fired == json.loads(GOLDEN.read_text("utf-8"))


def test_how_many_fire(fired: dict[str, Any]) -> None:
    assert sum(map(len, fired.values())) >= LEAST_THAT_FIRE
