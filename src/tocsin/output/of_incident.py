"""A run and one of its incidents in, the same run with that incident's findings alone out: to be written in any form.

A finding that stands for others which say the same is there once; coverage says how many there were.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from tocsin.model.coverage import RuleCoverage
from tocsin.model.finding import Finding
from tocsin.model.incident import Cited, Incident
from tocsin.model.run import Run


def of_incident(run: Run, incident: Incident) -> Run:
    numbers = {(rule.id, rule.title): number for number, rule in reversed(list(enumerate(run.rules.rules)))}
    found = [(numbers[one.rule_id, one.title], one) for one in incident.findings]
    counts: Counter[int] = Counter()
    for number, one in found:
        counts[number] += 1 + one.repeats
    states = tuple(_state(entry, counts[entry.rule]) for entry in run.coverage.rules)
    return replace(
        run,
        findings=tuple(_finding(number, one) for number, one in found),
        coverage=replace(run.coverage, rules=states),
    )


def _state(entry: RuleCoverage, findings: int) -> RuleCoverage:
    if not entry.findings:
        return entry
    return replace(entry, state="fired" if findings else "silent", findings=findings)


def _finding(number: int, one: Cited) -> Finding:
    return Finding(
        rule=number,
        variant="",
        ts_us=one.at.ts_us,
        host=one.host,
        kind=one.kind,
        src=one.at.src,
        rec=one.at.rec,
        chunk=one.at.chunk,
        path=one.at.path,
        fields=one.fields,
    )
