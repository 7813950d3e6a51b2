"""Tasks in, messages out, from worker processes of this machine.

A worker that dies, or falls silent for too long, is replaced, and its task is reported as failed; an executor
from the standard library would give up the whole run. Messages are bytes, so nothing is unpickled.
Workers are forked: they share what was prepared before. Where there is no fork, tasks run in this process.
"""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from tocsin.engine.protocol import Done, Message, Send, Work

__all__ = ["Done", "Message", "Send", "Work", "default_jobs", "run"]

T = TypeVar("T")

_SILENCE_S = 180.0  # the longest a worker may go without a message
_MEMORY_BYTES = 6 << 30  # of address space beyond what a worker starts with
_WHOLE = 4  # tasks after which all that is alive is looked through
_MESSAGE, _DONE, _ERROR = b"m", b"d", b"e"
_INTERRUPTS = frozenset({signal.SIGINT, signal.SIGTERM})


def default_jobs() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(tasks: Sequence[T], work: Work[T], *, jobs: int, silence_s: float = _SILENCE_S) -> Iterator[Message | Done]:
    """Do `work` on each task, `jobs` at a time; begun in order, but messages of tasks mix."""
    if "fork" not in multiprocessing.get_all_start_methods():
        yield from _here(tasks, work)
        return
    waiting = iter(range(len(tasks)))
    workers: list[_Worker] = []
    try:
        for _ in range(min(jobs, len(tasks))):
            _start(workers, tasks, work, next(waiting))
        while workers:
            for worker in _ready(workers, silence_s):
                answer = worker.answer(silence_s)
                yield answer
                if isinstance(answer, Message):
                    continue
                task = next(waiting, None)
                if task is not None and worker.alive and worker.begin(task):
                    continue
                worker.stop()
                workers.remove(worker)
                if task is not None:
                    _start(workers, tasks, work, task)
    finally:
        for worker in workers:
            worker.stop()


def _start(workers: list[_Worker], tasks: Sequence[T], work: Work[T], task: int) -> None:
    """Start a worker and note it before anybody may interrupt: one that nobody knows of would never be stopped."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
    try:
        workers.append(_Worker(tasks, work, task))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _here(tasks: Sequence[T], work: Work[T]) -> Iterator[Message | Done]:
    for task, what in enumerate(tasks):
        failure = ""
        said: list[bytes] = []
        try:
            work(what, said.append)
        except Exception as error:  # noqa: BLE001  # whatever goes wrong is the task's failure, not the run's
            failure = _words(error)
        yield from (Message(task=task, content=content) for content in said)
        yield Done(task=task, failure=failure)


class _Worker:
    """One process and the task it is at."""

    def __init__(self, tasks: Sequence[Any], work: Work[Any], task: int) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self.pipe, tasks, work), daemon=True)
        self._process.start()
        theirs.close()
        self.alive = True
        self.begin(task)

    def begin(self, task: int) -> bool:
        """False if the worker died since it last spoke."""
        self.task = task
        self.heard_at = time.monotonic()
        try:
            self.pipe.send_bytes(task.to_bytes(8, "big"))
        except OSError:
            return False
        return True

    def answer(self, silence_s: float) -> Message | Done:
        """What the worker says, or that it no longer can."""
        if not self.pipe.poll():
            self.stop()
            return Done(task=self.task, failure=f"no sign of life for {silence_s:.0f} s; stopped")
        self.heard_at = time.monotonic()
        try:
            said = self.pipe.recv_bytes()
        except (EOFError, OSError):
            self._process.join(5)
            self.alive = False
            return Done(task=self.task, failure=_end(self._process.exitcode))
        if said[:1] == _MESSAGE:
            return Message(task=self.task, content=said[1:])
        return Done(task=self.task, failure=said[1:].decode("utf-8", "replace"))

    def stop(self) -> None:
        self.alive = False
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _ready(workers: Sequence[_Worker], silence_s: float) -> list[_Worker]:
    """Workers that said something, ended, or have been silent for too long."""
    while True:
        now = time.monotonic()
        first = min(worker.heard_at for worker in workers) + silence_s
        spoke = set(wait([worker.pipe for worker in workers], max(0.0, first - now)))
        silent = time.monotonic() - silence_s
        ready = [worker for worker in workers if worker.pipe in spoke or worker.heard_at <= silent]
        if ready:
            return ready


def _serve(pipe: Connection, parent: Connection, tasks: Sequence[Any], work: Work[Any]) -> None:
    """A worker's life. What was prepared before the fork is never garbage; what tasks make has few cycles.

    After a task only what it made is looked through for them: what earlier ones left (say, what was learned of layouts)
    is large, and mostly there to stay.
    """
    parent.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)  # which were held back while this process was born
    gc.freeze()
    gc.disable()
    _limit_memory()
    for number in itertools.count(1):
        try:
            task = int.from_bytes(pipe.recv_bytes(), "big")
        except (EOFError, OSError):
            return
        last = _DONE
        try:
            work(tasks[task], lambda content: pipe.send_bytes(_MESSAGE + content))
        except BaseException as error:  # noqa: BLE001  # a panic of a library in Rust is no Exception
            last = _ERROR + _words(error).encode("utf-8", "replace")
        gc.collect(1 if number % _WHOLE else 2)
        pipe.send_bytes(last)


def _limit_memory() -> None:
    """A hostile file must not take the machine's memory."""
    statm = Path("/proc/self/statm")
    in_use = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_AS, (in_use + _MEMORY_BYTES, hard))


def _words(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "needed more memory than a file may take"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _end(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        known = -exit_code in set(signal.Signals)
        return f"the reader crashed ({signal.Signals(-exit_code).name if known else f'signal {-exit_code}'})"
    return f"the reader ended unexpectedly (exit code {exit_code})"
