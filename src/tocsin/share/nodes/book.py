"""Entries, heads and proofs of one node in, in any order and however often, what stands of its log out.

What stands is a function of the set of statements alone: a state-based CRDT (Shapiro et al. 2011, section 3.2) whose
join is the union of sets. So nodes that know the same hold the same bytes, whatever way it came to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tocsin.errors import SealError, ShareError
from tocsin.model.node import Entry, Fork, Head, Place, Restored, Rotation
from tocsin.seal import keys
from tocsin.seal.chain import ROOT
from tocsin.share.nodes import forks, statements

MOST_WAITING: Final = 1_000  # statements whose place is not known yet; they are sent again, so none is lost for good
MOST_WAITING_BYTES: Final = 64 << 20
MOST_QUARANTINED: Final = 10_000  # behind a proof, kept as evidence: whoever forks may write for ever

Outcome: TypeAlias = Literal["new", "known", "waits", "fork", "refused"]


@dataclass(slots=True)
class Book:
    """What is known of one node. `why` tells of the last statement that was refused.

    `after` has the key that signs after each entry; None where none may. `entries` holds what follows from the first
    entry, of several that claim one place the one that came first: with the proof against it, none of them stands.
    """

    node: str
    entries: dict[str, Entry] = field(default_factory=dict)
    at: dict[tuple[str, int], str] = field(default_factory=dict)
    after: dict[str, str | None] = field(default_factory=dict)
    keys: dict[str, Ed25519PublicKey] = field(default_factory=dict)
    heads: dict[str, Head] = field(default_factory=dict)
    fork: Fork | None = None
    why: str = ""
    waiting: dict[bytes, Entry | Head | Fork] = field(default_factory=dict)
    checked: bool = True
    quarantined: int = 0
    _standing: tuple[Entry, ...] | None = None

    def take(self, said: Entry | Head | Fork) -> Outcome:
        """Take one statement, and then those that waited for it."""
        outcome = self._take(said)
        ready = [said] if outcome == "new" and isinstance(said, Entry) else []
        while ready:
            place = ready.pop()
            for name in sorted(name for name, one in self.waiting.items() if _waits_for(one, place)):
                one = self.waiting.pop(name)
                if self._take(one) == "new" and isinstance(one, Entry):
                    ready.append(one)
        return outcome

    def _take(self, said: Entry | Head | Fork) -> Outcome:
        if isinstance(said, Entry):
            return self._take_entry(said)
        return self._take_head(said) if isinstance(said, Head) else self._take_fork(said)

    def _take_entry(self, entry: Entry) -> Outcome:
        known = self.entries.get(entry.digest)
        if known is not None:
            # One text can have several signatures that hold: of these too, all must keep the same.
            if entry.sealed < known.sealed and self._signed(entry, entry.key):
                self.entries[entry.digest] = entry
                self._standing = None
            return "known"
        if entry.sequence == 0:
            if why := self._begin(entry):
                return self._refuse(why)
        elif entry.prev not in self.entries:
            return self._unlinked(entry)
        before = self.entries.get(entry.prev)
        if before is not None and (why := self._misplaced(entry, before)):
            return self._refuse(why)
        key = self.after[entry.prev] if before is not None else self.node
        if key is None:
            return self._refuse("its node said that no key of its signs any more")
        if entry.key != key:
            return self._refuse(f"it is signed with {entry.key}, and at this place {key} signs")
        if not self._signed(entry, key):
            return self._refuse("its signature does not hold")
        place = (entry.branch, entry.sequence)
        if place in self.at:
            return self._forked(*place, entry)
        if self.fork and entry.sequence >= self.fork.sequence and self.quarantined >= MOST_QUARANTINED:
            return self._refuse("more is not kept of a node whose key signed two logs")
        return self._add(entry, key)

    def _begin(self, entry: Entry) -> str:
        """A first entry brings the key that its node is named by; why it does not, or ''."""
        body = entry.body
        if not isinstance(body, Rotation) or body.why != "first" or entry.branch:
            return "a log begins with its first key"
        try:
            key = keys.public(body.to)
        except SealError as error:
            return f"its key {error.message}"
        if keys.fingerprint(key) != self.node:
            return "its first key is not the one that names the node"
        self.keys[self.node] = key
        return ""

    def _misplaced(self, entry: Entry, before: Entry) -> str:
        if entry.sequence != before.sequence + 1:
            return "its number does not follow from the entry before it"
        if isinstance(entry.body, Restored):
            if entry.branch in ("", before.branch) or entry.body.remembers != before.sequence:
                return "it says that its node was restored, but not from the entry before it"
            return ""
        if entry.branch != before.branch:
            return "it is in another branch than the entry before it"
        return "a log has one first key" if isinstance(entry.body, Rotation) and entry.body.why == "first" else ""

    def _add(self, entry: Entry, key: str) -> Outcome:
        after: str | None = key
        if isinstance(entry.body, Rotation):
            if (entry.body.why == "ended") != (not entry.body.to):
                return self._refuse("it hands on to no key and does not say that its node ends, or the other way round")
            new = self._handed_on(entry, entry.body)
            if new is None and entry.body.to:
                return self._refuse("the new key did not sign that it speaks for this node")
            if new is not None:
                self.keys[keys.fingerprint(new)] = new
            after = keys.fingerprint(new) if new is not None else None
        self.entries[entry.digest] = entry
        self.at[entry.branch, entry.sequence] = entry.digest
        self.after[entry.digest] = after
        self._standing = None
        self.quarantined += self.fork is not None and entry.sequence >= self.fork.sequence
        return "new"

    def _handed_on(self, entry: Entry, body: Rotation) -> Ed25519PublicKey | None:
        if not body.to:
            return None
        place = {"node": entry.node, "branch": entry.branch, "sequence": entry.sequence, "prev": entry.prev}
        try:
            new = keys.public(body.to)
            word = statements.word_of_new_key(body.to, **place)  # type: ignore[arg-type]
            return new if keys.holds(new, statements.unpacked(body.proof), word) else None
        except (SealError, ShareError):
            return None

    def _unlinked(self, entry: Entry) -> Outcome:
        """What it follows from is not here: it comes later, or another entry stands there."""
        there = self.at.get((entry.branch, entry.sequence - 1))
        if there is not None and entry.kind != "restored":
            key = self.entries[there].key
            if entry.key == key and self._signed(entry, key):
                return self._forked(entry.branch, entry.sequence - 1, entry)
            return self._refuse("it does not follow from the entry that stands before it")
        return self._wait(entry.sealed, entry)

    def _take_head(self, head: Head) -> Outcome:
        place = head.place
        if head.key not in self.keys:
            return self._wait(head.sealed, head)
        if not self._signed(head, head.key):
            return self._refuse("the signature of a head does not hold")
        digest = self.at.get((place.branch, place.sequence))
        if digest is not None and digest != place.digest:
            if self.entries[digest].key != head.key:
                return self._refuse("a head is signed with a key that does not sign there")
            return self._forked(place.branch, place.sequence, head)
        if digest is None and (outcome := self._against_heads(head)) != "known":
            return outcome
        known = self.heads.get(place.branch)
        if head.key in self._speaking() and (known is None or _newer(known, head)):
            self.heads[place.branch] = head
            return "new"
        return "known" if digest is not None else "waits"

    def _against_heads(self, head: Head) -> Outcome:
        """A head of a place of which no entry is known waits for one; another head of it may speak against it."""
        place = head.place
        self._wait(head.sealed, head)
        before = self.at.get((place.branch, place.sequence - 1))
        if before is None or self.after[before] != head.key:
            return "known"
        others = [one for one in self.waiting.values() if isinstance(one, Head) and one.key == head.key]
        fork = self._proof(place.branch, place.sequence, others)
        return self._settle(fork) if fork is not None else "known"

    def _take_fork(self, fork: Fork) -> Outcome:
        if self.fork == fork:
            return "known"
        key = self._key_at(fork)
        if key == "":
            return self._wait(b"".join(fork.statements), fork)
        if key != keys.fingerprint(keys.public(fork.key)):
            return self._refuse("a proof of a fork is about a key that does not sign there")
        if self.checked:
            try:
                forks.check(fork)
            except ShareError as error:
                return self._refuse(error.message)
        return self._settle(fork)

    def _key_at(self, fork: Fork) -> str | None:
        """The key that signs at the place of a fork; '' where that is not known yet."""
        if fork.sequence == 0:
            return self.node
        before = self.at.get((fork.branch, fork.sequence - 1))
        if before is None:
            for sealed in fork.statements:
                said = forks.read(sealed)
                if isinstance(said, Entry) and said.kind == "restored" and said.prev in self.entries:
                    before = said.prev
        return "" if before is None else self.after[before]

    def _forked(self, branch: str, sequence: int, said: Entry | Head) -> Outcome:
        """Make a proof of a statement and what stands at the place that it is about."""
        fork = self._proof(branch, sequence, [said, self.entries[self.at[branch, sequence]]])
        return self._settle(fork) if fork is not None else "known"

    def _proof(self, branch: str, sequence: int, said: Sequence[Entry | Head]) -> Fork | None:
        public = keys.public_text(self.keys[said[0].key])
        return forks.proven(self.node, branch, sequence, public, said)

    def _settle(self, fork: Fork) -> Outcome:
        together = forks.earlier(self.fork, fork)
        if together == self.fork:
            return "known"
        self.fork = together
        self._standing = None
        assert together is not None
        self.quarantined = sum(one.sequence >= together.sequence for one in self.entries.values())
        return "fork"

    def _signed(self, said: Entry | Head, fingerprint: str) -> bool:
        return not self.checked or statements.holds(said, self.keys[fingerprint])

    def speaks(self, head: Head) -> bool:
        """Whether a head is signed with a key that speaks for the node now: of the end of a branch that stands."""
        return head.key in self._speaking() and statements.holds(head, self.keys[head.key])

    def _speaking(self) -> set[str]:
        """The last key of a node that has ended still signs heads, or nobody could be told that it has."""
        return {self.after[one.digest] or self.entries[one.digest].key for one in self.tips()}

    def _refuse(self, why: str) -> Outcome:
        self.why = why
        return "refused"

    def _wait(self, name: bytes, said: Entry | Head | Fork) -> Outcome:
        self.waiting[name] = said
        while len(self.waiting) > MOST_WAITING or sum(map(len, self.waiting)) > MOST_WAITING_BYTES:
            del self.waiting[max(self.waiting, key=lambda one: (_sequence(self.waiting[one]), one))]
        return "waits"

    def standing(self) -> tuple[Entry, ...]:
        """What counts, in one order: nothing from a fork on, and no branch under a key that was handed on elsewhere."""
        if self._standing is None:
            least = self.fork.sequence if self.fork is not None else None
            kept = [one for one in self.entries.values() if least is None or one.sequence < least]
            aside = self._aside(kept)
            self._standing = tuple(
                sorted((one for one in kept if one.branch not in aside), key=lambda one: (one.sequence, one.digest))
            )
        return self._standing

    def aside(self) -> frozenset[str]:
        """Branches that are known and do not count."""
        return frozenset(one.branch for one in self.entries.values()) - {one.branch for one in self.standing()}

    def _aside(self, kept: list[Entry]) -> set[str]:
        """Branches whose first key was handed on outside of them: a thief of the old key could open one."""
        first = {one.branch: one for one in kept if isinstance(one.body, Restored)}
        over = {name: self.entries[one.prev].branch for name, one in first.items()}
        handed_on = [one for one in kept if isinstance(one.body, Rotation) and one.sequence > 0]
        found = set()
        for name, opening in first.items():
            if any(one.key == opening.key and name not in _up(one.branch, over) for one in handed_on):
                found.add(name)
        return {name for name in first if not found.isdisjoint(_up(name, over))}

    def tips(self) -> list[Place]:
        """The last entry that stands of each branch."""
        last = {one.branch: one for one in self.standing()}
        return [place_of(one) for _, one in sorted(last.items())]

    def name(self) -> str:
        """What it calls itself."""
        first = self.entries.get(self.at.get(("", 0), ROOT))
        return first.body.name if first is not None and isinstance(first.body, Rotation) else ""

    def restorations(self) -> list[Entry]:
        return [one for one in self.standing() if isinstance(one.body, Restored)]


def place_of(entry: Entry) -> Place:
    return Place(node=entry.node, branch=entry.branch, sequence=entry.sequence, digest=entry.digest)


def _up(branch: str, over: dict[str, str]) -> Iterator[str]:
    """A branch and those that it branches off."""
    while branch:
        yield branch
        branch = over.get(branch, "")


def _newer(known: Head, head: Head) -> bool:
    return (known.place.sequence, known.at, known.sealed) < (head.place.sequence, head.at, head.sealed)


def _waits_for(one: Entry | Head | Fork, entry: Entry) -> bool:
    """Whether something can be said of a waiting statement, now that this entry is known."""
    if isinstance(one, Entry) and one.prev == entry.digest:
        return True
    branch = one.place.branch if isinstance(one, Head) else one.branch
    return (branch == entry.branch or isinstance(one, Fork)) and _sequence(one) - entry.sequence in (0, 1)


def _sequence(said: Entry | Head | Fork) -> int:
    return said.place.sequence if isinstance(said, Head) else said.sequence
