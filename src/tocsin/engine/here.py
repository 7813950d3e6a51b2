"""Tasks in, messages out, from this very process: where there is no fork, and in a worker, which may have no workers.

A task that crashes or hangs takes everything down with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from tocsin.engine.protocol import Done, Message, Send, Work

__all__ = ["Done", "Message", "Send", "Work", "default_jobs", "run", "words"]

T = TypeVar("T")


def default_jobs() -> int:
    return 1


def run(tasks: Sequence[T], work: Work[T], *, jobs: int) -> Iterator[Message | Done]:  # noqa: ARG001 - there is one place
    """Do `work` on each task, one after another."""
    for task, what in enumerate(tasks):
        failure = ""
        said: list[bytes] = []
        try:
            work(what, said.append)
        except Exception as error:  # noqa: BLE001  # whatever goes wrong is the task's failure, not the run's
            failure = words(error)
        yield from (Message(task=task, content=content) for content in said)
        yield Done(task=task, failure=failure)


def words(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return "needed more memory than a file may take"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
