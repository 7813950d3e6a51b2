"""What every engine must hold to; another one is one more name in `ENGINES`."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from tocsin.engine import local
from tocsin.engine.protocol import Done, Engine, Message, Send, Work

ENGINES: tuple[Engine, ...] = (local,)


@pytest.fixture(params=ENGINES, ids=lambda engine: str(engine.__name__).rpartition(".")[2])
def engine(request: pytest.FixtureRequest) -> Engine:
    chosen: Engine = request.param
    return chosen


def writes(task: tuple[str, int], send: Send, *, folder: Path) -> None:
    """A task as they should be: its file is called by its own name, so that it may be done twice."""
    name, number = task
    (folder / name).write_bytes(f"{number * number}".encode())
    send(f"{number}".encode())
    send(b"end")


def dies(task: tuple[str, int], send: Send, *, folder: Path, at: int, how: Callable[[], None]) -> None:
    writes(task, send, folder=folder)
    if task[1] == at:
        how()


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def raised() -> None:
    raise ValueError("no such thing")


def heard(
    engine: Engine, tasks: Sequence[tuple[str, int]], work: Work[tuple[str, int]], jobs: int
) -> tuple[list[list[bytes]], list[str]]:
    said: list[list[bytes]] = [[] for _ in tasks]
    ends: dict[int, str] = {}
    for answer in engine.run(tasks, work, jobs=jobs):
        assert answer.task not in ends, "nothing of a task comes behind its end"
        if isinstance(answer, Message):
            said[answer.task].append(answer.content)
        else:
            assert isinstance(answer, Done)
            ends[answer.task] = answer.failure
    assert sorted(ends) == list(range(len(tasks))), "each task ends, once"
    return said, [ends[number] for number in range(len(tasks))]


def tasks(count: int) -> list[tuple[str, int]]:
    return [(f"{number:04}", number) for number in range(count)]


@pytest.mark.parametrize("jobs", [1, 3])
def test_each_task_is_done_and_its_messages_keep_their_order(engine: Engine, jobs: int, tmp_path: Path) -> None:
    said, ends = heard(engine, tasks(9), partial(writes, folder=tmp_path), jobs)
    assert said == [[f"{number}".encode(), b"end"] for number in range(9)]
    assert set(ends) == {""}
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [b"%d" % (n * n) for n in range(9)]


def test_one_at_a_time_is_in_order(engine: Engine, tmp_path: Path) -> None:
    work = partial(writes, folder=tmp_path)
    ended = [answer.task for answer in engine.run(tasks(7), work, jobs=1) if isinstance(answer, Done)]
    assert ended == list(range(7))


@pytest.mark.parametrize("how", [killed, raised])
def test_a_worker_that_fails_costs_its_own_task_alone(engine: Engine, how: Callable[[], None], tmp_path: Path) -> None:
    said, ends = heard(engine, tasks(8), partial(dies, folder=tmp_path, at=3, how=how), 2)
    assert [number for number, failure in enumerate(ends) if failure] == [3]
    assert all(said[number][-1] == b"end" for number in range(8) if number != 3)


def test_what_is_done_again_leaves_the_same_files(engine: Engine, tmp_path: Path) -> None:
    """So a task of a worker that died may be given to another one."""
    _, ends = heard(engine, tasks(6), partial(dies, folder=tmp_path, at=2, how=killed), 2)
    left = [task for task, failure in zip(tasks(6), ends, strict=True) if failure]
    heard(engine, left, partial(writes, folder=tmp_path), 1)
    again = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    heard(engine, tasks(6), partial(writes, folder=tmp_path), 3)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == again
    assert len(again) == 6


def test_no_tasks_no_answers(engine: Engine, tmp_path: Path) -> None:
    assert list(engine.run([], partial(writes, folder=tmp_path), jobs=2)) == []


def test_whoever_stops_listening_leaves_nobody_at_work(engine: Engine, tmp_path: Path) -> None:
    going = engine.run(tasks(500), partial(writes, folder=tmp_path), jobs=2)
    next(iter(going))
    going.close()  # type: ignore[attr-defined]  # a generator
    assert len(list(tmp_path.iterdir())) < 500


def test_it_says_how_many_at_a_time_are_worth_while(engine: Engine) -> None:
    assert engine.default_jobs() >= 1
