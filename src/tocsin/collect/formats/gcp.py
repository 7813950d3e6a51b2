"""Google Cloud audit logs in, Events out: entries of Cloud Logging, among them those of Google Workspace.

Read are `LogEntry` objects as sinks and `gcloud logging read` write them, those that Pub/Sub's subscribers wrap in
`data`, and `{"entries": [...]}`. After the reference of Cloud Logging (`LogEntry`, `AuditLog`) and "Audit logs for
Google Workspace". Sigma's rules name fields as the Elastic agent does (`gcp.audit.method_name`) or with the wrapper
(`data.protoPayload.methodName`); both stand for the same values here.
"""

from __future__ import annotations

from typing import Final

from tocsin.collect.json_logs import JsonLog, Record, lift_pairs
from tocsin.collect.naming import Dotted

NAME = "gcp"
KIND = "gcp"

_PAYLOAD: Final = ("protoPayload", "data.protoPayload")


def _payload(key: str) -> tuple[str, ...]:
    return tuple(f"{payload}.{key}" for payload in _PAYLOAD)


def _shape(record: Record) -> None:
    """Workspace lists the settings that an event changed as pairs of name and value."""
    data = record.get("data")
    payload = (data if type(data) is dict else record).get("protoPayload")
    metadata = payload.get("metadata") if type(payload) is dict else None
    events = metadata.get("event") if type(metadata) is dict else None
    for event in events if type(events) is list else ():
        parameters = event.get("parameter") if type(event) is dict else None
        for one in parameters if type(parameters) is list else ():
            if type(one) is dict and type(one.get("name")) is str:
                lift_pairs(record, [{**one, "name": one["name"].lower()}], "name", "value")


_LOG = JsonLog(
    naming=Dotted(
        times=("timestamp", "data.timestamp", "receiveTimestamp", "data.receiveTimestamp", "@timestamp"),
        also={
            "gcp.audit.method_name": _payload("methodName"),
            "gcp.audit.service_name": _payload("serviceName"),
            "gcp.audit.resource_name": _payload("resourceName"),
            "gcp.audit.authentication_info.principal_email": _payload("authenticationInfo.principalEmail"),
            "data.protoPayload.methodName": ("protoPayload.methodName",),
            "data.protoPayload.serviceName": ("protoPayload.serviceName",),
            "data.protoPayload.authorizationInfo.granted": ("protoPayload.authorizationInfo.granted",),
            "data.protoPayload.authorizationInfo.permission": ("protoPayload.authorizationInfo.permission",),
            "data.protoPayload.logName": ("logName", "data.logName"),
            "data.protoPayload.resource.type": ("resource.type", "data.resource.type"),
            "protoPayload.serviceName": ("data.protoPayload.serviceName",),
            "protoPayload.Servicename": _payload("serviceName"),
            "protoPayload.metadata.event.eventName": ("data.protoPayload.metadata.event.eventName",),
            "eventService": _payload("serviceName"),
            "eventName": _payload("metadata.event.eventName"),
        },
    ),
    keys=(frozenset({"protoPayload", "serviceName"}), frozenset({"protoPayload", "logName"})),
    inner=frozenset({"entries"}),
    shape=_shape,
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
