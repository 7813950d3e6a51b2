"""Events in, what a lake of them costs and how fast it answers out, beside DuckDB on the same files.

    python bench/lake.py [--events 1000000] [--folder DIR] [--logs 60000] [--repeat 3] [--keep]

Two lakes are made. One of synthetic events, written as Arrow batches, with one new observable for every five events:
for how fast it is asked, and how that grows with --events. One by importing replicas of real Windows logs, as
`evidence.py` makes them: for how fast that is, how much room it takes, and what one new rule costs. Seconds are of a
processor, also those of DuckDB, which has one thread. `hunt_100k_s` begins with observables, and makes tokens of them;
the comparisons are of what is ready on both sides, tokens here and a table of normal forms there.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import duckdb
import evidence
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import timing

from tocsin import pipeline, retrohunt
from tocsin.detect import tokens
from tocsin.engine import local
from tocsin.intake import LOOKS, take_in
from tocsin.lake import parts, store, tables, upkeep
from tocsin.lake.asking import Question
from tocsin.lake.indexing import Index
from tocsin.lake.state import RunFile
from tocsin.lake.store import Lake
from tocsin.model.coverage import IndicatorCoverage
from tocsin.model.event import Column, Events, Longs, RawRecords, Source, Texts
from tocsin.model.hunt import Asked
from tocsin.model.indicator import Observable
from tocsin.model.rule import RuleText
from tocsin.observe.what import what_is


class _Hidden:
    """Arrow imports pandas wherever there is one, for a second in every worker. Only tools of developers need it."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)


sys.meta_path.insert(0, _Hidden())  # measured is what those have who install Tocsin

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "security-datasets"
BATCH = 500_000
FIELDS = ("DestinationIp", "QueryName", "Hashes", "Image", "User")
RULE = """
title: A tool that nobody has
id: 99999999-9999-4999-8999-999999999999
logsource: {product: windows, category: process_creation}
detection:
  tool: {Image|endswith: '\\\\rubeus.exe'}
  words: {CommandLine|contains: [' asktgt ', ' kerberoast', 'sekurlsa']}
  condition: tool or words
level: high
"""


@dataclass(frozen=True, slots=True)
class _Arrow:
    """Raw records in one piece of Arrow."""

    texts: pa.Array
    header: bytes = b""

    def record(self, at: int) -> bytes:
        return bytes(self.texts[at].as_py())

    def joined(self) -> tuple[bytes, Longs]:
        offsets = np.frombuffer(self.texts.buffers()[1], np.int32)[: len(self.texts) + 1]
        return self.texts.buffers()[2].to_pybytes(), offsets[:-1].astype(np.int64)

    def sizes(self) -> Longs:
        sizes: Longs = pc.binary_length(self.texts).to_numpy().astype(np.int64)
        return sizes


