"""An empty database in, the tables of the first version out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ID = sa.String(320).with_variant(sa.String(320, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "objects",
        sa.Column("seq", _KEY, primary_key=True, autoincrement=False),
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("poster", sa.String(64), nullable=False),
        sa.Column("object_id", _ID, nullable=False),
        sa.Column("version_us", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("added_us", sa.BigInteger, nullable=False),
        sa.Column("gone_us", sa.BigInteger, nullable=True),
    )
    op.create_index("objects_once", "objects", ["collection", "object_id", "poster", "version_us"], unique=True)
    op.create_table(
        "refs",
        sa.Column("collection", sa.String(64), primary_key=True),
        sa.Column("target", _ID, primary_key=True),
        sa.Column("seq", _KEY, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "shown",
        sa.Column("reader", sa.String(64), primary_key=True),
        sa.Column("collection", sa.String(64), primary_key=True),
        sa.Column("added_us", sa.BigInteger, primary_key=True),
        sa.Column("object_id", _ID, nullable=False),
        sa.Column("type", _ID, nullable=False),
        sa.Column("version_us", sa.BigInteger, nullable=False),
        sa.Column("is_first", sa.Boolean, nullable=False),
        sa.Column("is_last", sa.Boolean, nullable=False),
        sa.Column("seq", _KEY, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=True),
        sqlite_with_rowid=False,
    )
    op.create_index("shown_once", "shown", ["reader", "collection", "object_id", "version_us"], unique=True)
    op.create_index("shown_last", "shown", ["reader", "collection", "is_last", "added_us"])
    op.create_index("shown_type", "shown", ["reader", "collection", "type", "added_us"])
    op.create_index("shown_seq", "shown", ["seq"])
    op.create_table(
        "readers",
        sa.Column("reader", sa.String(64), primary_key=True),
        sa.Column("collection", sa.String(64), primary_key=True),
        sa.Column("decided_by", sa.String(64), nullable=False),
        sa.Column("last_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "statuses",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("reader", sa.String(64), nullable=False),
        sa.Column("added_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_statuses_added_us", "statuses", ["added_us"])


def downgrade() -> None:
    for name in ("statuses", "readers", "shown", "refs", "objects"):
        op.drop_table(name)
