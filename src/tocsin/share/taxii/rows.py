"""Ids and a connection in, rows of the store out: the questions that several parts of the server ask."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    Text,
    any_,
    bindparam,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from tocsin.share.taxii.tables import objects, readers, refs, shown


@dataclass(frozen=True, slots=True)
class Kept:
    """An object of the store, with what its content says."""

    seq: int
    poster: str
    object_id: str
    version_us: int
    content: bytes
    body: dict[str, Any]


def among(connection: Connection, column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """Whether a column has one of many values, as one parameter: thousands of them take their time and are bounded."""
    told = sorted(values)
    if connection.dialect.name == "sqlite":
        each = func.json_each(literal(orjson.dumps(told).decode(), Text)).table_valued("value")
        return column.in_(select(each.c.value))
    kind = column.type if not isinstance(column.type, String) else Text()
    return column == any_(bindparam(None, told, ARRAY(kind)))


def by_seq(connection: Connection, seqs: Collection[int]) -> dict[int, Kept]:
    """Those of these objects that were not deleted."""
    if not seqs:
        return {}
    asked = select(objects).where(among(connection, objects.c.seq, seqs), objects.c.gone_us.is_(None))
    return {row.seq: _kept(row) for row in connection.execute(asked)}


def every(connection: Connection, collection: str) -> dict[int, Kept]:
    asked = select(objects).where(objects.c.collection == collection, objects.c.gone_us.is_(None))
    return {row.seq: _kept(row) for row in connection.execute(asked.order_by(objects.c.seq))}


def of_ids(connection: Connection, collection: str, ids: Collection[str]) -> set[int]:
    """Objects that were not deleted, all their versions."""
    if not ids:
        return set()
    asked = select(objects.c.seq).where(objects.c.collection == collection, objects.c.gone_us.is_(None))
    return set(connection.execute(asked.where(among(connection, objects.c.object_id, ids))).scalars())


def referrers(connection: Connection, collection: str, ids: Collection[str]) -> set[int]:
    if not ids:
        return set()
    asked = select(refs.c.seq).where(refs.c.collection == collection, among(connection, refs.c.target, ids))
    return set(connection.execute(asked).scalars())


def next_seq(connection: Connection) -> int:
    return int(connection.execute(select(func.max(objects.c.seq))).scalar() or 0) + 1


def append(
    connection: Connection, reader: str, collection: str, told: Sequence[dict[str, Any]], *, now_us: int
) -> None:
    """Give a reader rows of their own, each a place in time after all that they ever had."""
    if not told:
        return
    where = (readers.c.reader == reader, readers.c.collection == collection)
    last = int(connection.execute(select(readers.c.last_us).where(*where)).scalar() or 0)
    first = max(now_us, last + 1)
    new = {"reader": reader, "collection": collection, "is_first": True, "is_last": True}
    connection.execute(insert(shown), [{**one, **new, "added_us": first + number} for number, one in enumerate(told)])
    connection.execute(update(readers).where(*where).values(last_us=first + len(told) - 1))


def order(connection: Connection, reader: str, collection: str, ids: Collection[str]) -> None:
    """Say anew which version of each object is the first that a reader has, and which the last."""
    mine = (shown.c.reader == reader, shown.c.collection == collection)
    if not ids:
        return
    low, high = func.min(shown.c.version_us), func.max(shown.c.version_us)
    asked = select(shown.c.object_id, low, high).where(*mine, among(connection, shown.c.object_id, ids))
    for named, first, last in connection.execute(asked.group_by(shown.c.object_id)).all():
        flags = {"is_first": shown.c.version_us == first, "is_last": shown.c.version_us == last}
        connection.execute(update(shown).where(*mine, shown.c.object_id == named).values(**flags))


def _kept(row: Any) -> Kept:
    content = bytes(row.content)
    return Kept(row.seq, row.poster, row.object_id, row.version_us, content, orjson.loads(content))
