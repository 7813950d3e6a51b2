"""An envelope from a guest in, its objects in the store and the status of each of them out (TAXII 2.1, section 4.3).

What is there already is taken again without a change. What is there otherwise, under the same id and version, is a
conflict and told as one; but only to who may see it. Two who cannot see each other's objects each keep their own.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Connection, delete, insert, select, update

from tocsin.border import stix_valid
from tocsin.model.guest import Guest
from tocsin.share.taxii import envelope, feeds, rows, store, times
from tocsin.share.taxii.envelope import Read
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.refused import Refused, nowhere
from tocsin.share.taxii.rows import Kept
from tocsin.share.taxii.tables import objects, refs, shown, statuses

KEPT_US: Final = 30 * 86_400 * 1_000_000  # that a status can be asked for
_CONFLICT: Final = "conflict: under this id and version something else was posted before"
_GONE: Final = "this version was deleted; a newer one may be posted"


@dataclass(frozen=True, slots=True)
class _Known:
    digest: bytes
    version_us: int
    gone: bool


def post(place: Place, guest: Guest, collection: str, contents: Sequence[bytes]) -> dict[str, Any]:
    """Take objects, and tell what became of each."""
    found = [envelope.read(content) for content in contents]
    with store.writing(place.engine) as connection:
        now = store.now_us()
        outcome, new = _sorted(found, _known(connection, guest, collection, found), place, guest, now)
        _keep(connection, place, guest, collection, new, now)
        told = _status(found, outcome, now)
        connection.execute(delete(statuses).where(statuses.c.added_us < now - KEPT_US))
        row = {"id": told["id"], "reader": guest.id, "added_us": now, "body": orjson.dumps(told).decode()}
        connection.execute(insert(statuses).values(**row))
    return told


def remove(place: Place, guest: Guest, collection: str, named: str, versions: frozenset[str]) -> None:
    """Delete an object: all its versions, or those that are asked for.

    What it said is gone from the store; that it was here, and when it went, is kept.

    Raises:
        Refused: it is not there, or is not theirs to delete.
    """
    with store.writing(place.engine) as connection:
        mine = (shown.c.reader == guest.id, shown.c.collection == collection, shown.c.object_id == named)
        seen = set(connection.execute(select(shown.c.seq).where(*mine, *times.chosen(versions))).scalars())
        found = rows.by_seq(connection, seen)
        if not found:
            raise nowhere()
        if guest.peer and any(one.poster != guest.id for one in found.values()):
            raise Refused(403, "It is not yours to delete", "A peer may delete what they posted themselves.")
        gone = {"gone_us": store.now_us(), "content": b""}
        connection.execute(update(objects).where(rows.among(connection, objects.c.seq, found)).values(**gone))
        where = (refs.c.collection == collection, rows.among(connection, refs.c.seq, found))
        connection.execute(delete(refs).where(*where))
        feeds.withdraw(connection, place, collection, {seq: one.object_id for seq, one in found.items()})


def status(place: Place, guest: Guest, named: str) -> bytes:
    """The status of an earlier post of theirs.

    Raises:
        Refused: there is none.
    """
    with store.reading(place.engine) as connection:
        asked = select(statuses.c.body).where(statuses.c.id == named, statuses.c.reader == guest.id)
        body = connection.execute(asked).scalar()
    if body is None:
        raise nowhere()
    return str(body).encode()


def _known(connection: Connection, guest: Guest, collection: str, found: Iterable[Read]) -> dict[str, list[_Known]]:
    """What a guest can know to be there: what they are shown, and what they posted."""
    known: dict[str, list[_Known]] = {}
    ids = {one.id for one in found if not one.fault}
    mine = (objects.c.collection == collection, objects.c.poster == guest.id)
    where = (*mine, rows.among(connection, objects.c.object_id, ids))
    columns = (objects.c.object_id, objects.c.digest, objects.c.version_us, objects.c.gone_us)
    for row in connection.execute(select(*columns).where(*where).order_by(objects.c.seq)):
        one = _Known(bytes(row.digest), row.version_us, row.gone_us is not None)
        known.setdefault(row.object_id, []).append(one)
    seen = (shown.c.reader == guest.id, shown.c.collection == collection)
    asked = select(shown.c.object_id, shown.c.version_us, shown.c.content, objects.c.digest)
    asked = asked.join(objects, objects.c.seq == shown.c.seq)
    for row in connection.execute(asked.where(*seen, rows.among(connection, shown.c.object_id, ids))):
        digest = bytes(row.digest) if row.content is None else envelope.read(row.content).digest
        known.setdefault(row.object_id, []).append(_Known(digest, row.version_us, False))
    return known


def _sorted(
    found: Sequence[Read], known: dict[str, list[_Known]], place: Place, guest: Guest, now: int
) -> tuple[list[str], list[tuple[Read, int]]]:
    """For each object why it is not taken, or ''; and those that are new, with their versions."""
    outcome: list[str] = []
    new: list[tuple[Read, int]] = []
    for one in found:
        why = one.fault or (_theft(one, place) if guest.peer else "")
        if not why:
            before = known.setdefault(one.id, [])
            version = one.version_us
            if version is None:
                version = max([now, *(each.version_us + 1 for each in before)])
                # Two who write one address in two ways would otherwise post it to and fro for ever.
                same = [each for each in before if each.digest == one.digest and not each.gone]
            else:
                same = [each for each in before if each.version_us == version]
            if not same and one.body and one.body["type"] == "marking-definition" and before:
                same = before
            if not same:
                new.append((one, version))
                before.append(_Known(one.digest, version, False))
            elif not any(each.digest == one.digest and not each.gone for each in same):
                why = _GONE if all(each.gone for each in same) else _CONFLICT
        outcome.append(why)
    return outcome, new


def _theft(one: Read, place: Place) -> str:
    """What a peer posts in our name would be passed on as ours."""
    body = one.body or {}
    ours = body.get("created_by_ref") in place.site.own or body.get("id") in place.site.own
    return "it says that it is from those whom this server belongs to" if ours else ""


def _keep(
    connection: Connection, place: Place, guest: Guest, collection: str, new: Sequence[tuple[Read, int]], now: int
) -> None:
    if not new:
        return
    first = rows.next_seq(connection)
    given = [
        {
            "seq": first + number,
            "collection": collection,
            "poster": guest.id,
            "object_id": one.id,
            "version_us": version,
            "digest": one.digest,
            "content": one.content,
            "added_us": now,
        }
        for number, (one, version) in enumerate(new)
    ]
    connection.execute(insert(objects), given)
    named = [
        {"collection": collection, "target": ref, "seq": first + number}
        for number, (one, _) in enumerate(new)
        for ref in one.refs
    ]
    if named:
        connection.execute(insert(refs), named)
    kept = {
        first + number: Kept(first + number, guest.id, one.id, version, one.content, one.body or {})
        for number, (one, version) in enumerate(new)
    }
    feeds.extend(connection, place, collection, kept)


def _status(found: Sequence[Read], outcome: Sequence[str], now: int) -> dict[str, Any]:
    """Section 4.3.1."""
    taken, left = [], []
    for one, why in zip(found, outcome, strict=True):
        # An object that cannot be read has no id; the standard wants one all the same.
        told = {"id": one.id[:320] or "unknown"}
        if one.body is not None and isinstance(version := one.body.get("modified") or one.body.get("created"), str):
            told["version"] = version if stix_valid.time_us(version) is not None else times.told(now)
        else:
            told["version"] = times.told(now)
        if why:
            left.append(told | {"message": why})
        else:
            taken.append(told)
    return {
        "id": str(uuid.uuid4()),
        "status": "complete",
        "request_timestamp": times.told(now),
        "total_count": len(found),
        "success_count": len(taken),
        "successes": taken,
        "failure_count": len(left),
        "failures": left,
        "pending_count": 0,
        "pendings": [],
    }
