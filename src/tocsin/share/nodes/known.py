"""What nodes said in, all that one node knows of the others and of itself out; and what of it is news to somebody else.

Nothing here reads or writes anything: how messages travel, as files, over TAXII or by hand, makes no difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tocsin.errors import ShareError
from tocsin.model.node import Entry, Fork, Head, Place
from tocsin.seal import keys
from tocsin.seal.chain import ROOT
from tocsin.share.nodes import forks, statements
from tocsin.share.nodes.book import Book, Outcome

NOTHING: Final = -1  # the number of the last entry that is known, where none is


@dataclass(frozen=True, slots=True, kw_only=True)
class Has:
    """How far somebody knows one branch of a log; a log that they follow and know nothing of has one with NOTHING.

    Args:
        log: a digest of its node's name: who follows that log as well knows it, and nobody else learns who is followed.
    """

    log: str
    branch: str
    sequence: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one node hands to another: its head, which is signed over all the rest; how far it knows; and news.

    Args:
        to: name of the node that it is for.
        got: entries of that node, by digest, of which payloads have come: told to it alone, and in no log.
        payloads: what was told to that node, by salted digest: the salt, and the bytes.
    """

    head: Head
    to: str
    has: tuple[Has, ...]
    got: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    heads: tuple[Head, ...] = ()
    forks: tuple[Fork, ...] = ()
    payloads: tuple[tuple[str, bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What came of one statement: of which node's log, and for a refusal why."""

    node: str
    outcome: Outcome
    kind: str
    sequence: int
    why: str = ""


@dataclass(slots=True)
class Known:
    """Books by node. Only nodes that a person trusts have one: what others say, or is said of others, is not kept."""

    books: dict[str, Book] = field(default_factory=dict)

    def follow(self, node: str) -> Book:
        return self.books.setdefault(node, Book(node))

    def take(self, said: Iterable[Entry | Head | Fork]) -> list[Note]:
        """Take statements, whatever their order. The same statements lead to the same state."""
        notes = []
        for one in sorted(said, key=_order):
            node = one.place.node if isinstance(one, Head) else one.node
            sequence = one.place.sequence if isinstance(one, Head) else one.sequence
            kind = one.kind if isinstance(one, Entry) else "head" if isinstance(one, Head) else "fork"
            book = self.books.get(node)
            outcome: Outcome = book.take(one) if book is not None else "refused"
            why = "" if outcome != "refused" else book.why if book is not None else "nobody here trusts its node"
            notes.append(Note(node=node, outcome=outcome, kind=kind, sequence=sequence, why=why))
        return notes

    def has(self) -> tuple[Has, ...]:
        """How far each log that is followed is known here."""
        found = []
        for node, book in sorted(self.books.items()):
            tips = book.tips()
            log = log_of(node)
            found += [Has(log=log, branch=one.branch, sequence=one.sequence, digest=one.digest) for one in tips]
            if not tips:
                found.append(nothing_of(node))
        return tuple(found)

    def news(self, has: Sequence[Has]) -> tuple[tuple[Entry, ...], tuple[Head, ...], tuple[Fork, ...]]:
        """What somebody does not know who knows this. Of logs that they do not follow nothing is said."""
        asked: dict[str, dict[str, Has]] = {}
        for one in has:
            asked.setdefault(one.log, {})[one.branch] = one
        entries: list[Entry] = []
        heads: list[Head] = []
        proofs: list[Fork] = []
        for node, book in sorted(self.books.items()):
            if (theirs := asked.get(log_of(node))) is None:
                continue
            entries += [one for one in book.standing() if _is_news(one, theirs, book)]
            heads += [head for _, head in sorted(book.heads.items())]
            if book.fork is not None:
                proofs.append(book.fork)
        return tuple(entries), tuple(heads), tuple(proofs)

    def agreed(self) -> bytes:
        """What two nodes that follow the same logs and know the same hold byte for byte."""
        lines = []
        for node, book in sorted(self.books.items()):
            lines += [one.sealed for one in book.standing()]
            lines += [forks.written(book.fork)] if book.fork is not None else []
            lines.append(node.encode("ascii"))
        return b"\n".join(lines)


def log_of(node: str) -> str:
    return hashlib.sha256(f"log of {node}".encode("ascii")).hexdigest()


def nothing_of(node: str) -> Has:
    return Has(log=log_of(node), branch="", sequence=NOTHING, digest=ROOT)


def _is_news(entry: Entry, has: dict[str, Has], book: Book) -> bool:
    """Beyond what they know of the branch; or all of it, where another entry stands there with them."""
    known = has.get(entry.branch)
    if known is None or entry.sequence > known.sequence:
        return True
    return book.at.get((entry.branch, known.sequence), known.digest) != known.digest


def message(
    known: Known,
    me: Place,
    key: keys.Signing,
    *,
    to: str,
    has: Sequence[Has],
    at: str,
    got: Collection[str] = (),
    payloads: Collection[tuple[str, bytes, bytes]] = (),
) -> Message:
    """What to hand to a node.

    Args:
        me: the end of this node's own log.
        has: what that node told it knows; it is told of no other log.
        payloads: what it was told and has not said that it has.
    """
    entries, heads, proofs = known.news(has)
    mine, came, given = known.has(), tuple(sorted(got)), tuple(sorted(payloads))
    # A head of ours says less than the one that this message begins with.
    heads = tuple(head for head in heads if head.place.node != me.node)
    carries = _carries(to=to, has=mine, got=came, entries=entries, heads=heads, proofs=proofs, payloads=given)
    return Message(
        head=statements.head(me, at=at, carries=carries, key=key),
        to=to,
        has=mine,
        got=came,
        entries=entries,
        heads=heads,
        forks=proofs,
        payloads=given,
    )


def check(told: Message, me: str) -> None:
    """That a message is for us, and as its sender signed it. Whether the signature holds is known with the log.

    Raises:
        ShareError: it is for another node, or was changed on its way.
    """
    if told.to != me:
        raise ShareError(
            f"the message is for {told.to}, and this node is {me}", hint="Ask who handed it over for the one for you."
        )
    carries = _carries(
        to=told.to,
        has=told.has,
        got=told.got,
        entries=told.entries,
        heads=told.heads,
        proofs=told.forks,
        payloads=told.payloads,
    )
    if told.head.carries != carries:
        hint = "Something was taken out, put in or changed on its way. Ask for it again, over another way."
        raise ShareError("the message is not as its sender signed it", hint=hint)


def _carries(
    *,
    to: str,
    has: Sequence[Has],
    got: Sequence[str],
    entries: Sequence[Entry],
    heads: Sequence[Head],
    proofs: Sequence[Fork],
    payloads: Sequence[tuple[str, bytes, bytes]],
) -> str:
    """Over each part of a message under its name, so that none can pass for another."""
    whole = hashlib.sha256(f"to {to}\n".encode())
    for one in has:
        whole.update(f"has {one.log} {one.branch} {one.sequence} {one.digest}\n".encode())
    for digest in got:
        whole.update(f"got {digest}\n".encode())
    for entry in entries:
        whole.update(f"entry {hashlib.sha256(entry.sealed).hexdigest()}\n".encode())
    for head in heads:
        whole.update(f"head {hashlib.sha256(head.sealed).hexdigest()}\n".encode())
    for fork in proofs:
        whole.update(f"fork {hashlib.sha256(forks.written(fork)).hexdigest()}\n".encode())
    for digest, _, _ in payloads:
        whole.update(f"payload {digest}\n".encode())
    return whole.hexdigest()


def _order(one: Entry | Head | Fork) -> tuple[int, int, bytes]:
    """Entries by their numbers, then heads and proofs, which speak of them."""
    if isinstance(one, Entry):
        return (0, one.sequence, one.sealed)
    if isinstance(one, Head):
        return (1, one.place.sequence, one.sealed)
    return (2, one.sequence, one.statements[0])
