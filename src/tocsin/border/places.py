"""A file that says where enforcers are and what must stay in reach in, places and such values out (TOML 1.0)."""

from __future__ import annotations

import ipaddress
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.errors import SettingsError
from tocsin.model.action import Place

_LARGEST: Final = 1 << 20
_KINDS: Final = ("addresses", "domains", "hosts")
_KEYS: Final = frozenset(field.name for field in fields(Place))


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`never` holds values of three kinds, each with the words that say what it is."""

    place: list[dict[str, Any]] = []
    never: dict[str, dict[str, str]] = {}


def read_places(path: Path) -> tuple[tuple[Place, ...], dict[str, tuple[tuple[str, str], ...]]]:
    """The places in their order, and by kind what must never be cut off."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise SettingsError(f"{path}: is larger than {_LARGEST:,} bytes", hint="Is it the right file?")
        written = msgspec.convert(tomllib.loads(text.decode()), Written)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror or error}", hint="See to its name.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}", hint="docs/containment.md shows one.") from error
    return tuple(_place(path, one) for one in written.place), _never(path, written.never)


def _place(path: Path, told: dict[str, Any]) -> Place:
    if odd := sorted(set(told) - _KEYS):
        raise SettingsError(f"{path}: a place has no {odd[0]!r}", hint=f"It has {', '.join(sorted(_KEYS))}.")
    try:
        place = msgspec.convert(told, Place)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}", hint="docs/containment.md shows one.") from error
    if place.enforcer in {"unbound", "bind"} and not Path(place.zone_file).is_absolute():
        raise SettingsError(f"{path}: {place.enforcer} needs the whole path of its zone_file", hint="Add it.")
    if place.enforcer == "webhook" and not place.url.startswith("https://"):
        raise SettingsError(f"{path}: the webhook needs an address that begins with https://", hint="Add url.")
    return place


def _never(path: Path, told: dict[str, dict[str, str]]) -> dict[str, tuple[tuple[str, str], ...]]:
    if odd := sorted(set(told) - set(_KINDS)):
        raise SettingsError(f"{path}: never has no {odd[0]!r}", hint=f"It has {', '.join(_KINDS)}.")
    for name in told.get("addresses", {}):
        try:
            ipaddress.ip_network(name, strict=False)
        except ValueError as error:
            raise SettingsError(f"{path}: {name} is no address and no network", hint="Write 192.0.2.1.") from error
    return {kind: tuple(told.get(kind, {}).items()) for kind in _KINDS}
