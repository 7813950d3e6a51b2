"""What the verbs that work with a lake have in common: where it is, and a line that says how far they are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tocsin.cli import folders
from tocsin.errors import SettingsError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.lake.store import Lake

Place = Annotated[
    Path | None,
    typer.Option(
        "--lake",
        metavar="DIR",
        envvar="TOCSIN_LAKE",
        show_envvar=True,
        help="Where the lake is; $XDG_DATA_HOME/tocsin/lake if not given.",
    ),
]


def place(folder: Path | None) -> Path:
    return folder or folders.data() / "lake"


def opened(folder: Path | None) -> Lake:
    from tocsin.lake import store

    return store.open_lake(place(folder))


def evidence(logs: list[str] | None, lake: Path | None, *, read_otherwise: bool) -> list[str]:
    """The logs that are named; none where a lake is."""
    if (lake is None) == (not logs):
        told = "both logs and a lake are named" if logs else "Missing argument 'LOGS'."
        raise SettingsError(told, hint="Name logs, or --lake DIR.")
    if lake is not None and read_otherwise:
        raise SettingsError(
            "a lake was read when its logs were added", hint="Give --timezone and --mapping to `tocsin lake add`."
        )
    return logs or []


@contextmanager
def steps(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """How far something is that goes from part to part; nothing where nobody looks."""
    wide = 0

    def tell(what: str, at: int, of: int) -> None:
        nonlocal wide
        text = shown(f"{at:,} of {of:,}  {what}", 78)
        sys.stderr.write(text.ljust(wide) + "\r")
        sys.stderr.flush()
        wide = len(text)

    if quiet or not sys.stderr.isatty():
        yield lambda what, at, of: None
        return
    try:
        yield tell
    finally:
        sys.stderr.write(" " * wide + "\r")


def size(count: int) -> str:
    """Bytes as people say them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000  # type: ignore[assignment]  # only shown
    return f"{count:,.1f} TB"
