"""The figures of sharing: how long it takes to decide what of ten thousand objects may leave, beside reading them.

    python bench/share.py [--objects N] [--entries N]

Bundles of made incidents, with names of ours in every text. Then a node's log, as it comes from a peer: how many
entries a core reads, checks and puts in their place in a second of its own time, how many signatures it checks alone,
and how many the library does with nothing around it. Printed is a table and, last, one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tocsin import share
from tocsin.border.bundles import as_bundle, as_object, read_objects
from tocsin.border.stix_incident import bundle
from tocsin.model.attack import NO_FACTS
from tocsin.model.citation import Citation
from tocsin.model.incident import Cited, Incident, Process, Seen
from tocsin.model.node import Objects, Trusted
from tocsin.model.peer import Peer
from tocsin.seal import dsse, keys
from tocsin.share.nodes import acting, messages, received, receiving, statements, telling
from tocsin.share.nodes import folder as kept
from tocsin.share.nodes.book import Book

KEY = b"k" * 32
RUNS = 3


def made(seed: int) -> Incident:
    rng = random.Random(seed)
    start = 1_772_000_000_000_000 + seed * 10**9
    hosts = [f"host-{seed}-{number}.parl.example" for number in range(4)]

    def at(number: int) -> Citation:
        return Citation(src=f"{seed:064x}", path="a.evtx", rec=number, chunk=0, ts_us=start + number)

    found = tuple(
        Cited(
            rule_id=f"r{number}",
            title=f"Rule {number}",
            level="high",
            techniques=(f"T1{rng.randrange(100):03}",),
            tactics=("execution",),
            host=hosts[number % 4],
            kind="windows",
            at=at(number),
            fields={},
        )
        for number in range(16)
    )
    processes = tuple(
        Process(
            parent=number - 1,
            host=hosts[number % 4],
            image=f"C:\\Tools\\t{rng.randrange(10**6)}.exe",
            command=f"t.exe \\\\{hosts[(number + 1) % 4]}\\c$ /x {rng.randrange(10**9):x} " + "y" * rng.randrange(300),
            account=f"PARL\\user{seed}",
            first_us=start + number,
            findings=(number,),
            at=at(number),
        )
        for number in range(16)
    )
    seen = tuple(Seen(name=name, first_us=start, last_us=start, findings=4) for name in hosts)
    return Incident(
        id=f"{seed:064x}",
        title=f"Something on {hosts[0]}",
        rank="act now",
        score=1.0,
        because=(f"seen on {hosts[1]}",),
        level="high",
        first_us=start,
        last_us=start + 20,
        findings=found,
        hosts=seen,
        processes=processes,
    )


def objects_of(wanted: int) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    seed = 0
    while len(found) < wanted:
        told = bundle(made(seed), author="bench", tlp="amber", attack=NO_FACTS, indicators={})["objects"]
        found |= {one["id"]: one for one in told}
        seed += 1
    return list(found.values())[:wanted]


def least(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    took = []
    for _ in range(RUNS):
        began = clock()
        work()
        took.append(clock() - began)
    return min(took)


def run(wanted: int) -> dict[str, float]:
    objects = objects_of(wanted)
    own = {one["id"] for one in objects if one["type"] == "identity" and one["name"] == "bench"}
    peer = Peer(id="p", name="P", tlp="amber", pap="red", sightings="as marked")

    def decide() -> object:
        hidden = share.Hidden(share.names(objects, (), ()), KEY)
        return share.decide(objects, peer, hidden, key=KEY, own=own, today="2026-01-01")

    def named() -> object:
        plain = replace(peer, victims="named")
        return share.decide(objects, plain, share.Hidden((), KEY), key=KEY, own=own, today="2026-01-01")

    with TemporaryDirectory() as folder:
        path = Path(folder) / "bundle.json"
        path.write_text(as_bundle(objects))
        read_s = least(lambda: read_objects(path))
    release_s, named_s = least(decide), least(named)
    return {
        "objects": len(objects),
        "release_s": round(release_s, 3),
        "release_named_s": round(named_s, 3),
        "read_s": round(read_s, 3),
        "release_vs_read": round(release_s / read_s, 1),
    }


def logs(entries: int) -> dict[str, float]:
    """A log of many entries, each of which tells three objects."""
    at = "2026-11-28T00:00:00.000000Z"
    with TemporaryDirectory() as folder:
        root = Path(folder) / "node"
        acting.begin(root, "bench", at=at)
        with kept.held(root) as here:
            node, key_here = here.node, acting.signing(here, lambda question: b"")
            bodies = [Objects(payloads=(f"{number:064x}",) * 3) for number in range(entries)]
            acting.say(here, key_here, bodies, at=at)
            sealed = [one.sealed for one in here.own]
    said = [statements.read_entry(one) for one in sealed]
    public = keys.public_text(key_here)

    def take() -> object:
        book = Book(node)
        for one in sealed:
            book.take(statements.read_entry(one))
        return book

    def verify() -> object:
        speaks = keys.public(public)
        return [statements.holds(one, speaks) for one in said]

    def library() -> None:
        speaks = keys.public(public)
        for one in said:
            speaks.verify(one.signature, dsse.pae(statements.ENTRY, one.text))

    count, core = len(sealed), time.process_time
    return {
        "log_entries": count,
        "log_entries_per_s": round(count / least(take, core)),
        "signatures_per_s": round(count / least(verify, core)),
        "signatures_of_the_library_per_s": round(count / least(library, core)),
    }


def handed(objects: Sequence[dict[str, Any]]) -> dict[str, float]:
    """What one node tells another as a file: made and entered, then read, checked, kept and ready to be looked for."""
    at = "2026-11-28T00:00:00.000000Z"
    given = [(one["id"], one["id"], as_object(one).encode()) for one in objects]
    with TemporaryDirectory() as folder:
        here, there = Path(folder) / "here", Path(folder) / "there"
        nodes = [acting.begin(path, path.name, at=at).node for path in (here, there)]
        kept.trust(there, Trusted(node=nodes[0], name="here", by="bench", added_at=at))
        kept.trust(here, Trusted(node=nodes[1], name="there", by="bench", added_at=at))
        began = time.perf_counter()
        with kept.held(here) as node:
            key = acting.signing(node, lambda question: b"")
            telling.tell(node, key, given, peer="there", node=nodes[1], at=at)
            content = messages.written(receiving.answer(node, key, nodes[1], at=at))
        told = time.perf_counter()
        with kept.held(there) as node:
            receiving.receive(node, messages.read(content), at=at)
            received.keep(node)
        taken = time.perf_counter()
    return {
        "tell_s": round(told - began, 3),
        "take_s": round(taken - told, 3),
        "message_mb": round(len(content) / 1e6, 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--entries", type=int, default=5_000)
    wanted = parser.parse_args(arguments)
    figures = run(wanted.objects) | logs(wanted.entries) | handed(objects_of(wanted.objects))
    for name, value in figures.items():
        print(f"{name:<32} {value:>12,}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
