"""The folder of a node in, what it knows out, and back: entries that outlast a power cut, whatever moment it comes at.

    node.json         the name, and the fingerprint of the first key
    keys/             its private keys, one a file, readable by its owner alone
    own.jsonl         its own entries, one envelope a line, in order
    others.jsonl      entries and heads of other nodes, and proofs, in the order in which they came
    trusted/          one file for each node whose fingerprint somebody heard over another way
    payloads/         what was told and what came, by salted digest
    sent/             for each of its entries that tells or takes back something, what went to whom
    peers.json        how far each of them knows, and what it showed last

A line that was never finished is cut off: it was never acknowledged. Everything else that a kill can leave is a payload
or a word on what was sent that no entry names, which nobody asks for.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.errors import NodeBusyError, ShareError
from tocsin.model.node import Entry, Fork, Head, Trusted
from tocsin.seal import durable, keys
from tocsin.share.nodes import forks, statements
from tocsin.share.nodes.known import Has, Known

ABOUT: Final = "node.json"
OWN: Final = "own.jsonl"
OTHERS: Final = "others.jsonl"
PEERS: Final = "peers.json"
_LOCK: Final = "lock"
_PAUSE_S: Final = 0.02
_HINT: Final = "See to its permissions and free space; what was written before is safe."


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    node: str
    made_at: str
    version: int = 1


class Peered(msgspec.Struct, forbid_unknown_fields=True):
    """What a node last said of itself. `behind_since` is when others first showed a later head of it; '' for never."""

    has: tuple[Has, ...] = ()
    got: tuple[str, ...] = ()
    branch: str = ""
    sequence: int = -1
    at: str = ""
    heard_at: str = ""
    behind_since: str = ""


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one entry tells to one peer: (its id here, its id as it was sent, its salted digest)."""

    peer: str
    node: str
    objects: tuple[tuple[str, str, str], ...] = ()
    letters: tuple[tuple[str, str], ...] = ()  # node, digest: of an entry that takes back


@dataclass(slots=True)
class Folder:
    """A node's folder while it is held. Nobody else writes in it meanwhile."""

    root: Path
    about: About
    known: Known
    own: list[Entry]
    trusted: dict[str, Trusted]
    peers: dict[str, Peered] = field(default_factory=dict)

    @property
    def node(self) -> str:
        return self.about.node

    def add_own(self, entries: Sequence[Entry]) -> None:
        """Write entries of our own, safe on the disk before anybody is shown them."""
        _append(self.root / OWN, [one.sealed for one in entries])
        self.own += entries

    def add_others(self, said: Iterable[Entry | Head | Fork]) -> None:
        lines = [forks.written(one)[:-1] if isinstance(one, Fork) else one.sealed for one in said]
        if lines:
            _append(self.root / OTHERS, lines)

    def keep_peers(self) -> None:
        durable.replace(self.root / PEERS, msgspec.json.encode(self.peers) + b"\n", mode=0o600)

    def keep_sent(self, entry: str, sent: Sent) -> None:
        path = self.root / "sent" / f"{entry}.json"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        durable.replace(path, msgspec.json.encode(sent) + b"\n", mode=0o600)

    def sent(self) -> Iterator[tuple[Entry, Sent]]:
        """What our own entries told, the oldest first."""
        for entry in self.own:
            path = self.root / "sent" / f"{entry.digest}.json"
            if entry.kind in ("objects", "revocation") and path.exists():
                yield entry, _read(path, Sent)

    def key(self, fingerprint: str, ask: keys.Ask) -> keys.Signing:
        path = key_place(self.root, fingerprint)
        if not path.exists():
            hint = "Bring it back. If it is gone for good, make a node anew, and have others trust it over another way."
            raise ShareError(f"{path}: the key {fingerprint}, which signs now, is not here", hint=hint)
        return keys.load(path, ask)


def key_place(root: Path, fingerprint: str) -> Path:
    return root / "keys" / hashlib.sha256(fingerprint.encode()).hexdigest()[:32]


def is_there(root: Path) -> bool:
    return (root / ABOUT).is_file()


def begin(root: Path, about: About, first: Entry) -> None:
    """A new node: its first entry, and then the file that makes it one."""
    with _told(root):
        if is_there(root):
            raise ShareError(f"{root}: there is a node already", hint="`tocsin node id` shows it.")
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        (root / OWN).unlink(missing_ok=True)  # of a beginning that was stopped
        _append(root / OWN, [first.sealed])
        durable.replace(root / ABOUT, msgspec.json.encode(about) + b"\n", mode=0o600)


