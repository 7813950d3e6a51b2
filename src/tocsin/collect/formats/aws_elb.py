"""Access logs of AWS' load balancers in, Events out: application and classic ones, under the names of web servers.

AWS, *Elastic Load Balancing*, "Access logs for your Application Load Balancer" and "Access logs for your Classic Load
Balancer": fields with blanks between them, those in quotes that may hold one. `cs-uri` is the path and the query, as a
web server logs it; `url` the whole. Fields that Sigma's category of web servers has no name for are called as AWS
calls them.
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.collect import documents
from tocsin.collect.clock import Clock
from tocsin.collect.lines import Parsed
from tocsin.collect.text_lines import TextLog
from tocsin.collect.times import microseconds
from tocsin.collect.urls import host_of, path_of, query_of

NAME = "aws_elb"
KIND = "webserver"

_NO_RECORD: Final = "not a line of a load balancer's access log"
_TYPES: Final = "http|https|h2|grpcs|ws|wss"
_STAMP: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z"
_CELL: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"|(\S+)', re.DOTALL)
_BEGINS: Final = re.compile(rf"(?:(?P<type>{_TYPES}) )?(?P<time>{_STAMP}) ", re.ASCII)
_COMMON: Final = (
    "elb client target request_processing_time target_processing_time response_processing_time sc-status "
    "target_status_code cs-bytes sc-bytes request cs-user-agent ssl_cipher ssl_protocol"
).split()
_APPLICATION: Final = (
    "target_group_arn trace_id domain_name chosen_cert_arn matched_rule_priority request_creation_time "
    "actions_executed redirect_url error_reason target_port_list target_status_code_list classification "
    "classification_reason conn_trace_id transformed_host transformed_uri request_transform_status"
).split()
_SNIFFED: Final = re.compile(
    rb"^(?:(?:" + _TYPES.encode() + rb") )?" + _STAMP.encode() + rb" [^ \n]{1,255} [0-9A-Fa-f.:\[\]]{2,64} "
    rb'(?:-|[0-9A-Fa-f.:\[\]]{2,64})(?: -?[\d.]{1,20}| -){3} (?:\d{3}|-) (?:\d{3}|-) \d{1,20} \d{1,20} "',
    re.MULTILINE,
)


def sniff(head: bytes) -> bool:
    return documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    begun = _BEGINS.match(text)
    if begun is None:
        return _NO_RECORD
    cells = [found[2] if found[1] is None else found[1] for found in _CELL.finditer(text, begun.end())]
    if len(cells) < _COMMON.index("request") + 1:
        return _NO_RECORD
    names = [*_COMMON, *(_APPLICATION if begun["type"] else [])]
    read = {name: cell for name, cell in zip(names, cells, strict=False) if cell not in ("-", "")}
    values: dict[str, str | tuple[str, ...] | None] = {"log": "access", **read}
    if begun["type"]:
        values["type"] = begun["type"]
    for name, address, port in (("client", "c-ip", "c-port"), ("target", "dst_ip", "dst_port")):
        if name in read:
            bare, _, values[port] = read[name].rpartition(":")
            values[address] = bare.strip("[]")
    values |= _request(read.get("request", ""))
    if extra := " ".join(cells[len(names) :]):
        values["extra"] = extra
    return Parsed(int(microseconds([begun["time"]])[0]), {name: text for name, text in values.items() if text})


def _request(text: str) -> dict[str, str]:
    """What was asked for: `GET https://host:443/path?query HTTP/1.1`."""
    method, _, rest = text.partition(" ")
    if not method.isalpha():  # a connection without a request
        return {}
    url, _, version = rest.rpartition(" ")
    path, query = path_of(url) or "", query_of(url)
    told = {"cs-uri-stem": path, "cs-uri-query": query, "cs-host": host_of(url)}
    asked = path if query is None else f"{path}?{query}"
    values = {"cs-method": method, "url": url, "cs-version": version, "cs-uri": asked}
    return values | {name: value for name, value in told.items() if value}


_LOG: Final = TextLog(parse=_parse)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
