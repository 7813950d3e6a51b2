"""Pages lead where they say, and the lists of pages are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tocsin.errors

ROOT = Path(__file__).resolve().parents[2]
DECISIONS = ROOT / "docs" / "decisions"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")])
RECORDS = sorted(DECISIONS.glob("[0-9]*.md"))

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *#*$", re.MULTILINE)
GLOSSED = re.compile(r"^\*\*([^*]+)\*\*", re.MULTILINE)


def _id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _prose(path: Path) -> str:
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def _anchors(path: Path) -> set[str]:
    """Headings as the usual renderers turn them into anchors."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(_prose(path))}


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(_prose(page)):
        if re.match(r"(https?|mailto):", target):
            continue
        name, _, anchor = target.partition("#")
        goal = (page.parent / name).resolve() if name else page
        lost = not goal.exists() or (anchor and goal.suffix == ".md" and anchor not in _anchors(goal))
        if lost or not goal.is_relative_to(ROOT):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_files_that_are_named_exist(page: Path) -> None:
    # A page that names a source file in `code` must not outlive it.
    named = re.findall(r"`((?:src|tests|bench|docs|requirements)/[\w./-]+\.\w+)`", _prose(page))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(_prose(index))}
    assert {page for page in (ROOT / "docs").glob("*.md") if page != index} <= linked


def test_every_decision_is_in_the_index() -> None:
    linked = LINK.findall(_prose(DECISIONS / "README.md"))
    assert [name for name in linked if name[0].isdigit()] == [path.name for path in RECORDS]


@pytest.mark.parametrize("record", RECORDS, ids=_id)
def test_a_decision_is_whole(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert re.match(rf"# {record.name[:4]}\. \S", text)
    assert re.search(r"^Accepted, \d{4}-\d\d-\d\d\.|^Replaced by ", text, re.MULTILINE)
    assert [part for part in ("Why", "Decision", "What follows") if f"\n## {part}\n" in text] == [
        "Why",
        "Decision",
        "What follows",
    ]


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_the_glossary_is_in_order() -> None:
    words = GLOSSED.findall((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"))
    assert words == sorted(words, key=str.lower)
    assert len(words) == len(set(words))


def test_exit_codes_are_documented() -> None:
    page = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    told = {name: int(code) for code, name in re.findall(r"^\| (\d+) \| `(\w+)`", page, re.MULTILINE)}
    kinds = {
        name: kind.exit_code
        for name, kind in vars(tocsin.errors).items()
        if isinstance(kind, type) and issubclass(kind, tocsin.errors.TocsinError)
    }
    assert told == kinds
