"""PAN-OS logs in, Events out: comma-separated syslog of Palo Alto Networks' firewalls and Panorama, and CSV exports.

Palo Alto Networks, *PAN-OS Administrator's Guide*, "Syslog Field Descriptions", 8.0 to 11.1: columns have the names
that the guide gives them for custom formats. Later versions add columns at the end; what stands behind the last one
known here, and the columns of other types of log, are `column_N`. Empty columns and those for future use are left out.
Addresses, ports, protocol and user also have the names of Sigma's firewall category; `log` is the type in small
letters. The time is `high_res_timestamp`, or `time_generated`, which names no zone.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import numpy as np

from tocsin.collect import carried, csv_columns, documents, firewall
from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.lines import Columned, Lines, Mask, Parsed, Spans, Split, Told
from tocsin.collect.marks import Marks, byte, chosen, holds
from tocsin.collect.stamps import Stamp
from tocsin.collect.text_lines import TextLog
from tocsin.model.event import NO_TIME, Longs

NAME = "paloalto"
KIND = "firewall"

_NO_RECORD: Final = "not a line of a PAN-OS log"
_BASE: Final = "- receive_time serial type subtype - time_generated"
_DEVICE: Final = "dg_hier_level_1 dg_hier_level_2 dg_hier_level_3 dg_hier_level_4 vsys_name device_name"
_SESSION: Final = (
    "src dst natsrc natdst rule srcuser dstuser app vsys from to inbound_if outbound_if logset - sessionid repeatcnt "
    "sport dport natsport natdport flags proto action"
)
_ENDPOINT: Final = "{0}_category {0}_profile {0}_model {0}_vendor {0}_osfamily {0}_osversion {0}_host {0}_mac"
_ENDPOINTS: Final = (
    f"{_ENDPOINT.format('src')} {_ENDPOINT.format('dst')} container_id pod_namespace pod_name src_edl dst_edl"
)
_APP: Final = (
    "subcategory_of_app category_of_app technology_of_app risk_of_app characteristic_of_app container_of_app "
    "tunneled_app is_saas_of_app sanctioned_state_of_app"
)
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    kind: tuple(f"{_BASE} {names}".split())
    for kind, names in {
        "TRAFFIC": f"{_SESSION} bytes bytes_sent bytes_received packets start elapsed category - seqno actionflags "
        f"srcloc dstloc - pkts_sent pkts_received session_end_reason {_DEVICE} action_source src_uuid dst_uuid "
        "tunnelid monitortag parent_session_id parent_start_time tunnel assoc_id chunks chunks_sent chunks_received "
        "rule_uuid http2_connection link_change_count policy_id link_switches sdwan_cluster sdwan_device_type "
        f"sdwan_cluster_type sdwan_site dynusergroup_name xff_ip {_ENDPOINTS} hostid serialnumber src_dag dst_dag "
        f"session_owner high_res_timestamp nsdsai_sst nsdsai_sd {_APP} offloaded flow_type cluster_name",
        "THREAT": f"{_SESSION} misc threatid category severity direction seqno actionflags srcloc dstloc - contenttype "
        "pcap_id filedigest cloud url_idx user_agent filetype xff referer sender subject recipient reportid "
        f"{_DEVICE} - src_uuid dst_uuid http_method tunnel_id monitortag parent_session_id parent_start_time tunnel "
        "thr_category contentver - assoc_id ppid http_headers url_category_list rule_uuid http2_connection "
        f"dynusergroup_name xff_ip {_ENDPOINTS} hostid serialnumber domain_edl src_dag dst_dag partial_hash "
        f"high_res_timestamp reason justification nssai_sst {_APP} cloud_reportid cluster_name flow_type",
        "SYSTEM": f"vsys eventid object - - module severity opaque seqno actionflags {_DEVICE} - - high_res_timestamp",
        "CONFIG": f"admin_host vsys cmd admin client result path seqno actionflags {_DEVICE} dg_id comment - "
        "high_res_timestamp",
        "GLOBALPROTECT": "vsys eventid stage auth_method tunnel_type srcuser srcregion machinename public_ip "
        "public_ipv6 private_ip private_ipv6 hostid serialnumber client_ver client_os client_os_ver repeatcnt reason "
        "error opaque status location login_duration connect_method error_code portal seqno actionflags "
        f"high_res_timestamp selection_type response_time priority attempted_gateways gateway {_DEVICE} vsys_id",
        "USERID": f"vsys ip user datasourcename eventid repeatcnt timeout beginport endport datasource datasourcetype "
        f"seqno actionflags {_DEVICE} - factortype factorcompletiontime factorno ugflags userbysource tag_name "
        "high_res_timestamp origindatasource",
    }.items()
}
# The older form of configuration logs, and custom ones, say what was changed.
_DETAILED: Final = tuple(
    f"{_BASE} admin_host vsys cmd admin client result path before_change_detail after_change_detail seqno actionflags "
    f"{_DEVICE} dg_id comment - high_res_timestamp".split()
)
_MORE: Final = {
    "type": "log",
    "src": "src_ip",
    "dst": "dst_ip",
    "sport": "src_port",
    "dport": "dst_port",
    "srcuser": "username",
    "admin": "username",
    "proto": "protocol",
    "public_ip": "src_ip",
    "device_name": "host",
    "threatid": "Signature",
}
_LOWERED: Final = ("log", "protocol")
_MOST_COLUMNS: Final = 200
_TYPES: Final = (
    "TRAFFIC|THREAT|SYSTEM|CONFIG|GLOBALPROTECT|USERID|HIP-?MATCH|CORRELATION|AUTHENTICATION|DECRYPTION|SCTP|GTP|TUNNEL"
    "|IPTAG|START|END|AUTH|AUDIT"
)
_RECORD: Final = later(
    rf"(?:^|(?<=[ >]))[^\s,>]{{0,16}},\d{{4}}/\d\d/\d\d \d\d:\d\d:\d\d,[^,]{{0,64}},(?:{_TYPES}),", re.ASCII
)
_EXPORT: Final = later(r'"?Domain"?,"?Receive Time"?,')
_SNIFFED: Final = later(
    rb"^[^\n,]{0,300},\d{4}/\d\d/\d\d \d\d:\d\d:\d\d,[^\n,]{0,64},(?:" + _TYPES.encode() + rb"),", re.MULTILINE
)
_HIGH: Final = Stamp("%Y-%m-%dT%H:%M:%S.%f%Z")
_LOCAL: Final = Stamp("%Y/%m/%d %H:%M:%S")


def sniff(head: bytes) -> bool:
    return documents.mostly(head, _SNIFFED)


def _parse(text: str, header: bytes, clock: Clock) -> Parsed | str | None:
    found = _RECORD.search(text)
    if found is None:
        return None if _EXPORT.match(text.lstrip("\ufeff")) else _NO_RECORD
    row = _cells(text[found.start() :])
    if len(row) > _MOST_COLUMNS:  # no log has: what is past them stays together
        row[_MOST_COLUMNS:] = [",".join(row[_MOST_COLUMNS:])]
    names = _names(row)
    read: dict[str, str] = {}
    for at, value in enumerate(row):
        name = names[at] if at < len(names) else f"column_{at}"
        if value and name != "-":
            read[name] = value
    values: dict[str, str | tuple[str, ...] | None] = dict(read)
    for name, more in _MORE.items():
        if name in read and more not in values:
            values[more] = read[name].lower() if more in _LOWERED else read[name]
    values["blocked"] = firewall.blocked(read["action"]) if "action" in read else None
    values["TargetFilename"] = firewall.device_path(read["opaque"]) if "opaque" in read else None
    head = carried.before(text[: found.start()], clock)
    if head.host is not None:
        values.setdefault("host", head.host)
    ts, mended = _ts(read, clock)
    return Parsed(ts, {name: value for name, value in values.items() if value is not None}, mended)


def _cells(text: str) -> list[str]:
    """The columns; quotes around one are taken off, and doubled ones in it are one."""
    try:
        return next(csv.reader([text]))
    except (csv.Error, StopIteration):
        return text.split(",")


def _names(row: list[str]) -> tuple[str, ...]:
    if row[3] == "CONFIG" and len(row) > 17 and row[17].startswith("0x"):
        return _DETAILED
    return _COLUMNS.get(row[3], tuple(_BASE.split()))


def _ts(read: Mapping[str, str], clock: Clock) -> tuple[int, str]:
    """UTC microseconds, and what was assumed."""
    try:
        moment = datetime.fromisoformat(read.get("high_res_timestamp", ""))
        if moment.tzinfo is not None:
            return clock.local(moment), ""
    except ValueError:
        pass
    for name in ("time_generated", "receive_time"):
        try:
            moment = datetime.strptime(read.get(name, ""), "%Y/%m/%d %H:%M:%S")  # noqa: DTZ007
        except ValueError:
            continue
        return clock.local(moment), ZONE_ASSUMED
    return NO_TIME, ""


class _Cells:
    """The cells of the lines of a block: `usual` marks lines whose quotes are those of a CSV file."""

    def __init__(self, block: Lines) -> None:
        self.block, octets = block, block.octets
        self.usual: Mask = np.ones(len(block), bool)
        if b"\r" in block.data:  # where it ends no line
            returns = np.flatnonzero(octets == ord("\r"))
            self.usual = np.searchsorted(returns, block.starts) == np.searchsorted(returns, block.stops)
        places = np.flatnonzero(octets == ord(","))
        if b'"' in block.data:
            quotes = np.flatnonzero(octets == ord('"'))
            line = np.maximum(np.searchsorted(block.starts, quotes, "right") - 1, 0)
            odd = (np.arange(len(quotes)) - np.searchsorted(quotes, block.starts)[line]) % 2 == 1
            before, behind = byte(block, quotes - 1), byte(block, quotes + 1)
            opens = (before == ord(",")) | ((before == ord('"')) & (quotes > block.starts[line]))
            closes = (behind == ord(",")) | (behind == ord('"')) | (quotes + 1 >= block.stops[line])
            self.usual[line[np.where(odd, ~closes, ~opens)]] = False
            self.usual[np.diff(np.searchsorted(quotes, np.append(block.starts, len(octets)))) % 2 == 1] = False
            inside = (
                np.searchsorted(quotes, places)
                - np.searchsorted(quotes, block.starts)[
                    np.maximum(np.searchsorted(block.starts, places, "right") - 1, 0)
                ]
            )
            places = places[inside % 2 == 0]
        self._first = np.searchsorted(places, block.starts)
        self.count = np.diff(self._first, append=len(places))
        self.usual &= (self.count >= len(_BASE.split())) & (self.count < _MOST_COLUMNS)
        self._places = places

    def at(self, column: int | Longs) -> Spans:
        """Where a column after the first stands in each line, quotes and all; anything where it has fewer."""
        if not len(self._places):
            return Spans(self.block.starts, self.block.starts)
        start = self._places.take(self._first + column - 1, mode="clip") + 1
        stop = self._places.take(self._first + column, mode="clip")
        return Spans(start, np.where(self.count > column, stop, self.block.stops))


def _table() -> tuple[list[tuple[str, ...]], dict[str, int]]:
    """The names of every column of every type, and with which number the columns of a type begin."""
    names: list[tuple[str, ...]] = []
    begins = {}
    for kind, columns in _COLUMNS.items():
        begins[kind] = len(names)
        for at in range(_MOST_COLUMNS):
            name = columns[at] if at < len(columns) else f"column_{at}"
            more = _MORE.get(name, "")
            names.append(() if name == "-" else (name, more) if more and more not in _LOWERED else (name,))
    return names, begins


_NAMED, _BEGINS = _table()


def _split(block: Lines, projection: frozenset[str] | None, clock: Clock) -> Split:
    """Lines of the known types that name their device, so that the syslog header says nothing more."""
    cells = _Cells(block)
    usual = cells.usual & _is_record(block, cells)
    kind_at, high, local = cells.at(3), _absent(block), cells.at(6)
    begin = np.full(len(block), -1, np.int64)
    spans = {name: _absent(block) for name in ("action", "opaque", "proto")}
    for kind, number in _BEGINS.items():
        lines = (kind_at.stops - kind_at.starts == len(kind)) & holds(block, kind_at.starts, kind)
        columns = _COLUMNS[kind]
        named, stop = cells.at(columns.index("device_name"))
        lines &= (cells.count >= columns.index("device_name")) & (stop > named)
        if kind == "CONFIG":
            lines &= holds(block, cells.at(15).starts, "0x") & ~holds(block, cells.at(17).starts, "0x")
        begin[lines] = number
        for name, span in {**spans, "high_res_timestamp": high}.items():
            if name in columns:
                cell = cells.at(columns.index(name))
                there = lines & (cells.count >= columns.index(name)) & (cell.stops > cell.starts)
                span.starts[there], span.stops[there] = cell.starts[there], cell.stops[there]
    usual &= begin >= 0
    ts, zoneless, timed = _times(block, high, local, clock)
    usual &= timed
    for span in spans.values():  # quotes are taken off one by one
        usual &= (span.starts < 0) | (byte(block, span.starts) != ord('"'))
    columned = _columned(cells, begin, usual, projection)
    return Split(
        usual=usual,
        ts=ts[usual],
        fields={
            "log": Told(chosen(usual, kind_at), str.lower),
            "protocol": Told(chosen(usual, spans["proto"]), str.lower),
            "blocked": Told(chosen(usual, spans["action"]), firewall.blocked),
            "TargetFilename": Told(chosen(usual, spans["opaque"]), firewall.device_path),
        },
        mended={ZONE_ASSUMED: int(count)} if (count := zoneless[usual].sum()) else "",
        columned=columned,
    )


def _columned(cells: _Cells, begin: Longs, usual: Mask, projection: frozenset[str] | None) -> list[Columned]:
    """The cells behind the first of usual lines; lines that are left out again are taken from `usual`."""
    names = [tuple(name for name in some if projection is None or name in projection) for some in _NAMED]
    found, block = [], cells.block
    kinds = np.where(usual, begin * _MOST_COLUMNS + cells.count, -1)
    for kind in np.unique(kinds[usual]).tolist():
        first, width = divmod(kind, _MOST_COLUMNS)
        line = np.flatnonzero(kinds == kind)
        wanted = [column for column in range(width) if names[first + column + 1]]
        texts = csv_columns.columns(block, cells.at(1).starts[line], block.stops[line], width, wanted)
        if texts is None:
            usual[line] = False
            continue
        found += [Columned(names[first + column + 1], line, text) for column, text in zip(wanted, texts, strict=True)]
    return found


def _absent(block: Lines) -> Spans:
    return Spans(np.full(len(block), -1, np.int64), np.full(len(block), -1, np.int64))


def _is_record(block: Lines, cells: _Cells) -> Mask:
    """Whether a time stands in the second column, and a short word before it."""
    time, stop = cells.at(1)
    serial, serial_stop = cells.at(2)
    breaks = Marks(block, " >\t")
    passed = breaks.before(time - 1)
    start = np.where(passed > 0, breaks.at(passed - 1) + 1, block.starts)
    good: Mask = (stop - time == _LOCAL.width) & (time - 1 - start <= 16) & (serial_stop - serial <= 64)
    good &= (passed == 0) | (byte(block, start - 1) != ord("\t"))
    good &= _LOCAL.read(block.octets, time, Clock()).good
    return good


def _times(block: Lines, high: Spans, local: Spans, clock: Clock) -> tuple[Longs, Mask, Mask]:
    """UTC microseconds, whether their zone was assumed, and whether they are of a usual form."""
    zoned = high.starts >= 0
    exact = _HIGH.read(block.octets, high.starts, clock)
    plain = _LOCAL.read(block.octets, local.starts, clock)
    good = np.where(
        zoned,
        exact.good & (high.stops - high.starts == _HIGH.width),
        plain.good & (local.stops - local.starts == _LOCAL.width),
    )
    return np.where(zoned, exact.ts, plain.ts), ~zoned, good


_LOG: Final = TextLog(parse=_parse, split=_split)
ranges, cut, decoder, fields = _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
