"""The address of a database in, reading and writing of it out: SQLite for one node, PostgreSQL for a team.

One writes at a time, and holds the lock from before it looks at the clock until after its rows can be read. So the
places in time that it gives out are in the order in which they become visible: no reader can pass a place that is
filled later, however many write and whatever their clocks say.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from tocsin.errors import ShareError

_LOCK: Final = 0x746F6373  # "tocs": of PostgreSQL's advisory locks the one that is ours
_WAIT_S: Final = 30  # for another writer
_POOL: Final[dict[str, Any]] = {"pool_size": 10, "max_overflow": 30}  # as many as Starlette has threads
_HINT: Final = "See to the address, to permissions and to free space."


def address(path: Path) -> str:
    """The address of a store in a file."""
    return f"sqlite:///{path}"


def connect(url: str) -> Engine:
    """Open a store and bring its tables to this version.

    Raises:
        ShareError: it cannot be opened.
    """
    try:
        where = make_url(url)
        if where.get_backend_name() == "postgresql":
            where = where.set(drivername="postgresql+psycopg")
            engine = create_engine(where, pool_pre_ping=True, **_POOL, isolation_level="READ COMMITTED")
        elif where.get_backend_name() == "sqlite":
            if where.database:
                Path(where.database).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(where, **_POOL, connect_args={"timeout": _WAIT_S, "check_same_thread": False})
            event.listen(engine, "connect", _sqlite)
        else:
            raise ShareError(f"{where.get_backend_name()}: no store is kept there", hint="sqlite:// or postgresql://")
        _migrate(engine)
    except (ArgumentError, DBAPIError, OSError) as error:
        # The address itself is not told: it may hold a password.
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise ShareError(f"the store cannot be opened: {why}", hint=_HINT) from error
    return engine


def _sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, not guessed by the driver
    for word in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {word}")


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """The only one who writes, until the end of the block; all of it is kept, or nothing."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
        else:
            with connection.begin():
                # Given up after the commit is visible to others, not before.
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One moment of the store: what is read within sees nothing that came in between."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.exec_driver_sql("ROLLBACK")
        else:
            with connection.execution_options(isolation_level="REPEATABLE READ").begin():
                yield connection


def now_us() -> int:
    return time.time_ns() // 1000
