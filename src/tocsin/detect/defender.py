"""Sigma's categories in, which events of Microsoft Defender's hunting tables are such events out.

The reader of these tables (`collect/formats/defender_xdr.py`) gives their values Sysmon's names, so that a rule is
asked as it stands; what these tables do not log is absent from every event, as of Windows' own log of processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tocsin.detect.providers import Provider

NAME: Final = "defender"
KIND: Final = "defender"

_ALWAYS: Final = "Computer Image CommandLine ProcessId User platform ActionType DeviceName"
_PROCESS: Final = (
    "ParentImage ParentCommandLine ParentProcessId ParentUser OriginalFileName Company Product Description FileVersion "
    "IntegrityLevel Hashes"
)
_WRITTEN: Final = ("filecreated", "filemodified", "filerenamed")
_SET, _ADDED = ("registryvalueset",), ("registrykeycreated",)
_GONE: Final = ("registrykeydeleted", "registryvaluedeleted")
# Category -> the actions of its events, and the fields that they log.
CATEGORIES: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "process_creation": (("processcreated",), _PROCESS),
    "network_connection": (
        ("connectionsuccess", "connectionattempt", "connectionrequest", "connectionfound", "inboundconnectionaccepted"),
        "SourceIp SourcePort DestinationIp DestinationPort DestinationHostname Protocol Initiated",
    ),
    "file_event": (_WRITTEN, "TargetFilename Hashes"),
    "file_delete": (("filedeleted",), "TargetFilename Hashes"),
    "image_load": (("imageloaded",), "ImageLoaded Hashes"),
    "registry_set": (_SET, "TargetObject Details"),
    "registry_add": (_ADDED, "TargetObject"),
    "registry_delete": (_GONE, "TargetObject"),
    "registry_event": ((*_SET, *_ADDED, *_GONE), "TargetObject Details"),
}
PROVIDERS: Final = {
    category: Provider(event_id=None, carried={}, own=frozenset(f"{_ALWAYS} {fields}".split()))
    for category, (_, fields) in CATEGORIES.items()
}
