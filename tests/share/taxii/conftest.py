"""A PostgreSQL of our own, from Debian's package, for as long as the tests run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return found[-1].parent if found else None


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not here: install Debian's package postgresql")
    # Names of sockets are short, and PostgreSQL refuses to run as root: pytest's folders, and what TMPDIR names,
    # may be long, and closed to whoever it runs as.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    before: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        before = ["runuser", "-u", "postgres", "--"]

    def run(program: str, *words: str) -> None:
        done = subprocess.run(
            [*before, str(programs / program), *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            cwd="/",
        )
        assert done.returncode == 0, done.stderr + done.stdout

    run("initdb", "-D", str(folder / "data"), "-U", "tests", "--auth=trust", "--no-sync", "--locale=C.UTF-8")
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=200"
    run("pg_ctl", "-D", str(folder / "data"), "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        yield folder
    finally:
        run("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Gives the address of an empty store, each time another one."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / uuid.uuid4().hex}.db"
    folder = request.getfixturevalue("cluster")

    def make() -> str:
        import psycopg

        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(f"host={folder} user=tests dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://tests@/{name}?host={folder}"

    return make
