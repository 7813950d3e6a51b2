"""A process that imports, merges and compacts, slowly and in pieces, and is killed: what it had said was in must be."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from killed import said_before_the_kill
from lake.making import index_of, rebuilt_index_of, records
from tocsin.intake import take_in
from tocsin.lake import store, tables, upkeep
from tocsin.lake.store import make
from tocsin.lake.verify import verify

# Moments between and within writes are stretched, so that a kill falls into each of them. A worker is killed with its
# parent: they are one group.
WRITER = """
import os, random, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from killed import slowly
from lake.making import write_logs
from tocsin import intake
from tocsin.lake import parts, runs, store, tables, upkeep
from tocsin.seal import durable

chance = random.Random(int(sys.argv[2]))

def late(before):
    def after(*rest, **more):
        time.sleep(chance.choice((0, 0.002, 0.01)))
        done = before(*rest, **more)
        time.sleep(chance.choice((0, 0.002, 0.01)))
        return done
    return after

durable.write_all = slowly(chance, (0, 0.002, 0.01))
for module, name in ((tables, "_show"), (parts, "save"), (runs, "save"), (upkeep, "save")):
    setattr(module, name, late(getattr(module, name)))
store.MOST_RUNS = 3
lake, logs = Path(sys.argv[1]) / "lake", Path(sys.argv[1]) / "logs"
os.setpgrp()
print("ready", flush=True)
while True:
    seed = chance.randrange(1 << 30)
    folder = logs / str(seed)
    write_logs(folder, seed, files=chance.randrange(1, 5), records=chance.randrange(1, 30), days=3)
    taken = intake.take_in([folder], lake, jobs=1)
    print(seed, flush=True)
    if chance.random() < 0.3:
        upkeep.compact(store.make(lake), intake.LOOKS)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a kill left: a log with a torn end, tables behind it, files that nobody names."""

    torn: bool
    behind: bool
    swept: int
    imports: int


def kill_once(root: Path, seed: int) -> Outcome:
    """Let it work for a random while, kill it, and look; then import everything again, and look."""
    said = said_before_the_kill(WRITER, root, seed, 1.5, lambda pid: os.killpg(pid, signal.SIGKILL))
    return _looked_at(root, said)


def _looked_at(root: Path, said: list[str]) -> Outcome:
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
    return Outcome(torn=torn, behind=behind, swept=swept, imports=len(said))
