"""The drill's third act on one page: one nation shares, two find themselves in it, and tell back what they agreed to.

Three processes on this machine, each with a node, a home and agreements of its own; they meet at the server of one of
them, and nowhere else. What they sent is then held against what must not have left.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin import nation, rehearse
from tocsin.border.markings import ID_OF
from tocsin.engine import local
from tocsin.engine.protocol import Done
from tocsin.errors import ShareError
from tocsin.model.node import Trusted
from tocsin.nation import Nation, Step
from tocsin.rehearse import Made, Profile, exchanged
from tocsin.seal import decisions
from tocsin.share.nodes import acting
from tocsin.share.nodes import folder as kept
from tocsin.share.taxii import rights, serving

MOST_RECORDS: Final = 30_000  # of a drill whose own evidence is looked through; of a larger one, a small one like it
_SMALL: Final = 20_000
_ALLY: Final = "ally"
CALLED: Final = {_ALLY: "the ally", "ps": "the Service's nation", "lc": "the Counsel's nation"}
_SENSORS: Final = ("dns", "firewall", "mail", "web", "zeek")  # what sees that an indicator was met
_COLLECTION: Final = "6f1d3a52-7c1e-4d0b-9a55-2f1f0c0a9d11"
# How far they go with each other. One of them never tells what it saw, and is told less.
_LETS: Final = {"ps": ("amber+strict", "as marked"), "lc": ("amber", "never")}
_ASKED: Final = re.compile(r"query: ([a-z0-9.-]+) IN")
_MOST_MET: Final = 5
_RED, _STRICT = "word-for-nobody-{}", "word-for-one-{}"


def play(
    made: Made,
    habits: Profile | None,
    folder: Path,
    *,
    on_step: Callable[[Step], None] = lambda step: None,
) -> dict[str, Any]:
    """Play it below `folder`, which is made; its figures are those of `exchanged.score`, and seconds.

    Raises:
        ShareError: one of them could not play on.
    """
    began = time.monotonic()
    folder.mkdir()
    seed = int(json.loads(made.truth.read_bytes())["seed"])
    if made.records > MOST_RECORDS:
        made = rehearse.make(seed=seed, events=_SMALL, folder=folder / "evidence", profile=habits)
    with serving.bound() as port:
        players = _players(made, folder, port, seed)
        for step in _played(players, folder, began):
            on_step(step)
    promised = _promised(made, seed)
    (folder / "promised.json").write_text(json.dumps(promised, indent=1) + "\n", encoding="utf-8")
    truth, known = json.loads(made.truth.read_bytes()), json.loads((made.partner / "known.json").read_bytes())
    first = known["indicators"][0]["id"]
    known["indicators"] += [{"id": _beside(first, number), "shared": True} for number, _ in enumerate(_met(made), 2)]
    figures = exchanged.score(truth, known, folder, promised)
    return figures | {"seconds": round(time.monotonic() - began, 2)}


def _played(players: Sequence[Nation], folder: Path, since: float) -> Iterator[Step]:
    left = len(players)
    work = partial(nation.play, since=since)
    # This process has looked into a lake, whose library cannot be forked.
    for said in local.run(players, work, jobs=len(players), silence_s=nation.PATIENCE_S, afresh=[nation.__name__]):
        if not isinstance(said, Done):
            yield msgspec.json.decode(said.content, type=Step)
            continue
        if said.failure:
            hint = "It is no fault of the evidence; play it again, and tell us if it stays so."
            raise ShareError(f"the third act: {players[said.task].called}: {said.failure}", hint=hint)
        left -= 1
        if left == 1:  # those who ask are done; the one who serves waits for that
            (folder / nation.OVER).touch()


def _players(made: Made, folder: Path, port: serving.Port, seed: int) -> list[Nation]:
    """Homes, nodes, what was said by telephone, agreements, and what each knows."""
    nodes, tokens = {}, {name: rights.token() for name in _LETS}
    for name in CALLED:
        home = folder / name
        home.mkdir()
        nodes[name] = acting.begin(home / "node", name, at=decisions.now()).node
    for name in CALLED:
        for other, node in nodes.items():
            if other != name:
                at = decisions.now()
                kept.trust(folder / name / "node", Trusted(node=node, name=other, by="the drill", added_at=at))
    _agree(folder, nodes, tokens)
    _shared(made, folder / _ALLY, seed)
    for name in _LETS:
        _evidence(made, folder / name, name)
    url = f"http://127.0.0.1:{port.getsockname()[1]}/allies/collections/{_COLLECTION}/"
    others = {name: {key: node for key, node in nodes.items() if key != name} for name in CALLED}
    ally = Nation(name=_ALLY, called=CALLED[_ALLY], home=folder / _ALLY, nodes=others[_ALLY], port=port)
    return [
        ally,
        *(
            Nation(
                name=name,
                called=CALLED[name],
                home=folder / name,
                nodes=others[name],
                url=url,
                token=tokens[name][0],
                secret=_RED.format(f"{name}-{seed}"),
            )
            for name in _LETS
        ),
    ]


def _agree(folder: Path, nodes: dict[str, str], tokens: dict[str, tuple[str, str]]) -> None:
    """Each pair has an agreement, each side of it in its own file; and the one who serves has a site."""
    guests = []
    for name, (tlp, sightings) in _LETS.items():
        told = f'version = 1\nid = "{{}}"\nname = "{{}}"\npap = "red"\ntlp = "{tlp}"\nnode = "{{}}"\n'
        (folder / _ALLY / f"{name}.toml").write_text(told.format(name, CALLED[name], nodes[name]))
        ours = told.format(_ALLY, CALLED[_ALLY], nodes[_ALLY]) + f'sightings = "{sightings}"\n'
        (folder / name / f"{_ALLY}.toml").write_text(ours)
        guests.append(
            f'[[guest]]\nagreement = "{name}.toml"\ntokens = ["{tokens[name][1]}"]\na-minute = 100000\n'
            f'rights = {{ five = ["read", "write"] }}\n'
        )
    head = f'version = 1\ntitle = "An ally of the drill"\nown = ["{{}}"]\n\n[[collection]]\nid = "{_COLLECTION}"\n'
    (folder / _ALLY / "site.toml").write_text(head + 'title = "Five"\nalias = "five"\n\n' + "\n".join(guests))


def _shared(made: Made, home: Path, seed: int) -> None:
    """What the ally shares: what it knows, one thing for nobody, and one that goes no further than one agreement."""
    bundle = json.loads((made.partner / "bundle.json").read_bytes())
    us = next(one for one in bundle["objects"] if one["type"] == "identity")
    us["object_marking_refs"] = [ID_OF["clear"]]  # without it no agreement lets their name go
    first = next(one for one in bundle["objects"] if one["type"] == "indicator")
    for number, (word, marking) in enumerate(((_RED, "red"), (_STRICT, "amber+strict"))):
        said = word.format(f"{_ALLY}-{seed}")
        more: dict[str, Any] = {"id": _beside(first["id"], number), "name": said, "labels": [said], "revoked": False}
        more |= {"description": f"From a source: {said}.", "pattern": f"[domain-name:value = '{said}.test']"}
        bundle["objects"].append(first | more | {"object_marking_refs": [ID_OF[marking]]})
    for number, domain in enumerate(_met(made), 2):
        more = {"id": _beside(first["id"], number), "name": "A server of theirs", "revoked": False}
        bundle["objects"].append(first | more | {"pattern": f"[domain-name:value = '{domain}']"})
    (home / "bundle.json").write_text(json.dumps(bundle))
    site = home / "site.toml"
    site.write_text(site.read_text().replace('own = ["{}"]', f'own = ["{us["id"]}"]'))


def _beside(named: str, number: int) -> str:
    return f"{named[:-4]}f00{number}"


def _met(made: Made) -> list[str]:
    """Names that whoever attacked the Counsel used there, as its resolver wrote them: the ally met them, too.

    What `partner/` tells of is of the Service's attackers; they need not have used it twice in one drill.
    """
    found = set()
    for incident in json.loads(made.truth.read_bytes())["incidents"]:
        for record in (one for step in incident["steps"] for one in step["records"]):
            if incident["campaign"] == "campaign-1" and record["path"].startswith("dns/ns01-lc/"):
                line = (made.logs / record["path"]).read_text(encoding="utf-8").splitlines()[record["line"] - 1]
                found |= set(_ASKED.findall(line))
    return sorted(found)[:_MOST_MET]


def _evidence(made: Made, home: Path, name: str) -> None:
    """A nation has what its own network sensors wrote: their folders or files end with its letters."""
    for path in made.logs.rglob("*"):
        inside = path.relative_to(made.logs)
        parts = [word for part in inside.parts for word in re.split(r"[-.]", part.lower())]
        if path.is_file() and inside.parts[0] in _SENSORS and name in parts:
            goal = home / "logs" / inside
            goal.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, goal)
            except OSError:  # another disk
                shutil.copy(path, goal)
    for path in (made.assets, made.people):
        shutil.copy(path, home)


def _promised(made: Made, seed: int) -> dict[str, Any]:
    """What must hold, for somebody who knows nothing of how it was done."""
    names: set[str] = set()
    columns = {made.assets: ("name", "also", "addresses"), made.people: ("name", "accounts", "mailboxes")}
    for path, wanted in columns.items():
        with path.open(newline="", encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                words = [word.strip() for column in wanted for word in re.split(r"[|;]", row[column])]
                names |= {part for word in words for part in (word, word.rpartition("\\")[2])}
    strict = _STRICT.format(f"{_ALLY}-{seed}")
    goes = {name: sightings != "never" for name, (_, sightings) in _LETS.items()}
    return {
        "names": sorted(name for name in names if len(name) > 5),
        "secrets": [_RED.format(f"{name}-{seed}") for name in CALLED],
        "secrets_but_for": {strict: ["ps"]},
        "sightings": goes,
    }
