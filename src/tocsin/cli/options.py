"""Words of a command line in, what they mean out; and what a shell may complete them to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tocsin.errors import SettingsError

if TYPE_CHECKING:
    from tocsin.model.mapping import LogMapping

# Named here and not taken from the drawer, whose import a mere `--help` need not pay for; a test compares.
FORMATS: Final = ("table", "jsonl", "csv", "timesketch", "navigator", "coverage", "custody")
STATUSES: Final = ("stable", "test", "experimental", "deprecated", "unsupported")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def folder(out: str | None) -> Path | None:
    """Where a run puts what it writes: a folder that may be new; None where nothing is to be written."""
    if out is not None and (not out or (Path(out).exists() and not Path(out).is_dir())):
        raise SettingsError(f"--out {out}: names no folder", hint="Name a folder, which may be new.")
    return None if out is None else Path(out)


def window(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    """From when, and before when, in UTC microseconds."""
    start = _moment("--since", since) if since else None
    end = _moment("--until", until, whole_day=True) if until else None
    if start is not None and end is not None and start >= end:
        raise SettingsError(
            f"--since {since} is not before --until {until}", hint="Nothing lies between them: exchange them?"
        )
    return start, end


def _moment(option: str, text: str, *, whole_day: bool = False) -> int:
    """A date stands for its first moment, or with `whole_day` for the first one after it."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        if whole_day and len(text.strip()) <= len("2020-W01-1") and not {":", "T"} & set(text):
            moment += timedelta(days=1)
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise SettingsError(
            f"{option} {text}: not a date or time",
            hint="Write it as 2026-03-14, 2026-03-14T03:00 or 2026-03-14T03:00:00+01:00.",
        ) from error


def zone(text: str | None) -> tzinfo:
    """The zone of times that name none."""
    if not text:
        return UTC

    from tocsin.collect import zones

    return zones.named(text, "--timezone")


def mappings(files: Sequence[str]) -> tuple[LogMapping, ...]:
    """What mapping files say; without one, nothing is imported for them."""
    if not files:
        return ()

    from tocsin.collect import mapping_files

    return mapping_files.load(files)


def statuses(named: Sequence[str]) -> list[str]:
    for name in named:
        if name not in STATUSES:
            raise SettingsError(f"--status {name}: rules have no such status", hint=f"There are {', '.join(STATUSES)}.")
    return list(named)


def complete_statuses(incomplete: str) -> list[str]:
    return [name for name in STATUSES if name.startswith(incomplete)]


def complete_formats(incomplete: str) -> list[str]:
    return [name for name in FORMATS if name.startswith(incomplete)]


def complete_packs(incomplete: str) -> list[str]:
    """Packs; a shell completes paths by itself when there is none."""
    from tocsin.learn import packs

    return [name for name in (packs.OWN, *packs.names()) if name.startswith(incomplete)]
