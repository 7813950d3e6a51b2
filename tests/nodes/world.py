"""Nodes that exchange over a network of the worst kind, seeded; what they keep is on a disk, and read each time."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tocsin.errors import ShareError
from tocsin.model.node import Entry, Objects, Revocation, Trusted
from tocsin.share.nodes import acting, forks, messages, receiving, statements, telling
from tocsin.share.nodes import folder as kept
from tocsin.share.nodes.folder import Folder


def no_passphrase(question: str) -> bytes:
    raise AssertionError(question)


@dataclass
class World:
    """`honest` are folders of nodes that never say two things; `liar` has two folders under one key."""

    root: Path
    seed: int
    clock: int = 0
    honest: dict[str, Path] = field(default_factory=dict)
    liars: tuple[Path, ...] = ()
    ids: dict[str, str] = field(default_factory=dict)
    flying: list[tuple[Path, bytes]] = field(default_factory=list)
    apart: dict[Path, int] = field(default_factory=dict)
    backups: dict[Path, Path] = field(default_factory=dict)
    unread: int = 0
    told: list[str] = field(default_factory=list)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def now(self) -> str:
        self.clock += 1
        return (
            f"2026-11-28T{self.clock // 3600 % 24:02}:{self.clock // 60 % 60:02}:{self.clock % 60:02}.{self.clock:06}Z"
        )

    def begin(self, honest: int, *, liar: bool) -> None:
        for name in [*(f"n{number}" for number in range(honest)), *(["liar"] if liar else [])]:
            path = self.root / name
            self.ids[name] = acting.begin(path, name, at=self.now()).node
            self.honest[name] = path
        for name, path in self.honest.items():
            for other, node in self.ids.items():
                if other != name:
                    kept.trust(path, Trusted(node=node, name=other, by="t", added_at=self.now()))
        if liar:
            first = self.honest.pop("liar")
            second = self.root / "liar-2"
            self.tell(first, "n0")
            shutil.copytree(first, second)
            self.liars = (first, second)

    @property
    def everybody(self) -> list[Path]:
        return [*self.honest.values(), *self.liars]

    @contextmanager
    def held(self, path: Path) -> Iterator[Folder]:
        """A liar does not mind that it was found out, and goes on."""
        with kept.held(path) as folder:
            if path in self.liars:
                folder.known.books[folder.node].fork = None
            yield folder

    def tell(self, path: Path, to: str) -> None:
        with self.held(path) as folder:
            key = acting.signing(folder, no_passphrase)
            named = f"indicator--{len(self.told):08}-0000-4000-8000-{self.seed % 10**12:012}"
            self.told.append(named)
            content = json.dumps({"type": "indicator", "id": named, "from": folder.about.name}).encode()
            telling.tell(folder, key, [(named, named, content)], peer=to, node=self.ids[to], at=self.now())

    def lie(self, path: Path) -> None:
        """The next entry of this self, whatever the other one wrote."""
        with kept.held(path) as folder:
            key, last = acting.speaking(folder, no_passphrase), folder.own[-1]
            body = Objects(payloads=(f"{self.chance.getrandbits(256):064x}",))
            place = {"node": folder.node, "branch": last.branch, "sequence": last.sequence + 1, "prev": last.digest}
            folder.add_own([statements.entry(body, at=self.now(), key=key, **place)])

    def take_back(self, path: Path) -> None:
        with kept.held(path) as folder:
            gone = {each for one in telling.taken_back(folder) for each in one.objects}
            there = [here for _, sent in folder.sent() if sent.node for here, _, _ in sent.objects if here not in gone]
            if there:
                key = acting.signing(folder, no_passphrase)
                telling.take_back(folder, key, [self.chance.choice(there)], "wrong", by="t", at=self.now())

    def rotate(self, path: Path) -> None:
        with kept.held(path) as folder:
            acting.rotate(folder, acting.signing(folder, no_passphrase), "planned", at=self.now())

    def send(self, path: Path, to: str) -> bytes:
        with kept.held(path) as folder:
            key = acting.speaking(folder, no_passphrase)
            return messages.written(receiving.answer(folder, key, self.ids[to], at=self.now()))

    def receive(self, path: Path, content: bytes) -> None:
        """`unread`: its sender took a new key, and believes this node to know that, which came back from a backup."""
        with kept.held(path) as folder:
            found = receiving.receive(folder, messages.read(content), at=self.now())
            self.unread += not found.signed

    def names_of(self, path: Path) -> list[str]:
        mine = path.name.partition("-")[0]
        return [name for name in self.ids if name != mine]

    def step(self) -> None:
        """Something happens somewhere."""
        path = self.chance.choice(self.everybody)
        match self.chance.choices(
            ("tell", "send", "arrive", "part", "tear", "take back", "rotate", "back up", "restore"),
            (6, 20, 24, 3, 3, 3, 0.7, 1, 0.7),
        )[0]:
            case "tell":
                with suppress(ShareError) if path in self.liars else nullcontext():  # its other self stands there
                    self.tell(path, self.chance.choice(self.names_of(path)))
            case "send":
                to = self.chance.choice(self.names_of(path))
                content = self.send(path, to)
                there = [self.honest[to]] if to in self.honest else list(self.liars)
                for goal in there:
                    if self.apart.get(path, 0) == self.apart.get(goal, 0):
                        self.flying += [(goal, content)] * self.chance.choice((1, 1, 1, 2))
            case "arrive":  # any of them: delayed, overtaken, and some never
                if self.flying:
                    goal, content = self.flying.pop(self.chance.randrange(len(self.flying)))
                    if self.chance.random() < 0.8:
                        self.receive(goal, content)
            case "part":
                self.apart = {one: self.chance.randrange(2) for one in self.everybody}
            case "tear":  # it died in the midst of a line
                with (path / self.chance.choice((kept.OWN, kept.OTHERS))).open("ab") as file:
                    file.write(b'{"payload":"' + self.chance.randbytes(self.chance.randrange(20)).hex().encode())
            case "take back" if path in self.honest.values():
                self.take_back(path)
            case "rotate" if path in self.honest.values():
                self.rotate(path)
            case "back up" if path in self.honest.values():
                self.backups[path] = self.root / f"backup-{path.name}-{self.clock}"
                shutil.copytree(path, self.backups[path])
            case "restore" if path in self.backups:
                self.restore(path)

    def restore(self, path: Path) -> None:
        """Back from a backup; keys of later rotations are gone, so only where there were none."""
        backup = self.backups.pop(path)
        with kept.held(path) as now, kept.held(backup) as then:
            rotated = any(one.kind == "rotation" for one in now.own[len(then.own) :])
        if rotated:
            return
        shutil.rmtree(path)
        backup.rename(path)
        with kept.held(path) as folder:
            acting.restored(folder, acting.signing(folder, no_passphrase), at=self.now())

    def round(self) -> None:
        """Everybody hands something to everybody."""
        for path in self.everybody:
            for to in self.names_of(path):
                content = self.send(path, to)
                for goal in [self.honest[to]] if to in self.honest else self.liars:
                    self.receive(goal, content)

    def states(self) -> dict[str, bytes]:
        found = {}
        for name, path in self.honest.items():
            with kept.held(path) as folder:
                found[name] = folder.known.agreed()
        return found

    def revocations(self, folder: Folder) -> set[str]:
        honest = [node for name, node in self.ids.items() if name in self.honest]
        standing: list[Entry] = [one for node in honest for one in folder.known.books[node].standing()]
        return {one.digest for one in standing if isinstance(one.body, Revocation)}

    def proofs(self) -> dict[str, bytes]:
        found = {}
        for name, path in self.honest.items():
            with kept.held(path) as folder:
                fork = folder.known.books[self.ids["liar"]].fork
                found[name] = forks.written(fork) if fork is not None else b""
        return found
