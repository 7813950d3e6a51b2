r"""The start of a process or a script in, its command and its parts out, with the gates that let such records through.

`7z a -p out.7z C:\docs` says what somebody wanted to do, not that it worked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tocsin.investigate.impact.picks import Gate, Pick

_SYSMON: Final = frozenset({"microsoft-windows-sysmon/operational"})
_POWERSHELL: Final = frozenset(
    {"microsoft-windows-powershell/operational", "powershellcore/operational", "windows powershell"}
)
_PART: Final = re.compile(r'"([^"]*)"|\'([^\']*)\'|(\S+)')
_COMMANDS: Final = ("CommandLine", "ScriptBlockText", "Payload", "proctitle", "ProcessCommandLine")
_MOST_PARTS: Final = 500


def gates(pattern: re.Pattern[str], words: tuple[str, ...]) -> tuple[Gate, ...]:
    """Starts of processes and scripts whose command the expression finds; it finds nothing without one of the words."""
    return (
        Gate(
            kind="windows",
            holds={"Channel": _SYSMON, "EventID": frozenset({"1"})},
            found={"CommandLine": pattern},
            words=words,
        ),
        Gate(
            kind="windows",
            holds={"Channel": frozenset({"security"}), "EventID": frozenset({"4688"})},
            found={"CommandLine": pattern},
            words=words,
        ),
        Gate(
            kind="windows",
            holds={"Channel": _POWERSHELL, "EventID": frozenset({"4103", "4104"})},
            found={"ScriptBlockText": pattern, "Payload": pattern},
            words=words,
        ),
        Gate(kind="sysmon_linux", holds={"EventID": frozenset({"1"})}, found={"CommandLine": pattern}, words=words),
        Gate(kind="auditd", found={"CommandLine": pattern, "proctitle": pattern}, words=words),
        Gate(kind="linux", found={"CommandLine": pattern}, words=words),
        Gate(kind="macos", found={"CommandLine": pattern}, words=words),
    )


def created(pattern: re.Pattern[str]) -> tuple[Gate, ...]:
    """Files that were made, whose path the expression finds."""
    return (
        Gate(
            kind="windows",
            holds={"Channel": _SYSMON, "EventID": frozenset({"11"})},
            found={"TargetFilename": pattern},
        ),
        Gate(kind="sysmon_linux", holds={"EventID": frozenset({"11"})}, found={"TargetFilename": pattern}),
    )


def command(pick: Pick) -> str:
    return pick.text(*_COMMANDS)


def is_command(pick: Pick) -> bool:
    return bool(command(pick)) and not pick.text("TargetFilename")


def parts(text: str) -> Iterator[str]:
    """Words of a command line, quotes taken off."""
    for number, found in enumerate(_PART.finditer(text)):
        if number == _MOST_PARTS:
            return
        yield found[1] or found[2] or found[3] or ""
