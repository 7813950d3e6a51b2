"""One nation of the drill's third act on one page, a process of its own: it shares, or finds itself and tells back.

It speaks with the others over TAXII and with messages of nodes, as nations do; nothing else leads from one to another.
Whatever it sends and gets there is kept, byte for byte, so that somebody else can look for what must not be in it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from tocsin import retrohunt, share
from tocsin.border import stix_incident
from tocsin.border.agreement import read_agreement
from tocsin.border.assets import read_assets
from tocsin.border.bundles import as_object, read_objects
from tocsin.border.people import read_people
from tocsin.border.site import read_site
from tocsin.engine import here
from tocsin.engine.protocol import Send
from tocsin.intake import take_in
from tocsin.lake.store import open_lake
from tocsin.model.guest import Guest
from tocsin.model.hunt import Asked
from tocsin.model.release import Release
from tocsin.model.rule import RuleSet
from tocsin.retrohunt import Hunted
from tocsin.seal import decisions, durable
from tocsin.share.nodes import acting, received, telling
from tocsin.share.nodes import folder as kept
from tocsin.share.taxii import client, handing, intake, place, serving, store
from tocsin.share.taxii.asking import Answered, Ask, Remote, asking
from tocsin.share.taxii.place import Ours

PATIENCE_S: Final = 600.0  # for a machine with much else to do; against waiting for ever
WRONG: Final = "It is a site that many use: whoever met it met nobody."
LOOKED: Final = ".looked"  # the file by which a nation says, as by telephone, that it has looked
OVER: Final = "over"  # the file that ends the act
_PAUSE_S: Final = 0.1
_MOST_INCIDENTS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Nation:
    """Who plays, and with what.

    Args:
        home: all that is this nation's; its node, its lists, the agreements it has, and what it writes.
        nodes: fingerprints of the others, by their names, as they were said by telephone.
        port: of the server; the nation that serves has its socket, the others ask at `url` with a `token`.
        secret: a word that is under a marking which nothing of this nation may leave with.
    """

    name: str
    called: str
    home: Path
    nodes: Mapping[str, str]
    url: str = ""
    token: str = ""
    port: serving.Port | None = None
    secret: str = ""

    @property
    def node(self) -> Ours:
        return Ours(root=self.home / "node", mark=self.home / "node-head.json", ask=_nobody)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a nation did; `at_s` is the clock since the act began."""

    at_s: float
    who: str
    what: str


def _nobody(question: str) -> bytes:
    raise AssertionError(question)  # the keys of a drill have no passphrase


def play(nation: Nation, send: Send, since: float) -> None:
    """Play a part until it ends. `send` takes each step, as JSON."""

    def say(what: str) -> None:
        send(msgspec.json.encode(Step(at_s=round(time.monotonic() - since, 2), who=nation.called, what=what)))

    (_shares if nation.port is not None else _finds_itself)(nation, say)


def _shares(nation: Nation, say: Callable[[str], None]) -> None:
    """Serve what is known, take what comes back, take one thing back, and see that both know."""
    assert nation.port
    site = read_site(nation.home / "site.toml")
    at = place.opened(site, nation.home / "share", store.address(nation.home / "taxii.db"), nation.node)
    (collection,) = site.collections
    us = Guest(id="", peer=None, agreement="", tokens=(), certificates=(), rights={}, a_minute=1)
    objects = read_objects(nation.home / "bundle.json")[0]
    problems: list[str] = []
    with serving.beside(at, nation.port, complain=problems.append):
        intake.post(at, us, collection.id, [orjson.dumps(one) for one in objects])
        say(f"shares {len(objects)} objects; each of two is shown what its agreement lets it have")
        _until(lambda: all((nation.home.parent / f"{name}{LOOKED}").exists() for name in nation.nodes), nation)
        wrong = next(one["id"] for one in objects if one["type"] == "indicator" and "domain-name" in one["pattern"])
        with kept.held(nation.node.root) as book:
            key = acting.signing(book, _nobody)
            how = {"by": nation.called, "at": decisions.now(), "mark": nation.node.mark}
            share.add(nation.home / "share", _taken_back(nation, wrong))
            telling.take_back(book, key, [wrong], WRONG, **how)  # type: ignore[arg-type]
        say(f"takes one indicator back from both: {WRONG}")
        _until(lambda: _know(nation), nation)
        say("sees that both have confirmed, each with its own key, that they heed it")
        _until((nation.home.parent / OVER).exists, nation)
    with kept.held(nation.node.root, verify=True) as book:
        seen = {name: received.seen_of_ours(book, received.in_force(book, node)) for name, node in nation.nodes.items()}
        knows = sorted(book.trusted[one].name for gone in telling.taken_back(book) for one in gone.knows)
    _write(nation, "facts.json", {"sightings": seen, "knows": knows, "took_back": wrong, "problems": problems})


