"""A number in, a report of so many findings out: how long it takes to write, how large it is, how it opens in Chromium.

Every finding has a record of its own in a log of real events (3.2 kB each), which is read again while the report is
written, as `tocsin respond` does.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from random import Random

import evidence

from tocsin import collect
from tocsin.model.citation import Citation
from tocsin.model.coverage import Coverage
from tocsin.model.custody import Custody
from tocsin.model.event import Events
from tocsin.model.incident import Cited, Entity, Entry, Incident, Join, Seen
from tocsin.model.rule import LEVELS, RuleSet
from tocsin.model.run import Run
from tocsin.output.files import save
from tocsin.output.report import Report, write
from tocsin.respond import Response, raws

FINDINGS = 20_000
FIELDS = ("Channel", "EventID", "Image", "TargetObject", "CallTrace", "CommandLine", "User")
TACTICS = ("execution", "persistence", "credential-access", "lateral-movement")


def report(folder: Path, findings: int = FINDINGS) -> dict[str, float]:
    print(f"\nreport of one incident with {findings:,} findings\n")
    log, page = folder / "events.jsonl", folder / "report.html"
    evidence.write_jsonl(log, evidence_corpus(), findings, commands=0.25)
    response = responded(log)
    began, took = time.perf_counter(), time.process_time()
    read = raws(response, response.incidents)
    reading_s = time.perf_counter() - began
    told = Report(incident=response.incidents[0], run=response.run, raws=read)
    save(page, lambda file: write(told, file))
    written_s, cpu_s = time.perf_counter() - began, time.process_time() - took
    size = page.stat().st_size / 1e6
    print(f"  written in {written_s:.1f} s ({reading_s:.1f} s of them reading the evidence again), {cpu_s:.1f} s of")
    print(f"  processor; {size:.1f} MB, for records of {sum(one.size_bytes for one in read.values()) / 1e6:.0f} MB")
    figures = {"report_s": written_s, "report_cpu_s": cpu_s, "report_mb": size}
    opened = opens(page)
    if opened is None:
        print("  not opened: no chromium on the path")
        return figures
    print(f"  opened in {opened[0]:.2f} s; a record unpacked {opened[1]:.2f} s after a click")
    return {**figures, "report_open_s": opened[0], "report_click_s": opened[1]}


def evidence_corpus() -> Path:
    return Path(__file__).resolve().parents[2] / "shared" / "corpus" / "security-datasets"


def responded(log: Path) -> Response:
    """What `respond` would give, had a rule found something in every event."""
    custody: list[Custody] = []
    rng = Random(1)
    cited: list[Cited] = []
    for events in collect.read_units(collect.plan([log]), frozenset({*FIELDS, "Computer"}), custody.append):
        cited += [found(events, row, rng) for row in range(len(events))]
    cited.sort(key=lambda one: one.at.ts_us or 0)
    run = Run(
        rules=RuleSet(digest="", rules=(), variants=(), patterns=(), problems=()),
        findings=(),
        custody=tuple(custody),
        coverage=Coverage(rules=(), seen=(), problems=(), gave_up=()),
        tool_version="0",
    )
    return Response(run=run, incidents=(incident(tuple(cited)),), evidence=(log,))


def found(events: Events, row: int, rng: Random) -> Cited:
    number = rng.randrange(200)
    fields = {name: column.text(row) for name in FIELDS if (column := events.columns.get(name))}
    host = events.hosts()
    return Cited(
        rule_id=f"rule-{number}",
        title=f"Rule {number} that found something",
        level=LEVELS[rng.randrange(5)],
        techniques=(f"T{1000 + number}",),
        tactics=(TACTICS[number % len(TACTICS)],),
        host=(host.text(row) if host else None) or "",
        kind=events.kind,
        at=Citation(
            src="",
            path=events.sources[int(events.src[row])].path,
            rec=int(events.rec[row]),
            chunk=int(events.chunk[row]),
            ts_us=int(events.ts[row]),
        ),
        fields={name: text for name, text in fields.items() if text},
    )


def incident(cited: tuple[Cited, ...]) -> Incident:
    first, last = cited[0].at.ts_us, cited[-1].at.ts_us
    lines = [
        Entry(ts_us=one.at.ts_us, host=one.host, what=one.title, at=one.at, findings=(number,), tactic=one.tactics[0])
        for number, one in enumerate(cited)
    ]
    shared = Entity(kind="host", name="host", shown="host")
    return Incident(
        id="0" * 16,
        title="A large incident",
        rank="act now",
        score=100.0,
        because=("many findings",),
        level="critical",
        first_us=first,
        last_us=last,
        findings=cited,
        hosts=tuple(
            Seen(name=host, first_us=first, last_us=last, findings=1) for host in sorted({one.host for one in cited})
        ),
        joins=tuple(
            Join(one=number, other=number + 1, entity=shared, weight=3.0, gap_us=0, because="both on one machine")
            for number in range(len(cited) - 1)
        ),
        timeline=tuple(lines),
    )


def opens(page: Path) -> tuple[float, float] | None:
    """Seconds until the list of findings is there, and from a click to its record."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=flags)
        tab = browser.new_page()
        tab.goto("about:blank")
        began = time.perf_counter()
        tab.goto(page.as_uri())
        tab.locator("#list tbody tr").first.wait_for()
        opened = time.perf_counter() - began
        began = time.perf_counter()
        tab.locator("#list tbody a").first.click()
        tab.wait_for_function("document.getElementById('record-raw').textContent.length > 0")
        clicked = time.perf_counter() - began
        browser.close()
    return opened, clicked
