"""Picks in, claims of files that were downloaded or opened out: on SharePoint and OneDrive, on shares, on machines.

After "Office 365 Management Activity API schema" (SharePoint file operations) and Windows' audit of file shares (5145)
and file systems (4663). Both of these say that a file was opened for reading, not that it was read to its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from tocsin.investigate.impact.picks import WEAK, Gate, Pick, mask
from tocsin.investigate.impact.tied import Tied
from tocsin.model.impact import Claim, Sort

SORT: Final[Sort] = "file"

_TOOK: Final = frozenset(
    {"filedownloaded", "filesyncdownloadedfull", "filesyncdownloadedpartial", "foldersyncdownloaded"}
)
_READ: Final = frozenset({"fileaccessed", "fileaccessedextended", "filepreviewed", "filecopied"})
_SECURITY: Final = frozenset({"security"})
_NOT_ALL: Final = "files that nobody set to be audited leave no such record"
_READS: Final = 0x1  # FILE_READ_DATA
_FOR_ALL: Final = ("IPC$", "SYSVOL", "NETLOGON")  # every machine reads policies there, and pipes are no files
_SYSTEM_FILES: Final = re.compile(
    r"^(?:[A-Z]:|\\Device\\HarddiskVolume\d+)\\(?:Windows|Program Files|ProgramData\\Microsoft)\\"
    r"|^\\Device\\|^\\REGISTRY",
    re.IGNORECASE,
)

GATES: Final[tuple[Gate, ...]] = (
    Gate(kind="m365", holds={"Operation": _TOOK | _READ}),
    Gate(kind="windows", holds={"Channel": _SECURITY, "EventID": frozenset({"5145"})}),
    Gate(
        kind="windows",
        holds={"Channel": _SECURITY, "EventID": frozenset({"4663"}), "ObjectType": frozenset({"file"})},
    ),
)


def claims(tied: Tied) -> Iterator[Claim]:
    yield from _sites(tied.only(lambda pick: pick.kind == "m365"))
    # What else was opened on a server that the incident touched, by whoever it was, is everybody's day.
    theirs = tied.at_least(WEAK)
    yield from _shares(theirs.only(lambda pick: bool(_on_share(pick))))
    yield from _local(theirs.only(lambda pick: bool(_opened(pick))))


def _sites(tied: Tied) -> Iterator[Claim]:
    for site, here in tied.grouped(lambda pick: pick.text("SiteUrl", "Site_Url") or _site(_name(pick))):
        for stage, operations, word in (("left", _TOOK, "downloaded from"), ("accessed", _READ, "opened on")):
            some = here.only(_does(operations))
            if some:
                short = some.short("m365", "")
                amount, names = some.counted(lambda pick: (_name(pick),), open_end=short)
                yield some.claim(
                    "left" if stage == "left" else "accessed",
                    SORT,
                    f"{word} {site}",
                    site,
                    unit="files",
                    amount=amount,
                    because="each file is named by its own record" + short,
                    names=names,
                    would_tell="the unified audit log of the whole time",
                )


def _does(operations: frozenset[str]) -> Callable[[Pick], bool]:
    return lambda pick: pick.text("Operation").lower() in operations


def _name(pick: Pick) -> str:
    return pick.text("ObjectId", "OfficeObjectId", "SourceFileName")


def _site(url: str) -> str:
    """`https://example.sharepoint.com/sites/name` of the address of a file there."""
    parts = url.split("/")
    return "/".join(parts[:5]) if len(parts) > 5 else url.rpartition("/")[0] or url


def _shares(tied: Tied) -> Iterator[Claim]:
    for host, here in tied.grouped(lambda pick: pick.host):
        short = here.short("windows", host)
        amount, names = here.counted(lambda pick: (_on_share(pick),), open_end=short)
        yield here.claim(
            "accessed",
            SORT,
            f"opened for reading on shares of {host}",
            host,
            unit="files",
            amount=amount,
            because="the server checked and granted the right to read; whether all was read is not logged" + short,
            names=names,
            would_tell="detailed file share auditing (5145) on that server",
            host=host,
        )


def _on_share(pick: Pick) -> str:
    share, name = pick.text("ShareName"), pick.text("RelativeTargetName")
    reads = mask(pick.text("AccessMask")) & _READS or "%%4416" in pick.text("AccessList")
    if not share or share.upper().endswith(_FOR_ALL) or not reads or name.strip("\\") == "":
        return ""
    return f"{share.rpartition(chr(92))[2]}\\{name}"


def _local(tied: Tied) -> Iterator[Claim]:
    for host, here in tied.grouped(lambda pick: pick.host):
        amount, names = here.counted(lambda pick: (_opened(pick),), open_end=_NOT_ALL)
        yield here.claim(
            "accessed",
            SORT,
            f"opened for reading on {host}",
            host,
            unit="files",
            amount=amount,
            because=f"the file system's audit names them; {_NOT_ALL}",
            names=names,
            would_tell="file system auditing (4663) of all folders that matter",
            host=host,
        )


def _opened(pick: Pick) -> str:
    """Files of the system are opened all day, and say nothing of what was taken."""
    name = pick.text("ObjectName")
    if pick.text("ShareName") or pick.text("ObjectType").lower() != "file" or _SYSTEM_FILES.search(name):
        return ""
    return name if mask(pick.text("AccessMask")) & _READS else ""
