"""Okta's System Log in, Events out, under the names of its API (`LogEvent`) joined by dots.

After the reference of the System Log API. An event names several targets: `target.displayName` holds the names of all.
"""

from __future__ import annotations

from tocsin.collect.json_logs import JsonLog
from tocsin.collect.naming import Dotted

NAME = "okta"
KIND = "okta"

_LOG = JsonLog(
    naming=Dotted(times=("published", "@timestamp")),
    keys=(frozenset({"eventType", "displayMessage", "published"}), frozenset({"eventType", "legacyEventType"})),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
