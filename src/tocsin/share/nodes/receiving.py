"""A message of a peer in, what was learned of it out: news, who keeps something back, and who said two things."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocsin.errors import ShareError
from tocsin.model.node import Entry, Fork, Head
from tocsin.seal import keys
from tocsin.share.nodes import acting, known, payloads, telling
from tocsin.share.nodes.book import Book
from tocsin.share.nodes.folder import Folder, Peered
from tocsin.share.nodes.known import Message, Note

AHEAD_US: Final = 24 * 3600 * 10**6  # clocks differ; a day is told of


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What came of a message.

    Args:
        new: entries that stand and were not known before, by node.
        given_back: entries of our own that this folder did not remember.
        forks: proofs that are new, or stronger than those that were known.
        refused: statements that were left out, and why.
        payloads: how many came; `foreign` are those that no entry of its sender names.
        signed: whether the key that speaks for its sender now signed it. If not, only what holds by itself was kept.
        old: it says nothing newer of its sender than is known: sent twice, or overtaken.
        withholds: it shows a head, and does not give the entries up to it.
        ahead: its time lies ahead of ours by more than a day.
    """

    of: str
    new: dict[str, int]
    given_back: int
    forks: tuple[Fork, ...]
    refused: tuple[Note, ...]
    payloads: int
    foreign: int
    signed: bool
    old: bool
    withholds: bool
    ahead: bool


def receive(folder: Folder, told: Message, *, at: str, mark: Path | None = None) -> Received:
    """Take what a peer handed over. Payloads are kept before the entries that name them.

    Raises:
        ShareError: it is for another node, was changed on its way, or is of a node that nobody here trusts.
    """
    known.check(told, folder.node)
    sender = told.head.place.node
    if sender not in folder.trusted:
        hint = "Ask them for their fingerprint over another way, and say `tocsin node trust NAME FINGERPRINT`."
        raise ShareError(f"the message is of {sender}, a node that nobody here trusts", hint=hint)
    before = {node: _state(book) for node, book in folder.known.books.items()}
    # Entries and proofs hold by themselves, whoever brings them. They first: the key that the sender signs with now
    # may be handed on in this very message, or may be that of another log under the same key.
    notes = folder.known.take([*told.entries, *told.forks])
    book = folder.known.books[sender]
    signed = book.speaks(told.head)
    notes += folder.known.take([told.head, *told.heads])
    kept, foreign = _keep_payloads(folder, book, told) if signed else (0, 0)
    forks = _keep(folder, before, mark)
    old = _heard(folder, told, at) if signed else False
    _compare(folder, at)
    folder.keep_peers()
    new = {
        node: count
        for node, each in sorted(folder.known.books.items())
        if (count := sum(one.digest not in before[node][0] for one in each.standing()))
    }
    shown = told.head.place
    return Received(
        of=sender,
        new=new,
        given_back=new.pop(folder.node, 0),
        forks=forks,
        refused=tuple(one for one in notes if one.outcome == "refused"),
        payloads=kept,
        foreign=foreign,
        old=old,
        signed=signed,
        withholds=signed and book.fork is None and not old and shown.digest not in book.entries,
        ahead=_us(told.head.at) > _us(at) + AHEAD_US,
    )


_State = tuple[dict[str, Entry], dict[str, Head], Fork | None]


def _state(book: Book) -> _State:
    return dict(book.entries), dict(book.heads), book.fork


def _keep(folder: Folder, before: dict[str, _State], mark: Path | None) -> tuple[Fork, ...]:
    """Write what is new; entries of our own that follow from our last one are our log again."""
    lines: list[Entry | Head | Fork] = []
    forks: list[Fork] = []
    for node, book in sorted(folder.known.books.items()):
        entries, heads, fork = before[node]
        new = [one for digest, one in book.entries.items() if entries.get(digest) is not one]
        if node == folder.node:
            back = _following(folder.own[-1], new)
            if back and book.fork is None:
                folder.add_own(back)
                acting.remember(folder, mark)
                new = [one for one in new if one not in back]
        lines += new
        lines += [one for branch, one in sorted(book.heads.items()) if heads.get(branch) is not one]
        if book.fork is not None and book.fork != fork:
            forks.append(book.fork)
    folder.add_others([*lines, *forks])
    return tuple(forks)


def _following(last: Entry, new: Iterable[Entry]) -> list[Entry]:
    by_prev = {one.prev: one for one in new if one.branch == last.branch}
    found: list[Entry] = []
    while last.digest in by_prev:
        last = by_prev.pop(last.digest)
        found.append(last)
    return found


def _keep_payloads(folder: Folder, book: Book, told: Message) -> tuple[int, int]:
    named = {digest for entry in book.entries.values() for digest in telling.named_in(entry)}
    wanted = [one for one in told.payloads if one[0] in named]
    return payloads.keep(folder.root, book.node, wanted), len(told.payloads) - len(wanted)


def _heard(folder: Folder, told: Message, at: str) -> bool:
    """Remember what the sender said of itself, unless it is older than what is known: a message may be sent twice."""
    sender = told.head.place.node
    peered = folder.peers.setdefault(sender, Peered())
    if told.head.at <= peered.at and _us(peered.at) <= _us(at) + AHEAD_US:
        return True
    peered.has = tuple(one for one in told.has)
    peered.got = told.got
    peered.branch, peered.sequence = told.head.place.branch, told.head.place.sequence
    peered.at, peered.heard_at = told.head.at, at
    return False


def _compare(folder: Folder, at: str) -> None:
    """Who shows less of its own log than others have of it: not a liar, but behind, since when."""
    for node, peered in folder.peers.items():
        if node not in folder.known.books or not peered.at:
            continue
        ahead = furthest(folder.known.books[node], peered.branch) > peered.sequence
        peered.behind_since = (peered.behind_since or at) if ahead else ""


def furthest(book: Book, branch: str) -> int:
    """The last number of a branch that anybody has shown, by an entry or by a signed head."""
    shown = [one.sequence for one in book.tips() if one.branch == branch]
    shown += [one.place.sequence for name, one in book.heads.items() if name == branch]
    return max(shown, default=known.NOTHING)


def answer(
    folder: Folder, key: keys.Signing, to: str, *, at: str, mark: Path | None = None, most_bytes: int | None = None
) -> Message:
    """What to hand to a node now: receipts that are due, how far we know, and what it does not know.

    A node that came back from a backup writes nothing before it has its own log again, and still says how far it knows:
    so a peer learns what to give back.

    Args:
        most_bytes: of payloads, where what carries the message has room for no more; the rest is for the next one.
    """
    book = folder.known.books[folder.node]
    ends = book.after[folder.own[-1].digest] is None
    if book.fork is None and not ends and not acting.is_behind(folder, mark):
        if due := telling.receipts_due(folder):
            acting.say(folder, key, due, at=at, mark=mark)
        acting.witness(folder, key, at=at, mark=mark)
    peered = folder.peers.get(to, Peered())
    has = list(peered.has)
    if all(one.log != known.log_of(folder.node) for one in has):
        has.append(known.nothing_of(folder.node))
    return known.message(
        folder.known,
        acting.tip(folder),
        key,
        to=to,
        has=has,
        at=at,
        got=telling.came_from(folder, to),
        payloads=telling.for_peer(folder, to, most_bytes=most_bytes),
    )


def _us(moment: str) -> int:
    from datetime import datetime

    try:
        return int(datetime.fromisoformat(moment).timestamp() * 1_000_000)
    except ValueError:
        return 0
