"""A kill at each write of a node's folder: what was acknowledged is there, the rest is cut off, and its log goes on."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from killed import said_before_the_kill
from nodes.world import no_passphrase
from tocsin.model.node import Trusted
from tocsin.seal import durable
from tocsin.share.nodes import acting, messages, received, receiving, telling
from tocsin.share.nodes import folder as kept

AT = "2026-11-28T19:00:00.000000Z"
MOST_WRITES = 60


class Killed(BaseException):
    """No error that anything here would handle: as a kill, it leaves what was written so far."""


def _two(root: Path) -> tuple[Path, Path]:
    here, there = root / "here", root / "there"
    names = [acting.begin(path, path.name, at=AT).node for path in (here, there)]
    kept.trust(here, Trusted(node=names[1], name="there", by="t", added_at=AT))
    kept.trust(there, Trusted(node=names[0], name="here", by="t", added_at=AT))
    return here, there


def _tell(path: Path, number: int) -> None:
    with kept.held(path) as folder:
        (other,) = folder.trusted
        named = f"indicator--0000000{number}-0000-4000-8000-000000000000"
        content = json.dumps({"type": "indicator", "id": named}).encode()
        key = acting.signing(folder, no_passphrase)
        telling.tell(folder, key, [(named, named, content)], peer="p", node=other, at=AT)


def _take_back(path: Path, number: int) -> None:
    with kept.held(path) as folder:
        named = f"indicator--0000000{number}-0000-4000-8000-000000000000"
        key = acting.signing(folder, no_passphrase)
        telling.take_back(folder, key, [named], "wrong", by="t", at=AT)


def _rotate(path: Path) -> None:
    with kept.held(path) as folder:
        acting.rotate(folder, acting.signing(folder, no_passphrase), "planned", at=AT)


def _hand(path: Path) -> bytes:
    with kept.held(path) as folder:
        (other,) = folder.trusted
        key = acting.speaking(folder, no_passphrase)
        return messages.written(receiving.answer(folder, key, other, at=AT))


def _receive(path: Path, content: bytes) -> None:
    with kept.held(path) as folder:
        receiving.receive(folder, messages.read(content), at=AT)
        received.keep(folder)


def _do(what: str, here: Path, message: bytes) -> None:
    match what:
        case "tell":
            _tell(here, 3)
        case "take back":
            _take_back(here, 1)
        case "rotate":
            _rotate(here)
        case _:
            _receive(here, message)
    if what == "hand":
        _hand(here)


def _killed_at(patch: pytest.MonkeyPatch, number: int) -> None:
    """The write of that number, from 0, is done by half, and then nothing more."""
    writes = [0]
    whole = durable.write_all

    def write(descriptor: int, content: bytes) -> None:
        if writes[0] == number:
            os.write(descriptor, content[: len(content) // 2])
            raise Killed
        writes[0] += 1
        whole(descriptor, content)

    patch.setattr(durable, "write_all", write)


@pytest.mark.parametrize("what", ["tell", "take back", "rotate", "hand", "receive"])
def test_a_kill_at_each_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    for number in range(MOST_WRITES):
        here, there = _two(tmp_path / str(number))
        _tell(here, 1)
        _tell(there, 2)
        message = _hand(there)
        ended = False
        with monkeypatch.context() as patch:
            _killed_at(patch, number)
            try:
                _do(what, here, message)
                ended = True
            except Killed:
                pass
        # As the next command finds it: it verifies, what was told before is there, and it is handed on and told anew.
        with kept.held(here, verify=True) as folder:
            before = [one.digest for one in folder.own]
            assert len(before) >= 2
            assert all(telling.named_in(one) for one in folder.own if one.kind == "objects")
        _receive(here, message)
        _tell(here, 4)
        _receive(there, _hand(here))
        with kept.held(there, verify=True) as folder:
            (node,) = folder.trusted
            stands = [one.digest for one in folder.known.books[node].standing()]
            assert stands[: len(before)] == before
            assert folder.known.books[node].fork is None
            told = received.in_force(folder, node)
            assert {"indicator--00000004-0000-4000-8000-000000000000"} <= {one["id"] for one in told.objects}
        if ended:
            assert number, "at least one write must have been killed"
            return
    pytest.fail("more writes than were tried")


WRITER = """
import random, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from killed import slowly
from nodes.world import no_passphrase
from tocsin.model.node import Objects
from tocsin.seal import durable
from tocsin.share.nodes import acting
from tocsin.share.nodes import folder as kept

chance = random.Random(int(sys.argv[2]))
durable.write_all = slowly(chance, (0, 0.001, 0.004))
root, at = Path(sys.argv[1]), "2026-11-28T19:00:00.000000Z"
if not kept.is_there(root):
    acting.begin(root, "n", at=at)
print("ready", flush=True)
while True:
    with kept.held(root) as folder:
        key = acting.signing(folder, no_passphrase)
        bodies = [Objects(payloads=(f"{chance.getrandbits(256):064x}",)) for _ in range(chance.randrange(1, 4))]
        said = acting.say(folder, key, bodies, at=at)
        if chance.random() < 0.1:
            acting.rotate(folder, key, "planned", at=at)
    print(*(one.digest for one in said), flush=True)
"""


def test_a_process_is_killed_again_and_again(tmp_path: Path) -> None:
    root = tmp_path / "node"
    acknowledged: list[str] = []
    for seed in range(6):
        said = said_before_the_kill(WRITER, root, seed, 0.6, lambda pid: os.kill(pid, signal.SIGKILL))
        acknowledged += [digest for line in said for digest in line.split()]
        with kept.held(root, verify=True) as folder:
            there = [one.digest for one in folder.own]
        assert set(acknowledged) <= set(there)
        assert sorted(acknowledged, key=there.index) == acknowledged
    assert acknowledged
