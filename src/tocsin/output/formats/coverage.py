"""A run in, what could have been seen and what could not, rule by rule and log by log, out."""

from __future__ import annotations

from collections import Counter
from typing import Any, TextIO

from tocsin.model.coverage import IndicatorCoverage, RuleCoverage, SeenLog
from tocsin.model.rule import RuleProblem
from tocsin.model.run import Run
from tocsin.output.plain import as_document, utc

NAME = "coverage"
SUFFIX = ".coverage.json"


def write(run: Run, file: TextIO) -> None:
    coverage, rules = run.coverage, run.rules.rules
    states = Counter(entry.state for entry in coverage.rules)
    missing = Counter(entry.detail for entry in coverage.rules if entry.state == "no log source")
    report: dict[str, Any] = {
        "tool_version": run.tool_version,
        "summary": {
            "rules": len(coverage.rules),
            "fired": states["fired"],
            "silent": states["silent"],
            "no_log_source": states["no log source"],
            "field_absent": states["field absent"],
            "unusable": dict(sorted(Counter(problem.reason for problem in coverage.problems).items())),
        },
        "missing_log_sources": [
            {"logsource": name, "rules": count}
            for name, count in sorted(missing.items(), key=lambda pair: (-pair[1], pair[0]))
        ],
        "logs": [_log(log) for log in coverage.seen],
        "rules": [_rule(run, entry) for entry in coverage.rules],
        "problems": [_problem(problem) for problem in coverage.problems],
        "gave_up": [
            {"rule_id": rules[number].id, "title": rules[number].title, "values": values}
            for number, values in coverage.gave_up
        ],
    }
    if coverage.indicators:
        report["indicators"] = _indicators(run, coverage.indicators)
    file.write(as_document(report))


def _log(log: SeenLog) -> dict[str, Any]:
    return {
        "kind": log.kind,
        "channel": log.channel,
        "host": log.host,
        "records": log.records,
        "first_ts": utc(log.first_us),
        "last_ts": utc(log.last_us),
    }


def _rule(run: Run, entry: RuleCoverage) -> dict[str, Any]:
    rule = run.rules.rules[entry.rule]
    return {
        "rule_id": rule.id,
        "title": rule.title,
        "level": rule.level,
        "logsource": rule.logsource,
        "path": rule.path,
        "line": rule.line,
        "state": entry.state,
        "findings": entry.findings,
        "detail": entry.detail,
    }


def _problem(problem: RuleProblem) -> dict[str, Any]:
    return {
        "path": problem.path,
        "line": problem.line,
        "reason": problem.reason,
        "text": problem.text,
        "rule_id": problem.rule_id,
        "title": problem.title,
    }


def _indicators(run: Run, told: IndicatorCoverage) -> dict[str, Any]:
    rules = run.rules.rules
    return {
        "known_good_lists": told.known_good or None,
        "observables": [
            {
                "type": one.type,
                "indicators": one.indicators,
                "seen": one.seen,
                "could_be_seen": bool(one.fields),
                "fields": list(one.fields),
            }
            for one in told.observables
        ],
        "lowered": [
            {"id": rules[number].id, "title": rules[number].title, "lists": list(indicator.listed)}
            for number in told.lowered
            if (indicator := rules[number].indicator)
        ],
        "outside_validity": [
            {"id": rules[number].id, "title": rules[number].title, "events": count} for number, count in told.outside
        ],
        "left_out_by_reason": dict(sorted(_by_reason(told).items())),
        "left_out": [
            {
                "path": one.path,
                "line": one.line,
                "id": one.id,
                "title": one.title,
                "reason": one.reason,
                "text": one.text,
                "count": one.count,
            }
            for one in told.left_out
        ],
    }


def _by_reason(told: IndicatorCoverage) -> Counter[str]:
    counts: Counter[str] = Counter()
    for one in told.left_out:
        counts[one.reason] += one.count
    return counts
