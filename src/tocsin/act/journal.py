"""What is meant and what was done in, a journal that says so before it happens out; and back, what stands by it.

FOLDER/journal.jsonl   a hash chain, written before and after each step; each line is on the disk first
FOLDER/kept/DIGEST     the steps of each go, by their SHA-256
FOLDER/lock            whoever acts holds it

A go is meant, then its steps begin and end one after another, then it has ended. What stands is what ended goes left; a
go that has not ended is taken up again before anything else, and its steps may be done twice without harm. One that
cannot end, since an enforcer is gone for good, is given up by somebody by name; what stands there is then not known.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.errors import ActError, BusyError
from tocsin.model.action import Block, Step
from tocsin.seal import chain, durable

LOG: Final = "journal.jsonl"
KEPT: Final = "kept"
LOCK: Final = "lock"
_LARGEST: Final = 256 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Something that is done as a whole.

    Args:
        case: that it is done for; '' for the lifting of what has run out.
        does: "apply", "undo" or "expire".
        plan: digest of the plan that was approved.
        steps: enforcer and step, in order; `after` is what stands at each enforcer once all are done.
    """

    number: int
    case: str
    does: str
    by: str
    at: str
    plan: str
    steps: tuple[tuple[str, Step], ...]
    after: Mapping[str, tuple[Block, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What stands by enforcer, all goes that have ended, and the one that has not, with its next step.

    `may` is what a go left that was taken back before it had ended.
    """

    standing: Mapping[str, tuple[Block, ...]]
    ended: tuple[Go, ...]
    pending: Go | None
    next_step: int
    head: str
    failed: str = ""
    may: Mapping[str, tuple[Block, ...]] = field(default_factory=dict)


class Journal:
    """Whoever holds the lock of the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = _chain(folder)
        self._count, self._head, self._ends = len(found.links), found.head, found.ends
        if found.torn:  # a kill while a line was written: what it would have told has not begun
            with _written(folder / LOG):
                os.truncate(folder / LOG, found.ends)
        self.now = _followed(folder, found)

    def mean(
        self,
        *,
        case: str,
        does: str,
        by: str,
        at: str,
        plan: str,
        steps: Sequence[tuple[str, Step]],
        after: Mapping[str, Sequence[Block]],
    ) -> Go:
        """Write down all that will be done, before any of it is."""
        content = msgspec.json.encode({"steps": steps, "after": after})
        digest = hashlib.sha256(content).hexdigest()
        path = self.folder / KEPT / digest
        with _written(path):
            path.parent.mkdir(exist_ok=True)
            durable.replace(path, content, mode=0o600)
        number = len(self.now.ended)
        self._add({"what": "meant", "go": number, "case": case, "does": does, "by": by, "at": at, "plan": plan}, digest)
        pending = self.now.pending
        assert pending is not None
        return pending

    def begin(self, step: int, at: str) -> None:
        self._add({"what": "begun", "step": step, "at": at})

    def end(self, step: int, at: str, *, well: bool, said: str) -> None:
        self._add({"what": "done" if well else "failed", "step": step, "at": at, "said": said})

    def finish(self, at: str) -> None:
        self._add({"what": "ended", "at": at})

    def give_up(self, *, by: str, at: str, reason: str) -> None:
        """Leave the go that has not ended as it is."""
        self._add({"what": "given up", "by": by, "at": at, "reason": reason})

    def _add(self, body: dict[str, Any], kept: str = "") -> None:
        body = {name: _unicode(value) for name, value in body.items()} | ({"kept": kept} if kept else {})
        line, link = chain.line(body, self._count, self._head)
        with _written(self.folder / LOG):
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            number = os.open(self.folder / LOG, flags, 0o600)
            try:
                durable.write_all(number, line)
                os.fsync(number)
            finally:
                os.close(number)
            if not self._count:
                durable.settle(self.folder)
        self._count, self._head = self._count + 1, link.digest
        self.now = _follow(self.folder, self.now, link)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    """What cannot be written down is not done."""
    try:
        yield
    except OSError as error:
        hint = "Nothing more is done before the journal can be written. Then the same command goes on from there."
        raise ActError(f"{path}: cannot be written: {error.strerror or error}", hint=hint) from error


def _unicode(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def read(folder: Path) -> Now:
    """What stands, for whoever only looks."""
    return _followed(folder, _chain(folder))


@contextmanager
def acting(folder: Path) -> Iterator[Journal]:
    """Be the one who acts. Nobody is waited for: two people who act at once should speak to each other first."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ActError(
            f"{folder}: cannot be written in: {error.strerror or error}", hint="See to its permissions."
        ) from error
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Journal(folder)
    except BlockingIOError as error:
        raise BusyError(f"{folder}: somebody else is acting", hint="Speak to them, then try again.") from error
    finally:
        os.close(number)


def _chain(folder: Path) -> chain.Chain:
    try:
        text = (folder / LOG).read_bytes()
    except FileNotFoundError:
        text = b""
    except OSError as error:
        raise ActError(f"{folder / LOG}: cannot be read: {error.strerror or error}", hint="See to it.") from error
    found = chain.read(text)
    if found.breaks or len(text) > _LARGEST:
        line, word = found.breaks[0] if found.breaks else (0, "is too large")
        raise ActError(
            f"{folder / LOG}: line {line}: {word}",
            hint="It was changed: what stands must be looked at on the enforcers themselves.",
        )
    return found


def _followed(folder: Path, found: chain.Chain) -> Now:
    now = Now(standing={}, ended=(), pending=None, next_step=0, head=chain.ROOT)
    for link in found.links:
        now = _follow(folder, now, link)
    return now


def _follow(folder: Path, now: Now, link: chain.Link) -> Now:
    """What stands after one more line."""
    body = link.body
    now = replace(now, head=link.digest, failed="")
    match body.get("what"):
        case "meant":
            left = now.pending.after if now.pending is not None else {}
            return replace(now, pending=_go(folder, body), next_step=0, may=_both(now.may, left, {*now.may, *left}))
        case "done":
            return replace(now, next_step=int(body["step"]) + 1)
        case "failed":
            return replace(now, failed=str(body["said"]))
        case "ended" if now.pending is not None:
            standing = {**now.standing, **now.pending.after}
            ended = (*now.ended, now.pending)
            return replace(now, standing=standing, ended=ended, pending=None, next_step=0, may={})
        case "given up" if now.pending is not None:
            return _given_up(now, now.pending, body)
    return now


def _given_up(now: Now, go: Go, body: Mapping[str, Any]) -> Now:
    """Where all steps were done what was meant stands; elsewhere all that may, so that nobody forgets to lift it."""
    left = {enforcer for enforcer, _ in go.steps[now.next_step :]}
    standing = {**now.standing, **go.after}
    standing |= _both(_both(now.standing, now.may, left), go.after, left)
    told = replace(go, does=f"{go.does}, given up by {body['by']}: {body['reason']}", at=str(body["at"]))
    return replace(now, standing=standing, ended=(*now.ended, told), pending=None, next_step=0, may={})


def _both(
    one: Mapping[str, Sequence[Block]], other: Mapping[str, Sequence[Block]], names: Collection[str]
) -> dict[str, tuple[Block, ...]]:
    """At each of these enforcers the blocks of both; of the same block the one that more cases want."""
    found = {}
    for name in names:
        kept = {(each.verb, each.target): each for each in other.get(name, ())}
        for each in one.get(name, ()):
            there = kept.get((each.verb, each.target), each)
            kept[each.verb, each.target] = max(each, there, key=lambda block: len(block.cases))
        found[name] = tuple(kept.values())
    return found


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    steps: tuple[tuple[str, Step], ...]
    after: dict[str, tuple[Block, ...]]


def _go(folder: Path, body: Mapping[str, Any]) -> Go:
    digest = str(body["kept"])
    try:
        content = (folder / KEPT / digest).read_bytes()
    except OSError as error:
        raise ActError(f"{folder}: {KEPT}/{digest} is not there", hint="It belongs to the journal.") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise ActError(f"{folder}: {KEPT}/{digest} was changed", hint="Nothing is done by it. Find out who did.")
    kept = msgspec.json.decode(content, type=_Kept)
    return Go(
        number=int(body["go"]),
        case=str(body["case"]),
        does=str(body["does"]),
        by=str(body["by"]),
        at=str(body["at"]),
        plan=str(body["plan"]),
        steps=kept.steps,
        after=kept.after,
    )
