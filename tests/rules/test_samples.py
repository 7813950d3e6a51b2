"""Each rule fires for what it is meant for, and not for what nearly is: samples/NAME.yml, run through the matcher.

A sample holds the fields of one event; what makes it an event of the rule's log source is put in from the rule's
own gate. For a correlation it holds steps: a rule, the fields of an event that it fires for, when, and how often.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from rules.events import by_stem, correlated, fired, stem, variant_of
from tocsin.detect import Detector
from tocsin.learn import packs
from tocsin.model.rule import CORRELATION

SAMPLES = Path(__file__).parent / "samples"
NAMES = sorted(stem(text.path) for text in packs.resolve([packs.OWN]))


def test_every_rule_can_be_used(own: Detector) -> None:
    assert own.rules.problems == ()
    assert sorted(by_stem(own.rules)) == NAMES


def test_every_rule_has_samples_of_both_sorts() -> None:
    assert sorted(path.stem for path in SAMPLES.iterdir()) == NAMES
    for name in NAMES:
        samples = _samples(name)
        assert set(samples) == {"fires", "silent"}, name
        assert samples["fires"], name
        assert samples["silent"], name


@pytest.mark.parametrize("name", NAMES)
def test_samples(name: str, own: Detector, tmp_path: Path) -> None:
    rule = by_stem(own.rules)[name]
    for sort, wanted in (("fires", True), ("silent", False)):
        for at, sample in enumerate(_samples(name)[sort]):
            where = f"{name}: {sort}[{at}]"
            if own.rules.rules[rule].logsource == CORRELATION:
                folder = tmp_path / f"{sort}{at}"
                folder.mkdir()
                assert (correlated(own, rule, sample, folder) > 0) is wanted, where
            else:
                variant = variant_of(own.rules, rule, sample.pop("variant", None))
                assert fired(own, rule, variant, [sample]) == [wanted], where


def _samples(name: str) -> dict[str, Any]:
    samples: dict[str, Any] = yaml.CSafeLoader((SAMPLES / f"{name}.yml").read_text("utf-8")).get_single_data()
    return samples
