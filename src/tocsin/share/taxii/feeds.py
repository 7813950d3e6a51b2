"""New objects in, what each reader is shown of them out, as `share.decide` lets it, and in the journal.

What a release says of an object hangs on those it refers to, and on those that refer to it where it is an observable.
So with every new object all that hangs on it is decided again, over everything that these hang on; the rest stays as
it was. Names are another matter: what is learnt to be a name later cannot be taken back from who has it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select, update

from tocsin.model.guest import Guest
from tocsin.model.observables import OBSERVABLES
from tocsin.model.peer import Peer
from tocsin.seal import decisions
from tocsin.share import journal, ours
from tocsin.share.hidden import Hidden
from tocsin.share.release import decide
from tocsin.share.taxii import envelope, rows, store
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.rows import Kept
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
        wanted = {
            (guest.id, held.id)
            for guest in place.site.guests
            for held in place.site.collections
            if _reads(guest, held.id)
        }
        for reader, collection in connection.execute(select(readers.c.reader, readers.c.collection)).all():
            if (reader, collection) not in wanted:
                _forget(connection, reader, collection)
        for guest in place.site.guests:
            for held in place.site.collections:
                if _reads(guest, held.id):
                    _settle(connection, place, guest, held.id)


def extend(connection: Connection, place: Place, collection: str, new: Mapping[int, Kept]) -> None:
    """Show new objects, and what hangs on them, to all who read the collection."""
    told = [guest for guest in place.site.guests if _reads(guest, collection)]
    affected = _affected(connection, collection, new) if any(guest.peer for guest in told) else new
    for guest in told:
        # Another worker that has another file of the site may have decided under that.
        if not _settle(connection, place, guest, collection):
            _show(connection, place, guest, collection, affected if guest.peer else new)


def withdraw(connection: Connection, place: Place, collection: str, gone: Mapping[int, str]) -> None:
    """Show objects that were deleted to nobody any more, and decide again what hung on them: by place, their ids."""
    where = rows.among(connection, shown.c.seq, gone.keys())
    was = connection.execute(select(shown.c.reader, shown.c.object_id).where(where)).all()
    connection.execute(delete(shown).where(where))
    for reader in {one.reader for one in was}:
        rows.order(connection, reader, collection, {one.object_id for one in was if one.reader == reader})
    ids = set(gone.values())
    hung = rows.referrers(connection, collection, ids) | rows.of_ids(connection, collection, ids)
    extend(connection, place, collection, rows.by_seq(connection, hung))


def _reads(guest: Guest, collection: str) -> bool:
    return "read" in guest.rights.get(collection, ())


def _settle(connection: Connection, place: Place, guest: Guest, collection: str) -> bool:
    """Decide everything again where it was decided under something else; whether that was so."""
    by = hashlib.sha256(f"{guest.agreement}\0{place.decided_by if guest.peer else ''}".encode()).hexdigest()
    where = (readers.c.reader == guest.id, readers.c.collection == collection)
    known = connection.execute(select(readers.c.decided_by).where(*where)).scalar()
    if known == by:
        return False
    if known is None:
        row = {"reader": guest.id, "collection": collection, "decided_by": by, "last_us": 0}
        connection.execute(insert(readers).values(**row))
    else:
        connection.execute(update(readers).where(*where).values(decided_by=by))
    _show(connection, place, guest, collection, rows.every(connection, collection))
    return True


def _forget(connection: Connection, reader: str, collection: str) -> None:
    """Show nothing any more. The places in time that were given out are remembered: none is given twice."""
    connection.execute(delete(shown).where(shown.c.reader == reader, shown.c.collection == collection))
    where = (readers.c.reader == reader, readers.c.collection == collection)
    connection.execute(update(readers).where(*where).values(decided_by=""))


def _affected(connection: Connection, collection: str, new: Mapping[int, Kept]) -> dict[int, Kept]:
    """Objects whose release may come out another way now."""
    found = dict(new)
    fresh = found
    while fresh:
        ids = {one.object_id for one in fresh.values()}
        spoken = {
            ref for one in fresh.values() for ref in envelope.refs_of(one.body) if ref.partition("--")[0] in _SPOKEN_OF
        }
        near = rows.of_ids(connection, collection, ids | spoken) | rows.referrers(connection, collection, ids)
        fresh = rows.by_seq(connection, near - found.keys())
        found |= fresh
    return dict(sorted(found.items()))


def _around(connection: Connection, collection: str, affected: Mapping[int, Kept]) -> dict[int, Kept]:
    """These objects with all that they refer to, near and far; without markings that two define in two ways.

    Whoever could define another's marking could open what it closes.
    """
    found = dict(affected)
    fresh = found
    asked = {one.object_id for one in fresh.values()}
    while wanted := {ref for one in fresh.values() for ref in envelope.refs_of(one.body)} - asked:
        asked |= wanted
        fresh = rows.by_seq(connection, rows.of_ids(connection, collection, wanted) - found.keys())
        found |= fresh
    said: dict[str, set[bytes]] = {}
    for one in found.values():
        if one.body["type"] == "marking-definition":
            said.setdefault(one.object_id, set()).add(orjson.dumps(one.body, option=orjson.OPT_SORT_KEYS))
    return {seq: one for seq, one in sorted(found.items()) if len(said.get(one.object_id, ())) < 2}


def _show(connection: Connection, place: Place, guest: Guest, collection: str, affected: Mapping[int, Kept]) -> None:
    """Show a reader what they may have of these objects, and nothing else of them."""
    if not affected:
        return
    told, withheld = _told(connection, place, guest, collection, affected)
    columns = (shown.c.seq, shown.c.object_id, shown.c.version_us, shown.c.content)
    mine = (shown.c.reader == guest.id, shown.c.collection == collection)
    asked = select(*columns).where(*mine, rows.among(connection, shown.c.seq, affected.keys()))
    was = {row.seq: row for row in connection.execute(asked)}
    stale = {seq for seq, row in was.items() if _differ(told.get(seq), row)}
    if stale:
        connection.execute(delete(shown).where(*mine, rows.among(connection, shown.c.seq, stale)))
    ids = {one.object_id for one in told.values()}
    asked = select(*columns).where(*mine, rows.among(connection, shown.c.object_id, ids))
    taken = {(row.object_id, row.version_us): row.seq for row in connection.execute(asked)}
    new = _new(told, taken)
    rows.append(connection, guest.id, collection, [_row(seq, one) for seq, one in new.items()], now_us=store.now_us())
    versions = Counter(named for named, _ in taken)
    again = {one.object_id for one in new.values() if versions[one.object_id] > 1}
    rows.order(connection, guest.id, collection, again | {was[seq].object_id for seq in stale})
    if guest.peer and new:
        sent = [affected[seq].content if one.content is None else one.content for seq, one in new.items()]
        _enter(place, guest, guest.peer, collection, sent, withheld)


def _new(told: Mapping[int, _Told], taken: dict[tuple[str, int], int]) -> dict[int, _Told]:
    """What is not shown yet. Of two who say different things under one id and version, the first heard is believed."""
    shown_already = set(taken.values())
    return {
        seq: one
        for seq, one in sorted(told.items())
        if seq not in shown_already and taken.setdefault((one.object_id, one.version_us), seq) == seq
    }


def _row(seq: int, one: _Told) -> dict[str, Any]:
    kind = one.object_id.partition("--")[0]
    return {"seq": seq, "object_id": one.object_id, "type": kind, "version_us": one.version_us, "content": one.content}


def _differ(one: _Told | None, row: Any) -> bool:
    return one is None or (one.object_id, one.version_us, one.content) != (row.object_id, row.version_us, row.content)


def _told(
    connection: Connection, place: Place, guest: Guest, collection: str, affected: Mapping[int, Kept]
) -> tuple[dict[int, _Told], dict[str, int]]:
    """What a reader is to be shown, by object; and how many stay here, by the reason."""
    own = {
        seq: _Told(one.object_id, one.version_us, None)
        for seq, one in affected.items()
        if guest.peer is None or one.poster == guest.id  # what they said themselves is no secret to them
    }
    if guest.peer is None:
        return own, {}
    around = _around(connection, collection, affected)
    release = decide(
        [one.body for one in around.values()],
        guest.peer,
        _hidden(connection, place, guest.peer, collection),
        key=journal.key_for(place.folder, guest.peer.id),
        own=place.site.own,
        today=datetime.now(UTC).date().isoformat(),
    )
    found: dict[int, _Told] = {}
    withheld: dict[str, int] = {}
    going = iter(release.objects)
    all_of_them = [
        (seq, kept, None if verdict.outcome == "withheld" else next(going), verdict)
        for (seq, kept), verdict in zip(around.items(), release.verdicts, strict=True)
    ]
    # The id of an observable is made of what it says: who could make it go by speaking of it could ask what is here.
    spoken = {
        ref for _, kept, one, _ in all_of_them if one and kept.poster != guest.id for ref in envelope.refs_of(dict(one))
    }
    for seq, kept, one, verdict in all_of_them:
        if seq not in affected or seq in own:
            continue
        if one is None or (one["type"] in _SPOKEN_OF and one["id"] not in spoken):
            why = verdict.because[0] if one is None else "nothing that goes speaks of it but what is theirs"
            withheld[why] = withheld.get(why, 0) + 1
        else:
            found[seq] = _Told(str(one["id"]), kept.version_us, None if one == kept.body else orjson.dumps(one))
    return found | own, dict(sorted(withheld.items()))


def _hidden(connection: Connection, place: Place, peer: Peer, collection: str) -> Hidden:
    """Names that this reader is not told: of the lists, and all that the collection speaks of as machine or account."""
    key = journal.key_for(place.folder, peer.id)
    if peer.victims == "named":
        return Hidden((), key)
    speaking: list[dict[str, Any]] = []
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
            "at": decisions.now(),
            "by": f"taxii collection {collection}",
            "peer": peer.id,
            "agreement": guest.agreement,
            "bundle": collection,
            "sent": digest.hexdigest(),
            "objects": {"shown": len(sent), "withheld": sum(withheld.values())},
            "withheld": withheld,
        },
    )
