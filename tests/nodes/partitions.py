"""One seeded run of nodes that exchange over the worst of networks, and what must hold once it has healed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nodes.world import World
from tocsin.model.node import Receipt
from tocsin.share.nodes import folder as kept
from tocsin.share.nodes import forks, receiving, telling


@dataclass(frozen=True)
class Run:
    rounds: int
    revocations: int
    restored: int
    unread: int
    behind: int


def run(root: Path, seed: int, *, steps: int) -> Run:
    """Five nodes, of which one has two logs under its key; a storm, then rounds in which everybody hands on."""
    world = World(root, seed)
    world.begin(4, liar=True)
    for _ in range(steps):
        world.step()
    world.apart, world.flying = {}, []
    # Both of the liar's selves say something once more, so that there is something to be proven.
    for path in world.liars:
        world.lie(path)
    written: set[str] = set()
    for path in world.honest.values():
        with kept.held(path) as folder:
            written |= world.revocations(folder)
    for _ in range(2):
        world.round()
    restored = behind = 0
    for path in world.honest.values():
        with kept.held(path, verify=True) as folder:
            assert world.revocations(folder) >= written, (seed, path.name)
            _confirmed(folder)
            restored += sum(len(book.restorations()) for book in folder.known.books.values())
            behind += sum(bool(one.behind_since) for one in folder.peers.values())
    rounds = 2
    while len(set(world.states().values())) > 1:
        world.round()
        rounds += 1
        assert rounds < 6, f"seed {seed}: no agreement after {rounds} rounds"
    proofs = set(world.proofs().values())
    assert len(proofs) == 1, f"seed {seed}: {len(proofs)} different proofs"
    proof = forks.of_file(proofs.pop())
    assert proof.node == world.ids["liar"]
    for path in world.honest.values():
        with kept.held(path) as folder:
            accused = {node for node, book in folder.known.books.items() if book.fork is not None}
            assert accused == {proof.node}, f"seed {seed}: somebody honest is taken for a liar"
            assert not any(one.sequence >= proof.sequence for one in folder.known.books[proof.node].standing())
    return Run(rounds=rounds, revocations=len(written), restored=restored, unread=world.unread, behind=behind)


def _confirmed(folder: kept.Folder) -> None:
    """Whoever holds something that was taken back has said so in their log, once they had something to hand on."""
    given = {one for entry in folder.own if isinstance(entry.body, Receipt) for one in entry.body.of}
    due = telling.unconfirmed(folder)
    assert not set(due) & given
    assert receiving.furthest(folder.known.books[folder.node], folder.own[-1].branch) >= 0
