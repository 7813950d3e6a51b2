"""Nothing in, the tables of the store out; `migrations/` makes them.

`objects` has what came, byte for byte. `shown` has what each reader may see of it, each with a place of their own in
time: whatever a reader asks is answered from their rows alone, so what is not theirs cannot be told from what is not.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

META: Final = MetaData()
_KEY: Final = BigInteger().with_variant(Integer, "sqlite")  # only an INTEGER counts up by itself there
# Bytes are compared, as SQLite does: the order of a language of PostgreSQL's would be another one on each machine.
_ID: Final = String(320).with_variant(String(320, collation="C"), "postgresql")
_NAME: Final = String(64)

objects: Final = Table(
    "objects",
    META,
    Column("seq", _KEY, primary_key=True, autoincrement=False),
    Column("collection", _NAME, nullable=False),
    Column("poster", _NAME, nullable=False),
    Column("object_id", _ID, nullable=False),
    Column("version_us", BigInteger, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),  # of the object in one form, whatever order its keys came in
    Column("content", LargeBinary, nullable=False),  # empty once it was deleted
    Column("added_us", BigInteger, nullable=False),
    Column("gone_us", BigInteger, nullable=True),
    Index("objects_once", "collection", "object_id", "poster", "version_us", unique=True),
)
refs: Final = Table(
    "refs",
    META,
    Column("collection", _NAME, primary_key=True),
    Column("target", _ID, primary_key=True),
    Column("seq", _KEY, primary_key=True),
    sqlite_with_rowid=False,
)
shown: Final = Table(
    "shown",
    META,
    Column("reader", _NAME, primary_key=True),
    Column("collection", _NAME, primary_key=True),
    Column("added_us", BigInteger, primary_key=True),
    Column("object_id", _ID, nullable=False),
    Column("type", _ID, nullable=False),
    Column("version_us", BigInteger, nullable=False),
    Column("is_first", Boolean, nullable=False),
    Column("is_last", Boolean, nullable=False),
    Column("seq", _KEY, nullable=False),
    Column("content", LargeBinary, nullable=True),  # None where it is shown as it came
    Index("shown_once", "reader", "collection", "object_id", "version_us", unique=True),
    Index("shown_last", "reader", "collection", "is_last", "added_us"),
    Index("shown_type", "reader", "collection", "type", "added_us"),
    Index("shown_seq", "seq"),
    sqlite_with_rowid=False,
)
readers: Final = Table(
    "readers",
    META,
    Column("reader", _NAME, primary_key=True),
    Column("collection", _NAME, primary_key=True),
    Column("decided_by", String(64), nullable=False),  # digest of the agreement and of all else that decides
    Column("last_us", BigInteger, nullable=False),  # the latest place in time that was given out
)
statuses: Final = Table(
    "statuses",
    META,
    Column("id", String(36), primary_key=True),
    Column("reader", _NAME, nullable=False),
    Column("added_us", BigInteger, nullable=False, index=True),
    Column("body", Text, nullable=False),
)
