"""Logs that come in volume: events a second to Arrow. Services' JSON: reading as a share of decoding.

    python bench/collect.py                    every format of which there is a reader
    python bench/collect.py --only bind        one or more by name (--list names them)
    python bench/collect.py --events 100000

The last line is JSON. CPU seconds inside this process, pinned to one core; the median of the runs is told, and for
shares the sides take turns. See README.md.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import log_lines
import orjson
from timing import alternate, cores, cpu_s

from tocsin import collect, detect, pipeline
from tocsin.collect.formats import READERS
from tocsin.learn import packs

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
EVENTS = 300_000
JSON_EVENTS = 60_000
# What is measured -> the reader that must know it, and where its records are in the corpora, or what makes them.
SERVICES: dict[str, tuple[str, str | Callable[[random.Random], Iterator[str]]]] = {
    "cloudtrail": ("cloudtrail", log_lines.cloudtrail),
    "cloudtrail_corpus": ("cloudtrail", "atomic/aws/collection/ec2_proxy_s3_exfiltration.zip"),  # of six shapes
    "m365": ("m365", "compound/GoldenSAMLADFSMailAccess/OfficeActivityEvents.Zip"),
    "suricata": ("suricata", log_lines.suricata),
}
_ID = re.compile(rb"(?<=[0-9a-f]{4}-)[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)

Figures = dict[str, float]


def read(path: Path, projection: frozenset[str] | None, reader: str) -> int:
    """Read a log completely into Arrow tables with the raw records, or a projection of it as detection does."""
    rows = 0
    for events in collect.read_units(collect.plan([path]), projection, lambda custody: None):
        rows += events.to_arrow().num_rows if projection is None else len(events)
        assert {source.format for source in events.sources} == {reader}
    return rows


def volume(name: str, folder: Path, events: int, repeat: int) -> Figures:
    """Events a second, from the bytes of a file to Arrow tables with every field and the raw records."""
    reader, make = log_lines.VOLUME[name]
    path = folder / f"{name}.log"
    path.write_bytes(log_lines.lines(make, events))
    rows = read(path, None, reader)  # also warms it up
    assert rows > 0.99 * events, f"{rows} of {events} lines were read"
    [seconds] = alternate(repeat, lambda: cpu_s(lambda: read(path, None, reader)))
    rate = rows / statistics.median(seconds)
    print(
        f"  {name:17} {rows:>9,} events {path.stat().st_size / rows:7.0f} B each {rate / 1000:9.0f} k events/s",
        flush=True,
    )
    return {f"{name}_events_per_s": round(rate)}


def share(name: str, folder: Path, events: int, repeat: int, projection: frozenset[str]) -> Figures:
    """Decoding of a file's lines by orjson, over the reading of what rules ask for."""
    reader, dataset = SERVICES[name]
    path = folder / f"{name}.json"
    path.write_bytes(
        _grown(CORPUS / "security-datasets" / dataset, events)
        if isinstance(dataset, str)
        else log_lines.lines(dataset, events)
    )
    rows = read(path, projection, reader)
    sides: tuple[Callable[[], object], ...] = (partial(_loads, path), partial(read, path, projection, reader))
    theirs, ours = alternate(repeat, *(partial(cpu_s, side) for side in sides))
    ratio = statistics.median(theirs) / statistics.median(ours)
    rate = rows / statistics.median(ours)
    print(
        f"  {name:17} {rows:>9,} events {path.stat().st_size / rows:7.0f} B each {rate / 1000:9.0f} k events/s"
        f"   json_share {ratio:.2f}",
        flush=True,
    )
    return {f"{name}_json_share": round(ratio, 3), f"{name}_projected_events_per_s": round(rate)}


def _loads(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            orjson.loads(line)


def _grown(archive: Path, events: int) -> bytes:
    """The records of a dataset a line each, again and again, each time with ids of their own."""
    with zipfile.ZipFile(archive) as packed:
        texts = [packed.read(name) for name in sorted(packed.namelist()) if name.endswith(".json")]
    records = [orjson.dumps(record) for text in texts for record in _records(text)]
    found = []
    for number in range(events):
        record = records[number % len(records)]
        found.append(_ID.sub(b"%012x" % (number // len(records)), record) + b"\n")
    return b"".join(found)


def _records(text: bytes) -> Iterator[object]:
    try:
        whole = [orjson.loads(text)]
    except orjson.JSONDecodeError:
        whole = [orjson.loads(line) for line in text.splitlines() if line.strip()]
    for one in whole:
        if isinstance(one, list):
            yield from one
        elif isinstance(one, dict) and isinstance(one.get("Records"), list):
            yield from one["Records"]
        else:
            yield one


def asked_for() -> frozenset[str]:
    """The fields that SigmaHQ's rules ask for, as detection projects."""
    chosen = packs.resolve([str(CORPUS / "sigma-rules.zip")])
    with tempfile.TemporaryDirectory() as cache:
        return detect.prepare(pipeline.compile_rules(chosen, Path(cache))).projection


def main() -> None:
    known = {reader.NAME for reader in READERS}
    names = [name for name, (reader, _) in {**log_lines.VOLUME, **SERVICES}.items() if reader in known]
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--events", type=int, default=EVENTS)
    words.add_argument("--json-events", type=int, default=JSON_EVENTS)
    words.add_argument("--repeat", type=int, default=5)
    words.add_argument("--only", nargs="+", choices=names, default=names)
    words.add_argument("--list", action="store_true")
    options = words.parse_args()
    if options.list:
        sys.exit("\n".join(names))
    figures: Figures = {}
    services = [name for name in options.only if name in SERVICES]
    with tempfile.TemporaryDirectory() as folder, cores(1):
        for name in options.only:
            if name in log_lines.VOLUME:
                figures |= volume(name, Path(folder), options.events, options.repeat)
        projection = asked_for() if services else frozenset()
        for name in services:
            figures |= share(name, Path(folder), options.json_events, options.repeat, projection)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
