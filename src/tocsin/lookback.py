"""The evidence once more, when incidents are known: logs in, the records around them on disk.

Only sources are read whose format can show what was taken, and whose records reach into the time of an incident; of
these only some fields, and only records of its machines, accounts and addresses are kept. A run without incidents reads
nothing twice, and `pipeline.detect` knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from tocsin import collect
from tocsin.collect.formats import READERS
from tocsin.collect.reader import Reader
from tocsin.collect.sources import STDIN
from tocsin.engine import local
from tocsin.engine.protocol import Engine, Message, Send
from tocsin.errors import EvidenceError
from tocsin.investigate import impact
from tocsin.investigate.sought import Sought
from tocsin.ledger import Progress
from tocsin.model.custody import Custody
from tocsin.model.event import Longs
from tocsin.model.kind import ENVELOPE
from tocsin.model.mapping import LogMapping

_Task = tuple[str, collect.Unit]  # what it keeps is called so, and what it reads


def look_back(
    logs: Iterable[str | Path],
    custody: Sequence[Custody],
    around: impact.Around,
    kept: impact.Kept,
    *,
    asked: impact.Asked | None = None,
    sought: Sequence[Sought] = (),
    jobs: int = 0,
    zone: tzinfo = UTC,
    mappings: Sequence[LogMapping] = (),
    engine: Engine = local,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> tuple[str, ...]:
    """Keep the records around incidents.

    Args:
        logs: as they were given before, and `custody` what was found in them then.
        around: whose records are wanted, and of which time.
        kept: where to keep them.
        asked: what a claim asks, of all logs of its time.
        sought: what else is wanted, each of its own kinds and times.

    Returns:
        Sources that could not be read once more, each with the reason.
    """
    mapped = tuple(collect.reader(mapping) for mapping in mappings)
    jobs = jobs or engine.default_jobs()
    wanted = _wanted(custody, _windows(around, asked, sought), mapped)
    try:
        units = [unit for unit in collect.plan(logs, jobs, mapped) if _name(unit) in wanted]
    except EvidenceError as error:  # it was there a moment ago: what was found then stands
        return (error.message,)
    units = [unit for unit in units if not (unit.digest_only or unit.same_as or unit.fault)]
    lost = tuple("standard input: it can be read only once" for unit in units if unit.path == STDIN)
    tasks = [(f"{number:06}", unit) for number, unit in enumerate(units) if unit.path != STDIN]
    total, done = sum(unit.weight for _, unit in tasks), 0
    look = partial(_look, around=around, kept=kept, asked=asked, sought=sought, zone=zone, mapped=mapped)
    events = 0
    for answer in engine.run(tasks, look, jobs=jobs):
        unit = tasks[answer.task][1]
        if isinstance(answer, Message):
            size, count = msgspec.json.decode(answer.content)
            done, events = done + size, events + count
            current = f"{unit.label}, once more"
            on_progress(Progress(bytes_done=done, bytes_total=total, events=events, findings=0, current=current))
        elif answer.failure:
            lost += (f"{_name(unit)}: {answer.failure}",)
    return lost


def _name(unit: collect.Unit) -> str:
    return f"{unit.label}!{unit.member}" if unit.member else unit.label


_Windows = Sequence[tuple[frozenset[str], Longs]]  # of which kinds of logs which times are wanted


def _weighs(around: impact.Around, asked: impact.Asked | None) -> bool:
    """Whether anything is wanted but what lies around an incident: then fewer fields are."""
    return bool(len(around.windows)) or asked is not None


def _windows(around: impact.Around, asked: impact.Asked | None, sought: Sequence[Sought]) -> _Windows:
    times = around.windows if asked is None else np.concatenate([around.windows, asked.windows])
    own = [(impact.KINDS, times)] if _weighs(around, asked) else []
    return [*own, *((one.kinds, one.windows) for one in sought)]


def _fields(around: impact.Around, asked: impact.Asked | None, sought: Sequence[Sought]) -> frozenset[str]:
    own = impact.FIELDS if _weighs(around, asked) else frozenset()
    return own.union(ENVELOPE, *(one.fields for one in sought))


def _wanted(custody: Sequence[Custody], windows: _Windows, mapped: Sequence[Reader]) -> frozenset[str]:
    """Files, and members of archives, that hold something which may be wanted."""
    kinds = {reader.NAME: reader.KIND for reader in (*mapped, *READERS)}
    wanted = set()
    for source in custody:
        kind = kinds.get(source.format)
        if not source.same_as and any(kind in some and _reaches(source, times) for some, times in windows):
            parts = source.path.split("!")
            wanted |= {"!".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return frozenset(wanted)


def _reaches(source: Custody, windows: Longs) -> bool:
    if source.first_us is None or source.last_us is None:
        return True
    return bool(((windows[:, 0] <= source.last_us) & (windows[:, 1] >= source.first_us)).any())


def _look(
    task: _Task,
    send: Send,
    *,
    around: impact.Around,
    kept: impact.Kept,
    asked: impact.Asked | None,
    sought: Sequence[Sought],
    zone: tzinfo,
    mapped: Sequence[Reader],
) -> None:
    """In a worker: read, keep, tell how far it is."""
    name, unit = task
    reading = collect.read_units(
        [unit],
        _fields(around, asked, sought),
        lambda custody: None,
        lambda path, size: send(msgspec.json.encode((size, 0))),
        zone,
        mapped,
    )
    for events in reading:
        impact.keep(kept, name, events, around, asked)
        for one in sought:
            one.keep(name, events)
        send(msgspec.json.encode((0, len(events))))
