"""OneLogin's events in, Events out, under the names of its API.

Read are the answers of the Events API (`data`) and what its webhooks send (an array, or a JSON object a line). After
"Event Resource" and "Event Webhooks" of the OneLogin API reference.
"""

from __future__ import annotations

from tocsin.collect.json_logs import JsonLog
from tocsin.collect.naming import Dotted

NAME = "onelogin"
KIND = "onelogin"

_LOG = JsonLog(
    naming=Dotted(times=("event_timestamp", "created_at")),
    keys=(frozenset({"event_type_id", "account_id"}),),
    inner=frozenset({"data"}),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
