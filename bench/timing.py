"""Work in, seconds and memory out: inside this process, pinned to cores, or of a whole process of Tocsin."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

MB = 1 << 20
T = TypeVar("T")


def alternate(repeat: int, *sides: Callable[[], T]) -> list[list[T]]:
    """Run the sides in turns, `repeat` times; return what each gave.

    The garbage collector rests, for all sides alike: Tocsin's workers rest it too.
    """
    given: list[list[T]] = [[] for _ in sides]
    gc.disable()
    try:
        for _ in range(repeat):
            for results, side in zip(given, sides, strict=True):
                gc.collect()
                results.append(side())
    finally:
        gc.enable()
    return given


def cpu_s(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


@contextlib.contextmanager
def cores(count: int) -> Iterator[None]:
    """Pin this process, and what it starts, to the first `count` cores it may use."""
    allowed = os.sched_getaffinity(0)
    if len(allowed) < count:
        raise SystemExit(f"this figure needs {count} cores; {len(allowed)} are here")
    os.sched_setaffinity(0, sorted(allowed)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One whole process, with its children: seconds, and the highest memory of all together."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def process(logs: list[Path], pack: Path, *, jobs: int = 1, cache: Path) -> Run:
    """Run `tocsin detect` on its own, with a cache of compiled rules of its own."""
    with tempfile.TemporaryDirectory() as results:
        command = [sys.executable, "-m", "tocsin", "detect", *map(str, logs), "--rules", str(pack)]
        command += ["--jobs", str(jobs), "--out", results, "-q"]
        environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
        start = time.perf_counter()
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        peak = 0.0
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            peak = max(peak, _tree_mb(child.pid))
            time.sleep(0.002 if time.perf_counter() - start < 2 else 0.1)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"tocsin exited with {child.returncode}: {' '.join(command)}")
    peak = max(peak, usage.ru_maxrss / 1024)  # of the largest single process, also between two looks
    return Run(wall_s=wall, cpu_s=usage.ru_utime + usage.ru_stime, peak_mb=peak)


def _tree_mb(pid: int) -> float:
    """Memory of a process and all below it; pages that they share are counted once."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        parent = psutil.Process(pid)
        for each in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, AttributeError):
                total += each.memory_full_info().pss
    return total / MB
