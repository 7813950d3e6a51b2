"""GitHub's audit log in, Events out: the export and the stream of an organisation or an enterprise, under their names.

After "Audit log events for your organization" and "Streaming the audit log for your enterprise"; times are
milliseconds since 1970.
"""

from __future__ import annotations

from tocsin.collect.json_logs import JsonLog
from tocsin.collect.naming import Dotted

NAME = "github"
KIND = "github"

_LOG = JsonLog(
    naming=Dotted(times=("@timestamp", "created_at")),
    keys=(
        frozenset({"action", "actor", "_document_id"}),
        frozenset({"action", "actor", "org", "created_at"}),
        frozenset({"action", "actor", "business", "created_at"}),
    ),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
