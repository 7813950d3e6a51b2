"""The log of OpenCanary in, Events out, under its names joined by dots: a JSON object a line.

After `opencanary/logger.py` of OpenCanary 0.9. `utc_time` is the event's time; it names no zone.
"""

from __future__ import annotations

from tocsin.collect.json_logs import JsonLog
from tocsin.collect.naming import Dotted

NAME = "opencanary"
KIND = "opencanary"

_LOG = JsonLog(
    naming=Dotted(times=("utc_time", "local_time")),
    keys=(frozenset({"logtype", "node_id", "logdata"}),),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
