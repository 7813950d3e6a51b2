"""Own rules in, the page that says what they cover out: docs/own-rules.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tocsin.model.rule import CORRELATION, LEVELS, Rule, RuleSet

TACTICS = (
    *("reconnaissance", "resource-development", "initial-access", "execution", "persistence"),
    *("privilege-escalation", "stealth", "defense-impairment", "credential-access", "discovery"),
    *("lateral-movement", "collection", "command-and-control", "exfiltration", "impact"),
)
_HEAD = """# What Tocsin's own rules cover

Made from the rules themselves; a test compares. To make it anew:
`TOCSIN_UPDATE_PAGE=1 pytest tests/rules/test_page.py`.

The rules are a pack that comes with Tocsin, called `tocsin`. It is used where no pack was added and none is named;
with `--rules tocsin` beside others. They are for what groups that work for states do to parliaments and governments:
the server that faces the public, the web shell, the directory, the mailbox, the archive that leaves in parts. They are
no replacement for a large set such as SigmaHQ's, and go well beside one. How they were written is in
[0023](decisions/0023-own-rules.md).

Levels mean what they say. *High* and *critical* are for what ordinary work does not do. What administrators, scanners,
newsletters and travellers do as well is *medium* or lower, and is there to be read beside other findings. Rules that
are marked "for correlations" give no findings of their own: they are the ordinary events that a correlation counts.
What none of them can see: a log that nobody kept, and what an intruder does with the tools and at the hours of those
who work there.
"""


def markdown(rules: RuleSet) -> str:
    return "\n".join(_lines(rules))


def _lines(rules: RuleSet) -> Iterator[str]:
    loud = [rule for number, rule in enumerate(rules.rules) if number not in rules.quiet]
    yield _HEAD
    correlations = sum(rule.logsource == CORRELATION for rule in rules.rules)
    yield f"{len(rules.rules)} rules: {len(loud)} give findings, {len(rules.rules) - len(loud)} are there for others;"
    yield f"{correlations} are correlations.\n"
    levels = Counter(rule.level for rule in loud)
    yield from _table("level", [(level, levels[level]) for level in reversed(LEVELS)])
    yield "\n## By tactic of ATT&CK 19\n"
    tactics = Counter(tactic for rule in loud for tactic in rule.tactics)
    yield from _table("tactic", [(tactic, tactics[tactic]) for tactic in TACTICS if tactics[tactic]])
    yield "\n## By log source\n"
    sources = Counter(_source(rule) for rule in rules.rules)
    yield from _table("log source", sorted(sources.items(), key=lambda one: (-one[1], one[0])))
    yield "\n## Every rule\n"
    yield "| level | rule | log source | techniques |"
    yield "| --- | --- | --- | --- |"
    ranked = sorted(
        enumerate(rules.rules), key=lambda one: (_source(one[1]), -LEVELS.index(one[1].level), one[1].title)
    )
    for number, rule in ranked:
        level = "for correlations" if number in rules.quiet else rule.level
        yield f"| {level} | {rule.title} | {_source(rule)} | {' '.join(rule.techniques)} |"
    yield ""


def _source(rule: Rule) -> str:
    return "correlation" if rule.logsource == CORRELATION else " ".join(filter(None, rule.logsource.split("/")))


def _table(name: str, rows: Sequence[tuple[str, int]]) -> Iterator[str]:
    yield f"| {name} | rules |"
    yield "| --- | ---: |"
    for label, count in rows:
        yield f"| {label} | {count} |"
