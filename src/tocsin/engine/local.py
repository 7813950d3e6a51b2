"""Tasks in, messages out, from worker processes of this machine.

A worker that dies, or falls silent for too long, is replaced, and its task is reported as failed; an executor
from the standard library would give up the whole run. Messages are bytes, so nothing is unpickled.
Workers are forked: they share what was prepared before. Where there is no fork, tasks run in this process.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from tocsin.engine import here
from tocsin.engine.protocol import Done, Message, Send, Work

__all__ = ["Done", "Message", "Send", "Work", "default_jobs", "run", "standing"]

T = TypeVar("T")
Answer: TypeAlias = Callable[[bytes], bytes]
Ask: TypeAlias = Callable[[Mapping[int, bytes]], dict[int, bytes]]

_SILENCE_S = 180.0  # the longest a worker may go without a message
_MEMORY_BYTES = 6 << 30  # of address space beyond what a worker starts with
_SWEEP_EVERY = 19.0  # times as long as a sweep took
_MESSAGE, _DONE, _ERROR = b"m", b"d", b"e"
_INTERRUPTS = frozenset({signal.SIGINT, signal.SIGTERM})


def default_jobs() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    tasks: Sequence[T],
    work: Work[T],
    *,
    jobs: int,
    silence_s: float = _SILENCE_S,
    afresh: Sequence[str] = (),
) -> Iterator[Message | Done]:
    """Do `work` on each task, `jobs` at a time; begun in order, but messages of tasks mix.

    Args:
        afresh: modules of which workers are made that share nothing else with this process, for work that cannot be
            done in a fork of it, such as reading a lake once this process has; none for forks. Tasks and `work` are
            then handed over by value.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        yield from here.run(tasks, work, jobs=1)
        return
    waiting = iter(range(len(tasks)))
    workers: list[_Worker] = []
    try:
        for _ in range(min(jobs, len(tasks))):
            _start(workers, tasks, work, next(waiting), afresh)
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
                    _start(workers, tasks, work, task, afresh)
    finally:
        for worker in workers:
            worker.stop()


def _start(workers: list[_Worker], tasks: Sequence[T], work: Work[T], task: int, afresh: Sequence[str]) -> None:
    """Start a worker and note it before anybody may interrupt: one that nobody knows of would never be stopped."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
    try:
        workers.append(_Worker(tasks, work, task, afresh))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def standing(answers: Sequence[Answer]) -> Iterator[Ask]:
    """Keep some who remember what they were asked, each in a process of its own; where there is no fork, in this one.

    Yields:
        A function that asks several at once, each by its number, and waits for what all of them say. It raises a
        ChildProcessError if one of them fails or dies: what it knew is lost, so nobody takes its place.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        yield lambda questions: {number: answers[number](question) for number, question in questions.items()}
        return
    those: list[_Standing] = []

    def ask(questions: Mapping[int, bytes]) -> dict[int, bytes]:
        for number, question in questions.items():
            those[number].hear(question)
        return {number: those[number].say() for number in questions}

    try:
        for answer in answers:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)  # as in `_start`
            try:
                those.append(_Standing(answer))
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield ask
    finally:
        for one in those:
            one.stop()


class _Standing:
    """One who is asked, again and again."""

    def __init__(self, answer: Answer) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_attend, args=(theirs, self._pipe, answer), daemon=True)
        self._process.start()
        theirs.close()

    def hear(self, question: bytes) -> None:
        with suppress(OSError):  # whoever is gone has left word, or left none: `say` tells
            self._pipe.send_bytes(question)

    def say(self) -> bytes:
        try:
            said = self._pipe.recv_bytes()
        except (EOFError, OSError):
            self._process.join(5)
            raise ChildProcessError(_end(self._process.exitcode, "one of its processes")) from None
        if said[:1] == _ERROR:
            raise ChildProcessError(said[1:].decode("utf-8", "replace"))
        return said[1:]

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()


class _Worker:
    """One process and the task it is at."""

    def __init__(self, tasks: Sequence[Any], work: Work[Any], task: int, afresh: Sequence[str]) -> None:
        # A server that has but imported these modules, and forks: they are imported once for all workers.
        context: Any = multiprocessing.get_context("forkserver" if afresh else "fork")
        if afresh:
            context.set_forkserver_preload(list(afresh))
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
    """A worker's life. What was prepared before the fork is never garbage; what tasks make has few cycles."""
    _settle(parent)
    _limit_memory()
    sweep = _sweeps()
    while True:
        try:
            task = int.from_bytes(pipe.recv_bytes(), "big")
        except (EOFError, OSError):
            return
        last = _DONE
        try:
            work(tasks[task], lambda content: pipe.send_bytes(_MESSAGE + content))
        except BaseException as error:  # noqa: BLE001  # a panic of a library in Rust is no Exception
            last = _ERROR + here.words(error).encode("utf-8", "replace")
        next(sweep)
        pipe.send_bytes(last)


def _attend(pipe: Connection, parent: Connection, answer: Answer) -> None:
    """The life of one who stands: questions in, answers out, until nobody asks any more."""
    _settle(parent)
    sweep = _sweeps()
    while True:
        try:
            question = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        try:
            said = _DONE + answer(question)
        except BaseException as error:  # noqa: BLE001  # as in `_serve`
            said = _ERROR + here.words(error).encode("utf-8", "replace")
        pipe.send_bytes(said)
        next(sweep)


def _settle(parent: Connection) -> None:
    parent.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)  # which were held back while this process was born
    gc.freeze()
    gc.disable()


def _sweeps() -> Iterator[None]:
    """Collects garbage when it is asked, if a twentieth of the time is not spent on it already.

    A sweep goes over all that a worker has learned. Of evidence in hundreds of small files it took a fifth of the time.
    """
    due = 0.0
    while True:
        began = time.monotonic()
        if began >= due:
            gc.collect()
            ended = time.monotonic()
            due = ended + _SWEEP_EVERY * (ended - began)
        yield


def _limit_memory() -> None:
    """A hostile file must not take the machine's memory."""
    statm = Path("/proc/self/statm")
    in_use = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_AS, (in_use + _MEMORY_BYTES, hard))


def _end(exit_code: int | None, who: str = "the reader") -> str:
    if exit_code is not None and exit_code < 0:
        known = -exit_code in set(signal.Signals)
        return f"{who} crashed ({signal.Signals(-exit_code).name if known else f'signal {-exit_code}'})"
    return f"{who} ended unexpectedly (exit code {exit_code})"
