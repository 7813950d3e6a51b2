"""A world in, `assets.csv` and `people.csv` out (docs/assets-and-people.md)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tocsin.rehearse.world import Host, World

# By what it is for: owner, services, sensitivity, protected, criticality.
_ROLES: Final = (
    ("dc", "Directory team", "sign-on: everything", "secret", "yes", "critical"),
    ("exchange", "Mail team", "mail: drafters, staff", "sensitive", "yes", "critical"),
    ("mx", "Mail team", "mail gate: mail", "internal", "yes", "high"),
    ("web", "Web team", "website: the public", "public", "no", "high"),
    ("file", "Server team", "files: committees, members, drafters", "sensitive", "no", "high"),
    ("backup", "Server team", "backup: everything", "secret", "yes", "high"),
    ("jump", "Server team", "administration: administrators", "internal", "no", "medium"),
    ("sync", "Directory team", "cloud sign-on: members, staff", "secret", "no", "high"),
    ("adfs", "Directory team", "cloud sign-on: members, staff", "secret", "yes", "critical"),
    ("app", "Server team", "case records: committees", "sensitive", "no", "high"),
    ("firewall", "Network team", "border: everything", "internal", "yes", "critical"),
    ("proxy", "Network team", "web access: drafters, staff", "internal", "no", "medium"),
    ("resolver", "Network team", "names: everything", "internal", "yes", "high"),
    ("scanner", "Security team", "vulnerability scans", "internal", "no", "low"),
    ("monitoring", "Server team", "monitoring: administrators", "internal", "no", "medium"),
    ("print", "Help desk", "printing", "internal", "no", "low"),
)


def assets(world: World, names: Mapping[str, tuple[str, str]], path: Path) -> None:
    """The list of machines; `names` are those of today, by what each machine was called at first."""
    columns = ("name", "also", "addresses", "owner", "authority", "services", "sensitivity", "protected", "criticality")
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        for body in world.bodies:
            for host in body.hosts:
                # Leased addresses are not in such a list: that of a workstation may be another one tomorrow.
                address = "" if "workstation" in host.roles else "|".join(filter(None, (host.address, host.front)))
                rows.writerow((*names[host.name], address, *_kept(host, body.title)))


def _kept(host: Host, authority: str) -> tuple[str, ...]:
    for role, owner, services, sensitivity, protected, criticality in _ROLES:
        if role in host.roles:
            return owner, authority, services, sensitivity, protected, criticality
    return "Help desk", authority, "", "internal", "no", "low"


def people(world: World, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("name", "id", "accounts", "mailboxes", "role", "language", "contact"))
        for body in world.bodies:
            for person in body.people:
                accounts = f"{person.account}|{person.upn}|{person.sid}"
                cells = (person.name, person.id, accounts, person.mailbox, person.role, person.language, person.contact)
                rows.writerow(cells)
