"""Authentications seen by Cisco Duo in, Events out, under the names of its Admin API joined by dots.

Read are lines, arrays and the API's answer (`authlogs`). After the Duo Admin API, "Authentication Logs", version 2.
"""

from __future__ import annotations

from tocsin.collect.json_logs import JsonLog
from tocsin.collect.naming import Dotted

NAME = "duo"
KIND = "duo"

_LOG = JsonLog(
    naming=Dotted(times=("isotimestamp", "timestamp")),
    keys=(frozenset({"event_type", "txid", "factor"}), frozenset({"event_type", "txid", "access_device"})),
    inner=frozenset({"authlogs"}),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
