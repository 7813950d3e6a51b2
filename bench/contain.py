"""The figures of containment: how fast a plan is made, and an approved one stands, verified.

    python bench/contain.py               # all of it; what must be enforced wants root, nft and ip

The last line is one JSON object: `plan_s` and `plan_cpu_s` (a plan is three cuts), `cut_s` and `cut_cpu_s` (one cut of
a harder graph), `gap`, `block_s`, `load_s`, `undo_equal`. Without namespaces the last three are left out; that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tocsin import cases, enforce, planning, watched
from tocsin.act.run import run
from tocsin.contain import ENFORCERS, Own
from tocsin.contain.cut import Edge, cut
from tocsin.contain.plan import plan
from tocsin.model.action import Block, Place, Target
from tocsin.model.citation import Citation
from tocsin.model.incident import Cited, Incident, Move, Seen
from tocsin.seal import signers

HOSTS, LINKS, ELEMENTS = 500, 5_000, 100_000
NFTABLES = next(one for one in ENFORCERS if one.NAME == "nftables")
START = 1_700_000_000_000_000
TECHNIQUES = ("T1505.003", "T1543.003", "T1053.005", "T1071.001", "T1190", "T1059")


def made_incident(hosts: int, links: int, seed: int) -> Incident:
    """An incident of so many machines, whose graph has about so many links."""
    dice = random.Random(seed)
    names = [f"h{number:03}.agency.example" for number in range(hosts)]
    at = Citation(src="ab" * 32, path="a", rec=1, chunk=0, ts_us=START)
    findings = tuple(
        Cited(
            rule_id=f"r{number}",
            title=f"Rule {number % 40}",
            level="high",
            techniques=(dice.choice(TECHNIQUES),),
            tactics=(),
            host=names[number % hosts],
            kind="windows",
            at=at,
            fields={"TargetFilename": f"C:\\{number}.aspx", "DestinationIp": f"203.0.113.{number % 200 + 1}"},
        )
        for number in range(3 * hosts)
    )
    moves: list[Move] = []
    while len(moves) < links - 3 * hosts:
        source, target = dice.sample(names, 2)
        who = f"AGENCY\\user{dice.randrange(300)}"
        moves.append(Move(ts_us=START, source=source, target=target, account=who, because="logon", at=at))
    return Incident(
        id="bench",
        title="A made incident",
        rank="act now",
        score=1.0,
        because=(),
        level="high",
        first_us=START,
        last_us=START,
        findings=findings,
        hosts=tuple(Seen(name=name, first_us=START, last_us=START, findings=3) for name in names),
        moves=tuple(moves),
    )


def made_graph(seed: int) -> tuple[list[Edge], list[str], dict[str, int]]:
    """A graph of 500 machines and 5,000 links at random, with 1,500 actions: harder than an incident's."""
    dice = random.Random(seed)
    hosts = [f"h{number}" for number in range(HOSTS)]
    prices = {f"isolate {host}": dice.choice([6, 10, 20, 60, 100]) for host in hosts}
    prices |= {f"block {number}": dice.choice([1, 1, 2, 4]) for number in range(HOSTS)}
    prices |= {f"reset {number}": dice.choice([3, 6, 8]) for number in range(HOSTS)}
    edges = []
    for number in range(LINKS):
        source, target = dice.sample(hosts, 2)
        if number < LINKS // 8:
            by = (f"isolate {target}", f"block {dice.randrange(HOSTS)}")
            edges.append(Edge(source="intruder", target=target, by=by))
        else:
            by3 = (f"isolate {source}", f"isolate {target}", f"reset {dice.randrange(HOSTS)}")
            edges.append(Edge(source=source, target=target, by=by3))
    return edges, dice.sample(hosts, HOSTS // 4), prices


def planned() -> dict[str, float]:
    plan(made_incident(5, 40, 0), of="bench", digest="", own=Own())  # scipy is imported once
    walls, cpus, gaps = [], [], []
    for seed in range(3):
        incident = made_incident(HOSTS, LINKS, seed)
        began, busy = time.perf_counter(), time.process_time()
        found = plan(incident, of="bench", digest="", own=Own())
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - busy)
        gaps += [one.gap for one in found.alternatives]
        print(f"{len(found.links):,} links: a plan of three ways in {walls[-1]:.2f} s")
    cuts, busies = [], []
    for seed in range(5):
        edges, held, prices = made_graph(seed)
        began, busy = time.perf_counter(), time.process_time()
        solved = cut(edges, source="intruder", held=held, prices=prices)
        cuts.append(time.perf_counter() - began)
        busies.append(time.process_time() - busy)
        gaps.append(solved.gap)
    middle = {"plan_s": sorted(walls)[1], "plan_cpu_s": sorted(cpus)[1]}
    return {**middle, "cut_s": sorted(cuts)[2], "cut_cpu_s": sorted(busies)[2], "gap": max(gaps)}


