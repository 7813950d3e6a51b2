"""Zeek's logs as JSON in, Events out, under Zeek's names joined by dots: a record a line.

After Zeek's book, "Zeek Logs" and its script reference (`LogAscii::use_json`, `policy/tuning/json-logs`). `_path` is
the log: as the record has it (Zeek's `_path`, the `@stream` of combined streams), else what its keys tell, else it is
absent. `id_orig_h` is called `id.orig_h` besides, and so are other names in which an exporter wrote `_` for `.`.
Records that the Kafka writer tagged, `{"dns": {...}}`, are read as what is in them.
"""

from __future__ import annotations

from tocsin.collect import zeek
from tocsin.collect.json_logs import JsonLog, Record
from tocsin.collect.naming import Dotted

NAME = "zeek_json"
KIND = "zeek"


def _complete(record: Record) -> None:
    if len(record) == 1:
        [(tag, inner)] = record.items()
        if type(inner) is dict and "ts" in inner:
            record.clear()
            record.update({"_path": tag, **inner})
    log = record.get("_path") or record.get("@stream") or record.get("_stream")
    if log is None and (log := zeek.log_of(record)):
        record.setdefault("_path", log)
    uri = record.get("uri")
    if type(uri) is str and type(log) is str and log.startswith("http"):
        for name, part in zeek.URI_PARTS.items():
            if name not in record and (text := part(uri)) is not None:
                record[name] = text


_LOG = JsonLog(
    naming=Dotted(times=("ts", "_write_ts", "@timestamp"), also=zeek.ALSO),
    keys=zeek.KEYS,
    shape=_complete,
)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
