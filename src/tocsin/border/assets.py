"""assets.csv in, the assets out: what each column may hold is in docs/assets-and-people.md."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from tocsin.border.sheet import Row, Sheet, read, several
from tocsin.model.asset import CRITICALITIES, SENSITIVITIES, Asset, Assets, Service

COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "name": ("host", "hostname", "asset"),
    "also": ("also known as", "aliases", "other names"),
    "addresses": ("address", "ip", "ips", "ip address", "ip addresses", "network", "networks"),
    "owner": ("responsible",),
    "authority": ("owning authority", "agency"),
    "services": ("service",),
    "sensitivity": (),
    "protected": (),
    "criticality": (),
}
_YES: Final = frozenset(("yes", "y", "true", "1", "x"))
_NO: Final = frozenset(("no", "n", "false", "0"))

_Word = TypeVar("_Word", bound=str)


def read_assets(path: Path) -> tuple[Assets, tuple[str, ...]]:
    """The assets, and what should be known about the list.

    Raises:
        ListError: something in it is wrong; all of it is told, with its lines.
    """
    sheet = read(path, COLUMNS)
    assets = [_asset(row, sheet) for row in sheet.rows]
    _compare(assets, sheet)
    sheet.raise_faults()
    return Assets(assets), tuple(sheet.notes)


def _asset(row: Row, sheet: Sheet) -> Asset:
    cells = row.cells
    if not cells["name"]:
        sheet.fault(row.line, "the asset has no name", "Name it as logs do; a network by what it is for.")
    return Asset(
        name=cells["name"],
        also=several(cells["also"]),
        addresses=_addresses(row, sheet),
        owner=cells["owner"],
        authority=cells["authority"],
        services=tuple(_service(text) for text in several(cells["services"])),
        sensitivity=_one_of("sensitivity", SENSITIVITIES, row, sheet),
        protected=_yes_or_no(row, sheet),
        criticality=_one_of("criticality", CRITICALITIES, row, sheet),
        line=row.line,
    )


def _addresses(row: Row, sheet: Sheet) -> tuple[str, ...]:
    """An address, or a network; one with bits beyond its length is more likely a slip than meant."""
    found = []
    for text in several(row.cells["addresses"], "|\n ,;"):
        try:
            network = ipaddress.ip_network(text)
        except ValueError:
            hint = "Write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48; several are divided by |."
            sheet.fault(row.line, f"{text[:80]} is neither an address nor a network", hint)
            continue
        single = network.prefixlen == network.max_prefixlen
        found.append(str(network.network_address) if single else str(network))
    return tuple(dict.fromkeys(found))


def _service(text: str) -> Service:
    """`name`, or `name: who depends on it, who else`."""
    name, _, dependents = text.partition(":")
    return Service(name=name.strip(), dependents=several(dependents, ","))


def _one_of(column: str, words: tuple[_Word, ...], row: Row, sheet: Sheet) -> _Word | None:
    cell = row.cells[column].casefold()
    if not cell:
        return None
    for word in words:
        if word == cell:
            return word
    sheet.fault(row.line, f"{column} {row.cells[column][:40]!r}", f"It is one of {', '.join(words)}, or left empty.")
    return None


def _yes_or_no(row: Row, sheet: Sheet) -> bool | None:
    cell = row.cells["protected"].casefold()
    if cell in _YES or cell in _NO:
        return cell in _YES
    if cell:
        sheet.fault(row.line, f"protected {cell[:40]!r}", "It is yes or no, or left empty.")
    return None


def _compare(assets: Sequence[Asset], sheet: Sheet) -> None:
    """No two rows are of one asset; that two share an address is told."""
    names: dict[str, int] = {}
    addresses: dict[str, Asset] = {}
    for asset in assets:
        name = asset.name.casefold()
        if name and names.setdefault(name, asset.line) != asset.line:
            sheet.fault(asset.line, f"{asset.name} is in line {names[name]} too", "One asset, one row.")
        for address in asset.addresses:
            other = addresses.setdefault(address, asset)
            if other is not asset:
                sheet.note(asset.line, f"{asset.name} shares {address} with {other.name}")
