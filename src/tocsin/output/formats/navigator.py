"""A run in, a layer for the ATT&CK Navigator (layer format 4.5) out: the techniques of the rules that fired."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, TextIO

from tocsin.model.run import Run
from tocsin.output.plain import as_document

NAME = "navigator"
SUFFIX = ".json"

_NAVIGATOR: Final = "5.1.0"  # of which it is a layer; others open it too
_MOST_TITLES: Final = 20  # in one comment


def write(run: Run, file: TextIO) -> None:
    """The score is the number of findings. `versions.attack` is the release that most of these rules are tagged for."""
    findings: Counter[str] = Counter()
    titles: dict[str, Counter[str]] = {}
    releases: Counter[str] = Counter()
    for entry in run.coverage.rules:
        rule = run.rules.rules[entry.rule]
        if not entry.findings:
            continue
        for technique in rule.techniques:
            findings[technique] += entry.findings
            titles.setdefault(technique, Counter())[rule.title] += entry.findings
            if rule.attack_release:
                releases[rule.attack_release] += 1
    told = sorted(releases, key=lambda name: (-releases[name], name))
    layer: dict[str, Any] = {
        "name": "Tocsin findings",
        "versions": {**({"attack": told[0]} if told else {}), "navigator": _NAVIGATOR, "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": _description(run, told),
        "sorting": 3,  # by score, highest first
        "techniques": [
            {
                "techniqueID": technique,
                "score": findings[technique],
                "comment": _comment(titles[technique]),
                "enabled": True,
                "showSubtechniques": True,
            }
            for technique in sorted(findings)
        ],
        "gradient": {
            "colors": ["#ffe766", "#ff6666"],
            "minValue": 0,
            "maxValue": max(findings.values(), default=1),
        },
        "legendItems": [],
        "metadata": [{"name": "tool", "value": f"tocsin {run.tool_version}"}],
    }
    file.write(as_document(layer))


def _comment(titles: Counter[str]) -> str:
    told = sorted(titles, key=lambda title: (-titles[title], title))
    more = [f"and {len(told) - _MOST_TITLES} more rules"] if len(told) > _MOST_TITLES else []
    return "\n".join([*(f"{title} ({titles[title]})" for title in told[:_MOST_TITLES]), *more])


def _description(run: Run, releases: list[str]) -> str:
    able = sum(entry.state in ("fired", "silent") for entry in run.coverage.rules)
    words = f"{able} of {len(run.coverage.rules)} rules could fire on this evidence; "
    words += "a technique without a score was not seen by them, which does not say that it was not used."
    if len(releases) > 1:
        words += f" Rules are tagged for different ATT&CK releases: {', '.join(sorted(releases))}."
    return words
