"""Workers that fail in every way they can, and a run that goes on."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tocsin.engine import local
from tocsin.engine.local import Done, Message

Say = Callable[[int], Iterator[bytes]]


@pytest.fixture(autouse=True)
def no_worker_is_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []


def sent(work: Say) -> local.Work[int]:
    """Work that sends what another yields."""

    def send_all(task: int, send: local.Send) -> None:
        for content in work(task):
            send(content)

    return send_all


def answers(
    tasks: Sequence[int], work: Say, *, jobs: int = 2, silence_s: float = 30
) -> tuple[dict[int, list[bytes]], dict[int, str]]:
    """What each task said, and how it ended ('' for well). Each ends once, and says nothing after that."""
    said: dict[int, list[bytes]] = {task: [] for task in range(len(tasks))}
    ends: dict[int, str] = {}
    for answer in local.run(tasks, sent(work), jobs=jobs, silence_s=silence_s):
        assert answer.task not in ends
        if isinstance(answer, Message):
            said[answer.task].append(answer.content)
        else:
            ends[answer.task] = answer.failure
    assert ends.keys() == said.keys()
    return said, ends


def speak(task: int) -> Iterator[bytes]:
    for number in range(3):
        yield f"{task} {number}".encode()


def unless(bad: int, deed: Callable[[], object]) -> Say:
    """Work that speaks, and does the deed after its first word if it is the bad task."""

    def work(task: int) -> Iterator[bytes]:
        yield b"begun"
        if task == bad:
            deed()
        yield b"done"

    return work


def raises(error: BaseException) -> Callable[[], object]:
    def deed() -> None:
        raise error

    return deed


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_every_task_is_done_and_its_messages_keep_their_order(jobs: int) -> None:
    said, ends = answers(range(7), speak, jobs=jobs)
    assert said == {task: [f"{task} {number}".encode() for number in range(3)] for task in range(7)}
    assert set(ends.values()) == {""}


def test_one_job_does_tasks_in_order() -> None:
    ended = [answer.task for answer in local.run(range(9), sent(speak), jobs=1) if isinstance(answer, Done)]
    assert ended == list(range(9))


def test_no_tasks() -> None:
    assert list(local.run([], sent(speak), jobs=4)) == []


def test_a_task_may_say_nothing() -> None:
    said, ends = answers([1, 2], lambda task: iter(()))
    assert said == {0: [], 1: []}
    assert ends == {0: "", 1: ""}


def test_many_tasks_reuse_their_workers() -> None:
    said, _ = answers(range(1500), lambda task: iter([str(os.getpid()).encode()]), jobs=3)
    workers = {pid for pids in said.values() for pid in pids}
    assert len(workers) == 3
    assert str(os.getpid()).encode() not in workers


def test_garbage_is_swept_for_a_small_part_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each of hundreds of small tasks it took a fifth of their time."""
    now, swept = [0.0], [0]

    def sweep() -> int:
        swept[0] += 1
        now[0] += 1.0
        return 0

    monkeypatch.setattr(local.gc, "collect", sweep)
    monkeypatch.setattr(local.time, "monotonic", lambda: now[0])
    sweeps = local._sweeps()
    for _ in range(1_000):  # tasks of a tenth of a second
        now[0] += 0.1
        next(sweeps)
    assert swept[0] >= 2, "what lies in cycles goes some time"
    assert swept[0] <= 0.06 * now[0]


def test_messages_larger_than_any_pipe() -> None:
    size = 50 << 20

    def work(task: int) -> Iterator[bytes]:
        yield bytes([task]) * size
        yield b""
        yield b"end"

    said, ends = answers([1, 2], work)
    assert [len(part) for part in said[0]] == [size, 0, 3]
    assert said[1][0] == b"\x02" * size
    assert ends == {0: "", 1: ""}