def enforced(folder: Path) -> dict[str, float]:
    name = f"bench{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        place = Place(enforcer="nftables", run=("ip", "netns", "exec", name))
        return {**loaded(place), **blocked(place, folder)}
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


def ruleset(place: Place) -> str:
    return subprocess.run([*place.run, "nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout


def loaded(place: Place) -> dict[str, float]:
    now = planning.now_us()
    blocks = tuple(
        Block(
            verb="block address",
            target=Target(kind="address", value=f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}"),
            since_us=now,
            until_us=now + 3_600_000_000,
            cases=("bench",),
        )
        for n in range(ELEMENTS)
    )
    before = ruleset(place)
    began = time.perf_counter()
    well = all(run(step).well for step in NFTABLES.steps((), blocks, place, now))
    took = time.perf_counter() - began
    well &= all(run(step).well for step in NFTABLES.steps(blocks, (), place, now))
    return {"load_s": took, "undo_equal": float(well and ruleset(place) == before)}


def blocked(place: Place, folder: Path) -> dict[str, float]:
    """From an approved plan to a block that its enforcer confirms."""
    keys = {name: Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()) for name in ("one", "two")}
    people = [signers.of(name, key) for name, key in keys.items()]
    at = Citation(src="ab" * 32, path="a", rec=1, chunk=0, ts_us=START)
    finding = Cited(
        rule_id="r",
        title="A channel",
        level="high",
        techniques=("T1071",),
        tactics=(),
        host="h1",
        kind="windows",
        at=at,
        fields={"DestinationIp": "203.0.113.9"},
    )
    incident = Incident(
        id="bench",
        title="A channel",
        rank="act now",
        score=1.0,
        because=(),
        level="high",
        first_us=START,
        last_us=START,
        findings=(finding,),
    )
    case = folder / cases.open_case(folder, incident, by="bench").id
    kept = planning.keep(case, planning.plan(case, Own(), people), "least disruptive", "bench")
    authorities = {name for action in kept.alternative.actions for name in action.authorities}
    with cases.writing(case) as log:
        for person in people:
            for subject in ("contain", *(f"consent:{name}" for name in authorities)):
                how = {"subject": subject, "choice": "yes", "reason": "x", "seen": kept.digest}
                cases.decide(log, person, keys[person.name], role="owner", **how)
    began = time.perf_counter()
    enforce.apply(case, kept, [place], Own(), people, "bench")
    (seen,) = watched.probed(case, [place])
    took = time.perf_counter() - began
    assert seen.stands
    enforce.undo(case, [place], "bench")
    return {"block_s": took}


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    figures = planned()
    if os.geteuid() == 0 and shutil.which("nft") and shutil.which("ip"):
        with tempfile.TemporaryDirectory() as name:
            figures |= enforced(Path(name))
    else:
        print("not measured: block_s, load_s and undo_equal want root, nft and ip", file=sys.stderr)
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