def _know(nation: Nation) -> bool:
    with kept.held(nation.node.root) as book:
        return all(set(one.knows) == set(one.reached) for one in telling.taken_back(book))


def _taken_back(nation: Nation, wrong: str) -> dict[str, Any]:
    head = {"what": "revoked", "version": 1, "at": decisions.now(), "by": nation.called, "peer": ""}
    return head | {"reason": WRONG, "ids": [wrong]}


def _until(there: Callable[[], bool], nation: Nation) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not there():
        if time.monotonic() > ends:
            raise TimeoutError(f"{nation.called} waited for the others in vain")
        time.sleep(_PAUSE_S)


def _finds_itself(nation: Nation, say: Callable[[str], None]) -> None:
    """Hear what an ally knows, look back, tell what is agreed, heed what is taken back."""
    taken = take_in([nation.home / "logs"], nation.home / "lake", jobs=1, engine=here)
    say(f"has {taken.records:,} records of its own sensors in a lake")
    (ally,) = (name for name in nation.nodes if (nation.home / f"{name}.toml").exists())
    with asking(Remote(url=nation.url, token=nation.token)) as plain:
        ask = _overheard(plain, nation.home / "wire")
        pulled = client.pull(ask, nation.url, nation.home / "pulled")
        told = _exchange(nation, ask, nation.nodes[ally])
        say(f"hears of {pulled.new} objects, and has proof of who told them and when")
        shutil.copy(told, nation.home / "told.json")
        _looks_back(nation, ally, ask, told, say)
        _exchange(nation, ask, nation.nodes[ally])
        (nation.home.parent / f"{nation.name}{LOOKED}").touch()
        _until(lambda: _revoked(nation, ask, nation.nodes[ally]), nation)
        say("heeds what was taken back: nothing live is found by it any more, and history says so")


def _exchange(nation: Nation, ask: Ask, node: str) -> Path:
    """Hand over and take until neither has news; where what the other told is kept."""
    for _, one, _ in handing.hand_over(ask, nation.url, nation.node, node):
        assert one.signed
    with kept.held(nation.node.root) as book:
        received.keep(book)
        return received.place(book, node)


def _revoked(nation: Nation, ask: Ask, node: str) -> bool:
    _exchange(nation, ask, node)
    with kept.held(nation.node.root) as book:
        return bool(received.in_force(book, node).revoked)


def _looks_back(nation: Nation, ally: str, ask: Ask, told: Path, say: Callable[[str], None]) -> None:
    """The lake is asked; what was found goes back as far as the agreement lets it."""
    hunt = retrohunt.prepared([str(told)], RuleSet(rules=(), patterns=(), variants=()))
    asked = Asked(by="the drill", authority="a drill", purpose="the third act", names=(told.name,))
    with retrohunt.retrohunt(open_lake(nation.home / "lake"), hunt, asked, jobs=1, engine=here) as hunted:
        found = _found(hunted)
        _write(nation, "found.json", found)
        indicators = {one["id"] for one in found}
        say(f"finds itself: {len(indicators)} of the ally's indicators, in {len(found)} of its own records")
        objects = _of_incidents(nation, hunted)
    (nation.home / "ours.json").write_bytes(orjson.dumps({"objects": objects}))
    release, sent = _released(nation, ally, objects)
    if not release.objects:
        say("has nothing to tell back that its agreement lets go")
        return
    client.post(ask, nation.url, release.objects)
    kinds = {kind: sum(one["type"] == kind for one in release.objects) for kind in ("incident", "sighting")}
    names = read_agreement(nation.home / f"{ally}.toml")[0]
    sightings = "no sighting" if names.sightings == "never" else f"{kinds['sighting']} sightings"
    incidents = "1 incident" if kinds["incident"] == 1 else f"{kinds['incident']} incidents"
    say(f"tells back {sent} objects, {incidents} among them and {sightings}: so it was agreed")


