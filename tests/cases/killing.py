"""A process that writes in a case, slowly and in pieces, and is killed: what it had said was safe must be there."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from cases.making import PEOPLE
from killed import said_before_the_kill
from tocsin import cases
from tocsin.cases import folder as layout

# Every write is cut in pieces with a pause between them, so that a kill falls within one as often as between two.
WRITER = """
import os, random, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from cases.making import decide, incident
from killed import slowly
from tocsin import cases
from tocsin.seal import durable

chance = random.Random(int(sys.argv[2]))

durable.write_all = slowly(chance, (0, 0.0005, 0.001))
root = Path(sys.argv[1])
print("ready", flush=True)
while True:
    name = f"inc-{chance.randrange(3)}"
    case = cases.open_case(root, incident(name, host=f"WS{chance.randrange(9)}"), by="Ben")
    for _ in range(chance.randrange(6)):
        with cases.writing(root / case.id) as log:
            match chance.randrange(5):
                case 0:
                    decide(log, subject="tell")
                case 1:
                    cases.add_task(log, "to do", by="Ben")
                case 2:
                    cases.attach(log, "paper", chance.randbytes(200), by="Ben")
                case _:
                    cases.note(log, "x" * chance.randrange(1, 3000), by="Ben")
            print(log.case.id, log.case.count, log.case.head, flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a kill left: lines cut short, case.json behind, folders never finished."""

    torn: int
    behind: int
    broken_off: int


def kill_once(root: Path, seed: int) -> Outcome:
    """Let it write for a random while, kill it, verify all cases, and go on writing in each."""
    said = said_before_the_kill(WRITER, root, seed, 0.15, lambda pid: os.kill(pid, signal.SIGKILL))
    safe = [line.split() for line in said]
    return _looked_at(root, {name: (int(count), head) for name, count, head in safe})


def _looked_at(root: Path, safe: dict[str, tuple[int, str]]) -> Outcome:
    there, broken_off = cases.everything(root)
    assert set(safe) <= {one.name for one in there}
    torn = behind = 0
    for one in there:
        count, head = safe.get(one.name, (0, "0" * 64))
        before = layout.load(one.folder)
        verdict = cases.verify(one.folder, heads=[head] if count else [], known=PEOPLE.values())
        assert verdict.faults == (), (one.name, verdict)
        assert verdict.entries >= count
        torn += bool(before.chain.torn)
        behind += before.count < len(before.chain.links)
        with cases.writing(one.folder) as log:
            cases.note(log, "after the kill", by="Ben")
            assert log.case.count >= verdict.entries + 1 + bool(before.chain.torn)
        after = cases.verify(one.folder, known=PEOPLE.values())
        assert after.faults == ()
        assert not [note for note in after.notes if "kept/" not in note], after.notes
    return Outcome(torn=torn, behind=behind, broken_off=broken_off)
