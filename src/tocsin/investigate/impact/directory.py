r"""Picks in, claims of the directory being copied out: its secrets (DCSync, NTDS.dit) and its listing.

Replication is asked for by the rights DS-Replication-Get-Changes and its kin (MS-ADTS 5.1.3.2.1), which event 4662
names by their GUIDs. Domain controllers do it all day with their own accounts, which end in `$`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tocsin.investigate.impact import commands
from tocsin.investigate.impact.picks import Gate, Pick
from tocsin.investigate.impact.tied import Tied
from tocsin.model.impact import Bounds, Claim, Sort, Unit

SORT: Final[Sort] = "directory"
EVERYBODY: Final = "every account of the directory"

_SECRETS: Final = re.compile(
    r"1131f6ad-9c07-11d1-f79f-00c04fc2dcd2|89e95b76-444d-4c62-991a-0facbeda640c", re.IGNORECASE
)
_REPLICATION: Final = re.compile(rf"1131f6aa-9c07-11d1-f79f-00c04fc2dcd2|{_SECRETS.pattern}", re.IGNORECASE)
_STORE: Final = re.compile(r"\bntds\.dit\b|[\\/][^\\/]{1,80}\.dit$", re.IGNORECASE)  # under another name, too
_IN_PLACE: Final = re.compile(r"^(?:[A-Z]:|\\Device\\HarddiskVolume\d+)\\Windows\\NTDS\\", re.IGNORECASE)
_COPY: Final = re.compile(
    r"\bntds\.dit\b|\bntdsutil(?:\.exe)?\b.{0,400}\b(?:ifm|ntds)\b|\bvssadmin(?:\.exe)?\s.{0,100}\bcreate\s+shadow\b"
    r"|\bdiskshadow(?:\.exe)?\b|\bwbadmin(?:\.exe)?\s.{0,200}\bsystemstate(?:backup)?\b"
    r"|\bwmic\b.{0,100}\bshadowcopy\b.{0,100}\bcreate\b|Invoke-NinjaCopy|\bsecretsdump\b",
    re.IGNORECASE | re.DOTALL,
)
_SHADOW: Final = re.compile(r"\bvssadmin\b|\bdiskshadow\b|\bshadowcopy\b", re.IGNORECASE)
_LISTING: Final = re.compile(
    r"\b(?:csvde|ldifde|adfind|dsquery|dsget)(?:\.exe)?\s|SharpHound|Invoke-BloodHound|\bldapdomaindump\b|\badexplorer\S*\s+.*-snapshot"
    r"|Get-(?:ADUser|ADComputer|ADGroup|DomainUser|DomainComputer|NetUser|NetComputer)\b",
    re.IGNORECASE,
)
_WORDS: Final = (
    *(".dit", "ntdsutil", "vssadmin", "diskshadow", "wbadmin", "shadowcopy", "ninjacopy", "secretsdump", "csvde"),
    *("ldifde", "adfind", "dsquery", "dsget", "sharphound", "bloodhound", "ldapdomaindump", "adexplorer", "get-ad"),
    *("get-domain", "get-net"),
)
_SECURITY: Final = frozenset({"security"})

GATES: Final[tuple[Gate, ...]] = (
    Gate(
        kind="windows",
        holds={"Channel": _SECURITY, "EventID": frozenset({"4662"})},
        found={"Properties": _REPLICATION, "AdditionalInfo": _REPLICATION},
    ),
    *commands.gates(re.compile(f"{_COPY.pattern}|{_LISTING.pattern}", re.IGNORECASE | re.DOTALL), _WORDS),
    *commands.created(_STORE),
    Gate(
        kind="windows",
        holds={"Channel": _SECURITY, "EventID": frozenset({"4663", "5145"})},
        found={"ObjectName": _STORE, "RelativeTargetName": _STORE},
    ),
    Gate(
        kind="windows",
        holds={"Channel": frozenset({"application"}), "EventID": frozenset({"216", "325", "326", "327"})},
        found=dict.fromkeys(("Data", "Message", "param4", "Data_3"), _STORE),
    ),
)


def claims(tied: Tied) -> Iterator[Claim]:
    asked = tied.only(_replicates)
    for who, here in asked.grouped(lambda pick: pick.account):
        secrets = here.only(lambda pick: _SECRETS.search(_rights(pick)) is not None)
        yield here.claim(
            "left",
            SORT,
            f"copied from the directory by {who}, as one domain controller does from another: it can be all",
            who,
            unit="accounts",
            amount=Bounds(lower=1 if secrets.sure else 0),
            because="an account that is no domain controller's asked for replication; of what is not logged"
            + ("" if secrets else "; the right to secrets is not among the records"),
            names=(EVERYBODY,) if secrets else (),
            kind_of_content="technical",
            would_tell="a network record of the replication (DRSUAPI), which names each object",
            host=next((pick.host for pick, _ in here.picks), ""),
        )
    copied = tied.only(lambda pick: _copies(pick) is not None and not _replicates(pick))
    for host, here in copied.grouped(lambda pick: pick.host or "a machine that the records do not name"):
        yield from _store(host, here)
    listed = tied.only(lambda pick: _LISTING.search(commands.command(pick)) is not None and not _replicates(pick))
    for host, here in listed.grouped(lambda pick: pick.host or "a machine that the records do not name"):
        yield _claim(here, host, f"listed from the directory on {host}", "commands that list it were started", "files")


def _store(host: str, here: Tied) -> Iterator[Claim]:
    named = here.only(lambda pick: _copies(pick) == "store")
    if not named:
        because = "copies of whole volumes were made; whether the directory's store was taken from them is not logged"
        yield here.claim(
            "staged",
            SORT,
            f"in reach through a copy of a volume of {host}",
            host,
            unit="accounts",
            amount=Bounds(),
            because=because,
            kind_of_content="technical",
            would_tell="file creation and access on that machine (Sysmon 11, 4663)",
            host=host,
        )
        return
    paths = [name for name in here.names(_path) if name]
    yield here.claim(
        "staged",
        SORT,
        f"copied whole on {host} with its own store (NTDS.dit), which holds the secrets of every account",
        host,
        unit="directories",
        amount=Bounds(lower=1 if named.only(lambda pick: bool(list(_path(pick)))).sure else 0, upper=1),
        because="the store was copied or opened"
        if paths
        else "a command to copy it was started; its end is not logged",
        names=(EVERYBODY, *paths),
        kind_of_content="technical",
        would_tell="file creation and access on that machine (Sysmon 11, 4663)",
        host=host,
    )


def _claim(here: Tied, host: str, what: str, because: str, unit: Unit) -> Claim:
    return here.claim(
        "accessed",
        SORT,
        what,
        host,
        unit=unit,
        amount=Bounds(),
        because=because,
        kind_of_content="technical",
        would_tell="the directory's own log of queries (event 1644)",
        host=host,
    )


def _rights(pick: Pick) -> str:
    return f"{pick.text('Properties')} {pick.text('AdditionalInfo')}"


def _replicates(pick: Pick) -> bool:
    return _REPLICATION.search(_rights(pick)) is not None and not pick.text("SubjectUserName").endswith("$")


def _path(pick: Pick) -> Iterator[str]:
    """Where a copy of the store lies: the store itself is opened all day by the service that keeps it."""
    name = pick.text("TargetFilename", "ObjectName", "RelativeTargetName")
    if name and _STORE.search(name) and not _IN_PLACE.search(name):
        yield name


def _copies(pick: Pick) -> str | None:
    """What is copied: `store` where the directory's store is named, `volume` for all of a disk."""
    if list(_path(pick)):
        return "store"
    said = commands.command(pick) or pick.text("Data", "Message", "param4", "Data_3")
    if not _COPY.search(said):
        return None
    return "volume" if _SHADOW.search(said) and not _STORE.search(said) else "store"
