"""SigmaHQ's rules for DNS, Zeek, proxies and netflow fire on what they are for, however it was logged.

The records are ours, written after what each rule says it looks for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from corpus.pack import Pack
from tocsin import collect

ASKED = {  # names that a rule of the category dns looks for -> its title
    "aaa.stage.123456.example.org": "Cobalt Strike DNS Beaconing",
    "api.telegram.org": "Telegram Bot API Request",
    "x.interact.sh": "DNS Query to External Service Interaction Domains",
    "dGVzdA==.example.org": "Suspicious DNS Query with B64 Encoded String",
    "pool.minexmr.com": "Monero Crypto Coin Mining Pool Lookup",
}
ID = {"id.orig_h": "192.0.2.1", "id.orig_p": 50000, "id.resp_h": "203.0.113.9", "id.resp_p": 80}


def zeek_json(record: Mapping[str, object], path: str) -> str:
    return json.dumps({"_path": path, "ts": 1772384400.5, "uid": "C1", **ID, **record}) + "\n"


def zeek_flat(record: Mapping[str, object], path: str) -> str:
    named = {"@stream": path, "ts": 1772384400.5, "uid": "C1", **ID, **record}
    return json.dumps({name.replace(".", "_"): value for name, value in named.items()}) + "\n"


def zeek_tsv(record: Mapping[str, object], path: str) -> str:
    row = {"ts": "1772384400.500000", "uid": "C1", **ID, **record}
    types = ["vector[string]" if isinstance(value, list) else "string" for value in row.values()]
    cells = [",".join(value) if isinstance(value, list) else str(value).replace("\\", "\\\\") for value in row.values()]
    head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
    lines = [f"#path\t{path}", "#fields\t" + "\t".join(row), "#types\t" + "\t".join(types), "\t".join(cells)]
    return head + "\n".join(lines) + "\n"


def windows_name(name: str) -> str:
    return "".join(f"({len(label)}){label}" for label in name.split(".")) + "(0)"


ZEEK: Mapping[str, Callable[[Mapping[str, object], str], str]] = {"json": zeek_json, "flat": zeek_flat, "tsv": zeek_tsv}
QUERIES: Mapping[str, Callable[[str], str]] = {
    "bind": lambda name: (
        f"05-Mar-2026 10:00:00.123 queries: info: client @0x7f 192.0.2.1#53 ({name}): "
        f"query: {name} IN A + (192.0.2.53)\n"
    ),
    "bind through syslog": lambda name: (
        f"Mar  5 10:00:00 ns1 named[12]: client @0x7f 192.0.2.1#53 ({name}): query: {name} IN A + (192.0.2.53)\n"
    ),
    "unbound": lambda name: f"[1772704800] unbound[12:0] info: 192.0.2.1 {name}. A IN\n",
    "dnsmasq": lambda name: f"Mar  5 10:00:00 dnsmasq[12]: query[A] {name} from 192.0.2.1\n",
    "windows": lambda name: (
        f"3/15/2026 10:00:00 AM 0A3C PACKET  UDP Rcv 192.0.2.1 a1b2   Q [0001   D   NOERROR] A {windows_name(name)}\n"
    ),
    "suricata": lambda name: (
        '{"timestamp": "2026-03-01T17:00:01.123456+0000", "flow_id": 2, "event_type": "dns", "src_ip": "192.0.2.21", '
        f'"dest_ip": "198.51.100.53", "dns": {{"type": "query", "rrname": "{name}", "rrtype": "A"}}}}\n'
    ),
    **{f"zeek {form}": lambda name, write=write: write({"query": name, "Z": 0}, "dns") for form, write in ZEEK.items()},
}
SEEN: Mapping[str, tuple[str, Mapping[str, object]]] = {  # a rule's title -> a log of Zeek's, and a record of it
    "MITRE BZAR Indicators for Execution": ("dce_rpc", {"endpoint": "svcctl", "operation": "CreateServiceW"}),
    "Suspicious PsExec Execution - Zeek": ("smb_files", {"path": r"\\srv\IPC$", "name": "a-stdin"}),
    "Default Cobalt Strike Certificate": ("x509", {"certificate.serial": "8BB00EE"}),
    "Kerberos Network Traffic RC4 Ticket Encryption": (
        "kerberos",
        {"request_type": "TGS", "cipher": "rc4-hmac", "service": "cifs/srv"},
    ),
    "WebDav Put Request": ("http", {"user_agent": "WebDAV", "method": "PUT", "uri": "/a"}),
    "Executable from Webdav": ("http", {"user_agent": "Microsoft-WebDAV", "uri": "/webdav/a.exe"}),
    "Windows PowerShell User Agent": (
        "http",
        {"user_agent": "Mozilla/5.0 (en-US) WindowsPowerShell/5.1.19041", "uri": "/a", "method": "GET"},
    ),
    "Publicly Accessible RDP Service": ("rdp", {"id.orig_h": "203.0.113.66", "cookie": "mere"}),
    "DNS TXT Answer with Possible Execution Strings": (
        "dns",
        {"query": "t.example.org", "qtype_name": "TXT", "answers": ["cmd.exe /c whoami", "x"]},
    ),
    "Cleartext Protocol Usage Via Netflow": ("conn", {"conn_state": "SF", "id.resp_p": 23}),
    "Equation Group C2 Communication": ("conn", {"conn_state": "SF", "id.resp_h": "69.42.98.86"}),
}


def fired(pack: Pack, log: Path) -> set[str]:
    """The titles of the rules that fire on a log."""
    rules = pack.detector.rules
    return {
        rules.rules[rules.variants[place].rule].title
        for events in collect.read(log, pack.projection)
        for place, rows in pack.detector.scan(events).rows
        if len(rows)
    }


@pytest.mark.parametrize("form", QUERIES)
def test_rules_for_dns_fire(form: str, pack: Pack, tmp_path: Path) -> None:
    for name, title in ASKED.items():
        (tmp_path / "x.log").write_text(QUERIES[form](name), encoding="utf-8")
        assert title in fired(pack, tmp_path / "x.log"), name
    (tmp_path / "x.log").write_text(QUERIES[form]("www.example.org"), encoding="utf-8")
    assert not fired(pack, tmp_path / "x.log")


@pytest.mark.parametrize("title", SEEN)
@pytest.mark.parametrize("form", ZEEK)
def test_rules_fire_on_zeek(form: str, title: str, pack: Pack, tmp_path: Path) -> None:
    path, record = SEEN[title]
    (tmp_path / "x.log").write_text(ZEEK[form](record, path), encoding="utf-8")
    assert title in fired(pack, tmp_path / "x.log")
