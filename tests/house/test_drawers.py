"""All formats, outputs, traits and enforcers are in their tuples; every log format has samples and a golden result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tocsin.attribute.traits
import tocsin.collect.formats
import tocsin.contain.enforcers
import tocsin.output.formats

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "collect" / "formats"
DRAWERS: list[tuple[str, tuple[Any, ...]]] = [
    ("src/tocsin/collect/formats", tocsin.collect.formats.READERS),
    ("src/tocsin/output/formats", tocsin.output.formats.WRITERS),
    ("src/tocsin/attribute/traits", tocsin.attribute.traits.TRAITS),
    ("src/tocsin/contain/enforcers", tocsin.contain.enforcers.ENFORCERS),
]


def _stem(module: Any) -> str:
    return str(module.__name__).rpartition(".")[2]


@pytest.mark.parametrize(("folder", "registered"), DRAWERS, ids=["readers", "writers", "traits", "enforcers"])
def test_every_file_is_registered(folder: str, registered: tuple[Any, ...]) -> None:
    files = sorted(path.stem for path in (ROOT / folder).glob("*.py") if path.stem != "__init__")
    assert sorted(_stem(module) for module in registered) == files


@pytest.mark.parametrize(("folder", "registered"), DRAWERS, ids=["readers", "writers", "traits", "enforcers"])
def test_names_are_unique(folder: str, registered: tuple[Any, ...]) -> None:
    names = [module.NAME for module in registered]
    assert len(names) == len(set(names)), folder


@pytest.mark.parametrize("reader", tocsin.collect.formats.READERS, ids=_stem)
def test_a_reader_has_samples_and_a_golden_result(reader: Any) -> None:
    folder = SAMPLES / _stem(reader)
    kept = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    assert {"README.md", "golden.jsonl"} <= kept, f"{folder.relative_to(ROOT)} tells how each sample was made"
    assert kept - {"README.md", "golden.jsonl"}, "and holds the samples"


def test_no_samples_of_a_format_that_is_gone() -> None:
    readers = {_stem(reader) for reader in tocsin.collect.formats.READERS}
    assert {path.parent.name for path in SAMPLES.glob("*/README.md")} <= readers
