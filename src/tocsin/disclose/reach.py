"""Incidents and a way to tell somebody in; out why it must not be taken: whatever an intruder may be reading.

A way is out of band if neither its server, nor its sender, nor the mailbox it goes to, nor the machine that Tocsin
runs on, is of an account, a machine or a network in the scope of an incident. Networks are known by the names in them:
where a machine of `ps.parliament.example` is in scope, so is every mailbox there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from tocsin.model.incident import Incident
from tocsin.model.notification import Channel, Notification

_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII)
_NAME: Final = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z0-9-]*[a-z][a-z0-9-]*", re.ASCII)
_URL: Final = re.compile(r"https://(?:[^/@?#\\s]*@)?(\[[0-9A-Fa-f:.]+\]|[^/:?#@\s]+)", re.ASCII)
_ADDRESS: Final = re.compile(r"[0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)
_TELEPHONE: Final = re.compile(r"\+?[0-9][0-9 ()./-]{4,24}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Names in small letters. `domains` are of mailboxes and machines, and stand for all below them.

    `machines` are the first parts of machines' names, `bare` those that are told without a domain.
    """

    names: frozenset[str]
    machines: frozenset[str]
    bare: frozenset[str]
    domains: frozenset[str]


def scope(incidents: Iterable[Incident], register: Iterable[Notification]) -> Scope:
    names: set[str] = set()
    domains: set[str] = set()
    machines: set[str] = set()
    for one in incidents:
        hosts = (*one.hosts, *one.perhaps_hosts)
        accounts = (*one.accounts, *one.perhaps_accounts)
        every = [name for seen in (*hosts, *accounts, *one.addresses) for name in (seen.name, *seen.also)]
        every += [held.asset for held in one.assets]
        told = [*(name for seen in hosts for name in (seen.name, *seen.also)), *(held.asset for held in one.assets)]
        machines |= {name.strip().rstrip(".").casefold() for name in told}
        every += [claim.subject for claim in (one.impact.claims if one.impact else ()) if claim.sort == "mail"]
        _take(every, names, domains)
        _take_machines(told, domains)
    for entry in register:
        _take(entry.through, names, domains)
    return Scope(
        names=frozenset(names),
        machines=frozenset(name.partition(".")[0] for name in machines if not _ADDRESS.fullmatch(name)),
        bare=frozenset(name for name in machines if "." not in name),
        domains=frozenset(domains),
    )


def _take(every: Iterable[str], names: set[str], domains: set[str]) -> None:
    for name in every:
        plain = name.strip().rstrip(".").casefold()
        names.add(plain)
        _, at, domain = plain.rpartition("@")
        if at and _NAME.fullmatch(domain):
            domains.add(domain)


def _take_machines(hosts: Iterable[str], domains: set[str]) -> None:
    for host in hosts:
        plain = host.strip().rstrip(".").casefold()
        _, _, parent = plain.partition(".")
        if _NAME.fullmatch(plain) and "." in parent:
            domains.add(parent)


def mailbox(contact: str) -> str:
    """The address, where a contact is one and nothing else; '' where it is something else."""
    return contact.strip() if _MAILBOX.fullmatch(contact.strip()) else ""


def host_of(url: str) -> str:
    found = _URL.match(url)
    return found[1].strip("[]") if found else ""


def telephone(contact: str) -> str:
    return contact.strip() if _TELEPHONE.fullmatch(contact.strip()) else ""


def refusal(channel: Channel, to: str, within: Scope, here: Collection[str] = ()) -> str:
    """Why nothing may go to this address by this channel, '' where nothing is known against it.

    Args:
        to: mailbox, for mail.
        here: names of the machine that Tocsin runs on.
    """
    for name in here:
        if _is_in(name, within):
            return f"this machine, {name}, is in the scope of the incident: nothing is told from it"
    if channel.kind == "smtp":
        if not mailbox(to):
            return "the list has no mailbox for them outside of the incident"
        if _is_in(to, within):
            return f"{to} is an account of the incident, or its mail is within its scope"
        if _is_in(channel.sender, within):
            return f"the sender {channel.sender} is within the scope of the incident"
    server = channel.host if channel.kind == "smtp" else host_of(channel.url)
    if channel.kind != "drop" and _is_in(server, within):
        return f"the server {server} is within the scope of the incident"
    return ""


def _is_in(name: str, within: Scope) -> bool:
    plain = name.strip().rstrip(".").casefold()
    if not plain:
        return False
    _, at, domain = plain.rpartition("@")
    if plain in within.names:
        return True
    if not at and not _ADDRESS.fullmatch(plain):
        short, dot, _ = plain.partition(".")
        if short in (within.bare if dot else within.machines):
            return True
    return any(_over(domain, each) for each in within.domains) if "." in domain else False


def _over(one: str, other: str) -> bool:
    """Whether one of them is the other, or below it: whoever holds a part of a network may read the rest."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
