"""A file that says how a centre tells people in, that as a value out (TOML 1.0): docs/telling.md shows one."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from tocsin.errors import SettingsError
from tocsin.model.notification import Channel, Party, Telling

_LARGEST: Final = 1 << 20
_HINT: Final = "docs/telling.md shows one."
_MAILBOX: Final = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,255}", re.ASCII)

_URL: Final = re.compile(r"https://[^\s/?#]", re.ASCII)


class _Centre(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    call: str = ""
    hours: str = ""
    site: str = ""
    zone: str = "UTC"
    jurisdictions: tuple[str, ...] = ()
    decide_within_h: int = 24


class _Files(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    words: str = ""
    fonts: str = ""
    laws: str = ""
    minister: str = ""


class _Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    centre: _Centre
    files: _Files = _Files()
    party: tuple[dict[str, Any], ...] = ()
    channel: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where a centre has words, fonts, laws and rules of its own; None where it has none."""

    words: Path | None = None
    fonts: Path | None = None
    laws: Path | None = None
    minister: Path | None = None


def read_telling(path: Path) -> tuple[Telling, Files]:
    """How a centre tells people. Files it names lie beside it, unless they are named whole."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise SettingsError(f"{path}: is larger than {_LARGEST:,} bytes", hint="Is it the right file?")
        told = msgspec.convert(tomllib.loads(text.decode()), _Written)
        parties = tuple(_exact(one, Party) for one in told.party)
        channels = tuple(_exact(one, Channel) for one in told.channel)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror or error}", hint="See to its name.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}", hint=_HINT) from error
    centre = told.centre
    try:
        ZoneInfo(centre.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(
            f"{path}: there is no time zone {centre.zone[:80]!r}", hint="Write it as IANA does."
        ) from error
    if centre.decide_within_h < 1:
        raise SettingsError(f"{path}: decide_within_h is no time to decide in", hint="Write hours: 24.")
    for channel in channels:
        _check(path, channel)
    _once(path, [one.name for one in channels], "channel")
    _once(path, [f"{one.kind}:{one.name}" for one in parties], "party")
    telling = Telling(
        centre=centre.name,
        call=centre.call,
        hours=centre.hours,
        site=centre.site,
        zone=centre.zone,
        jurisdictions=centre.jurisdictions,
        decide_within_h=centre.decide_within_h,
        parties=parties,
        channels=channels,
    )
    beside = {name: path.parent / value if value else None for name, value in msgspec.to_builtins(told.files).items()}
    return telling, Files(**beside)


def _exact(told: dict[str, Any], kind: type[Any]) -> Any:
    """Dataclasses pass unknown keys silently; a slip must not."""
    if odd := sorted(set(told) - set(kind.__dataclass_fields__)):
        raise msgspec.ValidationError(f"a {kind.__name__.lower()} has no {odd[0]!r}")
    return msgspec.convert(told, kind)


def _once(path: Path, names: list[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(f"{path}: there are two of the {what} {name[:80]!r}", hint="Give each its own name.")


def _check(path: Path, channel: Channel) -> None:
    lacks = ""
    if channel.kind == "smtp" and not (channel.host and _MAILBOX.fullmatch(channel.sender)):
        lacks = "a host, and a sender such as desk@centre.example"
    elif channel.kind == "smtp" and bool(channel.user) != bool(channel.password_file):
        lacks = "both a user and a password_file, or neither"
    elif channel.kind == "webhook" and not _URL.match(channel.url):
        lacks = "a url that begins with https://"
    elif channel.kind == "drop" and not Path(channel.folder).is_absolute():
        lacks = "the whole path of a folder"
    if lacks:
        raise SettingsError(f"{path}: the channel {channel.name[:80]!r} needs {lacks}", hint=_HINT)
