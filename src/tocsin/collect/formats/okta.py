"""Okta's System Log in, Events out, under the names of its API (`LogEvent`) joined by dots.

After the reference of the System Log API. An event names several targets: `target.displayName` holds the names of all.
What EventBridge carries (`detail`) is read as the event that it is, and so is each that an event hook
delivers (`data.events`).
"""

from __future__ import annotations

from tocsin.collect.json_logs import JsonLog, Record, lift
from tocsin.collect.naming import Dotted

NAME = "okta"
KIND = "okta"


def _shape(record: Record) -> None:
    if "eventType" not in record and "detail-type" in record:
        lift(record, "detail")


_LOG = JsonLog(
    naming=Dotted(times=("published", "@timestamp")),
    shape=_shape,
    settled="eventType",
    inner=frozenset({"data.events"}),
    keys=(frozenset({"eventType", "displayMessage", "published"}), frozenset({"eventType", "legacyEventType"})),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
