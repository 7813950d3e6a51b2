"""A node's folder and what it has to say in, the next entries of its own log out."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tocsin.errors import ShareError
from tocsin.model.node import Body, Entry, Heads, Place, Restored, Rotation, Why
from tocsin.seal import durable, keys
from tocsin.seal.canonical import canonical
from tocsin.seal.chain import ROOT
from tocsin.share.nodes import folder as kept
from tocsin.share.nodes import statements
from tocsin.share.nodes.book import place_of
from tocsin.share.nodes.folder import About, Folder

_QUIET: Final = ("heads", "receipt")  # what is no reason for others to say how far they know now


def begin(root: Path, name: str, *, at: str, passphrase: bytes = b"") -> Entry:
    """A new node with a new key."""
    if kept.is_there(root):
        raise ShareError(f"{root}: there is a node already", hint="`tocsin node id` shows it.")
    key = keys.make()
    node = keys.fingerprint(key)
    keys.save(kept.key_place(root, node), key, passphrase)
    rotation = _rotation(key, node=node, branch="", sequence=0, prev=ROOT, why="first", name=name)
    first = statements.entry(rotation, node=node, branch="", sequence=0, prev=ROOT, at=at, key=key)
    kept.begin(root, About(name=name, node=node, made_at=at), first)
    return first


def tip(folder: Folder) -> Place:
    """Where the log goes on."""
    return place_of(folder.own[-1])


def signing(folder: Folder, ask: keys.Ask) -> keys.Signing:
    """The key that signs the next entry."""
    fingerprint = folder.known.books[folder.node].after[folder.own[-1].digest]
    if fingerprint is None:
        hint = "`tocsin node init` in another folder makes a new one, which others must trust anew."
        raise ShareError(f"{folder.about.name}: this node has ended, and says nothing more", hint=hint)
    return folder.key(fingerprint, ask)


def speaking(folder: Folder, ask: keys.Ask) -> keys.Signing:
    """The key that signs how far the log goes; that of a node which has ended still does."""
    last = folder.own[-1]
    return folder.key(folder.known.books[folder.node].after[last.digest] or last.key, ask)


def say(
    folder: Folder,
    key: keys.Signing,
    bodies: Sequence[Body],
    *,
    at: str,
    mark: Path | None = None,
    before: Callable[[Sequence[Entry]], None] = lambda entries: None,
) -> list[Entry]:
    """Write entries.

    Args:
        before: what must be on the disk before they are.
        mark: a file kept apart from the folder, with the place of the last entry. Whoever brings the folder back from
            a backup has an older log than this remembers: to go on writing then would be to say two things at once.

    Raises:
        ShareError: this node's log goes further than its folder, or its key signed two logs.
    """
    book = folder.known.books[folder.node]
    if book.fork is not None:
        hint = (
            "Somebody else has the key, or a backup wrote on without saying so. Make a node anew, and tell your peers."
        )
        raise ShareError(f"{folder.about.name}: the key of this node signed two logs", hint=hint)
    if not any(isinstance(body, Restored) for body in bodies):
        _compare(folder, mark)
    at_end, entries = folder.own[-1], []
    for body in bodies:
        opens = isinstance(body, Restored)
        entry = statements.entry(
            body,
            node=folder.node,
            branch=secrets.token_hex(16) if opens else at_end.branch,
            sequence=at_end.sequence + 1,
            prev=at_end.digest,
            at=at,
            key=key,
        )
        if book.take(entry) != "new":
            raise ShareError(
                f"{folder.about.name}: cannot go on with its log: {book.why}", hint="Say `tocsin node id`."
            )
        entries.append(entry)
        at_end = entry
    before(entries)
    folder.add_own(entries)
    remember(folder, mark)
    return entries


def remember(folder: Folder, mark: Path | None) -> None:
    """Keep the place of the last entry apart from the folder."""
    if mark is not None:
        mark.parent.mkdir(parents=True, exist_ok=True)
        durable.replace(mark, msgspec.json.encode(tip(folder)) + b"\n", mode=0o600)


def is_behind(folder: Folder, mark: Path | None) -> bool:
    """Whether this node has written more than its folder remembers."""
    last = marked(mark)
    return last is not None and last.node == folder.node and last.digest not in folder.known.books[folder.node].entries


def _compare(folder: Folder, mark: Path | None) -> None:
    last = marked(mark)
    if last is not None and is_behind(folder, mark):
        hint = "Give a peer what there is, and take what it gives back. If none can, say `tocsin node restored`."
        raise ShareError(
            f"{folder.root}: ends at entry {folder.own[-1].sequence:,}, this node has written up to {last.sequence:,}",
            hint=hint,
        )


def marked(mark: Path | None) -> Place | None:
    try:
        return msgspec.json.decode(mark.read_bytes(), type=Place) if mark is not None else None
    except (OSError, ValueError):
        return None  # without it a restoration is not noticed by itself; nothing else hangs on it


def rotate(
    folder: Folder, key: keys.Signing, why: Why, *, at: str, mark: Path | None = None, passphrase: bytes = b""
) -> Entry:
    """Hand on to a new key, which is on the disk before the log names it; or, with "ended", to none.

    The old one is deleted afterwards: whoever found it later could still sign a second log for the time when it signed.
    """
    last = folder.own[-1]
    if why == "ended":
        return say(folder, key, [Rotation(to="", why=why, proof="", name="")], at=at, mark=mark)[0]
    new = keys.make()
    keys.save(kept.key_place(folder.root, keys.fingerprint(new)), new, passphrase)
    place = {"branch": last.branch, "sequence": last.sequence + 1, "prev": last.digest}
    rotation = _rotation(new, node=folder.node, why=why, **place)  # type: ignore[arg-type]
    entry = say(folder, key, [rotation], at=at, mark=mark)[0]
    kept.key_place(folder.root, keys.fingerprint(key)).unlink(missing_ok=True)
    return entry


def restored(folder: Folder, key: keys.Signing, *, at: str, mark: Path | None = None) -> Entry:
    """Say that this folder came back from a backup, and that what is written from here on is a branch of its own.

    What was written after the backup and told to somebody still stands. Nobody is taken for a liar: two entries of one
    number are in two branches then, and both are there for everybody to see.
    """
    return say(folder, key, [Restored(remembers=folder.own[-1].sequence)], at=at, mark=mark)[0]


def witness(folder: Folder, key: keys.Signing, *, at: str, mark: Path | None = None) -> Entry | None:
    """Write down how far the logs of others are known, if anything but such words was learned since the last time."""
    said = {digest for entry in folder.own if isinstance(entry.body, Heads) for digest in entry.body.known}
    tips, news = [], False
    for node, book in sorted(folder.known.books.items()):
        if node == folder.node:
            continue
        tips += [seen(place) for place in book.tips()]
        told: set[str] = set()  # branches of which an earlier word covers all that is left
        for entry in reversed(book.standing()):
            if entry.branch not in told:
                told |= {entry.branch} if seen(place_of(entry)) in said else set()
                news = news or (entry.branch not in told and entry.kind not in _QUIET)
    return say(folder, key, [Heads(known=tuple(tips))], at=at, mark=mark)[0] if news else None


def seen(place: Place) -> str:
    """The digest of a place. The digest in it cannot be guessed: only who follows that log can tell what it is of."""
    return hashlib.sha256(canonical(msgspec.to_builtins(place))).hexdigest()


def _rotation(
    new: keys.Signing, *, node: str, branch: str, sequence: int, prev: str, why: Why, name: str = ""
) -> Rotation:
    to = keys.public_text(new)
    word = statements.word_of_new_key(to, node=node, branch=branch, sequence=sequence, prev=prev)
    return Rotation(to=to, why=why, proof=base64.b64encode(keys.sign(new, word)).decode("ascii"), name=name)