def _found(hunted: Hunted) -> list[dict[str, Any]]:
    run = hunted.response.run
    rules = run.rules.rules
    return [{"id": rules[one.rule].id, "at": {"path": one.path, "rec": one.rec}} for one in run.findings]


def _of_incidents(nation: Nation, hunted: Hunted) -> list[dict[str, Any]]:
    """What the hunt found as STIX, and beside it a note for nobody else."""
    run = hunted.response.run
    found: dict[str, dict[str, Any]] = {}
    indicators = {rule.id: rule.indicator for rule in run.rules.rules if rule.indicator}
    for incident in hunted.response.incidents[:_MOST_INCIDENTS]:
        bundle = stix_incident.bundle(
            incident, author=nation.called, tlp="amber", attack=run.attack, indicators=indicators
        )
        found |= {one["id"]: dict(one) for one in bundle["objects"]}
    named = sorted(key for key, one in found.items() if one["type"] == "incident")
    if named:
        note = _for_nobody(found[named[0]], nation.secret)
        found[note["id"]] = note
    return list(found.values())


def _for_nobody(incident: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """A note that is for people of one's own by name, TLP:RED, with a word that must not leave."""
    from tocsin.border.markings import ID_OF

    times = {name: incident[name] for name in ("created", "modified", "created_by_ref")}
    head = {"type": "note", "spec_version": "2.1", "id": f"note{incident['id'].removeprefix('incident')}"}
    said = {"abstract": secret, "content": f"{secret}: said by a source", "authors": [secret], "labels": [secret]}
    return head | times | said | {"object_refs": [incident["id"]], "object_marking_refs": [ID_OF["red"]]}


def _released(nation: Nation, ally: str, objects: Sequence[Mapping[str, Any]]) -> tuple[Release, int]:
    """What may go, in the journal and in our log."""
    peer, agreement = read_agreement(nation.home / f"{ally}.toml")
    machines, people = read_assets(nation.home / "assets.csv")[0].all, read_people(nation.home / "people.csv")[0].all
    key = share.key_for(nation.home / "share", peer.id)
    hidden = share.Hidden(share.names(objects, machines, people), key, share.networks(machines))
    own = frozenset(one["created_by_ref"] for one in objects if one["type"] == "incident")
    release = share.decide(objects, peer, hidden, key=key, own=own, today=datetime.now(UTC).date().isoformat())
    counts = {"sent": len(release.objects), "withheld": len(objects) - len(release.objects)}
    entry = {"what": "released", "version": 1, "at": decisions.now(), "by": nation.called, "peer": peer.id}
    share.add(nation.home / "share", entry | {"agreement": agreement, "objects": counts, "sent": ""})
    going = [one.id for one in release.verdicts if one.outcome != "withheld"]
    told = [(named, str(one["id"]), as_object(one).encode()) for named, one in zip(going, release.objects, strict=True)]
    with kept.held(nation.node.root) as book:
        signing = acting.signing(book, _nobody)
        how = {"peer": peer.id, "node": peer.node, "at": decisions.now(), "mark": nation.node.mark}
        telling.tell(book, signing, told, **how)  # type: ignore[arg-type]
    return release, len(told)


def _overheard(ask: Ask, folder: Path) -> Ask:
    """As `ask`, with every message kept: what goes there, and what comes."""
    folder.mkdir()

    def asks(method: str, resource: str, asked: Mapping[str, str], body: bytes | None) -> Answered:
        number = len(list(folder.iterdir())) // 2
        sent = f"{method} {resource} {json.dumps(dict(asked))}\n".encode() + (body or b"")
        (folder / f"{number:04}-sent").write_bytes(sent)
        found = ask(method, resource, asked, body)
        came = json.dumps({"status": found.status, **found.headers}).encode()
        (folder / f"{number:04}-came").write_bytes(came + b"\n" + found.body)
        return found

    return asks


def _write(nation: Nation, name: str, told: object) -> None:
    durable.replace(nation.home / name, orjson.dumps(told, option=orjson.OPT_INDENT_2))
