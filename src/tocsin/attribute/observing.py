"""An incident in, what was seen of whoever did it out: an Observation, with what the logs could have shown besides.

Rules say by their tags which techniques, software (`attack.s0002`) and vulnerabilities (`cve.2021-44228`) they are
about (SigmaHQ, Sigma specification 2.0, appendix on tags). Tags of groups are not read: they say what the author of a
rule thought, and that is no evidence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from tocsin.attribute.rhythm import zone
from tocsin.model.asset import Assets
from tocsin.model.coverage import RuleCoverage
from tocsin.model.incident import Cited, Incident
from tocsin.model.observation import Observation, Trait, TraitKind
from tocsin.model.rule import LEVELS, Rule
from tocsin.observe.addresses import address
from tocsin.observe.domains import domain

MEDIUM: Final = LEVELS.index("medium")
HIGH: Final = LEVELS.index("high")
MOST: Final = 200  # values of one kind; a command line may name thousands of addresses
SENSORS: Final = 3  # log sources that are named for one technique

_SOFTWARE: Final = re.compile(r"attack\.(s\d{4})", re.ASCII | re.IGNORECASE)
_CVE: Final = re.compile(r"cve\.(\d{4})[.-](\d{4,7})", re.ASCII | re.IGNORECASE)
_HOST: Final = re.compile(r"https?://(?:[^\s/@]{0,200}@)?([^\s/:\"'<>?#@]{1,253})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a run could have shown of anybody.

    Args:
        tags: of each rule, by its id.
        watched: techniques of rules that could have fired; None where nobody knows what could have.
        sensors: of techniques that no such rule is about, the log sources of rules that are.
        ours: what the organisation runs; its own addresses and names are nobody else's infrastructure.
        is_outside: whether an address can be somebody's on the internet.
    """

    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    watched: frozenset[str] | None = None
    sensors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ours: Assets = field(default_factory=Assets)
    is_outside: Callable[[str], bool] = lambda text: False


NO_VIEW: Final = View()


def view(
    rules: Sequence[Rule], coverage: Iterable[RuleCoverage], *, ours: Assets, is_outside: Callable[[str], bool]
) -> View:
    able: set[str] = set()
    elsewhere: dict[str, set[str]] = defaultdict(set)
    for one in coverage:
        rule = rules[one.rule]
        if one.state in ("fired", "silent"):
            able.update(rule.techniques)
        else:
            for technique in rule.techniques:
                elsewhere[technique].add(rule.logsource)
    return View(
        tags={rule.id: rule.tags for rule in rules if rule.tags},
        watched=frozenset(able),
        sensors={name: tuple(sorted(told)[:SENSORS]) for name, told in sorted(elsewhere.items()) if name not in able},
        ours=ours,
        is_outside=is_outside,
    )


def observe(incident: Incident, seen_with: View = NO_VIEW) -> Observation:
    """What findings from "medium" up show; the higher the level, the more one is believed."""
    weighty = [one for one in incident.findings if LEVELS.index(one.level) >= MEDIUM]
    traits = [trait for one in weighty for trait in _of_finding(one, seen_with)]
    traits += _infrastructure(incident, weighty, seen_with)
    times = [one.at.ts_us for one in weighty if one.at.ts_us is not None]
    if told := zone(times):
        traits.append(Trait(kind="hours", value=told, sources=("times of findings",), grade="C4"))
    return Observation(
        id=incident.id,
        name=incident.title,
        traits=tuple(_once(traits)),
        first_seen=_day(incident.first_us),
        last_seen=_day(incident.last_us),
        watched=seen_with.watched,
        sensors=seen_with.sensors,
    )


def _of_finding(one: Cited, seen_with: View) -> Iterator[Trait]:
    high = LEVELS.index(one.level) >= HIGH
    for technique in one.techniques:
        yield Trait(kind="technique", value=technique, sources=(one.at.src,), grade="B2" if high else "B3")
    for tag in seen_with.tags.get(one.rule_id, ()):
        # A rule is about a tool as its author knew it; that it fired does not make the tool certain.
        if found := _SOFTWARE.fullmatch(tag):
            value = found[1].upper()
            yield Trait(kind="software", value=value, sources=(one.at.src,), grade="C2" if high else "C3")
        elif found := _CVE.fullmatch(tag):
            yield Trait(kind="vulnerability", value=f"CVE-{found[1]}-{found[2]}", sources=(one.at.src,), grade="C3")


def _infrastructure(incident: Incident, weighty: Sequence[Cited], seen_with: View) -> Iterator[Trait]:
    for one in incident.addresses[:MOST]:
        normal = address(one.name)
        if normal and seen_with.is_outside(normal) and not seen_with.ours.at(normal):
            yield Trait(kind="infrastructure", value=f"address:{normal}", sources=("findings",), grade="B3")
    left = MOST
    for finding in weighty:
        for text in finding.fields.values():
            for host in _HOST.findall(text or "")[:left]:
                normal = domain(host)
                if normal and "." in normal and not seen_with.ours.named(normal):
                    left -= 1
                    yield Trait(kind="infrastructure", value=f"domain:{normal}", sources=(finding.at.src,), grade="B3")


def _once(traits: Iterable[Trait]) -> Iterator[Trait]:
    """Findings repeat: each value with all of its sources, and the grade of the best finding."""
    together: dict[tuple[TraitKind, str], tuple[set[str], str]] = {}
    for one in traits:
        sources, grade = together.setdefault((one.kind, one.value), (set(), one.grade))
        sources.update(one.sources)
        together[one.kind, one.value] = sources, min(grade, one.grade)
    for (kind, value), (sources, grade) in together.items():
        yield Trait(kind=kind, value=value, sources=tuple(sorted(sources)), grade=grade)


def _day(ts_us: int | None) -> str:
    if ts_us is None:
        return ""
    try:
        return datetime.fromtimestamp(ts_us // 1_000_000, UTC).strftime("%Y-%m-%d")
    except (OverflowError, OSError, ValueError):
        return ""
