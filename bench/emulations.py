"""Emulated attacks in, how well each is held together as one incident, and pairs of them taken apart, out.

Mixing is made hard: only the names of machines are changed, in every value and in the raw records; accounts, private
addresses, the domain and the tools stay the same in both, and both begin at the same moment.
"""

from __future__ import annotations

import itertools
import re
import statistics
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tocsin import collect, investigate
from tocsin.detect import Detector
from tocsin.detect.report import findings
from tocsin.model.event import Events
from tocsin.model.finding import Finding
from tocsin.model.incident import Incident
from tocsin.model.kind import ENVELOPE
from tocsin.model.rule import LEVELS, RuleSet

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
BEGIN_US = 1_600_000_000_000_000
MEDIUM = LEVELS.index("medium")


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulation:
    """One attack: its findings, and its traces as they are kept on disk, once under each of several tags."""

    name: str
    findings: tuple[tuple[Finding, ...], ...]
    traces: tuple[Path, ...]


def archives() -> list[Path]:
    base = CORPUS / "security-datasets"
    every = [*(base / "atomic" / "windows").rglob("*"), *(base / "compound").rglob("*")]
    return sorted(path for path in every if path.suffix.lower() in {".zip", ".gz"})


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist() if not name.endswith("/"))
        return
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)):
                yield member.name, file.read()


def emulation(path: Path, detector: Detector, folder: Path) -> Emulation:
    plain = [content for _, content in members(path)]
    names = sorted({host for events in read(plain, folder / "plain") for host in hosts(events)}, key=len, reverse=True)
    sides = [examined(path.name, plain, names, tag, detector, folder) for tag in ("", "alpha", "beta")]
    return Emulation(name=path.name, findings=tuple(side[0] for side in sides), traces=tuple(side[1] for side in sides))


def read(contents: Sequence[bytes], folder: Path) -> Iterator[Events]:
    folder.mkdir(exist_ok=True)
    for number, content in enumerate(contents):
        (folder / f"{number}.json").write_bytes(content)
    yield from collect.read(folder, investigate.FIELDS | ENVELOPE)
    for file in folder.iterdir():
        file.unlink()


def hosts(events: Events) -> set[str]:
    column = events.columns.get("Computer")
    return {value.split(".")[0] for value in column.values if value} if column else set()


def examined(
    name: str, plain: Sequence[bytes], names: Sequence[str], tag: str, detector: Detector, folder: Path
) -> tuple[tuple[Finding, ...], Path]:
    """Findings and traces, with machines under names of their own and the first finding at `BEGIN_US`, if tagged."""
    renamed = [_renamed(content, names, tag) for content in plain]
    found: list[Finding] = []
    path = folder / f"{name}.{tag}.traces"
    place = folder / f"{name}.{tag}"
    place.mkdir()
    for number, content in enumerate(renamed):
        (place / f"{number}.json").write_bytes(content)
    tables = []
    for events in collect.read(place, detector.projection | investigate.FIELDS | ENVELOPE):
        matches = detector.scan(events)
        tables.append((events, matches))
    firsts = [
        int(events.ts[rows].min())
        for events, matches in tables
        for number, rows in matches.rows
        if LEVELS.index(detector.rules.rules[detector.rules.variants[number].rule].level) >= MEDIUM
    ]
    shift = BEGIN_US - min(firsts, default=BEGIN_US) if tag else 0
    with path.open("wb") as file:
        for events, matches in tables:
            moved = replace(events, ts=events.ts + shift)
            found += [replace(one, fields={}) for one in findings(detector, moved, matches)]
            rows = [rows for _, rows in matches.rows]
            file.writelines(investigate.frames(moved, np.unique(np.concatenate(rows)) if rows else np.zeros(0, int)))
    return tuple(found), path


def _renamed(content: bytes, names: Sequence[str], tag: str) -> bytes:
    if not tag or not names:
        return content
    words = b"|".join(re.escape(name.encode()) for name in names)
    return re.sub(rb"(?i)(?<![a-z0-9])(" + words + rb")(?![a-z0-9])", lambda one: one[0] + tag.encode(), content)


def incidents(parts: Sequence[tuple[Sequence[Finding], Path]], rules: RuleSet) -> tuple[Incident, ...]:
    every = [finding for found, _ in parts for finding in found]
    return investigate.gather(every, rules.rules, investigate.read([path for _, path in parts]))


def weights(incident: Incident) -> Counter[str]:
    """How many findings of weight an incident holds, by where they are from."""
    counts: Counter[str] = Counter()
    for one in incident.findings:
        if LEVELS.index(one.level) >= MEDIUM:
            counts[str(Path(one.at.path).parent)] += 1 + one.repeats
    return counts


def together(emulations: Sequence[Emulation], rules: RuleSet) -> dict[str, float]:
    print("\none emulation, one incident: findings of level medium or above\n")
    shares = []
    for one in emulations:
        found = [sum(weights(each).values()) for each in incidents([(one.findings[0], one.traces[0])], rules)]
        if not sum(found):
            continue
        shares.append(max(found) / sum(found))
        others = sorted((count for count in found if count), reverse=True)
        print(f"  {shares[-1]:6.1%} of {sum(found):5,}  in {len(others)}  {one.name}")
    return {
        "emulations": len(shares),
        "emulation_median": statistics.median(shares),
        "emulation_worst": min(shares),
        "emulations_at_90": sum(share >= 0.9 for share in shares) / len(shares),
    }


def apart(emulations: Sequence[Emulation], rules: RuleSet) -> dict[str, float]:
    print("\npairs of emulations read as one run: F1 over pairs of findings\n")
    scores = []
    full = [one for one in emulations if any(_is_weighty(finding, rules) for finding in one.findings[0])]
    for one, other in itertools.combinations(full, 2):
        found = incidents([(one.findings[1], one.traces[1]), (other.findings[2], other.traces[2])], rules)
        scores.append((f1([weights(each) for each in found]), one.name, other.name))
    scores.sort()
    for score, first, second in scores[:15]:
        print(f"  {score:5.3f}  {first} and {second}")
    values = [score for score, _, _ in scores]
    return {
        "pairs": len(values),
        "pair_f1_median": statistics.median(values),
        "pair_f1_worst": min(values),
        "pairs_at_90": sum(value >= 0.9 for value in values) / len(values),
    }


def _is_weighty(finding: Finding, rules: RuleSet) -> bool:
    return LEVELS.index(rules.rules[finding.rule].level) >= MEDIUM


def f1(groups: Sequence[Counter[str]]) -> float:
    """Over pairs of findings: of those in one incident, how many are of one emulation, and the other way about."""

    def pairs(count: int) -> int:
        return count * (count - 1) // 2

    origin: Counter[str] = Counter()
    for group in groups:
        origin.update(group)
    right = sum(pairs(count) for group in groups for count in group.values())
    said = sum(pairs(sum(group.values())) for group in groups)
    true = sum(pairs(count) for count in origin.values())
    return 2 * right / (said + true) if said + true else 1.0
