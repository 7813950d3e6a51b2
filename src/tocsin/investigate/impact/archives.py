r"""Picks in, claims of what was packed to be taken away out.

A command of an archiver says what was wanted; a file that was created says that it worked. Neither says how large it
became: Sysmon's event 11 has no size. Options after the manuals of 7-Zip, RAR, tar, zip and makecab.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tocsin.investigate.impact import commands
from tocsin.investigate.impact.content import ARCHIVE
from tocsin.investigate.impact.picks import WEAK, Gate, Pick, mask
from tocsin.investigate.impact.tied import Tied
from tocsin.model.impact import Bounds, Claim, Sort

SORT: Final[Sort] = "archive"

_TOOLS: Final = re.compile(
    r"\b(?:7z[ar]?|7zg|(?:win)?rar|makecab|pkzip\w*|wzzip)(?:\.exe)?[\"']?\s+(?:[\"']?(?:a|u|m)\b|[\"'/-])"
    r"|\bmakecab(?:\.exe)?\b"
    r"|\btar(?:\.exe)?[\"']?\s+(?:-\S*c|--create|c[a-z]*f)"
    r"|(?:^|[\s;&|\"'/\\])zip(?:\.exe)?[\"']?\s+(?!-[Td]\b)\S"
    r"|Compress-Archive|Compress-7Zip|ZipFile\]?::CreateFromDirectory|IO\.Compression\.ZipArchive"
    r"|\bcompact(?:\.exe)?\s+/c\b|\brclone(?:\.exe)?\s+(?:copy|sync|move)\b",
    re.IGNORECASE,
)
_ARCHIVERS: Final = re.compile(
    r"(?:^|[\\/])(?:7z\w*|(?:win)?rar|zip|wz\w+|tar|bsdtar|makecab)(?:\.exe)?$", re.IGNORECASE
)
_WORDS: Final = (
    *("7z", "rar", "makecab", "pkzip", "tar ", "tar\t", "tar.exe", 'tar"', "tar'", "zip", "compress", "compact"),
    "rclone",
)
_SECURITY: Final = frozenset({"security"})

GATES: Final[tuple[Gate, ...]] = (
    *commands.gates(_TOOLS, _WORDS),
    *commands.created(ARCHIVE),
    Gate(
        kind="windows",
        holds={"Channel": _SECURITY, "EventID": frozenset({"4663"})},
        found={"ObjectName": ARCHIVE},
    ),
)

_WRITES: Final = 0x2 | 0x4  # FILE_WRITE_DATA, FILE_APPEND_DATA ("File Access Rights Constants", Microsoft)


def claims(tied: Tied) -> Iterator[Claim]:
    for host, here in tied.grouped(lambda pick: pick.host or "a machine that the records do not name"):
        made = here.only(_was_made)
        asked = here.only(commands.is_command)
        if not made and not asked:
            continue
        both = here.only(lambda pick: _was_made(pick) or commands.is_command(pick))
        # An archive that appears may have been brought in: that it was packed here is shown by who made it.
        packed = made if asked.sure else made.only(lambda pick: _ARCHIVERS.search(pick.text("Image")) is not None)
        sure = packed.names(_made, WEAK)
        named = list(dict.fromkeys([*sure, *made.names(_made), *asked.names(_asked)]))
        because = "files of archives were created" if made else "commands that pack files were started"
        if not made:
            because += "; whether an archive came of it is not logged"
        elif not packed:
            because += "; no record says that they were packed here: they may have been brought in"
        yield both.claim(
            "staged",
            SORT,
            f"packed on {host}" if asked or packed else f"created on {host}, packed there or brought in",
            host,
            unit="archives",
            amount=Bounds(lower=len(sure)),  # other ways of packing leave no such record
            because=because,
            names=named,
            kind_of_content="not known",
            would_tell="the archives themselves, or file creation and size from an endpoint sensor",
            host=host,
        )


def _was_made(pick: Pick) -> bool:
    return bool(list(_made(pick)))


def _made(pick: Pick) -> Iterable[str]:
    if name := pick.text("TargetFilename"):
        return (name,)
    name = pick.text("ObjectName")
    return (name,) if name and mask(pick.text("AccessMask")) & _WRITES else ()


def _asked(pick: Pick) -> Iterable[str]:
    """Names of archives on a command line."""
    if commands.is_command(pick):
        for part in commands.parts(commands.command(pick)):
            if ARCHIVE.search(part):
                yield part.strip("'\"();,")
