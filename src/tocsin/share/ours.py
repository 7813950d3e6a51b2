r"""A bundle and the lists of assets and people in, the names of ours that it may hold out.

Of a person every part of the name of four letters or more is one; of an account the whole, what stands before and
behind `\` or `@`; of a mailbox its domain.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from tocsin.model.asset import Asset
from tocsin.model.person import Person
from tocsin.share.hidden import Name

# Every system has these: they tell nothing of ours, and a text without them tells nothing at all.
PUBLIC: Final = frozenset(
    "root system administrator guest nobody daemon www-data apache nginx postgres mysql network service authority "
    "local builtin anonymous logon everyone users workgroup window manager".split()
)
_PART: Final = re.compile(r"\w{4,}")
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def names(objects: Iterable[Mapping[str, Any]], assets: Iterable[Asset], people: Iterable[Person]) -> list[Name]:
    found = [*_of_objects(objects)]
    for asset in assets:
        found += [Name(kind="host", text=text, of=asset.name) for text in (asset.name, *asset.also)]
        found += [Name(kind="person", text=text) for text in (asset.owner,) if text]
    for person in people:
        found.append(Name(kind="person", text=person.name, of=person.id))
        found += [Name(kind="person", text=part, of=person.id) for part in _PART.findall(person.name)]
        for account in person.accounts:
            found += _of_account(account, person.id)
        for mailbox in person.mailboxes:
            local, _, domain = mailbox.partition("@")
            found += [Name(kind="account", text=local, of=person.id), Name(kind="domain", text=domain)]
    return [one for one in found if one.text.strip().casefold() not in PUBLIC]


def networks(assets: Iterable[Asset]) -> list[_Network]:
    return [ipaddress.ip_network(text) for asset in assets for text in asset.addresses]


def _of_objects(objects: Iterable[Mapping[str, Any]]) -> Iterator[Name]:
    """Machines and accounts that a bundle speaks of as such."""
    for one in objects:
        if one.get("type") == "identity" and one.get("identity_class") == "system":
            name = one.get("name")
            # A program that made the bundle is a system as well; it calls itself by name and version.
            if isinstance(name, str) and " " not in name:
                yield Name(kind="host", text=name)
                if "." in name and not name.replace(".", "").isdigit():
                    yield Name(kind="host", text=name.partition(".")[0], of=name)
                    yield Name(kind="domain", text=name.partition(".")[2])
        elif one.get("type") == "user-account":
            for text in (one.get("account_login"), one.get("user_id")):
                if isinstance(text, str) and text:
                    yield from _of_account(text, text)


def _of_account(text: str, of: str) -> Iterator[Name]:
    yield Name(kind="account", text=text, of=of)
    domain, between, user = text.rpartition("\\")
    if between:
        yield Name(kind="domain", text=domain)
        yield Name(kind="account", text=user, of=of)
    user, between, domain = text.partition("@")
    if between:
        yield Name(kind="account", text=user, of=of)
        yield Name(kind="domain", text=domain)
