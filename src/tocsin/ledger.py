"""What workers say of their tasks in, one Run out, with its findings on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin import collect
from tocsin.detect import Detector
from tocsin.detect.coverage import Account
from tocsin.model.coverage import IndicatorCoverage
from tocsin.model.custody import Custody
from tocsin.model.finding import Finding
from tocsin.model.rule import RuleSet
from tocsin.model.run import Run

# Below a run's folder: findings, and events for correlations, a file for each task.
FOUND: Final = "found"
SEEN: Final = "seen"
CORRELATED: Final = "correlated"  # sorts behind the names of tasks, which are numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is. `bytes_done` was read, decompressed where it was packed; `bytes_total` is an estimate.

    `findings` is None where none are looked for.
    """

    bytes_done: int
    bytes_total: int
    events: int
    findings: int | None
    current: str


class Ledger:
    """What workers say of their tasks, put together; a task that failed is taken out again."""

    def __init__(
        self, folder: Path, detector: Detector, on_progress: Callable[[Progress], None], traced: Path | None
    ) -> None:
        self.folder, self.total = folder, 0
        self._kept = (folder / FOUND, folder / SEEN, *((traced,) if traced else ()))
        for name in (FOUND, SEEN):
            (folder / name).mkdir()
        self._detector, self._on_progress = detector, on_progress
        self._account = Account(detector)
        self._heard: dict[str, list[tuple[str, object]]] = {}
        self._custody: dict[str, list[Custody]] = {}
        self._total = (0, 0, 0)  # bytes, events, findings
        self._counts: dict[str, tuple[int, int, int]] = {}  # of each task

    def hear(self, name: str, message: bytes) -> None:
        kind, content = msgspec.json.decode(message)
        if kind == "bytes":
            self._count(name, (content[1], 0, 0))
            size, events, found = self._total
            self._on_progress(
                Progress(bytes_done=size, bytes_total=self.total, events=events, findings=found, current=content[0])
            )
            return
        if kind == "events":
            self._count(name, (0, *content))
        self._heard.setdefault(name, []).append((kind, content))

    def _count(self, name: str, more: tuple[int, int, int]) -> None:
        known = self._counts.get(name, (0, 0, 0))
        self._counts[name] = _sums(known, more)
        self._total = _sums(self._total, more)

    def forget(self, name: str) -> None:
        """A bundle failed: its units are read again one by one."""
        self._heard.pop(name, None)
        size, events, found = self._counts.pop(name, (0, 0, 0))
        self._total = _sums(self._total, (-size, -events, -found))
        for place in self._kept:
            (place / name).unlink(missing_ok=True)

    def finish(self, name: str, unit: collect.Unit, failure: str) -> None:
        account: dict[str, Any] = {}
        read = 0
        for kind, content in self._heard.pop(name, []):
            if kind == "custody":
                custody = msgspec.convert(content, Custody)
                self._custody.setdefault(custody.path, []).append(custody)
                read += custody.read
            elif kind == "account":
                account = content  # type: ignore[assignment]  # what to_plain() made
        if failure:
            path = f"{unit.label}!{unit.member}" if unit.member else unit.label
            read = max(self._counts.get(name, (0, 0, 0))[1] - read, 0)
            lost = Custody(path=path, file=unit.label, size_bytes=0, read=read, problems=(failure,))
            self._custody.setdefault(path, []).append(lost)
            # What was found before the end stands, told of or not.
            account["findings"] = list(Counter(finding.rule for finding in kept(self.folder / FOUND / name)).items())
        self._account.merge(account)

    def run(self, rules: RuleSet, indicators: IndicatorCoverage | None) -> Run:
        custody = tuple(_joined(parts) for _, parts in sorted(self._custody.items()))
        digests = {entry.path: entry.sha256 for entry in custody if entry.path == entry.file}
        return Run(
            rules=rules,
            findings=_Findings(self.folder / FOUND, digests),
            custody=custody,
            coverage=self._account.coverage(indicators),
            tool_version=version("tocsin"),
        )


def _sums(known: tuple[int, int, int], more: tuple[int, int, int]) -> tuple[int, int, int]:
    return known[0] + more[0], known[1] + more[1], known[2] + more[2]


def _joined(parts: list[Custody]) -> Custody:
    """One account of a source that was read in parts."""
    if len(parts) == 1:
        return parts[0]
    firsts = [part.first_us for part in parts if part.first_us is not None]
    lasts = [part.last_us for part in parts if part.last_us is not None]
    return replace(
        parts[0],
        size_bytes=max(part.size_bytes for part in parts),
        sha256=next((part.sha256 for part in parts if part.sha256), ""),
        format=", ".join(dict.fromkeys(name for part in parts if part.format for name in part.format.split(", "))),
        read=sum(part.read for part in parts),
        damaged=_added([part.damaged for part in parts]),
        mended=_added([part.mended for part in parts]),
        problems=tuple(dict.fromkeys(problem for part in parts for problem in part.problems)),
        first_us=min(firsts, default=None),
        last_us=max(lasts, default=None),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))


class _Findings:
    """Findings on disk, in the order of the tasks, correlations last; each pass reads them again."""

    def __init__(self, folder: Path, digests: Mapping[str, str]) -> None:
        self._folder, self._digests = folder, digests

    def __iter__(self) -> Iterator[Finding]:
        for path in sorted(self._folder.iterdir()):
            for finding in kept(path):
                yield replace(finding, src=self._digests.get(finding.src, ""))


def kept(path: Path) -> Iterator[Finding]:
    """The findings of one task, up to where its worker ended."""
    decode = msgspec.json.Decoder(Finding).decode
    if path.exists():
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):  # a worker that died may have left half a line
                    yield decode(line)
