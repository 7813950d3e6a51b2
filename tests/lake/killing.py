"""A process that imports, merges and compacts, slowly and in pieces, and is killed: what it had said was in must be."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from lake.making import index_of, rebuilt_index_of, records
from tocsin.intake import take_in
from tocsin.lake import store, tables, upkeep
from tocsin.lake.store import make
from tocsin.lake.verify import verify

STAGES = ("import", "part", "run", "commit", "table", "merge", "drop", "compaction")

# It tells when it enters a stage and when it leaves one, so whoever kills it follows what it does and not a clock that
# a busy machine outruns. Where it is to be killed it goes slowly, and writes in pieces. Workers are in its group, and
# are killed with it.
WRITER = """
import os, pathlib, random, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from killed import slowly
from lake.making import write_logs
from tocsin import intake
from tocsin.lake import log, merging, parts, runs, store, tables, upkeep
from tocsin.seal import durable

chance = random.Random(int(sys.argv[2]))
wanted, quick, slow = sys.argv[4], (0, 0.002), (0.02, 0.1, 0.2)
within = []

def pause():
    time.sleep(chance.choice(slow if wanted in within else quick))

def told(stage, before):
    def after(*rest, **more):
        os.write(1, f"+{stage}\\n".encode())
        within.append(stage)
        try:
            pause()
            done = before(*rest, **more)
            pause()
            return done
        finally:
            within.pop()
            os.write(1, f"-{stage}\\n".encode())
    return after

class InPieces:
    def __init__(self, file):
        self.file = file
    def __enter__(self):
        return self
    def __exit__(self, *rest):
        self.file.close()
    def __getattr__(self, name):
        return getattr(self.file, name)
    def write(self, content):
        rest = memoryview(content).cast("B")
        while rest:
            size = chance.randrange(1, 1 + len(rest))
            self.file.write(rest[:size])
            self.file.flush()
            rest = rest[size:]
            if chance.random() < 0.2:
                pause()

opened = pathlib.Path.open

def in_pieces(self, mode="r", *rest, **more):
    file = opened(self, mode, *rest, **more)
    return InPieces(file) if mode == "wb" and self.suffix in (".parquet", ".run") else file

pathlib.Path.open = in_pieces
durable.write_all = lambda number, content: slowly(chance, slow if wanted in within else quick)(number, content)
for stage, module, name in (
    ("import", intake, "_examine"),
    ("part", parts, "save"),
    ("part", upkeep, "save"),
    ("run", runs, "save"),
    ("commit", log, "append"),
    ("table", tables, "_show"),
    ("merge", merging, "merge"),
    ("drop", store.Lake, "drop"),
    ("compaction", upkeep, "compact"),
):
    setattr(module, name, told(stage, getattr(module, name)))
store.MOST_RUNS = 3
lake, logs = Path(sys.argv[1]) / "lake", Path(sys.argv[1]) / "logs"
os.setpgrp()
os.write(1, b"ready\\n")
while True:
    seed = chance.randrange(1 << 30)
    folder = logs / str(seed)
    write_logs(folder, seed, files=chance.randrange(1, 4), records=chance.randrange(1, 30), days=3)
    intake.take_in([folder], lake, jobs=1)
    os.write(1, f"={seed}\\n".encode())
    if chance.random() < (0.8 if wanted == "compaction" else 0.3):
        upkeep.compact(store.make(lake), intake.LOOKS)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a kill left: a log with a torn end, tables behind it, files that nobody names.

    Args:
        within: the stages that it fell into, the innermost last; () between any.
        imports: that were acknowledged before it.
    """

    torn: bool
    behind: bool
    swept: int
    imports: int
    within: tuple[str, ...]


def kill_once(root: Path, seed: int) -> Outcome:
    """Kill it some moments after it entered a stage, and look; then import everything again, and look."""
    chance = random.Random(seed)
    stage = STAGES[seed % len(STAGES)]
    acknowledged = chance.choice((0, 1, 1, 2))
    entered = 1 if stage in ("merge", "drop", "compaction") else chance.randrange(1, 4)
    lines = _lines_before_the_kill(root, seed, stage, acknowledged, entered, chance.uniform(0, 0.25))
    within: list[str] = []
    for line in lines:
        if line[0] == "+":
            within.append(line[1:])
        elif line[0] == "-":
            assert within.pop() == line[1:]
    return _looked_at(root, [line[1:] for line in lines if line[0] == "="], tuple(within))


def _lines_before_the_kill(
    root: Path, seed: int, stage: str, acknowledged: int, entered: int, later_s: float
) -> list[str]:
    """Let it work until so many imports are acknowledged, and it entered a stage so often since; what it said."""
    words = [sys.executable, "-c", WRITER, str(root), str(seed), str(Path(__file__).parents[1]), stage]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines: list[str] = []
    said: Counter[str] = Counter()
    try:
        assert child.stdout.readline() == "ready\n"
        for line in child.stdout:
            lines.append(line.strip())
            said["="] += line[0] == "="
            said["+"] += line == f"+{stage}\n" and said["="] >= acknowledged
            if said["+"] >= entered:
                break
        time.sleep(later_s)
        os.killpg(child.pid, signal.SIGKILL)
        lines += [line.strip() for line in child.stdout if line.endswith("\n")]
    finally:
        child.kill()
        child.stdout.close()
        assert child.wait(timeout=60) == -signal.SIGKILL
    return lines


def _looked_at(root: Path, said: list[str], within: tuple[str, ...]) -> Outcome:
    (root / "lake").mkdir(exist_ok=True)
    (root / "logs").mkdir(exist_ok=True)
    text = (root / "lake" / "lake.jsonl").read_bytes() if (root / "lake" / "lake.jsonl").exists() else b""
    torn = bool(text) and not text.endswith(b"\n")
    before = store.Lake(root / "lake")
    behind = False
    if text.count(b"\n"):
        before.look()
        changes = before.state.changes.items()
        behind = any(tables.shown(before.folder, kind) < entries[-1].n for kind, entries in changes)
    lake = make(root / "lake")
    assert verify(lake).faults == ()
    counted = records(lake)
    assert set(counted.values()) <= {1}
    for seed in said:  # what was acknowledged is in
        for path in (root / "logs" / seed).iterdir():
            lines = sum(1 for line in path.read_text().splitlines() if line)
            assert sum(count for (_, name, _), count in counted.items() if name == str(path)) == lines, path
    assert index_of(lake) == rebuilt_index_of(lake)
    if any((root / "logs").iterdir()):
        take_in([root / "logs"], root / "lake", jobs=1)
        lake.look()
        counted = records(lake)
        wanted = sum(len(path.read_text().splitlines()) for path in (root / "logs").glob("*/*"))
        assert sum(counted.values()) == len(counted) == wanted
        assert verify(lake).faults == ()
        assert index_of(lake) == rebuilt_index_of(lake)
    swept = upkeep.sweep(lake, older_s=-1)
    assert verify(lake).faults == ()
    return Outcome(torn=torn, behind=behind, swept=swept, imports=len(said), within=within)
