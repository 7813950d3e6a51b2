"""Dependencies are bounded, locked by hash, explained, and under licences that go with ours."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)", re.MULTILINE)
# Named after the day of their release: a bound above would forbid the next day.
BY_DATE = {"types-pyyaml", "packaging"}

# Licences whose code may be used beside ours, as libraries that stay what they are and can be replaced.
COMPATIBLE = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CNRI-Python",
    "ISC",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "PSF-2.0",
    "Unlicense",
    "Zlib",
}
# What packages that do not use SPDX yet write instead.
SPOKEN = {
    "Apache 2.0": "Apache-2.0",
    "Apache License": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",  # the ANTLR runtime, whose licence file is that of three clauses
    "BSD, Public Domain": "BSD-2-Clause",  # pycryptodome: its licence file has two clauses, and older parts no owner
    "BSD License": "BSD-3-Clause",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.1-only",
    "LGPLv3": "LGPL-3.0-only",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


def _project() -> dict[str, Any]:
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"])


def _declared(extra: str = "") -> list[Requirement]:
    project = _project()
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return [Requirement(line) for line in lines if not line.startswith("tocsin[")]


def _runtime() -> Iterator[importlib.metadata.Distribution]:
    """Every distribution that `pip install tocsin` brings to this machine."""
    seen: set[str] = set()
    wanted = _declared()
    while wanted:
        need = wanted.pop()
        name = canonicalize_name(need.name)
        if name in seen or (need.marker is not None and not need.marker.evaluate({"extra": ""})):
            continue
        seen.add(name)
        found = importlib.metadata.distribution(name)
        yield found
        wanted += [Requirement(line) for line in found.requires or ()]


def _licence(found: importlib.metadata.Distribution) -> str:
    said = found.metadata
    (expression, *_), (spoken, *_) = (said.get_all(name) or [""] for name in ("License-Expression", "License"))
    trove = [c.rpartition(" :: ")[2] for c in said.get_all("Classifier") or () if c.startswith("License :: ")]
    text = expression or (spoken if 0 < len(spoken) < 60 else "") or " AND ".join(trove)
    return SPOKEN.get(text, text)


def _may_be_used(expression: str) -> bool:
    """True where SPDX `expression` lets us: every part joined by AND, any part joined by OR."""
    inner = re.search(r"\(([^()]*)\)", expression)
    if inner and expression not in SPOKEN:
        word = "MIT" if _may_be_used(inner[1]) else "no"
        return _may_be_used(expression[: inner.start()] + word + expression[inner.end() :])
    return any(
        all(SPOKEN.get(part.strip(), part.strip()) in COMPATIBLE for part in choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def test_licences_go_with_ours() -> None:
    foreign = {found.name: _licence(found) for found in _runtime() if not _may_be_used(_licence(found))}
    assert not foreign


def test_licences_are_read_right() -> None:
    assert _may_be_used("MPL-2.0 AND (Apache-2.0 OR GPL-3.0-only)")
    assert not _may_be_used("GPL-3.0-only")
    assert not _may_be_used("MIT AND GPL-2.0-or-later")
    assert not _may_be_used("")


def test_every_dependency_is_explained() -> None:
    page = (ROOT / "docs" / "decisions" / "0009-dependencies.md").read_text(encoding="utf-8")
    told = {canonicalize_name(name) for name in re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)}
    assert told == {canonicalize_name(need.name) for need in (*_declared(), *_declared("test"))}


@pytest.mark.parametrize("extra", ["", "test", "dev"])
def test_bounds_on_both_sides(extra: str) -> None:
    for need in _declared(extra):
        sides = {clause.operator for clause in need.specifier}
        assert ">=" in sides, need
        assert "<" in sides or canonicalize_name(need.name) in BY_DATE, need


@pytest.mark.parametrize(("lock", "extras"), [("lock", [""]), ("test", ["", "test"]), ("dev", ["", "test", "dev"])])
def test_the_lock_is_within_the_bounds(lock: str, extras: list[str]) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    pinned: dict[str, list[Version]] = {}
    for name, version in PINNED.findall(text):
        pinned.setdefault(canonicalize_name(name), []).append(Version(version))
    for need in (need for extra in extras for need in _declared(extra)):
        versions = pinned.get(canonicalize_name(need.name))
        assert versions, f"{need.name} is not locked: run `just lock`"
        assert all(version in need.specifier for version in versions), need


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_its_hashes(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    pins = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert pins
    assert not [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin]
    # A line may not choose where packages come from: that is for whoever installs.
    assert not re.search(r"://|file:|index|--find|--trusted|^-e|@ ", text, re.MULTILINE)
