"""A run in, the counts that a summary shows out, in one pass over the findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tocsin.model.coverage import Coverage
from tocsin.model.custody import Custody
from tocsin.model.finding import Finding
from tocsin.model.rule import LEVELS, Level
from tocsin.model.run import Run

OTHER_HOSTS = "(other hosts)"
_MOST_CORRELATED = 5
_MOST_HOSTS = 100_000  # host names are chosen by whoever wrote the logs; what we keep of them has an end

# The order of an intrusion. Release 19 of ATT&CK has two tactics where release 18 had defense-evasion.
TACTICS = (
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "defense-evasion",
    "stealth",
    "defense-impairment",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
)


@dataclass(slots=True, kw_only=True)
class Tally:
    """Findings of one rule, or on one host. Times are UTC microseconds."""

    count: int = 0
    first_us: int | None = None
    last_us: int | None = None
    hosts: set[str] = field(default_factory=set)
    levels: Counter[Level] = field(default_factory=Counter)

    def add(self, finding: Finding, host: str, level: Level) -> None:
        self.count += 1
        self.hosts.add(host)
        self.levels[level] += 1
        last = finding.ts_us
        first = finding.correlated.first_us if finding.correlated else last
        if first is not None and last is not None:
            self.first_us = first if self.first_us is None else min(self.first_us, first)
            self.last_us = last if self.last_us is None else max(self.last_us, last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was read. `damaged` and `mended` count records by reason; `problems` are (path, what stopped it)."""

    sources: int
    size_bytes: int
    events: int
    first_us: int | None
    last_us: int | None
    hosts: int
    damaged: Mapping[str, int]
    damaged_in: tuple[str, ...]  # sources, those that lost most first
    mended: Mapping[str, int]
    unknown: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]
    twice: tuple[str, ...]  # sources that were read in another place


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Why rules could not fire. Every mapping is in falling order of rules."""

    able: int
    rules: int
    no_log_source: Mapping[str, int]  # log source -> rules
    field_absent: Mapping[str, int]  # field -> rules that miss it
    without_fields: int  # rules
    unusable: Mapping[str, int]  # reason -> rules
    gave_up: tuple[tuple[str, int], ...]  # title of a rule, values its regular expression was not tried on


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """`rules` and `hosts` are in the order in which somebody should look at them."""

    evidence: Evidence
    levels: Mapping[Level, int]
    rules: tuple[tuple[int, Tally], ...]  # index into RuleSet.rules
    hosts: tuple[tuple[str, Tally], ...]
    correlated: tuple[Finding, ...]  # the first few of the worst
    tactics: Mapping[str, int]
    releases: tuple[str, ...]  # of ATT&CK, that the rules which fired are tagged for
    unseen: Unseen

    @property
    def findings(self) -> int:
        return sum(self.levels.values())


def summarise(run: Run) -> Summary:
    rules = run.rules.rules
    by_rule: dict[int, Tally] = {}
    by_host: dict[str, Tally] = {}
    correlated: list[Finding] = []
    for finding in run.findings:
        if finding.correlated:
            correlated.append(finding)
            correlated.sort(key=lambda one: -LEVELS.index(rules[one.rule].level))  # stable: the earlier first
            del correlated[_MOST_CORRELATED:]
        host = finding.host
        if host not in by_host and len(by_host) >= _MOST_HOSTS:
            host = OTHER_HOSTS
        level = rules[finding.rule].level
        by_rule.setdefault(finding.rule, Tally()).add(finding, host, level)
        by_host.setdefault(host, Tally()).add(finding, host, level)
    levels: Counter[Level] = Counter()
    tactics: Counter[str] = Counter()
    for number, tally in by_rule.items():
        levels[rules[number].level] += tally.count
        for tactic in rules[number].tactics:
            tactics[tactic] += tally.count
    return Summary(
        evidence=_evidence(run.custody, run.coverage),
        levels={level: levels[level] for level in reversed(LEVELS)},
        rules=tuple(sorted(by_rule.items(), key=lambda pair: (*_severity(pair[1]), rules[pair[0]].title, pair[0]))),
        hosts=tuple(sorted(by_host.items(), key=lambda pair: (*_severity(pair[1]), pair[0]))),
        correlated=tuple(correlated),
        tactics={name: tactics[name] for name in TACTICS if tactics[name]},
        releases=tuple(sorted({rules[number].attack_release for number in by_rule} - {""})),
        unseen=unseen(run),
    )


def _severity(tally: Tally) -> tuple[int, ...]:
    """Sorts the worst first: one critical finding goes before a thousand low ones."""
    return tuple(-tally.levels[level] for level in reversed(LEVELS))


def _evidence(custody: Sequence[Custody], coverage: Coverage) -> Evidence:
    damaged: Counter[str] = Counter()
    mended: Counter[str] = Counter()
    read = [source for source in custody if source.format]
    for source in custody:
        damaged.update(source.damaged)
        mended.update(source.mended)
    firsts = [source.first_us for source in custody if source.first_us is not None]
    lasts = [source.last_us for source in custody if source.last_us is not None]
    problems = tuple((source.path, text) for source in custody for text in source.problems)
    told = {path for path, _ in problems}
    # What was unpacked has no format of its own: its members stand for it.
    packed = {source.file for source in custody if source.path != source.file}
    return Evidence(
        sources=len(read),
        size_bytes=sum(source.size_bytes for source in read),
        events=sum(source.read for source in custody),
        first_us=min(firsts, default=None),
        last_us=max(lasts, default=None),
        hosts=len({log.host for log in coverage.seen if log.host}),
        damaged=_falling(damaged),
        damaged_in=tuple(_falling({s.path: sum(s.damaged.values()) for s in custody if s.damaged})),
        mended=_falling(mended),
        unknown=tuple(
            source.path
            for source in custody
            if not source.format and not source.same_as and source.path not in told and source.path not in packed
        ),
        twice=tuple(source.path for source in custody if source.same_as),
        problems=problems,
    )


def unseen(run: Run) -> Unseen:
    """Why rules could not fire; no finding is read for it."""
    coverage, rules = run.coverage, run.rules
    sources: Counter[str] = Counter()
    fields: Counter[str] = Counter()
    able = without = 0
    for entry in coverage.rules:
        if entry.state == "no log source":
            sources[entry.detail] += 1
        elif entry.state == "field absent":
            without += 1
            fields.update(entry.detail.split(", "))
        else:
            able += 1
    # A duplicate is no loss: the rule it repeats is there.
    unusable: Counter[str] = Counter(problem.reason for problem in coverage.problems if problem.reason != "duplicate")
    return Unseen(
        able=able,
        rules=len(coverage.rules) + sum(unusable.values()),
        no_log_source=_falling(sources),
        field_absent=_falling(fields),
        without_fields=without,
        unusable=_falling(unusable),
        gave_up=tuple((rules.rules[number].title, values) for number, values in coverage.gave_up),
    )


def _falling(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
