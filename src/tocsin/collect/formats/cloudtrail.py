"""AWS CloudTrail in, Events out, under CloudTrail's own names joined by dots.

Read are the log files (`{"Records": [...]}`), JSON lines and arrays of records, and what carries them elsewhere:
CloudWatch Logs (`logEvents`), EventBridge (`detail`), the answer of `lookup-events` (`Events`, `CloudTrailEvent`).
After the CloudTrail user guide, "CloudTrail record contents", event version 1.11. Rules that search in
`requestParameters` or `responseElements` find their JSON text there.
"""

from __future__ import annotations

import re

from tocsin.collect.json_logs import JsonLog, Record, lift
from tocsin.collect.naming import Dotted

NAME = "cloudtrail"
KIND = "aws"


def _shape(record: Record) -> None:
    if "eventSource" in record:
        return
    for carrier in ("CloudTrailEvent", "detail", "message"):
        if carrier in record:
            lift(record, carrier)
            return


_LOG = JsonLog(
    naming=Dotted(
        times=("eventTime", "@timestamp", "EventTime", "time", "timestamp"),
        also={
            "requestParameters": ("requestParameters",),
            "responseElements": ("responseElements",),
            "src_ip": ("sourceIPAddress",),
        },
    ),
    keys=(
        frozenset({"eventSource", "awsRegion", "eventName"}),
        frozenset({"CloudTrailEvent", "EventId"}),
    ),
    mark=re.compile(rb'"logEvents"\s*:\s*\[[^\]]{0,4096}\\"awsRegion\\"'),
    inner=frozenset({"Records", "Events", "logEvents"}),
    shape=_shape,
    settled="eventSource",
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
