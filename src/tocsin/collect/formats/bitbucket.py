"""The audit log of Bitbucket Data Center in, Events out, under its names joined by dots.

Read are the log files (a JSON object a line) and the answer of its REST interface (`entities`). After "Audit log
events in Bitbucket" and "Audit log integrations in Bitbucket".
"""

from __future__ import annotations

from tocsin.collect.json_logs import JsonLog
from tocsin.collect.naming import Dotted

NAME = "bitbucket"
KIND = "bitbucket"

_LOG = JsonLog(
    naming=Dotted(times=("timestamp.epochSecond", "timestamp")),
    keys=(
        frozenset({"auditType", "affectedObjects", "author"}),
        frozenset({"auditType", "actionI18nKey"}),
        frozenset({"type", "actionI18nKey", "affectedObjects"}),
    ),
    inner=frozenset({"entities"}),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
