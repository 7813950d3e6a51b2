"""Those who stand remember what they were asked; one who is gone is missed at once, and none is left behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from tocsin.engine import local


@pytest.fixture(autouse=True)
def nobody_is_left() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []


def counting() -> Callable[[bytes], bytes]:
    asked: list[bytes] = []

    def answer(question: bytes) -> bytes:
        asked.append(question)
        return b"%d %d: " % (os.getpid(), len(asked)) + b",".join(asked)

    return answer


def failing(question: bytes) -> bytes:
    if question == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    if question == b"leave":
        os._exit(3)
    if question == b"fail":
        raise OSError(28, "No space left on device")
    return question


def test_each_has_its_own_process_and_its_own_memory() -> None:
    with local.standing([counting(), counting()]) as ask:
        first = ask({0: b"a", 1: b"x"})
        assert ask({1: b"y"}).keys() == {1}
        last = ask({1: b"z", 0: b"b"})
    pids = {int(said.split()[0]) for said in (*first.values(), *last.values())}
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert last[0].endswith(b" 2: a,b")
    assert last[1].endswith(b" 3: x,y,z")


def test_large_questions_and_answers_go_both_ways() -> None:
    large = bytes(range(256)) * 40_000
    with local.standing([failing, failing]) as ask:
        assert ask({0: large, 1: large}) == {0: large, 1: large}


@pytest.mark.parametrize(
    ("question", "told"), [(b"die", "crashed .SIGKILL"), (b"leave", "exit code 3"), (b"fail", "No space left")]
)
def test_one_that_is_gone_or_fails_is_an_error_for_whoever_asks(question: bytes, told: str) -> None:
    with local.standing([counting(), failing]) as ask:
        ask({0: b"a", 1: b"a"})
        with pytest.raises(ChildProcessError, match=told):
            ask({0: b"b", 1: question})


def test_one_that_died_between_two_questions_is_missed_at_the_next() -> None:
    with local.standing([failing]) as ask:
        (victim,) = multiprocessing.active_children()
        victim.kill()
        victim.join()
        with pytest.raises(ChildProcessError, match="SIGKILL"):
            ask({0: b"a"})


def test_without_fork_they_stand_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    with local.standing([counting()]) as ask:
        ask({0: b"a"})
        assert ask({0: b"b"}) == {0: b"%d 2: a,b" % os.getpid()}
