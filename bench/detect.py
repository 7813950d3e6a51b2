"""Corpora in, the figures of detection out: a table to read and, as the last line, the figures as JSON.

    python bench/detect.py                   every figure but memory, some fifteen minutes on a quiet machine
    python bench/detect.py --full            also peak memory at 1 M and 5 M events (20 GB of files, an hour)
    python bench/detect.py --only sqlite     one or more figures by name (--list names them)

Evidence and rule packs are made once, into bench/out. Stages are CPU seconds inside this process, pinned to
one core, with rules converted or compiled beforehand; the two sides take turns, and medians are told. What
says `_s` or `speedup` of a whole process is wall time of `python -m tocsin detect`. See README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import shutil
import statistics
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import evidence
import orjson
import sqlite_baseline as sqlite
from evtx import PyEvtxParser
from timing import alternate, cores, cpu_s, process

if TYPE_CHECKING:
    from tocsin.detect import Detector
    from tocsin.model.rule import RuleSet

HERE = Path(__file__).resolve().parent
CORPUS = HERE.parents[1] / "shared" / "corpus"
RULES = CORPUS / "sigma-rules.zip"
EVENTS = 60_000
GROWTH = (20_000, 180_000)
RECORDS = 100_000  # of the EVTX file
COMMANDS = 0.25  # share of events with a command line: what evtx-attack-samples have

Figures = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where evidence and rule packs lie, made when first asked for, and how often sides take turns."""

    out: Path
    repeat: int
    events: int = EVENTS

    def jsonl(self, events: int, *, distinct: float = 0.3, commands: float | None = COMMANDS, seed: int = 1) -> Path:
        share = "corpus" if commands is None else f"c{commands:g}"
        path = self.out / f"v{evidence.VERSION}-{events}-d{distinct:g}-{share}-s{seed}.jsonl"
        if not path.exists():
            corpus = CORPUS / "security-datasets"
            evidence.write_jsonl(path, corpus, events, seed=seed, distinct=distinct, commands=commands)
        return path

    def evtx(self) -> Path:
        path = self.out / f"v{evidence.VERSION}-{RECORDS}.evtx"
        if not path.exists():
            evidence.write_evtx(path, CORPUS / "evtx-attack-samples", RECORDS)
        return path

    def pack(self, rules: int | None = None, *, every: bool = False) -> Path:
        """Zip SigmaHQ's `rules/windows`, or `rules` of them evenly spaced, or every Windows rule there is."""
        path = self.out / f"windows-{'every' if every else rules or 'all'}-{_digest(RULES)}.zip"
        if not path.exists():
            _write_pack(path, _rule_texts(rules, every=every))
        return path

    def sql(self, rules: int | None = None) -> sqlite.SqlRules:
        path = self.out / f"windows-{rules or 'all'}-{_digest(RULES, Path(sqlite.__file__))}.sql.json"
        if not path.exists():
            sqlite.save_rules(sqlite.rules_to_sql(_rule_texts(rules, every=False)), path)
        return sqlite.load_rules(path)


