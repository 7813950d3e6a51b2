"""A question about a collection in, a page of what its asker is shown out (TAXII 2.1, sections 3.4, 3.5 and 5).

Pages follow the places in time that a reader's own rows have: each is taken once, in their order, and none is filled
later. So a page is found by its place in an index, at any depth, and says nothing of rows that others have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, Connection, Select, func, select

from tocsin.border.stix_valid import time_us
from tocsin.model.guest import Guest
from tocsin.share.taxii import cursors, store, times
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.refused import Refused, nowhere
from tocsin.share.taxii.tables import objects, shown

MOST: Final = 1000  # objects on a page
MEDIA: Final = "application/stix+json;version=2.1"
MOST_VALUES: Final = 500  # of one filter
FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "objects": ("added_after", "match[id]", "match[type]", "match[version]", "match[spec_version]"),
    "manifest": ("added_after", "match[id]", "match[type]", "match[version]", "match[spec_version]"),
    "object": ("added_after", "match[version]", "match[spec_version]"),
    "versions": ("added_after", "match[spec_version]"),
    "delete": ("match[version]", "match[spec_version]"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a collection, checked.

    Args:
        said: the filters as they were given, which a cursor carries on.
    """

    limit: int
    after_us: int
    versions: frozenset[str] = frozenset({"last"})
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    of_this_standard: bool = True
    said: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its body, and the times of the first and the last object on it ('' where it is empty)."""

    body: bytes
    first: str = ""
    last: str = ""


def question(place: Place, guest: Guest, kind: str, resource: str, asked: Mapping[str, str]) -> Question:
    """Check what is asked.

    Raises:
        Refused: it cannot be understood. Nothing that filters is passed over: the answer would be another one.
    """
    allowed = FILTERS[kind]
    if odd := sorted(name for name in asked if name.startswith("match[") and name not in allowed):
        raise Refused(400, "There is no such filter here", f"{odd[0][:80]}; there are {', '.join(allowed)}")
    said = {name: value for name, value in asked.items() if name in allowed}
    limit = _limit(asked.get("limit"))
    after_us = -1
    if "next" in asked:
        after_us, before = cursors.read(place.cursor_key, guest.id, resource, asked["next"])
        if said and said != before:
            raise Refused(400, "`next` goes with other filters", "Use those of the first page, or none beside it.")
        said = before
    if "added_after" in said:
        after = time_us(said["added_after"])
        if after is None:
            raise Refused(400, "added_after is no time", "It is written like 2026-03-05T10:00:00.000000Z.")
        after_us = max(after_us, after)
    return Question(
        limit=limit,
        after_us=after_us,
        versions=_versions(said.get("match[version]")),
        ids=_values(said, "match[id]"),
        types=_values(said, "match[type]"),
        of_this_standard="match[spec_version]" not in said or "2.1" in _values(said, "match[spec_version]"),
        said=said,
    )


def page_of_objects(place: Place, guest: Guest, collection: str, resource: str, asked: Question) -> Page:
    with store.reading(place.engine) as connection:
        body = func.coalesce(shown.c.content, objects.c.content)
        wanted = select(shown.c.added_us, body).join(objects, objects.c.seq == shown.c.seq)
        found = _found(connection, wanted, guest, collection, asked)
        if not found and len(asked.ids) == 1 and resource != collection:
            _must_be_there(connection, guest, collection, asked.ids[0])
    return _page(place, guest, resource, asked, "objects", [(row[0], bytes(row[1])) for row in found])


def page_of_manifest(place: Place, guest: Guest, collection: str, resource: str, asked: Question) -> Page:
    with store.reading(place.engine) as connection:
        wanted = select(shown.c.added_us, shown.c.object_id, shown.c.version_us)
        found = _found(connection, wanted, guest, collection, asked)
    told = [(row[0], _record(row[0], row[1], row[2])) for row in found]
    return _page(place, guest, resource, asked, "objects", told)


def page_of_versions(place: Place, guest: Guest, collection: str, resource: str, asked: Question) -> Page:
    with store.reading(place.engine) as connection:
        found = _found(connection, select(shown.c.added_us, shown.c.version_us), guest, collection, asked)
        if not found:
            _must_be_there(connection, guest, collection, asked.ids[0])
    told = [(row[0], orjson.dumps(times.told_version(row[1]))) for row in found]
    return _page(place, guest, resource, asked, "versions", told)


def _record(added_us: int, named: str, version_us: int) -> bytes:
    told = {"date_added": times.told(added_us), "version": times.told_version(version_us)}
    return orjson.dumps({"id": named, **told, "media_type": MEDIA})


def _found(
    connection: Connection, wanted: Select[Any], guest: Guest, collection: str, asked: Question
) -> Sequence[Any]:
    """One row more than the page has, if there is one."""
    if not asked.of_this_standard:
        return []
    where: list[ColumnElement[Any]] = [shown.c.reader == guest.id, shown.c.collection == collection]
    where += [shown.c.added_us > asked.after_us, *times.chosen(asked.versions)]
    if asked.ids:
        where.append(shown.c.object_id.in_(asked.ids))
    if asked.types:
        where.append(shown.c.type.in_(asked.types))
    return connection.execute(wanted.where(*where).order_by(shown.c.added_us).limit(asked.limit + 1)).all()


def _must_be_there(connection: Connection, guest: Guest, collection: str, named: str) -> None:
    where = (shown.c.reader == guest.id, shown.c.collection == collection, shown.c.object_id == named)
    if connection.execute(select(shown.c.seq).where(*where).limit(1)).first() is None:
        raise nowhere()


def _page(
    place: Place, guest: Guest, resource: str, asked: Question, name: str, found: Sequence[tuple[int, bytes]]
) -> Page:
    """Put together bytes that are JSON already."""
    told = found[: asked.limit]
    if not told:
        return Page(b"{}")
    more = b""
    if len(found) > len(told):
        word = cursors.made(place.cursor_key, guest.id, resource, asked.said, told[-1][0])
        more = b'"more":true,"next":"' + word.encode() + b'",'
    body = b"{" + more + b'"' + name.encode() + b'":[' + b",".join(one for _, one in told) + b"]}"
    return Page(body, times.told(told[0][0]), times.told(told[-1][0]))


def _limit(said: str | None) -> int:
    if said is None:
        return MOST
    if not (said.isascii() and said.isdigit() and len(said) < 10 and int(said) > 0):
        raise Refused(
            400, "limit is no number of objects", f"It is a whole number from 1; pages have at most {MOST:,}."
        )
    return min(int(said), MOST)


def _values(said: Mapping[str, str], name: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(word for word in said.get(name, "").split(",") if word))
    if name in said and not values:
        raise Refused(400, f"{name} names nothing", "Give one value, or several with commas between.")
    if len(values) > MOST_VALUES or any(len(word) > 320 or "\0" in word for word in values):
        raise Refused(400, f"{name} names too much", f"At most {MOST_VALUES} values are looked for at once.")
    return values


def _versions(said: str | None) -> frozenset[str]:
    if said is None:
        return frozenset({"last"})
    words = frozenset(word for word in said.split(",") if word)
    odd = [word for word in words if word not in times.WORDS and time_us(word) is None]
    if odd or not words or len(words) > MOST_VALUES:
        raise Refused(400, "match[version] is no version", "It is first, last, all, or a time; several with commas.")
    return words