def synthetic(number: int, size: int) -> Events:
    """A batch of contacts and look-ups, of one day; of five events one holds an observable that no other has."""
    rng = np.random.default_rng(number)
    first = number * BATCH
    fresh = np.arange(size) % 5 == 0
    ids = np.arange(first, first + size)
    lot = np.where(fresh, ids, rng.integers(0, 2000, size))
    kind = (ids // 5) % 3
    octets = [pa.array(lot >> shift & 255).cast(pa.string()) for shift in (24, 16, 8, 0)]
    quads = pc.binary_join_element_wise(pa.array(["10"] * size), *octets[1:], ".")
    names = pc.binary_join_element_wise(pa.array(["n"] * size), pa.array(lot).cast(pa.string()), "")
    domains = pc.binary_join_element_wise(names, pa.array(["example"] * size), ".")
    hashes = pa.array([f"SHA256={value * 2654435761 % (1 << 64):064X}" for value in lot.tolist()])
    images = pa.array([f"C:\\Program Files\\app{value}\\tool{value}.exe" for value in range(200)])
    users = pa.array([f"CORP\\user{value}" for value in range(3000)])
    image, user = rng.integers(0, 200, size).astype(np.int32), rng.integers(0, 3000, size).astype(np.int32)
    host = rng.integers(0, 500, size).astype(np.int32)
    ts = (np.datetime64("2021-01-01", "us").astype(np.int64) + (number // 2) * parts.DAY_US) + np.sort(
        rng.integers(0, parts.DAY_US, size)
    )
    pieces = [
        '{"EventTime":"',
        pa.array(ts).cast(pa.timestamp("us")).cast(pa.string()),
        '","Hostname":"host',
        pa.array(host).cast(pa.string()),
        '.corp.example","Channel":"Microsoft-Windows-Sysmon/Operational","DestinationIp":"',
        quads,
        '","QueryName":"',
        domains,
        '","Hashes":"',
        hashes,
        '","Image":"',
        images.take(pa.array(image)),
        '","User":"',
        users.take(pa.array(user)),
        '","RecordNumber":',
        pa.array(ids).cast(pa.string()),
        "}\n",
    ]
    raw = pc.binary_join_element_wise(*pieces, "")
    records = RawRecords()
    records.extend(size, _Arrow(raw.cast(pa.binary())))
    hosts = pa.array([f"host{value}.corp.example" for value in range(500)])
    return Events(
        kind="windows",
        sources=(Source(path=f"made-{number}", file=f"made-{number}"),),
        ts=ts,
        src=np.zeros(size, np.int32),
        rec=ids,
        chunk=np.full(size, -1),
        raw=records,
        columns={
            "Channel": Column(
                codes=np.full(size, 2, np.int32), values=[None, None, "Microsoft-Windows-Sysmon/Operational"]
            ),
            "Computer": Column(codes=host + 2, values=Texts(hosts)),
            "DestinationIp": _column(quads, kind == 0),
            "QueryName": _column(domains, kind == 1),
            "Hashes": _column(hashes, kind == 2),
            "Image": Column(codes=image + 2, values=Texts(images)),
            "User": Column(codes=user + 2, values=Texts(users)),
        },
        fields_of=(),
    )


def _column(texts: pa.Array, there: Any) -> Column:
    coded = texts.dictionary_encode()
    return Column(
        codes=np.where(there, coded.indices.to_numpy() + 2, 0).astype(np.int32), values=Texts(coded.dictionary)
    )


def _write(task: tuple[int, int], send: local.Send, *, folder: Path) -> None:
    number, size = task
    events, name = synthetic(number, size), f"made-{number:06}"
    written = list(parts.write(events, tables.folder_of(folder, "windows"), name, 0, {}, {}))
    index = Index(LOOKS)
    index.add(events, written)
    count, digest = index.write(folder / store.INDEX / f"{name}.run")
    run = RunFile(name=f"{name}.run", size_bytes=count, sha256=digest)
    send(msgspec.json.encode(([part for part, _ in written], run, sum(len(one) for one in events.raw))))


def make(folder: Path, events: int) -> tuple[Lake, int]:
    """The synthetic lake, and how many bytes its raw records have."""
    lake, raw = store.make(folder), 0
    tasks = [(number, min(BATCH, events - first)) for number, first in enumerate(range(0, events, BATCH))]
    for answer in local.run(tasks, partial(_write, folder=folder), jobs=2, silence_s=3_600):
        if isinstance(answer, local.Message):
            some, run, size = msgspec.json.decode(answer.content, type=tuple[list[parts.Part], RunFile, int])
            lake.add(run.name, parts=some, run=run, keys=[run.name], custody=[], evidence={})
            raw += size
        elif answer.failure:
            raise SystemExit(answer.failure)
    lake.merge(everything=True)
    return lake, raw


def indicators(rng: Random, events: int, count: int) -> list[str]:
    """Half of them are there."""
    found = []
    for number in range(count):
        value = rng.randrange(events // 15) * 15 + (number % 3) * 5 if number % 2 else rng.randrange(1 << 40, 1 << 41)
        kind, net = (number % 3, 10) if number % 2 else (rng.randrange(3), 11)
        if kind == 0:
            found.append(f"{net}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}")
        else:
            found.append(f"n{value}.example" if kind == 1 else f"{value * 2654435761 % (1 << 64):064x}")
    return found


def asked(texts: Sequence[str]) -> list[Observable]:
    return [one for text in texts if (one := what_is(text)) is not None]


def question(observables: Sequence[Observable]) -> Question:
    return Question([(token, number) for number, one in enumerate(observables) for token in tokens.wanted(one)])


def used_s() -> float:
    """Processor time of this process and of the workers that it waited for: neighbours do not change it."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def timed(work: Callable[[], Any], repeat: int) -> tuple[float, Any]:
    """The least processor seconds of some runs, and what the last gave."""
    least, given = 1e9, None
    for _ in range(repeat):
        start = used_s()
        given = work()
        least = min(least, used_s() - start)
    return least, given


def ask(lake: Lake, events: int, repeat: int) -> dict[str, float]:
    runs, living = lake.index(), dict(lake.state.parts)
    observables = asked(indicators(Random(1), events, 100_000))
    whole_s, _ = timed(lambda: question(observables).seen(runs), repeat)
    ready = question(observables)
    seen_s, seen = timed(lambda: ready.seen(runs), repeat)
    summary_s, summary = timed(lambda: question(observables).summary(runs, living), repeat)
    held_s, held = timed(lambda: question(observables).held(runs, living), 1)
    values = pa.table({"v": [one.value for one in observables]})
    files = [str(lake.part_path(part)) for part in living.values()]
    base = duckdb.connect(config={"threads": 1})
    base.register("ind", values)
    base.execute("create table wanted as select distinct v from ind")
    every = f"read_parquet({files!r}, union_by_name=true)"
    columns = f"""select DestinationIp v from {every} union all select QueryName from {every}
        union all select lower(substr(Hashes, 8)) from {every}"""
    scan_s, scanned = timed(
        lambda: base.execute(f"select count(distinct v) from ({columns}) where v in (select v from wanted)").fetchall(),
        1,
    )
    base.execute(f"create table known as select distinct v from ({columns}) where v is not null")
    join_s, joined = timed(
        lambda: base.execute("select count(*) from known semi join wanted using (v)").fetchall(), repeat
    )
    if not len(seen) == len(summary.asked) == len({n for one in held.values() for n in one.asked}):
        raise SystemExit("the index disagrees with itself")
    distinct = len({observables[number].value for number in seen.tolist()})
    if not distinct == scanned[0][0] == joined[0][0]:
        raise SystemExit(f"found {distinct:,}, the scan {scanned[0][0]:,}, the join {joined[0][0]:,}")
    return {
        "indicators": len(observables),
        "seen": len(seen),
        "tokens": sum(len(run) for run in runs),
        "hunt_100k_s": whole_s,
        "look_up_s": seen_s,
        "hunt_100k_told_s": summary_s,
        "hunt_100k_postings_s": held_s,
        "scan_s": scan_s,
        "hunt_vs_scan": scan_s / seen_s,
        "distinct_join_s": join_s,
        "hunt_vs_distinct_join": join_s / seen_s,
    }


def shares(lake: Lake, raw: int) -> dict[str, float]:
    kept = sum(part.size_bytes for part in lake.state.parts.values())
    index = sum(run.size_bytes for run in lake.state.runs.values())
    return {
        "lake_mb": kept / 1e6,
        "index_mb": index / 1e6,
        "index_share": index / kept,
        "lake_share": (kept + index) / raw,
    }


def real(folder: Path, events: int) -> dict[str, float]:
    """Import replicas of real logs, with one worker and with two; then one new rule over them, and over the logs."""
    logs = folder / "logs"
    logs.mkdir(parents=True)
    raw = evidence.write_jsonl(logs / "windows.jsonl", CORPUS, events)
    figures: dict[str, float] = {"raw_mb": raw / 1e6}
    for jobs in (1, 2):
        with timing.cores(jobs):
            start, used = time.perf_counter(), used_s()
            taken = take_in([logs], folder / f"lake-{jobs}", jobs=jobs)
            figures[f"import_wall_events_s_{jobs}"] = taken.records / (time.perf_counter() - start)
            figures[f"import_core_events_s_{jobs}"] = taken.records / (used_s() - used)
    lake = store.open_lake(folder / "lake-1")
    figures |= shares(lake, raw)
    upkeep.compact(lake, LOOKS)
    figures |= {f"compacted_{name}": value for name, value in shares(lake, raw).items()}
    rules = pipeline.compile_rules([RuleText(path="rule.yml", content=RULE.encode())])
    hunt = retrohunt.Hunt(rules=rules, told=IndicatorCoverage())
    why = Asked(by="bench", authority="a benchmark", purpose="", names=())

    def over_lake() -> int:
        with retrohunt.retrohunt(lake, hunt, why, jobs=1) as hunted:
            return sum(one.events for one in hunted.told)

    def over_logs() -> int:
        with pipeline.detect([logs], rules, jobs=1) as run:
            return sum(1 for _ in run.findings)

    with timing.cores(1):
        lake_s, found = timed(over_lake, 3)
        logs_s, again = timed(over_logs, 1)
    if found != again:
        raise SystemExit(f"the lake gives {found:,} events, the logs {again:,}")
    return figures | {
        "rule_lake_s": lake_s,
        "rule_logs_s": logs_s,
        "rule_hunt_speedup": logs_s / lake_s,
        "rule_found": found,
    }


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--events", type=int, default=1_000_000)
    words.add_argument("--logs", type=int, default=60_000)
    words.add_argument("--folder", type=Path)
    words.add_argument("--repeat", type=int, default=3)
    words.add_argument("--keep", action="store_true")
    told = words.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lake-", dir=told.folder))
    try:
        if told.events:
            start = time.perf_counter()
            lake, raw = make(folder / "made", told.events)
            made_s = time.perf_counter() - start
            figures = {
                "events": told.events,
                "made_s": made_s,
                **shares(lake, raw),
                **ask(lake, told.events, told.repeat),
            }
            print(json.dumps({name: round(value, 4) for name, value in figures.items()}))
        if told.logs:
            print(json.dumps({name: round(value, 4) for name, value in real(folder / "real", told.logs).items()}))
    finally:
        if not told.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
