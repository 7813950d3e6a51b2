"""Suricata's EVE log in, Events out, under its names joined by dots: a JSON object a line.

After the Suricata 7 user guide, "Eve JSON Format". Names that Sigma's categories have for the same values stand
beside them: those of DNS (`query`, `record_type`, `answer`), of the firewall (`dst_port`) and of proxies (`c-uri`).
"""

from __future__ import annotations

from tocsin.collect.json_logs import JsonLog
from tocsin.collect.naming import Dotted

NAME = "suricata"
KIND = "suricata"

_LOG = JsonLog(
    naming=Dotted(
        times=("timestamp", "@timestamp"),
        also={
            "query": ("dns.rrname", "dns.queries.rrname", "dns.query.rrname"),
            "record_type": ("dns.rrtype", "dns.queries.rrtype", "dns.query.rrtype"),
            "answer": ("dns.rdata", "dns.answers.rdata"),
            "dst_ip": ("dest_ip",),
            "dst_port": ("dest_port",),
            "c-uri": ("http.url",),
            "c-useragent": ("http.http_user_agent",),
            "cs-host": ("http.hostname",),
            "cs-method": ("http.http_method",),
            "cs-referer": ("http.http_refer",),
            "sc-status": ("http.status",),
        },
    ),
    keys=(frozenset({"event_type", "src_ip", "timestamp"}), frozenset({"event_type", "flow_id", "timestamp"})),
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
