"""Ids and a connection in, rows of the store out: the questions that several parts of the server ask."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from tocsin.share.taxii.tables import objects, readers, refs, shown

AT_ONCE: Final = 500  # values of one question: databases bound how many they take


def chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    every = list(values)
    for start in range(0, len(every), AT_ONCE):
        yield every[start : start + AT_ONCE]


def by_seq(connection: Connection, seqs: Collection[int]) -> dict[int, RowMapping]:
    found: dict[int, RowMapping] = {}
    for some in chunks(sorted(seqs)):
        for row in connection.execute(select(objects).where(objects.c.seq.in_(some))).mappings():
            found[row["seq"]] = row
    return found


def by_id(connection: Connection, collection: str, ids: Collection[str]) -> list[RowMapping]:
    """Rows of objects that were not deleted, all their versions."""
    found: list[RowMapping] = []
    for some in chunks(sorted(ids)):
        asked = select(objects).where(objects.c.collection == collection, objects.c.object_id.in_(some))
        found += connection.execute(asked.where(objects.c.gone_us.is_(None))).mappings()
    return found


def referrers(connection: Connection, collection: str, ids: Collection[str]) -> set[int]:
    found: set[int] = set()
    for some in chunks(sorted(ids)):
        asked = select(refs.c.seq).where(refs.c.collection == collection, refs.c.target.in_(some))
        found.update(connection.execute(asked).scalars())
    return found


def next_seq(connection: Connection) -> int:
    return int(connection.execute(select(func.max(objects.c.seq))).scalar() or 0) + 1


def last_us(connection: Connection, reader: str, collection: str) -> int:
    asked = select(readers.c.last_us).where(readers.c.reader == reader, readers.c.collection == collection)
    return int(connection.execute(asked).scalar() or 0)


def append(
    connection: Connection, reader: str, collection: str, told: Sequence[dict[str, Any]], *, now_us: int
) -> list[int]:
    """Give a reader rows of their own, each a place in time after all that they had; gives these places."""
    first = max(now_us, last_us(connection, reader, collection) + 1)
    given = [
        {**one, "reader": reader, "collection": collection, "added_us": first + number, "is_first": True}
        | {"is_last": True}
        for number, one in enumerate(told)
    ]
    if not given:
        return []
    connection.execute(insert(shown), given)
    where = (readers.c.reader == reader, readers.c.collection == collection)
    connection.execute(update(readers).where(*where).values(last_us=given[-1]["added_us"]))
    order(connection, reader, collection, {str(one["object_id"]) for one in told})
    return [one["added_us"] for one in given]


def order(connection: Connection, reader: str, collection: str, ids: Collection[str]) -> None:
    """Say anew which version of each object is the first that a reader has, and which the last."""
    mine = (shown.c.reader == reader, shown.c.collection == collection)
    for some in chunks(sorted(ids)):
        asked = (
            select(shown.c.object_id, func.min(shown.c.version_us), func.max(shown.c.version_us))
            .where(*mine, shown.c.object_id.in_(some))
            .group_by(shown.c.object_id)
        )
        for named, low, high in connection.execute(asked.having(func.count() > 1)).all():
            one = (*mine, shown.c.object_id == named)
            flags = {"is_first": shown.c.version_us == low, "is_last": shown.c.version_us == high}
            connection.execute(update(shown).where(*one).values(**flags))
        alone = asked.having(func.count() == 1).with_only_columns(shown.c.object_id)
        single = list(connection.execute(alone).scalars())
        if single:
            both = (*mine, shown.c.object_id.in_(single), ~(shown.c.is_first & shown.c.is_last))
            connection.execute(update(shown).where(*both).values(is_first=True, is_last=True))


