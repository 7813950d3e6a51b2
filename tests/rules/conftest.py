"""Tocsin's own rules, compiled once for all tests of this folder."""

from __future__ import annotations

import pytest

from tocsin.detect import Detector, prepare
from tocsin.learn import packs
from tocsin.pipeline import compile_rules


@pytest.fixture(scope="session")
def own() -> Detector:
    return prepare(compile_rules(packs.resolve([packs.OWN])))
