"""A file that says where enforcers are and what must stay in reach in, places and such values out (TOML 1.0)."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import msgspec

from tocsin.errors import SettingsError
from tocsin.model.action import Place

_LARGEST: Final = 1 << 20
_ADDRESS: Final = re.compile(r"https://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/%-]*)?")
_KINDS: Final = ("addresses", "domains", "hosts")
_KEYS: Final = frozenset(field.name for field in fields(Place))


class Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`never` holds values of three kinds, each with the words that say what it is.

    `agreed` holds originators of intelligence who agreed beforehand to its being acted on, with the words of it.
    """

    place: list[dict[str, Any]] = []
    agreed: dict[str, str] = {}
    never: dict[str, dict[str, str]] = {}


def read_places(path: Path) -> tuple[tuple[Place, ...], dict[str, tuple[tuple[str, str], ...]]]:
    """The places in their order; by kind what must never be cut off, and as `agreed` who agreed beforehand."""
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
    never = _never(path, written.never) | {"agreed": tuple(written.agreed.items())}
    return tuple(_place(path, one) for one in written.place), never


def _place(path: Path, told: dict[str, Any]) -> Place:
    if odd := sorted(set(told) - _KEYS):
        raise SettingsError(f"{path}: a place has no {odd[0]!r}", hint=f"It has {', '.join(sorted(_KEYS))}.")
    try:
        place = msgspec.convert(told, Place)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{path}: {error}", hint="docs/containment.md shows one.") from error
    if place.enforcer in {"unbound", "bind"} and not Path(place.zone_file).is_absolute():
        raise SettingsError(f"{path}: {place.enforcer} needs the whole path of its zone_file", hint="Add it.")
    if place.enforcer == "webhook":
        _see_to_the_webhook(path, place)
    return place


def _see_to_the_webhook(path: Path, place: Place) -> None:
    """Its address stands in journals and on screens, so no secret is taken in it."""
    if not place.url.startswith("https://"):
        raise SettingsError(f"{path}: the webhook needs an address that begins with https://", hint="Add url.")
    if not _ADDRESS.fullmatch(place.url):
        hint = "A secret goes into a file that only you may read: name that as token_file."
        raise SettingsError(f"{path}: the address of the webhook holds more than host and path", hint=hint)
    if place.token_file and not Path(place.token_file).is_absolute():
        raise SettingsError(f"{path}: token_file needs its whole path", hint="Add it.")


def _never(path: Path, told: dict[str, dict[str, str]]) -> dict[str, tuple[tuple[str, str], ...]]:
    if odd := sorted(set(told) - set(_KINDS)):
        raise SettingsError(f"{path}: never has no {odd[0]!r}", hint=f"It has {', '.join(_KINDS)}.")
    for name in told.get("addresses", {}):
        try:
            ipaddress.ip_network(name, strict=False)
        except ValueError as error:
            raise SettingsError(f"{path}: {name} is no address and no network", hint="Write 192.0.2.1.") from error
    return {kind: tuple(told.get(kind, {}).items()) for kind in _KINDS}
