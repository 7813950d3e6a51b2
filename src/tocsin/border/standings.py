"""A Hardening in, a line of figures out; and the lines of a file of such in, how it stood from time to time out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

import msgspec

from tocsin.errors import ListError
from tocsin.model.hardening import Hardening, Standing

NAME: Final = "progress.jsonl"
_MOST_BYTES: Final = 16 << 20


def of(found: Hardening, at: datetime) -> Standing:
    inside = [one for one in found.prospects if one.sight != "outside"]
    return Standing(
        at=at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        release=found.release,
        aims=tuple(sorted(one.id for one in found.aims)),
        techniques=len(inside),
        could_detect=sum(one.sight == "could detect" for one in inside),
        no_logs=sum(one.sight == "no logs" for one in inside),
        no_rules=sum(one.sight == "no rules" for one in inside),
        mitigated=sum(one.mitigated for one in inside),
        open_percent=_percent(found.open, found.paths),
    )


def _percent(part: int, whole: int) -> float:
    """To three digits; what is left open never stands as nothing."""
    if not part or not whole:
        return 0.0
    return max(0.001, round(part * 100_000 // whole / 1000, 3))


def read(path: Path) -> list[Standing]:
    """What was written there, the oldest first; nothing where there is no file yet.

    Raises:
        ListError: it cannot be read, or somebody else wrote in it.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ListError(f"{path}: larger than {_MOST_BYTES >> 20} MB", hint="Name another folder with --out.")
        return [msgspec.json.decode(line, type=Standing) for line in content.splitlines() if line.strip()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ListError(f"{path}: {error.strerror or error}", hint="Name another folder with --out.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ListError(f"{path}: {error}", hint="Only tocsin harden writes in it; name another --out.") from error


def write(standings: Iterable[Standing], file: TextIO) -> None:
    file.writelines(msgspec.json.encode(one).decode() + "\n" for one in standings)
