"""New objects in, what each reader is shown of them out, as `share.decide` lets it, and in the journal.

What a release says of an object hangs on those it refers to, and on those that refer to it where it is an observable.
So with every new object all that hangs on it is decided again, over everything that these hang on; the rest stays as
it was. Names are another matter: what is learnt to be a name later cannot be taken back from who has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from tocsin.model.collection import Collection as Held
from tocsin.model.guest import Guest
from tocsin.model.observables import OBSERVABLES
from tocsin.model.peer import Peer
from tocsin.share import journal, ours
from tocsin.share.hidden import Hidden
from tocsin.share.release import decide
from tocsin.share.taxii import envelope, rows, store
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.tables import objects, readers, shown

_SPOKEN_OF = OBSERVABLES | {"marking-definition"}  # they go only with something that speaks of them


@dataclass(frozen=True, slots=True)
class _Told:
    """What a reader is to be shown of one object; `content` is None where that is what came."""

    object_id: str
    version_us: int
    content: bytes | None


def settle(place: Place) -> None:
    """Bring what every reader is shown to what the site says now; what was decided otherwise is decided anew."""
    with store.writing(place.engine) as connection:
        wanted = {(guest.id, held.id): (guest, held) for guest in place.site.guests for held in place.site.collections}
        for reader, collection in connection.execute(select(readers.c.reader, readers.c.collection)).all():
            guest, _ = wanted.get((reader, collection), (None, None))
            if guest is None or not _reads(guest, collection):
                _forget(connection, reader, collection)
        for (reader, collection), (guest, _) in sorted(wanted.items(), key=lambda one: one[0]):
            if _reads(guest, collection):
                _settle(connection, place, guest, collection)


def extend(connection: Connection, place: Place, collection: str, seqs: Collection[int]) -> None:
    """Show new objects, and what hangs on them, to all who read the collection."""
    told = [guest for guest in place.site.guests if _reads(guest, collection)]
    if not seqs or not told:
        return
    affected = _affected(connection, collection, seqs)
    for guest in told:
        _settle(connection, place, guest, collection)
        _show(connection, place, guest, collection, affected if guest.peer else rows.by_seq(connection, seqs))


def withdraw(connection: Connection, place: Place, collection: str, gone: Mapping[int, str]) -> None:
    """Show objects that were deleted to nobody any more, and decide again what hung on them: by place, their ids."""
    for some in rows.chunks(gone):
        was = connection.execute(select(shown.c.reader, shown.c.object_id).where(shown.c.seq.in_(some))).all()
        connection.execute(delete(shown).where(shown.c.seq.in_(some)))
        for reader in {one.reader for one in was}:
            rows.order(connection, reader, collection, {one.object_id for one in was if one.reader == reader})
    hung = rows.referrers(connection, collection, set(gone.values()))
    hung |= {row["seq"] for row in rows.by_id(connection, collection, set(gone.values()))}
    extend(connection, place, collection, hung - set(gone))


def _reads(guest: Guest, collection: str) -> bool:
    return "read" in guest.rights.get(collection, ())


def _settle(
    connection: Connection, place: Place, guest: Guest, collection: str
) -> None:
    """Decide everything again where it was decided under something else."""
    by = hashlib.sha256(f"{guest.agreement}\0{place.decided_by if guest.peer else ''}".encode()).hexdigest()
    where = (readers.c.reader == guest.id, readers.c.collection == collection)
    known = connection.execute(select(readers.c.decided_by).where(*where)).scalar()
    if known == by:
        return
    if known is None:
        row = {"reader": guest.id, "collection": collection, "decided_by": by, "last_us": 0}
        connection.execute(insert(readers).values(**row))
    else:
        connection.execute(update(readers).where(*where).values(decided_by=by))
    asked = select(objects).where(objects.c.collection == collection, objects.c.gone_us.is_(None))
    every = connection.execute(asked.order_by(objects.c.seq)).mappings()
    _show(connection, place, guest, collection, {row["seq"]: row for row in every})


def _forget(connection: Connection, reader: str, collection: str) -> None:
    """Show nothing any more. The places in time that were given out are remembered: none is given twice."""
    connection.execute(delete(shown).where(shown.c.reader == reader, shown.c.collection == collection))
    where = (readers.c.reader == reader, readers.c.collection == collection)
    connection.execute(update(readers).where(*where).values(decided_by=""))


def _affected(connection: Connection, collection: str, seqs: Collection[int]) -> dict[int, RowMapping]:
    """Objects whose release may come out another way now."""
    found = rows.by_seq(connection, seqs)
    fresh = dict(found)
    while fresh:
        ids = {row["object_id"] for row in fresh.values()}
        spoken = {
            ref
            for row in fresh.values()
            for ref in envelope.refs_of(orjson.loads(row["content"]))
            if ref.partition("--")[0] in _SPOKEN_OF
        }
        more = {row["seq"]: row for row in rows.by_id(connection, collection, ids | spoken)}
        more |= _left(rows.by_seq(connection, rows.referrers(connection, collection, ids) - found.keys()))
        fresh = {seq: row for seq, row in more.items() if seq not in found}
        found |= fresh
    return found


def _left(found: dict[int, RowMapping]) -> dict[int, RowMapping]:
    return {seq: row for seq, row in found.items() if row["gone_us"] is None}


def _around(connection: Connection, collection: str, bodies: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """These objects with all that they refer to, near and far."""
    found = dict(bodies)
    fresh: Iterable[dict[str, Any]] = bodies.values()
    asked: set[str] = {str(one["id"]) for one in fresh}
    while wanted := {ref for one in fresh for ref in envelope.refs_of(one)} - asked:
        asked |= wanted
        more = {row["seq"]: orjson.loads(row["content"]) for row in rows.by_id(connection, collection, wanted)}
        fresh = more.values()
        found |= more
    return dict(sorted(found.items()))


def _agreed(around: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Without markings that two define in two ways: whoever could define another's marking could open it."""
    said: dict[str, set[bytes]] = {}
    for body in around.values():
        if body["type"] == "marking-definition":
            said.setdefault(str(body["id"]), set()).add(orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
    disputed = {named for named, ways in said.items() if len(ways) > 1}
    return {seq: body for seq, body in around.items() if body["id"] not in disputed}


def _show(
    connection: Connection, place: Place, guest: Guest, collection: str, affected: Mapping[int, RowMapping]
) -> None:
    """Show a reader what they may have of these objects, and nothing else of them."""
    now = store.now_us()
    told, withheld = _told(connection, place, guest, collection, affected)
    was: dict[int, RowMapping] = {}
    taken: dict[tuple[str, int], int] = {}
    mine = (shown.c.reader == guest.id, shown.c.collection == collection)
    for some in rows.chunks(affected):
        was |= {row["seq"]: row for row in connection.execute(select(shown).where(*mine, shown.c.seq.in_(some))).mappings()}
    for some in rows.chunks({one.object_id for one in told.values()}):
        asked = select(shown.c.object_id, shown.c.version_us, shown.c.seq).where(*mine, shown.c.object_id.in_(some))
        taken |= {(row.object_id, row.version_us): row.seq for row in connection.execute(asked)}
    stale = {seq for seq, row in was.items() if (one := told.get(seq)) is None or not _same(one, row)}
    for some in rows.chunks(stale):
        connection.execute(delete(shown).where(*mine, shown.c.seq.in_(some)))
    taken = {key: seq for key, seq in taken.items() if seq not in stale}
    new: list[dict[str, Any]] = []
    for seq, one in sorted(told.items()):
        # Of two who say different things under one id and version, the first one heard is believed.
        if taken.setdefault((one.object_id, one.version_us), seq) == seq and (seq not in was or seq in stale):
            new.append(_row(seq, one))
    if stale:
        rows.order(connection, guest.id, collection, {was[seq]["object_id"] for seq in stale})
    rows.append(connection, guest.id, collection, new, now_us=now)
    if guest.peer and new:
        _enter(place, guest, guest.peer, collection, [one["content"] or affected[one["seq"]]["content"] for one in new], withheld)


def _row(seq: int, one: _Told) -> dict[str, Any]:
    kind = one.object_id.partition("--")[0]
    return {"seq": seq, "object_id": one.object_id, "type": kind, "version_us": one.version_us, "content": one.content}


def _same(one: _Told, row: RowMapping) -> bool:
    return (one.object_id, one.version_us, one.content) == (row["object_id"], row["version_us"], row["content"])


def _told(
    connection: Connection, place: Place, guest: Guest, collection: str, affected: Mapping[int, RowMapping]
) -> tuple[dict[int, _Told], dict[str, int]]:
    """What a reader is to be shown, by object; and how many stay here, by the reason."""
    own = {
        seq: _Told(row["object_id"], row["version_us"], None)
        for seq, row in affected.items()
        if guest.peer is None or row["poster"] == guest.id  # what they said themselves is no secret to them
    }
    if guest.peer is None:
        return own, {}
    bodies = {seq: orjson.loads(row["content"]) for seq, row in affected.items()}
    around = _agreed(_around(connection, collection, bodies))
    release = decide(
        list(around.values()),
        guest.peer,
        _hidden(connection, place, guest.peer, collection, around.values()),
        key=journal.key_for(place.folder, guest.peer.id),
        own=place.site.own,
        today=datetime.now(UTC).date().isoformat(),
    )
    found: dict[int, _Told] = {}
    withheld: dict[str, int] = {}
    going = iter(release.objects)
    for (seq, body), verdict in zip(around.items(), release.verdicts, strict=True):
        one = None if verdict.outcome == "withheld" else next(going)
        if seq not in affected or seq in own:
            continue
        if one is None:
            withheld[verdict.because[0]] = withheld.get(verdict.because[0], 0) + 1
        else:
            content = None if one == body else orjson.dumps(one)
            found[seq] = _Told(str(one["id"]), affected[seq]["version_us"], content)
    return found | own, dict(sorted(withheld.items()))


def _hidden(
    connection: Connection, place: Place, peer: Peer, collection: str, near: Iterable[Mapping[str, Any]]
) -> Hidden:
    """Names that this reader is not told: of the lists, and all that the collection speaks of as machine or account."""
    key = journal.key_for(place.folder, peer.id)
    if peer.victims == "named":
        return Hidden((), key)
    speaking = list(near)
    for kind in ("identity", "user-account"):
        asked = select(objects.c.content).where(objects.c.collection == collection, objects.c.gone_us.is_(None))
        asked = asked.where(objects.c.object_id > f"{kind}--", objects.c.object_id < f"{kind}-.")
        speaking += [orjson.loads(content) for content in connection.execute(asked).scalars()]
    return Hidden([*place.names, *ours.names(speaking, (), ())], key, place.networks)


def _enter(
    place: Place, guest: Guest, peer: Peer, collection: str, sent: Sequence[bytes], withheld: Mapping[str, int]
) -> None:
    """Write into the journal what may be fetched from now on; where that fails, nothing may."""
    digest = hashlib.sha256()
    for content in sent:
        digest.update(content + b"\n")
    journal.add(
        place.folder,
        {
            "what": "released",
            "version": 1,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "by": f"taxii collection {collection}",
            "peer": peer.id,
            "agreement": guest.agreement,
            "bundle": collection,
            "sent": digest.hexdigest(),
            "objects": {"shown": len(sent), "withheld": sum(withheld.values())},
            "withheld": withheld,
        },
    )
