"""Correlations over many findings: processor seconds and memory for each type, and how they grow with the findings.

Findings are made, not read: what is timed is from the frames that workers leave on disk to the findings of a
correlation. Half of them are spread over many groups, half are bursts on few, as guessing passwords is. The last line
is one JSON object with the figures by name.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from timing import alternate

from tocsin.detect import sighted, streams
from tocsin.detect.correlate import correlate
from tocsin.detect.matcher import Detector, Matches
from tocsin.model.correlation import CORRELATION_TYPES, Bound, Choice, Correlation, CorrelationType
from tocsin.model.event import Column, Events, RawRecords, Source
from tocsin.model.rule import All, Rule, RuleSet, Variant

SIZES = (250_000, 500_000, 1_000_000, 2_000_000)
FIELDS = ("TargetUserName", "IpAddress", "Bytes")
RULES = 2  # that a correlation refers to
_TABLE = 100_000  # events of one table
_SECOND = 1_000_000
_LIMITS: dict[CorrelationType, str] = {
    "event_count": "20",
    "value_count": "10",
    "value_sum": "1000000",
    "value_avg": "60000",
    "value_percentile": "90000",
    "value_median": "60000",
}


def correlation(kind: CorrelationType) -> Correlation:
    temporal = kind.startswith("temporal")
    field = "IpAddress" if kind == "value_count" else "Bytes"
    return Correlation(
        rule=RULES,
        type=kind,
        parts=tuple(range(RULES)),
        timespan_us=600 * _SECOND,
        group_by=("TargetUserName",),
        keys=(("TargetUserName",),) * RULES,
        values=((field,) if kind.startswith("value_") else (),) * RULES,
        bounds=() if temporal else (Bound(how="gte", text=_LIMITS[kind]),),
        choices=(Choice(seen=tuple(range(RULES))),) if temporal else (),
        percentile="95" if kind == "value_percentile" else "",
    )


def rules(kind: CorrelationType) -> RuleSet:
    def rule(number: int) -> Rule:
        return Rule(
            id=str(number),
            title=str(number),
            level="low",
            status="",
            path="made",
            line=1,
            logsource="windows//security",
        )

    carry = tuple((name, name) for name in FIELDS)
    return RuleSet(
        rules=tuple(map(rule, range(RULES + 1))),
        patterns=(),
        variants=tuple(
            Variant(rule=number, name="", kind="windows", gate=All(()), condition=All(()), carry=carry)
            for number in range(RULES)
        ),
        correlations=(correlation(kind),),
        quiet=tuple(range(RULES)),
    )


def tables(size: int) -> Iterator[tuple[Events, Matches]]:
    """Events of 30 days; all of them fire one of the rules."""
    chance = np.random.default_rng(1)
    for start in range(0, size, _TABLE):
        count = min(_TABLE, size - start)
        spread = chance.random(count) < 0.5
        ts = chance.integers(0, 30 * 86_400, count) * _SECOND
        bursts = ts[: max(count // 1000, 1)]
        ts = np.where(
            spread, ts, bursts[chance.integers(0, len(bursts), count)] + chance.integers(0, 900, count) * _SECOND
        )
        users = np.where(spread, chance.integers(0, size // 10, count), chance.integers(0, 50, count))
        columns = {
            "TargetUserName": users,
            "IpAddress": chance.integers(0, 5000, count),
            "Bytes": chance.integers(1, 100_000, count),
        }
        events = Events(
            kind="windows",
            sources=(Source(path=f"logs/{start}.evtx", file=f"logs/{start}.evtx"),),
            ts=ts.astype(np.int64),
            src=np.zeros(count, np.int32),
            rec=np.arange(start, start + count),
            chunk=np.zeros(count, np.int64),
            raw=RawRecords(),
            columns={name: _column(name, codes) for name, codes in columns.items()},
            fields_of=(),
        )
        which = chance.integers(0, RULES, count)
        yield events, Matches(rows=[(rule, np.flatnonzero(which == rule)) for rule in range(RULES)])


def _column(name: str, numbers: np.ndarray) -> Column:
    distinct, at = np.unique(numbers, return_inverse=True)
    texts = [str(one) if name == "Bytes" else f"{name}-{one}" for one in distinct.tolist()]
    return Column(codes=(at + 2).astype(np.int32), values=[None, None, *texts])


def kept(size: int, folder: Path) -> None:
    """What workers would leave of `size` findings, in tasks of a few tables each."""
    detector = Detector(rules("event_count"))
    for number, (events, matches) in enumerate(tables(size)):
        with (folder / f"{number // 4:06}").open("ab") as file:
            file.writelines(streams.frames(detector, events, matches))


def run(kind: CorrelationType, folder: Path) -> tuple[float, float, int]:
    """Processor seconds to read, to correlate and to make findings, and how many there are."""
    ruleset = rules(kind)
    start = time.process_time()
    sightings = streams.read(folder.iterdir())
    middle = time.process_time()
    found = correlate(ruleset.correlations, sightings.streams, sightings.vocabulary)
    count = sum(1 for _ in sighted.findings(ruleset, found, sightings))
    return middle - start, time.process_time() - middle, count


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    words.add_argument("--repeat", type=int, default=1)
    options = words.parse_args()
    figures: dict[str, float] = {}
    print(f"{'findings':>10} {'type':<18} {'read s':>8} {'correlate s':>12} {'found':>9} {'us each':>8}")
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            kept(size, folder)
            disk = sum(path.stat().st_size for path in folder.iterdir())
            for kind in CORRELATION_TYPES:
                [times] = alternate(options.repeat, partial(run, kind, folder))
                read, took, found = min(times, key=lambda one: one[0] + one[1])
                each = (read + took) / size * 1e6
                print(f"{size:>10,} {kind:<18} {read:>8.2f} {took:>12.2f} {found:>9,} {each:>8.2f}")
                figures[f"correlate_{kind}_{size}_s"] = round(read + took, 3)
            figures[f"correlate_disk_{size}_bytes_each"] = round(disk / size, 1)
    slowest = {size: max(figures[f"correlate_{kind}_{size}_s"] for kind in CORRELATION_TYPES) for size in options.sizes}
    first, last = min(slowest), max(slowest)
    for size, seconds in slowest.items():
        figures[f"correlate_slowest_{size}_s"] = seconds
    figures["correlate_growth"] = round(slowest[last] / slowest[first] / (last / first), 2)  # 1 is linear
    figures["correlate_peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
