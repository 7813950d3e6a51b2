"""Each log reads by what its format is known for: standard parsers and plain expressions, none of them ours."""

from __future__ import annotations

import csv
import ipaddress
import json
import re
import shlex
from collections import Counter, defaultdict
from datetime import datetime

from rehearse.conftest import Drill

# The whole of each line, as the manuals have it.
BIND = re.compile(
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z queries: info: client @0x[0-9a-f]+ (\S+)#(\d+) \((\S+)\): "
    r"query: (\S+) IN (A|AAAA|TXT|MX|PTR) \+E\(0\)K \((\S+)\)$"
)
SYSLOG = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00) (\S+) ([\w/-]+)\[(\d+)]: (.+)$")
AUDIT = re.compile(r"^type=([A-Z_]+) msg=audit\((\d+\.\d{3}):(\d+)\): (.*)$")
SQUID = re.compile(
    r"^(\d+\.\d{3}) +\d+ (\S+) TCP_(MISS|TUNNEL)/(\d{3}) (\d+) (\S+) (\S+) (\S+) HIER_DIRECT/(\S+) (\S+)$"
)
NETFILTER = re.compile(
    r"^\S+ \S+ kernel: \[ *\d+\.\d{6}] (ACCEPT|DROP) IN=(\S+) OUT=(\S+) MAC=(\S+) SRC=(\S+) DST=(\S+) LEN=(\d+) .*"
    r"PROTO=(TCP|UDP) SPT=(\d+) DPT=(\d+) "
)


def test_every_line_of_json_is_an_object(drill: Drill) -> None:
    for pattern in ("windows/*/*", "cloud/*/*", "zeek/ps/*"):
        lines = [line for _, _, line in drill.lines(pattern)]
        assert lines
        assert all(isinstance(json.loads(line), dict) for line in lines)


def test_zeek_text_has_its_heads_and_types(drill: Drill) -> None:
    for path, number, line in drill.lines("zeek/lc/*"):
        if number == 1:
            assert line == "#separator \\x09"
            names, types = [""], [""]
        if line.startswith("#fields\t"):
            names = line.split("\t")[1:]
        elif line.startswith("#types\t"):
            types = line.split("\t")[1:]
            assert len(types) == len(names)
        elif not line.startswith("#"):
            for name, kind, cell in zip(names, types, line.split("\t"), strict=True):
                if cell == "-":
                    continue
                if kind in {"time", "interval"}:
                    assert float(cell) >= 0, (path, name)
                elif kind in {"count", "port"}:
                    assert int(cell) >= 0, (path, name)
                elif kind == "addr":
                    ipaddress.ip_address(cell)
                elif kind == "bool":
                    assert cell in "TF"


def test_w3c_rows_have_the_columns_of_their_head(drill: Drill) -> None:
    names: list[str] = []
    rows = 0
    for _, number, line in drill.lines("web/PS-WEB01/*"):
        if line.startswith("#"):
            if line.startswith("#Fields: "):
                names = line.split()[1:]
            continue
        assert number > 4
        row = dict(zip(names, line.split(" "), strict=True))
        datetime.fromisoformat(f"{row['date']} {row['time']}")
        ipaddress.ip_address(row["c-ip"])
        assert row["cs-uri-stem"].startswith("/")
        assert 100 <= int(row["sc-status"]) < 600
        rows += 1
    assert rows > 500


def test_exchange_rows_have_the_columns_of_their_head(drill: Drill) -> None:
    rows = 0
    for path in drill.made.logs.glob("mail/*/*.LOG"):
        with path.open(encoding="utf-8", newline="") as file:
            head = [next(file) for _ in range(5)]
            names = head[4].removeprefix("#Fields: ").rstrip("\r\n").split(",")
            for row in csv.reader(file):
                record = dict(zip(names, row, strict=True))
                assert record["event-id"] in {"RECEIVE", "DELIVER", "SEND"}
                assert int(record["total-bytes"]) > 0
                rows += 1
    assert rows > 20


def test_lines_of_text_logs(drill: Drill) -> None:
    for pattern, form in (
        ("dns/*/*", BIND),
        ("web/px01-lc/*", SQUID),
        ("firewall/lc/*", NETFILTER),
        ("linux/*/auth-*", SYSLOG),
        ("linux/*/mail-*", SYSLOG),
        ("linux/*/audit-*", AUDIT),
    ):
        lines = [line for _, _, line in drill.lines(pattern)]
        assert lines, pattern
        wrong = [line for line in lines if not form.match(line)]
        assert not wrong, wrong[:3]


def test_records_of_auditd_belong_together(drill: Drill) -> None:
    events: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, _, line in drill.lines("linux/*/audit-*"):
        match = AUDIT.match(line)
        assert match
        events[path.split("/")[1], match[3]].append(match[1])
        if match[1] == "EXECVE":
            count = int(re.search(r"argc=(\d+)", line)[1])  # type: ignore[index]
            assert len(re.findall(r"\ba\d+=", line)) == count
    whole = ["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"]
    parts = [records for records in events.values() if records not in (whole, ["USER_LOGIN"])]
    # Of an event in which a line was torn the others are there, in their order.
    assert len(parts) <= sum(path.startswith("linux/") and "/audit-" in path for path, _ in drill.torn)
    assert all(records == [kind for kind in whole if kind in records] for records in parts)


def test_fortigate_lines_are_pairs(drill: Drill) -> None:
    for _, _, line in drill.lines("firewall/ps/*"):
        fields = dict(part.split("=", 1) for part in shlex.split(line))
        ipaddress.ip_address(fields["srcip"])
        ipaddress.ip_address(fields["dstip"])
        shown = datetime.fromisoformat(f"{fields['date']} {fields['time']}{fields['tz']}").timestamp()
        assert int(fields["eventtime"]) // 10**9 == int(shown)


def test_messages_pass_through_all_of_postfix(drill: Drill) -> None:
    programs: dict[str, list[str]] = defaultdict(list)
    for _, _, line in drill.lines("linux/mx*/mail-*"):
        match = SYSLOG.match(line)
        assert match
        if number := re.match(r"([0-9A-F]{10}): ", match[5]):
            programs[number[1]].append(match[3].partition("/")[2])
    assert len(programs) > 50
    whole = Counter(tuple(steps) for steps in programs.values())
    usual = ("smtpd", "cleanup", "cleanup", "qmgr", "smtp", "qmgr")
    # The first and the last days cut some off.
    assert whole[usual] > 0.95 * len(programs)


def test_addresses_and_names_belong_to_nobody(drill: Drill) -> None:
    private = [ipaddress.ip_network(text) for text in ("10.20.0.0/16", "10.40.0.0/16", "127.0.0.0/8", "::1/128")]
    told = [
        ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    ]
    found: set[str] = set()
    for body in ("ps", "lc"):
        for _, conn in drill.zeek(body, "conn"):
            found.update((conn["id.orig_h"], conn["id.resp_h"]))
    assert len(found) > 100
    for text in found:
        address = ipaddress.ip_address(text)
        assert any(address in network for network in (*private, *told)), text
    for _, record in drill.zeek("ps", "dns"):
        assert re.search(r"(^|\.)(example(\.(com|net|org))?|test|invalid)$", record["query"]), record["query"]
