"""The page on saying it together: a folder of a joint statement and its entries in, entries and what became of it out.

The folder holds `statement.json` and `entries/`, each envelope under its own digest. So two folders of one statement
are merged by copying, in any order, and a file that somebody changed is found by its name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.disclose import embargo, endorse
from tocsin.errors import OutputError, SealError, SettingsError
from tocsin.model.endorsement import Act, Concord, Confidence, Endorsement, JointStatement, Nation, OfClaim, Stance
from tocsin.seal import decisions, durable, keys
from tocsin.seal.canonical import canonical

STATEMENT: Final = "statement.json"
ENTRIES: Final = "entries"
_MOST_BYTES: Final = 4 << 20
_UNCLEAR: Final = (
    "Merge what others have; a nation that contradicts itself speaks again in a statement that is put anew."
)


def propose(statement: JointStatement, folder: Path) -> str:
    """Keep a statement in a new folder; its digest is what nations seal."""
    content = endorse.written(statement)
    try:
        (folder / ENTRIES).mkdir(parents=True)
        durable.create(folder / STATEMENT, content)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror or error}", hint="Name a folder that is new.") from error
    return hashlib.sha256(content).hexdigest()


def statement_of(folder: Path) -> JointStatement:
    return endorse.read(_content(folder / STATEMENT))


def concord(folder: Path, nations: Sequence[Nation]) -> Concord:
    """What became of it, by all entries that the folder holds."""
    return endorse.weigh(statement_of(folder), envelopes(folder), nations)


def envelopes(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Every entry.

    Raises:
        SealError: a file is no envelope, or does not hold what its name says.
    """
    for path in sorted((folder / ENTRIES).glob("*.json")):
        content = _content(path)
        if hashlib.sha256(content).hexdigest() != path.stem:
            raise SealError(f"{path}: does not hold what its name says", hint="Take it again from whoever has it.")
        yield _envelope(path)


def sign(
    folder: Path,
    nations: Sequence[Nation],
    nation: str,
    key: keys.Signing,
    *,
    act: Act = "seal",
    stances: Mapping[str, tuple[Stance, str]] | None = None,
    confidence: Confidence = "",
    named: bool = False,
    reason: str = "",
) -> Endorsement:
    """Add a nation's entry, after those of it that are here.

    Args:
        stances: by the id of a claim; others are endorsed.

    Raises:
        SealError: the key is none of that nation's, a claim is not there, or entries of it are missing or fork.
    """
    found = concord(folder, nations)
    _refuse_foreign(nation, nations, key)
    voice = next((one for one in found.voices if one.nation == nation), None)
    if voice is not None and voice.entry is None and voice.state != "silent":
        raise SealError(f"{nation} {voice.state}: {'; '.join(voice.doubts)}", hint=_UNCLEAR)
    if act == "withdraw" and (voice is None or voice.state != "sealed"):
        raise SealError(f"{nation} has sealed nothing here that it could withdraw")
    told = stances or {}
    if strange := sorted(set(told) - {one.id for one in found.statement.claims}):
        raise SealError(f"no claim is called {', '.join(strange)}", hint="`tocsin endorse show` lists them.")
    entry = Endorsement(
        statement=found.digest,
        nation=nation,
        act=act,
        key=keys.fingerprint(key),
        at=decisions.now(),
        after="" if voice is None or voice.entry is None else endorse.entry_digest(voice.entry),
        claims=tuple(_said(found.statement, told, confidence)) if act == "seal" else (),
        named=named,
        reason=reason,
    )
    keep(folder, endorse.sealed(entry, found.statement, key))
    return entry


def _said(
    statement: JointStatement, told: Mapping[str, tuple[Stance, str]], confidence: Confidence
) -> Iterator[OfClaim]:
    for claim in statement.claims:
        stance, words = told.get(claim.id, ("endorse", ""))
        sure: Confidence = confidence if stance in ("endorse", "reserve") else ""
        yield OfClaim(claim=endorse.of_claim(claim), stance=stance, confidence=sure, words=words)


def _refuse_foreign(nation: str, nations: Sequence[Nation], key: keys.Signing) -> None:
    own = next((one for one in nations if one.id == nation), None)
    if own is None:
        raise SealError(f"{nation}: no nation that is known here", hint="Put its keys in the file of nations.")
    if keys.fingerprint(key) not in {keys.fingerprint(keys.public(one)) for one in own.keys}:
        raise SealError(f"this key is none of {nation}'s", hint="Put it among its keys in the file of nations first.")


def keep(folder: Path, envelope: Mapping[str, Any]) -> Path:
    """Keep an envelope; one that is here already stays as it is."""
    content = canonical(envelope)
    path = folder / ENTRIES / f"{hashlib.sha256(content).hexdigest()}.json"
    if not path.exists():
        durable.replace(path, content)
    return path


def merge(folder: Path, other: Path, nations: Sequence[Nation]) -> int:
    """Take the entries of another folder of the same statement; those that count for nothing stay there.

    Returns:
        How many are new here.
    """
    statement = statement_of(folder)
    if endorse.digest(statement_of(other)) != endorse.digest(statement):
        raise SealError(f"{other}: holds another statement", hint="They are merged only where not a letter differs.")
    before = {path.name for path in (folder / ENTRIES).glob("*.json")}
    for envelope in endorse.good(envelopes(other), statement, nations):  # a stranger's does not keep others out
        keep(folder, envelope)
    return len({path.name for path in (folder / ENTRIES).glob("*.json")} - before)


def lock(file: Path, among: Sequence[str], threshold: int, until: str, out: Path, nations: Sequence[Nation]) -> None:
    """Put a file under embargo among some nations."""
    there = {one.id: one for one in nations}
    if strange := [one for one in among if one not in there]:
        raise SealError(f"{', '.join(strange)}: no nation that is known here", hint="They are in the file of nations.")
    content = _content(file, embargo.MOST_BYTES)
    agreed = _moment(until)
    _write(out, embargo.written(embargo.lock(content, [there[one] for one in among], threshold, agreed)))


def give(locked: Path, nation: str, key: keys.Signing, out: Path, *, early: bool) -> None:
    """Give a nation's share into the open.

    Raises:
        SettingsError: the agreed time is not yet, and nobody said that this is meant.
    """
    read, now = embargo.read(_content(locked, 2 * embargo.MOST_BYTES)), decisions.now()
    if now < read.until and not early:
        raise SettingsError(
            f"it is agreed to be opened on {read.until}, and now it is {now}",
            hint="--early gives the share all the same; it says when it was given.",
        )
    _write(out, canonical(embargo.release(read, nation, key, now)))


def unlock(locked: Path, shares: Sequence[Path], out: Path, nations: Sequence[Nation]) -> embargo.Unlocked:
    """Open what is under embargo, and write it."""
    read = embargo.read(_content(locked, 2 * embargo.MOST_BYTES))
    found = embargo.unlock(read, [_envelope(one) for one in shares], nations)
    _write(out, found.content)
    return found


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise SettingsError(f"{text}: not a date or time", hint="Write 2026-03-14T03:00:00+01:00.") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _write(path: Path, content: bytes) -> None:
    try:
        durable.create(path, content, mode=0o600)
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}", hint="Name a file that is new.") from error


def _envelope(path: Path) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(_content(path), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SealError(f"{path}: is no envelope: {error}") from error


def _content(path: Path, most: int = _MOST_BYTES) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise SealError(f"{path}: {error.strerror or error}", hint="Name a file that can be read.") from error
    if len(content) > most:
        raise SealError(f"{path}: larger than {most >> 20} MB", hint="It is not what it should be.")
    return content
