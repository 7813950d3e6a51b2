"""Microsoft 365's unified audit log in, Events out, under the names of the Office 365 Management Activity API.

Read are the records themselves (`AuditData` as the API and the portal give it), what `Search-UnifiedAuditLog` gives
when it is turned to JSON or CSV (`AuditData` is text in a record), Purview's CSV, Graph's `auditLogRecord`, and the
table `OfficeActivity` of Log Analytics. After "Office 365 Management Activity API schema", the reference of Log
Analytics and that of Graph.

Rules for findings of Defender for Cloud Apps and of the compliance centre use `eventSource`, `eventName` and
`status`: these are the workload, the name of the finding (of the operation in other records) and the result, of
which every form of success is `success`. `Payload` is the compliance centre's operation and what it was given.
"""

from __future__ import annotations

from typing import Final

from tocsin.collect.exported import Exported
from tocsin.collect.json_logs import JsonLog, Record, lift_pairs, unfold
from tocsin.collect.naming import Dotted

NAME = "m365"
KIND = "m365"

_FOLDED: Final = (
    *("Actor", "AffectedItems", "ExtendedProperties", "Folders", "Item", "ModifiedProperties", "OperationProperties"),
    *("Parameters", "Target", "DestFolder", "Folder", "SessionId_", "AttachmentData", "Data"),
)
_LOOKED_AT: Final = (
    *("ExtendedProperties", "Operation", "Operations", "Workload", "OfficeWorkload", "Name", "Parameters", "Data"),
    *("Payload", "eventName", "ResultStatus", "status"),
)
_SUCCESS: Final = frozenset({"success", "succeeded", "true", "partiallysucceeded"})


def _shape(record: Record) -> None:
    if "ExtendedProperties" in record:
        unfold(record, "ExtendedProperties")
        lift_pairs(record, record["ExtendedProperties"], "Name", "Value")
    operation = record.get("Operation", record.get("Operations"))
    finding = None
    if record.get("Workload", record.get("OfficeWorkload")) == "SecurityComplianceCenter":
        finding = record.get("Name")
        unfold(record, "Parameters", "Data")
        record.setdefault("Payload", [operation, *(record[key] for key in ("Parameters", "Data") if key in record)])
    if finding or operation:
        record.setdefault("eventName", finding or operation)
    result = record.get("ResultStatus")
    if type(result) is str:
        record.setdefault("status", "success" if result.lower() in _SUCCESS else result)


_LOG = JsonLog(
    naming=Dotted(
        times=("CreationTime", "TimeGenerated", "CreationDate", "createdDateTime", "@timestamp"),
        names={"OfficeWorkload": "Workload"},
        also={
            "eventSource": ("Workload", "OfficeWorkload"),
            "ApplicationId": ("ClientAppId", "AppId"),
            "ObjectId": ("OfficeObjectId",),
            "ClientIPAddress": ("Client_IPAddress",),
        },
    ),
    keys=(
        frozenset({"Workload", "Operation", "RecordType"}),
        frozenset({"OfficeWorkload", "Operation"}),
        frozenset({"AuditData", "RecordType"}),
        frozenset({"auditData", "auditLogRecordType"}),
    ),
    inner=frozenset({"value"}),
    carriers=("AuditData", "auditData"),
    folded=_FOLDED,
    shape=_shape,
    shaped=_LOOKED_AT,
)
_READER: Final = Exported(_LOG, {frozenset({"AuditData", "CreationDate"}): {}})
sniff, ranges, cut = _READER.sniff, _READER.ranges, _READER.cut
decoder, fields = _READER.decoder, _READER.fields
