"""A run in, a layer for the ATT&CK Navigator (layer format 4.5) out: the techniques of the rules that fired.

A layer is of one release of ATT&CK, and the Navigator drops what that release does not know. So every
technique is translated to the layer's release, and what cannot be translated is listed in the layer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TextIO

from tocsin.model.attack import Facts, Grounds, Release, Translation, in_release
from tocsin.model.rule import Rule
from tocsin.model.run import Run
from tocsin.output.plain import as_document

NAME = "navigator"
SUFFIX = ".json"

_NAVIGATOR: Final = "5.1.0"  # of which it is a layer; others open it too
_MOST_TITLES: Final = 20  # in one comment

_WHY: Final[dict[Grounds, str]] = {
    "deprecated": "was withdrawn there",
    "lost": "was withdrawn there, and what took its place is not told",
    "none": "nothing there corresponds to it",
    "unknown": "no release has it that is known here",
}


@dataclass(slots=True, kw_only=True)
class _Marks:
    """What the layer shows of each technique: findings, and by rule and tag; and what it cannot show."""

    findings: Counter[str] = field(default_factory=Counter)
    titles: dict[str, Counter[str]] = field(default_factory=dict)
    lost: dict[str, Translation] = field(default_factory=dict)  # by the id that tags use
    lost_findings: Counter[str] = field(default_factory=Counter)


def write(run: Run, file: TextIO) -> None:
    write_layer(run, file, "Tocsin findings")


def write_layer(run: Run, file: TextIO, name: str) -> None:
    """A layer under a name, which the Navigator shows on its tab.

    The score is the number of findings; a rule counts once for a technique, however many of its tags lead
    there.
    """
    fired = [(run.rules.rules[entry.rule], entry.findings) for entry in run.coverage.rules if entry.findings]
    tagged = {rule.attack_release for rule, _ in fired if rule.techniques} - {""}
    release = _release(run.attack, run.attack_release, tagged)
    major = release.major if release else max(tagged, key=_number, default="")
    marks = _marked(fired, run.attack, release)
    layer: dict[str, Any] = {
        "name": name,
        "versions": {**({"attack": major} if major else {}), "navigator": _NAVIGATOR, "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": _description(run, tagged, major, marks),
        "sorting": 3,  # by score, highest first
        "techniques": [
            {
                "techniqueID": technique,
                "score": marks.findings[technique],
                "comment": _comment(marks.titles[technique]),
                "enabled": True,
                "showSubtechniques": True,
            }
            for technique in sorted(marks.findings)
        ],
        "gradient": {
            "colors": ["#ffe766", "#ff6666"],
            "minValue": 0,
            "maxValue": max(marks.findings.values(), default=1),
        },
        "legendItems": [],
        "metadata": [
            {"name": "tool", "value": f"tocsin {run.tool_version}"},
            *(
                {"name": f"not in this layer: {technique}", "value": _why(marks, technique)}
                for technique in sorted(marks.lost)
            ),
        ],
    }
    file.write(as_document(layer))


def _release(facts: Facts, wanted: str, tagged: Iterable[str]) -> Release | None:
    """The release of the layer: the one that is wanted, else the newest that tags tell, else the newest there is."""
    newest = max(tagged, key=_number, default="")
    if wanted or newest:
        return facts.release(wanted or newest)
    return facts.releases[-1] if facts.releases else None


def _number(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.split("."))


def _marked(fired: Iterable[tuple[Rule, int]], facts: Facts, release: Release | None) -> _Marks:
    marks = _Marks()
    for rule, count in fired:
        shown: dict[str, list[str]] = {}  # technique of the layer -> the tags that lead there
        for technique in rule.techniques:
            found = _translated(technique, rule.attack_release, facts, release)
            if found.within:
                shown.setdefault(found.within, []).append(technique)
            else:
                marks.lost[technique] = found
                marks.lost_findings[technique] += count
        for technique, tags in shown.items():
            others = [tag for tag in tags if tag != technique]
            title = f"{rule.title} [{', '.join(others)}]" if others else rule.title
            marks.findings[technique] += count
            marks.titles.setdefault(technique, Counter())[title] += count
    return marks


def _translated(technique: str, tagged: str, facts: Facts, release: Release | None) -> Translation:
    if release is None:  # nothing is known to judge by
        return Translation(id=technique, to=(technique,), grounds="same object", within=technique)
    return in_release(technique, tagged, facts, release)


def _comment(titles: Counter[str]) -> str:
    told = sorted(titles, key=lambda title: (-titles[title], title))
    more = [f"and {len(told) - _MOST_TITLES} more rules"] if len(told) > _MOST_TITLES else []
    return "\n".join([*(f"{title} ({titles[title]})" for title in told[:_MOST_TITLES]), *more])


def _why(marks: _Marks, technique: str) -> str:
    found = marks.lost[technique]
    why = f"may be any of {', '.join(found.to)}" if found.to else _WHY.get(found.grounds, found.grounds)
    return f"{why} (findings: {marks.lost_findings[technique]})"


def _description(run: Run, tagged: Iterable[str], name: str, marks: _Marks) -> str:
    able = sum(entry.state in ("fired", "silent") for entry in run.coverage.rules)
    words = f"{able} of {len(run.coverage.rules)} rules could fire on this evidence; "
    words += "a technique without a score was not seen by them, which does not say that it was not used."
    if others := sorted(set(tagged) - {name}, key=_number):
        verb = "are translated to" if run.attack.releases else "stand beside those of"
        words += f" Techniques of rules that are tagged for ATT&CK {', '.join(others)} {verb} release {name}."
    if marks.lost:
        words += f" Not in this layer, because release {name} has none for them: {', '.join(sorted(marks.lost))}."
    return words
