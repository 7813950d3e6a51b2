from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from tocsin.model.run import Run
from tocsin.output.screen import UNSEEN
from tocsin.output.summary import summarise
from tocsin.output.terminal import one_line, show


def _page(run: Run, width: int, *, colour: bool = False, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, errors="replace")
    console = Console(
        file=file,
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        legacy_windows=False,
    )
    show(console, run, summarise(run), ["written: x"])
    file.flush()
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("width", [40, 80, 110, 200])
def test_it_fits(run: Run, width: int) -> None:
    page = _page(run, width)
    assert max(len(line) for line in page.splitlines()) <= width
    assert not UNSEEN.search(page.replace("\n", ""))


def test_only_our_own_colours_reach_the_terminal(run: Run) -> None:
    page = _page(run, 120, colour=True)
    without = re.sub(r"\x1b\[[\d;]*m", "", page)
    assert not UNSEEN.search(without.replace("\n", ""))
    assert "\\x1b[2J" in without


def test_it_tells_what_matters(run: Run) -> None:
    page = _page(run, 120)
    for words in (
        "1,200 events · 1 source",
        "2 damaged records lost in a.evtx",
        "1 source: no reader knows its format: notes.txt",
        "1 source: ends too early: b.gz",
        "FINDINGS  4",
        "3 of 6 rules could not fire",
        "windows/dns-client 1",
        "Hashes 1, Signed 1",
        "1  are not YAML",
        "12 values were too costly for a regular expression",
        "release 18 and 19",
    ):
        assert words in page
    assert page.index("execution") < page.index("stealth") < page.index("credential access")
    assert page.index("+Formula") < page.index("Rule 1")


def test_no_findings_is_never_good_news(empty_run: Run) -> None:
    page = _page(empty_run, 120)
    assert "3 rules could have fired on what is here and held for no event; 3 could not have fired" in page
    assert "WHAT COULD NOT HAVE BEEN SEEN" in page
    assert not re.search(r"\bclean\b|nothing found|no threats", page, re.IGNORECASE)
    assert "3 of 6 rules could fire" in one_line(summarise(empty_run))


def test_nothing_was_read(empty_run: Run) -> None:
    coverage = replace(empty_run.coverage, seen=(), rules=(), problems=(), gave_up=())
    page = _page(replace(empty_run, custody=(), coverage=coverage), 80)
    assert "nothing can be said of any host" in page
    assert "there were no rules" in page


def test_a_terminal_without_unicode(run: Run) -> None:
    assert "####" in _page(run, 80, encoding="ascii")


def test_worst_first(run: Run) -> None:
    summary = summarise(run)
    assert [number for number, _ in summary.rules] == [0, 1]
    assert summary.rules[0][1].last_us == summary.rules[0][1].first_us  # one of the two has no time
    assert summary.levels["critical"] == 2
    assert summary.findings == 4