@contextmanager
def held(root: Path, *, verify: bool = False, wait_s: float | None = None) -> Iterator[Folder]:
    """The node of a folder, for as long as the context lasts; others wait.

    Args:
        verify: check every signature again, not only forms and digests; they were checked before they were written.
        wait_s: for how long to wait for somebody else; None for as long as it takes.

    Raises:
        NodeBusyError: somebody else holds it for longer.
    """
    if not is_there(root):
        raise ShareError(f"{root}: there is no node yet", hint="`tocsin node init NAME` makes one.")
    with _told(root):
        number = os.open(root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with _told(root):
            _lock(number, root, wait_s)
            yield _loaded(root, verify=verify)
    finally:
        os.close(number)


def _lock(number: int, root: Path, wait_s: float | None) -> None:
    if wait_s is None:
        fcntl.flock(number, fcntl.LOCK_EX)
        return
    ends = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > ends:
                raise NodeBusyError(f"{root}: somebody else holds this node", hint="Try again soon.") from None
        time.sleep(_PAUSE_S)


def _loaded(root: Path, *, verify: bool) -> Folder:
    about = _read(root / ABOUT, About)
    trusted = {one.node: one for one in everybody(root)}
    known = Known()
    for node in (about.node, *trusted):
        known.follow(node).checked = verify
    own: list[Entry] = []
    for number, line in enumerate(_lines(root / OWN), 1):
        entry = _entry(root / OWN, number, line)
        if known.books[about.node].take(entry) not in ("new", "known", "waits"):
            raise ShareError(f"{root / OWN}: line {number} {known.books[about.node].why}", hint=_CHANGED)
        own.append(entry)
    if not own or len(known.books[about.node].entries) < len(own):
        raise ShareError(f"{root / OWN}: is not the log of {about.node}", hint=_CHANGED)
    for number, line in enumerate(_lines(root / OTHERS), 1):
        said = _said(root / OTHERS, number, line)
        book = known.books.get(said.place.node if isinstance(said, Head) else said.node)
        if book is not None and book.take(said) == "refused":
            raise ShareError(f"{root / OTHERS}: line {number}: {book.why}", hint=_CHANGED)
    for book in known.books.values():
        book.checked = True
    peers = _read(root / PEERS, dict[str, Peered]) if (root / PEERS).exists() else {}
    return Folder(root=root, about=about, known=known, own=own, trusted=trusted, peers=peers)


_CHANGED: Final = "It was changed. Bring it back from a copy, say `tocsin node restored`, and take from your peers."


def _entry(path: Path, number: int, line: bytes) -> Entry:
    try:
        return statements.read_entry(line)
    except ShareError as error:
        raise ShareError(f"{path}: line {number} {error.message}", hint=_CHANGED) from error


def _said(path: Path, number: int, line: bytes) -> Entry | Head | Fork:
    try:
        if line.startswith(b'{"branch"'):
            return forks.of_file(line)
        return forks.read(line)
    except ShareError as error:
        raise ShareError(f"{path}: line {number} {error.message}", hint=_CHANGED) from error


def _lines(path: Path) -> Sequence[bytes]:
    """The finished lines; what stands behind the last line end was never acknowledged."""
    text = path.read_bytes() if path.exists() else b""
    whole = text[: text.rfind(b"\n") + 1]
    return whole[:-1].split(b"\n") if whole else ()


def _append(path: Path, lines: Sequence[bytes]) -> None:
    text = b"".join(line + b"\n" for line in lines)
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        there = os.fstat(number).st_size
        ends = _ends(number, there)
        if ends != there:
            os.ftruncate(number, ends)
        os.lseek(number, ends, os.SEEK_SET)
        try:
            durable.write_all(number, text)
            os.fsync(number)
        except OSError:
            os.ftruncate(number, ends)
            raise
    finally:
        os.close(number)
    durable.settle(path.parent)


def _ends(number: int, size: int) -> int:
    """Where the last finished line ends, looked for from the end."""
    at = size
    while at:
        start = max(0, at - (1 << 16))
        found = os.pread(number, at - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        at = start
    return 0


def trust(root: Path, one: Trusted) -> None:
    path = _trusted(root, one.node)
    with _told(root):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        durable.replace(path, msgspec.json.format(msgspec.json.encode(one)) + b"\n", mode=0o600)


def distrust(root: Path, node: str) -> None:
    with _told(root):
        _trusted(root, node).unlink(missing_ok=True)
        durable.settle(root / "trusted")


def everybody(root: Path) -> tuple[Trusted, ...]:
    """Nodes that are trusted here, in the order of their names."""
    found = [_read(path, Trusted) for path in sorted((root / "trusted").glob("[!.]*.json"))]
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.node)))


def _trusted(root: Path, node: str) -> Path:
    return root / "trusted" / f"{hashlib.sha256(node.encode()).hexdigest()[:32]}.json"


def _read(path: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise ShareError(f"{path}: cannot be read: {error.strerror or error}", hint=_HINT) from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise ShareError(f"{path}: {str(error)[:200]}", hint=_CHANGED) from error


@contextmanager
def _told(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ShareError(f"{root}: cannot be written in: {error.strerror or error}", hint=_HINT) from error
