"""A run made by hand, in which whoever wrote the logs tried everything against whoever reads the results."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tocsin.model.coverage import Coverage, RuleCoverage, SeenLog
from tocsin.model.custody import Custody
from tocsin.model.finding import Finding
from tocsin.model.rule import Rule, RuleProblem, RuleSet
from tocsin.model.run import Run

NOON = 1_773_230_400_000_000  # 2026-03-11T12:00:00Z
HOSTILE_HOST = "\x1b]0;owned\x07\x9b2J\u202egnp.exe"
HOSTILE_FIELD = "=cmd|' /C calc'!A0\r\n<script>alert(1)</script>\x1b[31m"


def _rule(number: int, **changes: object) -> Rule:
    rule = Rule(
        id=f"00000000-0000-4000-8000-{number:012}",
        title=f"Rule {number}",
        level="medium",
        status="test",
        path=f"pack!rules/{number}.yml",
        line=1,
        logsource="windows/process_creation/",
    )
    return replace(rule, **changes)  # type: ignore[arg-type]


RULES = (
    _rule(
        0,
        title="+Formula <b>\x1b[2J",
        level="critical",
        author='@a, "b"',
        techniques=("T1059.001", "T1003"),
        tactics=("execution", "credential-access"),
        attack_release="19",
    ),
    _rule(1, level="low", techniques=("T1003",), tactics=("stealth",), attack_release="18"),
    _rule(2, logsource="windows//dns-client"),
    _rule(3),
    _rule(4),
)


def _finding(rule: int, **changes: object) -> Finding:
    finding = Finding(
        rule=rule,
        variant="sysmon",
        ts_us=NOON,
        host="ws-01",
        kind="windows",
        src="ab" * 32,
        rec=7,
        chunk=4096,
        path="logs/a.evtx",
        fields={"Image": "C:\\a.exe", "Empty": None},
    )
    return replace(finding, **changes)  # type: ignore[arg-type]


FINDINGS = (
    _finding(0),
    _finding(1, ts_us=NOON + 1, chunk=-1, variant=""),
    _finding(0, host=HOSTILE_HOST, ts_us=None, fields={"CommandLine": HOSTILE_FIELD, "datetime": "x", "a.b": "\ud800"}),
    _finding(1, path="\t=1+1.evtx", host="＝1+1", fields={}),
)


@pytest.fixture
def run() -> Run:
    return Run(
        rules=RuleSet(rules=RULES, patterns=(), variants=(), digest="cd" * 32),
        findings=FINDINGS,
        custody=(
            Custody(
                path="logs/a.evtx",
                file="logs/a.evtx",
                size_bytes=69_632,
                sha256="ab" * 32,
                format="evtx",
                read=1200,
                damaged={"checksum \x1b[0m": 2},
                first_us=NOON,
                last_us=NOON + 90_000_000,
            ),
            Custody(path="logs/notes.txt", file="logs/notes.txt", size_bytes=12, sha256="ef" * 32),
            Custody(path="b.gz", file="b.gz", size_bytes=9, problems=("ends too early",)),
        ),
        coverage=Coverage(
            seen=(
                SeenLog(
                    kind="windows",
                    channel="Security",
                    host=HOSTILE_HOST,
                    records=1200,
                    first_us=NOON,
                    last_us=NOON + 1,
                ),
                SeenLog(kind="windows", channel="", host="", records=3, first_us=None, last_us=None),
            ),
            rules=(
                RuleCoverage(rule=0, state="fired", findings=2),
                RuleCoverage(rule=1, state="fired", findings=2),
                RuleCoverage(rule=2, state="no log source", detail="windows//dns-client"),
                RuleCoverage(rule=3, state="field absent", detail="Hashes, Signed"),
                RuleCoverage(rule=4, state="silent"),
            ),
            problems=(RuleProblem(path="pack!bad.yml", line=3, reason="not yaml", text="tab \x1b"),),
            gave_up=((4, 12),),
        ),
        tool_version="9.9",
    )


@pytest.fixture
def empty_run(run: Run) -> Run:
    """The same evidence, for which no rule held."""
    states = tuple(
        replace(entry, state="silent", findings=0) if entry.state == "fired" else entry for entry in run.coverage.rules
    )
    return replace(run, findings=(), coverage=replace(run.coverage, rules=states))
