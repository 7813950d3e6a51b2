"""Findings of correlations in every output: bounded where people look, and nothing in them acts."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from tocsin.model.correlation import Correlated, Correlation, Place
from tocsin.model.run import Run
from tocsin.output import terminal
from tocsin.output.formats import WRITERS, csv, jsonl, timesketch
from tocsin.output.screen import UNSEEN
from tocsin.output.summary import summarise
from tocsin.output.writer import Writer

HOSTILE = "=cmd()<script>\x1b[2J\u202e"
NOON = 1_773_230_400_000_000


@pytest.fixture
def correlated(run: Run) -> Run:
    first = next(iter(run.findings))
    places = tuple(Place(ts_us=NOON + at, path=HOSTILE, rec=at, chunk=-1 if at % 2 else 0) for at in range(9))
    one = Correlated(
        type="value_avg",
        group={HOSTILE: HOSTILE},
        value=2.5,
        first_us=NOON,
        last_us=NOON + 8,
        count=12_000,
        events=places,
    )
    correlation = Correlation(
        rule=0, type="value_avg", parts=(1,), timespan_us=1, keys=((HOSTILE,),), values=(("x",),), group_by=(HOSTILE,)
    )
    finding = replace(first, ts_us=NOON + 8, fields=one.group, correlated=one)
    return replace(run, findings=[finding] * 7, rules=replace(run.rules, correlations=(correlation,)))


def text(writer: Writer, run: Run) -> str:
    file = io.StringIO()
    writer.write(run, file)
    return file.getvalue()


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.NAME)
def test_nothing_acts(writer: Writer, correlated: Run) -> None:
    written = text(writer, correlated)
    assert not UNSEEN.search(written.replace("\r\n", "").replace("\n", ""))
    if writer is not csv:
        assert "<" not in written


def test_json_lists_the_events(correlated: Run) -> None:
    told = json.loads(text(jsonl, correlated).splitlines()[0])["correlation"]
    assert (told["type"], told["value"], told["count"], len(told["events"])) == ("value_avg", 2.5, 12_000, 9)
    assert told["events"][1] == {"path": HOSTILE, "rec": 1, "chunk": None, "ts": "2026-03-11T12:00:00.000001Z"}
    assert told["group"] == {HOSTILE: HOSTILE}


def test_a_timeline_has_flat_attributes(correlated: Run) -> None:
    line = json.loads(text(timesketch, correlated).splitlines()[0])
    assert line["correlation_count"] == 12_000
    assert line["correlation_first_ts"] == "2026-03-11T12:00:00.000000Z"
    assert not any(isinstance(value, dict) for value in line.values())


@pytest.mark.parametrize("width", [40, 80, 130])
def test_the_page_shows_a_few_and_says_how_many(correlated: Run, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, record=True, highlight=False, emoji=False, markup=False)
    terminal.show(console, correlated, summarise(correlated))
    page = console.export_text()
    assert not UNSEEN.search(page.replace("\n", ""))
    assert "EVENTS THAT BELONG TOGETHER 5 of 7, worst first" in " ".join(page.split())
    assert page.count("12,000 events") == 5
    assert page.count("and 11,997 more") == 5
