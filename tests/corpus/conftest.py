"""The rule pack beside the repository, compiled once for all tests of this folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from corpus.pack import Pack
from tocsin.detect import prepare
from tocsin.model.rule import RuleText
from tocsin.pipeline import compile_rules


@pytest.fixture(scope="session")
def pack(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    with zipfile.ZipFile(shared / "corpus" / "sigma-rules.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith((".yml", ".yaml")))
        texts = tuple(RuleText(path=f"sigma-rules.zip!{name}", content=archive.read(name)) for name in names)
    # Through the cache, so that every test here also tries what a warm start gives.
    folder = tmp_path_factory.mktemp("compiled")
    compile_rules(texts, folder)
    return Pack(texts=texts, detector=prepare(compile_rules(texts, folder)))