def _rule_texts(rules: int | None, *, every: bool) -> dict[str, str]:
    with zipfile.ZipFile(RULES) as pack:
        names = sorted(name for name in pack.namelist() if name.endswith(".yml"))
        if every:
            texts = {name: pack.read(name).decode() for name in names}
            return {name: text for name, text in texts.items() if re.search(r"(?m)^\s+product:\s*windows\b", text)}
        names = [name for name in names if name.startswith("rules/windows/")]
        chosen = names if rules is None else [names[i * len(names) // rules] for i in range(rules)]
        return {name: pack.read(name).decode() for name in chosen}


def _digest(*made_of: Path) -> str:
    """Name what a kept file was made of, so that it is made anew when that changes."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in made_of)).hexdigest()[:8]


def _write_pack(path: Path, texts: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, text in texts.items():
            pack.writestr(zipfile.ZipInfo(name), text)  # a fixed date: the same pack, byte for byte, each time


# --- Tocsin inside this process: the only functions that know its rooms


def tocsin_rules(pack: Path, cache: Path) -> RuleSet:
    """Compile a pack (or take it from the cache): not timed."""
    from tocsin import pipeline
    from tocsin.model.rule import RuleText

    with zipfile.ZipFile(pack) as archive:
        texts = [RuleText(path=name, content=archive.read(name)) for name in sorted(archive.namelist())]
    return pipeline.compile_rules(texts, cache)


def tocsin_detector(rules: RuleSet) -> Detector:
    from tocsin import detect

    return detect.prepare(rules)


def tocsin_projection(rules: RuleSet) -> frozenset[str]:
    """Name the fields that detection reads, as the product itself projects."""
    return tocsin_detector(rules).projection | {"Channel", "Computer"}


def tocsin_stages(path: Path, detector: Detector, out: IO[str]) -> sqlite.Stages:
    """Do what `sqlite.run` does; here reading and encoding fields are one step, told as `read`."""
    import msgspec

    from tocsin import collect
    from tocsin.detect.report import findings

    stages, clock = sqlite.Stages(), time.process_time
    projection, units = detector.projection | {"Channel", "Computer"}, collect.plan([path])
    start = clock()
    for events in collect.read_units(units, projection, lambda custody: None):
        read = clock()
        matches = detector.scan(events)
        matched = clock()
        for finding in findings(detector, events, matches):
            out.write(msgspec.json.encode(finding).decode() + "\n")
            stages.findings += 1
        stages.read, stages.match = stages.read + read - start, stages.match + matched - read
        stages.events += len(events)
        start = clock()
        stages.write += start - matched
    stages.read += clock() - start
    return stages


def tocsin_read(path: Path, projection: frozenset[str] | None) -> int:
    """Read a log, as detection does (with a projection) or completely: every key, raw, as Arrow tables."""
    from tocsin import collect

    total = 0
    for events in collect.read(str(path), projection=projection):
        total += events.to_arrow().num_rows if projection is None else len(events)
    return total


# --- figures: each a function of the same shape


def _compare(bench: Bench, path: Path, label: str, *, rules: int | None = None, indexed: bool = True) -> Figures:
    """Time both sides on one log; tell each stage, and the ratio of the wholes."""
    sql = bench.sql(rules)
    detector = tocsin_detector(tocsin_rules(bench.pack(rules), bench.out / "cache"))
    theirs_all, ours_all = alternate(
        bench.repeat if indexed else 1,  # without the index one run takes minutes
        lambda: sqlite.run(path, sql, io.StringIO(), indexed=indexed),
        lambda: tocsin_stages(path, detector, io.StringIO()),
    )
    theirs, mine = _tell(label, "sqlite", theirs_all), _tell(label, "tocsin", ours_all)
    return {
        f"speedup_vs_sqlite{label}": theirs["total"] / mine["total"],
        **{f"sqlite{label}_{stage}_s": value for stage, value in theirs.items()},
        **{f"tocsin{label}_{stage}_s": value for stage, value in mine.items()},
        f"match_events_per_s{label}": ours_all[0].events / mine["match"],
    }


def _tell(label: str, side: str, runs: list[sqlite.Stages]) -> Figures:
    names = ("read", "load", "match", "write", "total")
    stages = {name: statistics.median(getattr(run, name) for run in runs) for name in names}
    seconds = "  ".join(f"{name} {value:8.3f}" for name, value in stages.items())
    print(
        f"  {side:8}{label or '-':24}{seconds}  s   {runs[0].events} events, {runs[0].findings} findings",
        flush=True,
    )
    return stages


def speedup(bench: Bench) -> Figures:
    """Compare with the plain baseline: one table, one SELECT a rule."""
    with cores(1):
        return _compare(bench, bench.jsonl(bench.events), "", indexed=False)


def indexed(bench: Bench) -> Figures:
    """Compare with the baseline with an index on EventID, as Zircolite makes one; so do all figures below."""
    with cores(1):
        return _compare(bench, bench.jsonl(bench.events), "_indexed")


def distinct(bench: Bench) -> Figures:
    with cores(1):
        return _compare(bench, bench.jsonl(bench.events, distinct=1.0), "_indexed_distinct")


def corpus_mix(bench: Bench) -> Figures:
    """Compare on the corpora's own mix, in which one event in three hundred has a command line."""
    with cores(1):
        return _compare(bench, bench.jsonl(bench.events, commands=None), "_indexed_corpus_mix")


def growth_events(bench: Bench) -> Figures:
    with cores(1):
        return {
            name: value
            for events in GROWTH
            for name, value in _compare(bench, bench.jsonl(events), f"_indexed_{events // 1000}k").items()
        }


def growth_rules(bench: Bench) -> Figures:
    with cores(1):
        path = bench.jsonl(bench.events)
        return {
            name: value
            for rules in (500, 1000)
            for name, value in _compare(bench, path, f"_indexed_{rules}rules", rules=rules).items()
        }


def only_sqlite(bench: Bench) -> Figures:
    """Time the baseline alone, on every kind of evidence."""
    sql, figures = bench.sql(), Figures()
    kinds = {"": (0.3, COMMANDS), "_distinct": (1.0, COMMANDS), "_corpus_mix": (0.3, None)}
    with cores(1):
        for label, (share, commands) in kinds.items():
            path = bench.jsonl(bench.events, distinct=share, commands=commands)
            for suffix, indexed in ((label, True), (f"{label}_unindexed", False)):
                runs = alternate(1, partial(sqlite.run, path, sql, io.StringIO(), indexed=indexed))[0]
                stages = _tell(suffix, "sqlite", runs)
                figures |= {f"sqlite{suffix}_{stage}_s": value for stage, value in stages.items()}
    return figures


def reading(bench: Bench) -> Figures:
    """Tell Tocsin's reading as shares of what the libraries alone do on the same files."""
    jsonl, evtx = bench.jsonl(bench.events), bench.evtx()
    projection = tocsin_projection(tocsin_rules(bench.pack(), bench.out / "cache"))
    lines = jsonl.read_bytes().splitlines()
    sides: dict[str, Callable[[], object]] = {
        "orjson, lines of a file": lambda: _loads_file(jsonl),
        "orjson, lines in memory": lambda: [None for line in lines if orjson.loads(line) is None],
        "tocsin, JSON, projected": lambda: tocsin_read(jsonl, projection),
        "tocsin, JSON, complete": lambda: tocsin_read(jsonl, None),
        "evtx.records_json": lambda: _drain(evtx),
        "tocsin, EVTX, projected": lambda: tocsin_read(evtx, projection),
        "tocsin, EVTX, complete": lambda: tocsin_read(evtx, None),
    }
    with cores(1):
        runs = alternate(bench.repeat, *(partial(cpu_s, side) for side in sides.values()))
    seconds = {name: statistics.median(times) for name, times in zip(sides, runs, strict=True)}
    for name, value in seconds.items():
        count = RECORDS if "EVTX" in name or "evtx" in name else bench.events
        print(f"  {name:26}{value:8.3f} s  {count / value / 1000:8.1f} k events/s", flush=True)
    file, memory, json_seen, json_all, library, evtx_seen, evtx_all = seconds.values()
    return {
        "json_share": file / json_seen,
        "json_share_in_memory": memory / json_seen,
        "json_full_share": file / json_all,
        "evtx_share": library / evtx_seen,
        "evtx_full_share": library / evtx_all,
    }


def _loads_file(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)


def _drain(path: Path) -> None:
    for _ in PyEvtxParser(str(path), number_of_threads=1).records_json():
        pass


def two_cores(bench: Bench) -> Figures:
    """Compare whole processes with one and two jobs: on four files, and on one."""
    pack, cache = bench.pack(), bench.out / "cache"
    several = [bench.jsonl(bench.events, seed=seed) for seed in (1, 2, 3, 4)]
    figures = Figures()
    with cores(2):
        process(several[:1], pack, cache=cache)  # fills the cache
        for name, logs in (("two_core_speedup", several), ("two_core_speedup_one_file", several[:1])):
            one, two = alternate(
                bench.repeat,
                partial(process, logs, pack, jobs=1, cache=cache),
                partial(process, logs, pack, jobs=2, cache=cache),
            )
            walls = [statistics.median(run.wall_s for run in runs) for runs in (one, two)]
            print(f"  {len(logs)} files: one job {walls[0]:.2f} s, two jobs {walls[1]:.2f} s", flush=True)
            figures[name] = walls[0] / walls[1]
    return figures


def start(bench: Bench) -> Figures:
    """Time a whole process on one event, with every Windows rule, the rules cached and not."""
    pack, log = bench.pack(every=True), bench.out / "one.jsonl"
    with bench.jsonl(bench.events).open("rb") as events:
        log.write_bytes(events.readline())
    cache = bench.out / "cache-start"
    with cores(1):
        cold = []
        for _ in range(min(bench.repeat, 2)):
            shutil.rmtree(cache, ignore_errors=True)
            cold.append(process([log], pack, cache=cache).wall_s)
        warm = [process([log], pack, cache=cache).wall_s for _ in range(2 * bench.repeat + 1)]
    print(f"  {len(_rule_texts(None, every=True))} rules", flush=True)
    return {"warm_start_s": statistics.median(warm), "cold_start_s": statistics.median(cold)}


def memory(bench: Bench) -> Figures:
    """Find the peak memory of whole processes at 1 M and 5 M events, and how fast they go."""
    pack, cache = bench.pack(), bench.out / "cache"
    figures = Figures()
    for name, events in (("1m", 1_000_000), ("5m", 5_000_000)):
        run = process([bench.jsonl(events)], pack, cache=cache)
        print(f"  {events} events: {run.wall_s:.1f} s, {run.cpu_s:.1f} CPU s, {run.peak_mb:.0f} MB", flush=True)
        figures |= {f"peak_mb_{name}": run.peak_mb, f"events_per_s_{name}": events / run.wall_s}
    return figures


FIGURES: dict[str, Callable[[Bench], Figures]] = {
    "speedup": speedup,
    "indexed": indexed,
    "distinct": distinct,
    "corpus_mix": corpus_mix,
    "growth_events": growth_events,
    "growth_rules": growth_rules,
    "reading": reading,
    "two_cores": two_cores,
    "start": start,
}
ON_REQUEST: dict[str, Callable[[Bench], Figures]] = {"memory": memory, "sqlite": only_sqlite}


def main(argv: list[str] | None = None) -> None:
    every = {**FIGURES, **ON_REQUEST}
    parser = argparse.ArgumentParser(description="The figures of detection.")
    parser.add_argument("--only", nargs="+", choices=every, metavar="NAME", help="just these figures")
    parser.add_argument("--list", action="store_true", help="name the figures")
    parser.add_argument("--full", action="store_true", help="memory at 1 M and 5 M events too")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--out", type=Path, default=HERE / "out", help="where evidence is kept")
    args = parser.parse_args(argv)
    if args.list:
        print("\n".join(every))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(out=args.out, repeat=args.repeat, events=args.events)
    figures = Figures()
    for name in args.only or [*FIGURES, *(["memory"] if args.full else [])]:
        print(name, flush=True)
        figures |= every[name](bench)
    width = max(map(len, figures))
    print("\n" + "\n".join(f"{name:{width}}  {value:12.3f}" for name, value in figures.items()))
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