@pytest.mark.parametrize(
    ("deed", "failure"),
    [
        (raises(ValueError("bad\udcff word")), "ValueError: bad? word"),
        (raises(KeyError()), "KeyError"),
        (raises(MemoryError()), "needed more memory than a file may take"),
        (raises(SystemExit(0)), "SystemExit: 0"),
        (raises(KeyboardInterrupt()), "KeyboardInterrupt"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "the reader crashed (SIGKILL)"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "the reader crashed (SIGSEGV)"),
        (lambda: os.kill(os.getpid(), signal.SIGRTMIN + 1), "the reader crashed (signal 35)"),
        (lambda: os._exit(3), "the reader ended unexpectedly (exit code 3)"),
        (lambda: os._exit(0), "the reader ended unexpectedly (exit code 0)"),
    ],
    ids=["error", "bare error", "memory", "exit", "interrupt", "kill", "segfault", "odd signal", "_exit", "_exit 0"],
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_is_its_own_tasks_alone(
    deed: Callable[[], object], failure: str, jobs: int, capfd: pytest.CaptureFixture[str]
) -> None:
    said, ends = answers(range(5), unless(2, deed), jobs=jobs)
    assert ends == {0: "", 1: "", 2: failure, 3: "", 4: ""}
    assert said == {task: [b"begun"] if task == 2 else [b"begun", b"done"] for task in range(5)}
    assert capfd.readouterr().err == ""


def test_every_task_may_fail() -> None:
    _, ends = answers(range(6), unless(-1, lambda: None), jobs=3)
    assert set(ends.values()) == {""}
    _, ends = answers([7] * 6, unless(7, lambda: os.kill(os.getpid(), signal.SIGKILL)), jobs=3)
    assert set(ends.values()) == {"the reader crashed (SIGKILL)"}


def test_a_task_that_hangs_is_stopped() -> None:
    start = time.monotonic()
    _, ends = answers(range(4), unless(1, lambda: time.sleep(600)), silence_s=1)
    assert ends == {0: "", 1: "no sign of life for 1 s; stopped", 2: "", 3: ""}
    assert time.monotonic() - start < 30


def test_a_slow_task_that_speaks_is_not_stopped() -> None:
    def work(task: int) -> Iterator[bytes]:
        for _ in range(6):
            time.sleep(0.4)
            yield b"."

    _, ends = answers([0], work, silence_s=1)
    assert ends == {0: ""}


def test_whoever_listens_slowly_does_not_stop_workers() -> None:
    ends = []
    for answer in local.run(range(3), sent(speak), jobs=3, silence_s=0.3):
        time.sleep(0.2)
        if isinstance(answer, Done):
            ends.append(answer.failure)
    assert ends == ["", "", ""]


def test_a_task_that_wants_all_memory_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_MEMORY_BYTES", 200 << 20)
    before = resource.getrlimit(resource.RLIMIT_AS)
    said, ends = answers(range(4), unless(1, lambda: bytearray(1 << 30)))
    assert ends == {0: "", 1: "needed more memory than a file may take", 2: "", 3: ""}
    assert said[1] == [b"begun"]
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_worker_that_dies_between_tasks_is_replaced() -> None:
    """It tells that a task is done, then is killed; the next task goes to another."""
    pids: list[int] = []
    ends = []
    for answer in local.run(range(3), lambda task, send: send(str(os.getpid()).encode()), jobs=1):
        if isinstance(answer, Message):
            pids.append(int(answer.content))
            continue
        ends.append(answer.failure)
        if len(ends) == 1:
            os.kill(pids[0], signal.SIGKILL)
            time.sleep(0.3)
    assert ends == ["", "", ""]
    assert len(set(pids)) == 2


def test_closing_early_stops_the_workers() -> None:
    def work(task: int) -> Iterator[bytes]:
        yield str(os.getpid()).encode()
        time.sleep(600)

    running = local.run(range(4), sent(work), jobs=2)
    first = next(running)
    assert isinstance(first, Message)
    running.close()  # type: ignore[attr-defined]  # it is a generator
    with pytest.raises(ProcessLookupError):
        os.kill(int(first.content), 0)


def test_workers_that_started_are_stopped_if_another_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    real, started = local._Worker, []

    def start(tasks: Sequence[int], work: Say, task: int, afresh: Sequence[str]) -> local._Worker:
        if len(started) == 2:
            raise OSError("no more processes")
        started.append(real(tasks, work, task, afresh))
        return started[-1]

    monkeypatch.setattr(local, "_Worker", start)
    with pytest.raises(OSError, match="no more processes"):
        list(local.run(range(4), lambda task, send: send(b""), jobs=3))


def test_an_interrupt_leaves_no_worker(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent("""
        import os, sys, time
        from tocsin.engine import local

        def work(task, send):
            send(str(os.getpid()).encode())
            time.sleep(600)

        try:
            for answer in local.run(range(4), work, jobs=2):
                print(answer.content.decode(), flush=True)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        """)
    )
    run = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert run.stdout is not None
    pids = [int(run.stdout.readline()) for _ in range(2)]
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to all of them
    told, complained = run.communicate(timeout=30)
    assert told == "interrupted\n"
    assert complained == ""
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_without_fork_tasks_run_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    said, ends = answers(range(3), unless(1, raises(ValueError("odd"))))
    assert ends == {0: "", 1: "ValueError: odd", 2: ""}
    assert said[1] == [b"begun"]


def test_workers_made_afresh_share_nothing_and_are_stopped(tmp_path: Path) -> None:
    """A lock that is held while a fork is made would never be free in it; a library's threads are not there at all."""
    script = tmp_path / "afresh.py"
    script.write_text(
        textwrap.dedent("""
        import os, sys, threading
        from tocsin.engine import local

        HELD = threading.Lock()

        def work(task, send):
            send(b"%d free %d %d" % (task, HELD.acquire(timeout=1), os.getpid()))
            if task == 2:
                os._exit(3)

        if __name__ == "__main__":
            HELD.acquire()
            for answer in local.run(range(3), work, jobs=3, afresh=["json"]):
                print(getattr(answer, "content", b"").decode() or f"{answer.task} ends {answer.failure}", flush=True)
        """)
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    lines = [line.rpartition(" ") for line in done.stdout.splitlines() if "free" in line]
    assert sorted(line for line, _, _ in lines) == ["0 free 1", "1 free 1", "2 free 1"]
    assert "2 ends the reader ended unexpectedly (exit code 3)" in done.stdout
    for _, _, pid in lines:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
