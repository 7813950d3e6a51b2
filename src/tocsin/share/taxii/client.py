"""A collection of somebody's in, what is new of it as files of bundles out; or our objects in, what they say of it out.

Every version is asked for, page by page as the server leads (TAXII 2.1, section 3.5). A server that leads in circles is
left, and what is no STIX 2.1 is counted and not kept: nothing that a server says is believed for its own sake.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson

from tocsin.border.bundles import made_id
from tocsin.border.stix_valid import time_us
from tocsin.errors import ShareError
from tocsin.share.taxii import checkpoint, envelope
from tocsin.share.taxii.asking import Answered, Ask
from tocsin.share.taxii.checkpoint import Checkpoint
from tocsin.share.taxii.envelope import Read
from tocsin.share.taxii.refused import Refused

PAGE: Final = 1000
MOST_IDLE: Final = 200  # pages, one after another, that bring nothing new
POSTED_AT_ONCE: Final = 1000
POSTED_BYTES: Final = 5 << 20  # many servers take no more
_POLLS: Final = 60
_SAID: Final = 300  # characters of what a server says


class _Told(msgspec.Struct):
    """What is understood of an envelope, and of a status."""

    more: bool = False
    next: str = ""
    id: str = ""
    status: str = ""
    success_count: int = 0
    failure_count: int = 0
    failures: list[dict[str, Any]] = []
    pending_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What came: `files` are of this reading alone, `refused` has each reason with how often."""

    new: int
    known: int
    refused: Mapping[str, int]
    files: Sequence[Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    taken: int
    refused: int
    reasons: Sequence[str]
    statuses: Sequence[str]


def pull(ask: Ask, url: str, folder: Path) -> Pulled:
    """Read what is new in a collection; each page is kept before the next is asked for.

    Raises:
        ShareError: they refuse, cannot be understood, or lead in circles.
    """
    with _alone(folder):
        at, known = checkpoint.load(folder, url)
        refused: Counter[str] = Counter()
        new = old = 0
        files: list[Path] = []
        way = _Way(word=at.next)
        while True:
            found = _page(ask, at, way.word)
            if found is None:
                at, way = replace(at, next="", last=""), _Way()  # what led on leads nowhere any more
                continue
            told, objects = _understood(found, url)
            fresh, digests, again = _fresh(objects, known, refused)
            new, old = new + len(fresh), old + again
            if told.more and way.circles(told.next, found, fresh):
                raise ShareError(f"{url}: leads in circles, or nowhere", hint="What came is kept. Tell their people.")
            content = _bundle(fresh) if fresh else ""
            after = _after(at, told, found, way.kept())
            at = checkpoint.advance(folder, at, after, content, digests)
            if content:
                files.append(folder / checkpoint.name(at.pages))
            if way.lost():
                at, way = replace(at, next="", last=""), _Way()
            elif not told.more:
                return Pulled(new=new, known=old, refused=dict(sorted(refused.items())), files=files)


class _Way:
    """Where a server leads in one reading.

    Some (medallion 3.0) give one word for all pages and remember what they gave: asked again, as after a line that
    broke, they give the page after the one that was lost. Such a word is not kept, and a reading in which it was asked
    twice begins anew.
    """

    def __init__(self, word: str = "") -> None:
        self.word = word
        self._words: list[str] = []
        self._pages: set[bytes] = set()
        self._idle = 0
        self._again = False

    def circles(self, word: str, found: Answered, fresh: Sequence[Read]) -> bool:
        """Go on to the next page; whether that leads to where we were, or for too long to nothing new."""
        page = hashlib.sha256(word.encode() + b"\0" + found.body).digest()
        turned = not word or page in self._pages
        self._pages.add(page)
        self._words.append(word)
        self._idle = 0 if fresh else self._idle + 1
        self._again |= found.tries > 1
        self.word = word
        return turned or self._idle > MOST_IDLE

    def kept(self) -> str:
        """The word with which a later reading may go on: '' until it is known that each page has its own."""
        return self.word if len(self._words) > 1 and not self._remembers() else ""

    def lost(self) -> bool:
        return self._again and self._remembers()

    def _remembers(self) -> bool:
        return len(set(self._words)) < len(self._words)


def post(
    ask: Ask, url: str, objects: Sequence[Mapping[str, Any]], *, wait: Callable[[float], None] = time.sleep
) -> Posted:
    """Send objects, and wait for what becomes of them.

    Raises:
        ShareError: they refuse, or cannot be understood. What was sent before that may have been taken.
    """
    taken = refused = 0
    reasons: list[str] = []
    statuses: list[str] = []
    for body in _envelopes(objects):
        found = ask("POST", "objects/", {}, body)
        if found.status not in (200, 202):
            raise _said(found, url)
        told = _decoded(found.body, url)
        for number in range(_POLLS):
            if told.status == "complete":
                break
            wait(min(10.0, 0.5 * 2**number))
            told = _decoded(ask("GET", f"status/{told.id}/", {}, None).body, url)
        else:
            raise ShareError(f"{url}: the status {told.id[:_SAID]} is never complete", hint="Ask their people.")
        taken, refused = taken + told.success_count, refused + told.failure_count
        reasons += [f"{one.get('id', '')}: {one.get('message', '')}"[:_SAID] for one in told.failures[:20]]
        statuses.append(told.id[:_SAID])
    return Posted(taken=taken, refused=refused, reasons=reasons, statuses=statuses)


def _page(ask: Ask, at: Checkpoint, word: str) -> Answered | None:
    """The next page; None where the word that should lead to it does no more."""
    asked = {"limit": str(PAGE), "match[version]": "all"}
    asked |= {"added_after": at.added_after} if at.added_after else {}
    found = ask("GET", "objects/", asked | ({"next": word} if word else {}), None)
    if found.status == 200:
        return found
    if word and found.status in (400, 404, 410):
        return None
    raise _said(found, at.url)


def _understood(found: Answered, url: str) -> tuple[_Told, list[bytes]]:
    told = _decoded(found.body, url)
    try:
        return told, envelope.divided(found.body) if b'"objects"' in found.body else []
    except Refused as why:
        raise ShareError(f"{url}: {why.title}: {why.text}", hint="Ask their people.") from why


def _decoded(body: bytes, url: str) -> _Told:
    try:
        return msgspec.json.decode(body, type=_Told)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise ShareError(f"{url}: does not answer in TAXII 2.1: {error}", hint="Ask their people.") from error


def _fresh(objects: Sequence[bytes], known: set[bytes], refused: Counter[str]) -> tuple[list[Read], list[bytes], int]:
    fresh: list[Read] = []
    digests: list[bytes] = []
    again = 0
    for content in objects:
        one = envelope.read(content)
        if one.fault:
            refused[one.fault] += 1
            continue
        digest = hashlib.sha256(one.id.encode() + b"\0" + one.digest).digest()[:16]
        if digest in known:
            again += 1
            continue
        known.add(digest)
        digests.append(digest)
        fresh.append(one)
    return fresh, digests, again


def _after(at: Checkpoint, told: _Told, found: Answered, word: str) -> Checkpoint:
    said = found.headers.get("x-taxii-date-added-last", "")
    times = [text for text in (at.last, said) if time_us(text) is not None]
    last = max(times, key=lambda text: time_us(text) or 0, default="")
    if told.more:
        return replace(at, next=word, last=last)
    return replace(at, next="", last="", done=last or at.done)


def _bundle(fresh: Sequence[Read]) -> str:
    """Their bytes as they came, so that a signature over them still holds."""
    lines = ",\n".join(one.content.decode() for one in fresh)
    named = made_id(hashlib.sha256(lines.encode()).digest())
    return f'{{"type":"bundle","id":"bundle--{named}","objects":[\n{lines}\n]}}\n'


def _envelopes(objects: Sequence[Mapping[str, Any]]) -> Iterator[bytes]:
    some: list[bytes] = []
    size = 0
    for one in objects:
        content = orjson.dumps(one)
        if some and (len(some) >= POSTED_AT_ONCE or size + len(content) > POSTED_BYTES):
            yield b'{"objects":[' + b",".join(some) + b"]}"
            some, size = [], 0
        some.append(content)
        size += len(content)
    if some:
        yield b'{"objects":[' + b",".join(some) + b"]}"


def _said(found: Answered, url: str) -> ShareError:
    words = found.body[:_SAID].decode(errors="replace")
    hints = {401: "See to the token, and to the certificate.", 403: "They do not let you.", 404: "See to the address."}
    return ShareError(f"{url}: answers {found.status}: {words}", hint=hints.get(found.status, "Ask their people."))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two who read into one folder would each count what the other kept."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ShareError(f"{folder}: somebody else is reading into it", hint="Try again later.") from error
        yield
    finally:
        os.close(number)
