"""A Windows event whose data have no names in, the same event with names out, for programs that say what stands where.

Programs of the old event log hand over texts by position; what each means stands in their message file only. Known
here: RPC Firewall of Zero Networks (its README, "Events"; event 3, a function of an RPC server was called).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

# (provider, event id) -> the names of its texts, in order
_NAMES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("RPCFW", "1"): ("ImagePath", "ProcessId"),
    ("RPCFW", "2"): ("ImagePath", "ProcessId"),
    ("RPCFW", "3"): (
        "RPCRT_Func",
        "ProcessId",
        "ImagePath",
        "Protocol",
        "Endpoint",
        "SourceAddress",
        "InterfaceUuid",
        "OpNum",
        "SecurityId",
        "AuthenticationLevel",
        "AuthenticationService",
        "SourcePort",
    ),
}


def are_known(record: Mapping[str, Any]) -> bool:
    """Whether an event, as the EVTX library nests it, is of a kind whose data are known by position."""
    return _key(record) in _NAMES


def named(record: dict[str, Any]) -> dict[str, Any]:
    """The event with names for its texts; those past the known ones stay in `Data`."""
    names = _NAMES.get(_key(record))
    data = record["Event"].get("EventData") if names else None
    texts = data.get("Data") if isinstance(data, dict) else None
    texts = texts.get("#text") if isinstance(texts, dict) else texts
    if names is None or not isinstance(data, dict) or not isinstance(texts, list):
        return record
    fields = {**data, **dict(zip(names, texts, strict=False))}
    del fields["Data"]
    if len(texts) > len(names):
        fields["Data"] = texts[len(names) :]
    return {**record, "Event": {**record["Event"], "EventData": fields}}


def _key(record: Mapping[str, Any]) -> tuple[str, str]:
    try:
        system = record["Event"]["System"]
        number = system["EventID"]
        number = number["#text"] if isinstance(number, dict) else number
        return str(system["Provider"]["#attributes"]["Name"]), str(number)
    except (KeyError, TypeError):
        return "", ""
