"""A number in, so many made findings with their traces out, and how long and with how much memory they are gathered.

They are made to look like real ones: bursts on machines, some machines and rules with most of them (Zipf), process
trees and sessions inside a burst, a directory that all machines speak to, and programs, domains and addresses of
which few are everywhere and most are rare.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tocsin import investigate
from tocsin.investigate.kept import Frame, Texts, to_bytes
from tocsin.investigate.roles import ACTS, Role
from tocsin.model.finding import Finding
from tocsin.model.rule import LEVELS, Rule

SIZES = (125_000, 250_000, 500_000, 1_000_000)
_TABLE = 50_000
_DAY_US = 86_400_000_000
# As SigmaHQ's rules fire on the emulations: of a hundred findings so many are of each level.
_LEVELS = (0.15, 0.30, 0.37, 0.15, 0.03)


def zipf(random: np.random.Generator, size: int, distinct: int) -> np.ndarray:
    """Few of the values are drawn often, most seldom."""
    weight = 1 / np.arange(1, distinct + 1) ** 1.1
    return random.choice(distinct, size, p=weight / weight.sum())


def made(size: int, folder: Path, seed: int = 1) -> tuple[list[Finding], list[Rule], list[Path]]:
    random = np.random.default_rng(seed)
    rules = [
        Rule(
            id=f"rule-{number:04}",
            title=f"Rule {number}",
            level=LEVELS[random.choice(5, p=_LEVELS)],
            status="test",
            path="rules.yml",
            line=1,
            logsource="windows/process_creation",
            tactics=("execution",),
        )
        for number in range(1000)
    ]
    bursts = max(size // 40, 1)
    begin = random.integers(0, 30 * _DAY_US, bursts)
    machine = zipf(random, bursts, 5000)
    burst = np.sort(random.integers(0, bursts, size))
    ts = 1_700_000_000_000_000 + begin[burst] + random.integers(0, 1_200_000_000, size)
    # In the emulations three findings of ten are the first to say what they say (the median; one of ten over all).
    doing = burst * 12 + zipf(random, size, 12)
    rule = zipf(random, bursts * 12, len(rules))[doing]
    process = random.integers(0, 8, bursts * 12)[doing]
    columns: dict[Role, tuple[str, np.ndarray]] = {
        "guid": ("{{g-{}}}", burst * 8 + process),
        "parent_guid": ("{{g-{}}}", burst * 8 + process // 2),
        "logon": ("0x10{:x}", burst),
        "account": ("HOUSE\\user{}", machine[burst]),
        "image": ("c:\\users\\public\\tool{}.exe", zipf(random, bursts * 12, 20_000)[doing]),
        "command": ("tool.exe --job {}", random.integers(0, bursts * 12, size)[doing]),
        "hash": ("SHA256={:064x}", zipf(random, bursts * 12, 20_000)[doing]),
        "domain": ("name{}.example.org", zipf(random, bursts * 12, 20_000)[doing]),
        "peer_address": ("203.0.{}.1", zipf(random, bursts * 12, 250)[doing]),
    }
    paths = [folder / f"{size}-{number}" for number in range(0, size, _TABLE)]
    for at, path in zip(range(0, size, _TABLE), paths, strict=True):
        rows = slice(at, min(at + _TABLE, size))
        with path.open("wb") as file:
            for act, is_found, rec in (("", True, 0), ("start", False, 10**9)):
                number = rec + np.arange(at, rows.stop)
                frame = _frame(act, is_found, rows, columns, ts=ts[rows], machine=machine[burst[rows]], rec=number)
                file.write(to_bytes(frame))
            file.write(to_bytes(_to_directory(ts[rows], machine[burst[rows]], 2 * 10**9 + np.arange(at, rows.stop))))
    found = [
        Finding(
            rule=int(rule[number]),
            variant="sysmon",
            ts_us=int(ts[number]),
            host=f"desk{machine[burst[number]]}.example.org",
            kind="windows",
            src="",
            rec=number,
            chunk=-1,
            path="made.jsonl",
            fields={},
        )
        for number in range(size)
    ]
    return found, rules, paths


def _coded(form: str, values: np.ndarray) -> Texts:
    used, at = np.unique(values, return_inverse=True)
    return Texts((at + 1).astype(np.int32).tobytes(), ["", *(form.format(value) for value in used.tolist())])


def _frame(act, is_found, rows, columns, *, ts, machine, rec) -> Frame:  # type: ignore[no-untyped-def]
    return Frame(
        kind="windows",
        act=ACTS.index(act),
        inward=False,
        found=is_found,
        sources=[("made.jsonl", "made.jsonl")],
        source=np.zeros(len(ts), np.int32).tobytes(),
        ts=(ts if is_found else ts - 1000).tobytes(),
        rec=rec.astype(np.int64).tobytes(),
        chunk=np.full(len(ts), -1).tobytes(),
        host=_coded("desk{}.example.org", machine),
        roles={role: _coded(form, values[rows]) for role, (form, values) in columns.items()},
    )


def _to_directory(ts: np.ndarray, machine: np.ndarray, rec: np.ndarray) -> Frame:
    few = slice(0, len(ts), 10)
    return Frame(
        kind="windows",
        act=ACTS.index("contact"),
        inward=False,
        found=False,
        sources=[("made.jsonl", "made.jsonl")],
        source=np.zeros(len(ts[few]), np.int32).tobytes(),
        ts=ts[few].tobytes(),
        rec=rec[few].astype(np.int64).tobytes(),
        chunk=np.full(len(ts[few]), -1).tobytes(),
        host=_coded("desk{}.example.org", machine[few]),
        roles={"peer": _coded("desk{}.example.org", np.zeros(len(ts[few]), np.int64))},
    )


def _measure(size: int, folder: str, answer: multiprocessing.connection.Connection) -> None:
    found, rules, paths = made(size, Path(folder))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    traces = investigate.read(paths)
    read_s = time.process_time() - began
    incidents = investigate.gather(found, rules, traces)
    took_s = time.process_time() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    held = sum(1 + one.repeats for incident in incidents for one in incident.findings)
    assert held == size, (held, size)
    shown = sum(len(one.findings) for one in incidents)
    answer.send((took_s, read_s, (after - before) / 1024, len(incidents), shown))


def speed(folder: Path, sizes: Sequence[int] = SIZES) -> dict[str, float]:
    print("\nmade findings, each size in a process of its own; processor seconds, from frames on disk to incidents\n")
    print("   findings   incidents      shown  seconds  of them reading   more memory, MB")
    seconds, memory = {}, {}
    for size in sizes:
        here, there = multiprocessing.get_context("spawn").Pipe()
        child = multiprocessing.get_context("spawn").Process(target=_measure, args=(size, str(folder), there))
        child.start()
        took_s, read_s, more_mb, incidents, shown = here.recv()
        child.join()
        print(f"  {size:9,}  {incidents:10,}  {shown:9,}  {took_s:7.1f}  {read_s:15.1f}  {more_mb:17,.0f}")
        seconds[size], memory[size] = took_s, more_mb
    few, many = min(sizes), max(sizes)
    named = {1_000_000: {"gather_1m_s": seconds[many], "gather_1m_mb": memory[many]}}.get(many, {})
    return {
        **named,
        **{f"gather_{size}_s": took_s for size, took_s in seconds.items()},
        # What one finding costs among many, over what it costs among few: 1 is linear.
        "gather_growth": seconds[many] / many / (seconds[few] / few),
        "gather_memory_growth": memory[many] / many / (memory[few] / few),
    }
