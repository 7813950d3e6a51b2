"""Where tasks run: what every engine offers, so that stories need not know whether it is this machine or many.

An engine is a module with the names of `Engine`; another one is one more file beside `local.py`, and holds to what
`tests/engine/test_conformance.py` asks of each.

What makes a task fit for any of them: `work` is a function of a module with its needs bound by `functools.partial`;
it reads and writes nothing but its task, the folders it was given, and what it sends. What it writes is called by the
task's own name, so that a task which is done twice, because its worker died or was too slow, leaves the same files.
A task takes one to ten seconds: shorter ones cost more to hand out than to do, and of a longer one too much is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

T = TypeVar("T")

Send: TypeAlias = Callable[[bytes], None]
Work: TypeAlias = Callable[[T, Send], None]  # does a task, and sends word whenever it has some


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a task says, as bytes: nobody unpickles it."""

    task: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The task's last word; `failure` says in plain words why it ended early, '' if it did not."""

    task: int
    failure: str = ""


class Engine(Protocol):
    """A place where tasks run."""

    def default_jobs(self) -> int:
        """How many tasks at a time are worth while here."""

    def run(self, tasks: Sequence[T], work: Work[T], *, jobs: int) -> Iterator[Message | Done]:
        """Do `work` on each task, `jobs` at a time.

        Tasks are begun in their order; messages of one task keep theirs, those of several mix. Each task ends with one
        `Done`, also that of a worker that died; nothing of a task comes behind it. If the caller stops listening, no
        worker is left.
        """
