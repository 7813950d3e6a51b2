"""Activities of Google Workspace's Reports API in, Events out (`admin#reports#activity`; one, lines, or `items`).

After the reference of the Admin SDK Reports API, `activities.list`. One activity has one event or several; its fields
hold the values of all. Sigma's rules name them as Cloud Logging does: `eventService` is `admin.googleapis.com` for
the application `admin`, and the settings that an event changed are fields in lower case (`setting_name`).
"""

from __future__ import annotations

from tocsin.collect.json_logs import JsonLog, Record, lift_pairs
from tocsin.collect.naming import Dotted

NAME = "google_workspace"
KIND = "google_workspace"

_VALUES = ("value", "boolValue", "intValue", "multiValue", "multiIntValue", "messageValue", "multiMessageValue")


def _shape(record: Record) -> None:
    identity = record.get("id")
    application = identity.get("applicationName") if type(identity) is dict else None
    if type(application) is str:
        record.setdefault("eventService", f"{application}.googleapis.com")
    events = record.get("events")
    for event in events if type(events) is list else ():
        parameters = event.get("parameters") if type(event) is dict else None
        for one in parameters if type(parameters) is list else ():
            if type(one) is dict and type(one.get("name")) is str:
                value = next((one[key] for key in _VALUES if key in one), None)
                lift_pairs(record, [{"name": one["name"].lower(), "value": value}], "name", "value")


_LOG = JsonLog(
    naming=Dotted(
        times=("id.time", "@timestamp"),
        also={
            "eventName": ("events.name",),
            "protoPayload.metadata.event.eventName": ("events.name",),
            "protoPayload.serviceName": ("eventService",),
            "protoPayload.Servicename": ("eventService",),
        },
    ),
    keys=(frozenset({"events", "applicationName", "uniqueQualifier"}),),
    inner=frozenset({"items"}),
    shape=_shape,
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
