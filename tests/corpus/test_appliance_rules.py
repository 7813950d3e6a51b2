"""Every rule about firewalls, network devices, virus scanners and RPC Firewall fires on a log that has what it asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import pytest
import yaml

from collect import make_evtx
from corpus.pack import Pack
from tocsin.collect import read_bytes
from tocsin.model.event import Events
from tocsin.model.rule import Rule

ABOUT: dict[tuple[str, str, str], str] = {
    # category, product, service -> the kind of log that is made for its rules
    ("firewall", "", ""): "fortigate",
    ("", "", "netflow"): "fortigate",
    ("", "fortigate", "event"): "fortigate",
    ("", "fortios", "sslvpnd"): "fortigate",
    ("antivirus", "", ""): "clamav",
    ("", "cisco", "aaa"): "cisco",
    ("", "cisco", "bgp"): "cisco",
    ("", "cisco", "ldp"): "cisco",
    ("", "cisco", "syslog"): "cisco",
    ("appliance", "paloalto", "globalprotect"): "paloalto",
    ("file_event", "paloalto", "globalprotect"): "paloalto",
    ("application", "rpc_firewall", ""): "rpcfw",
}
SYSTEM = (
    "1,2024/03/05 10:00:00,0018,SYSTEM,general,1,2024/03/05 10:00:00,vsys1,x,,0,0,general,high,{},7,0x8,0,0,0,0,,PA"
)
FORTI = 'date=2024-03-05 time=10:00:00 devid="FG1" logid="01" eventtime=1709632800 type="event" {}'
CISCO = "Mar  5 10:00:00 edge1 7: Mar  5 10:00:00 UTC: %SYS-5-CONFIG_I: {}"


def _first(asked: Any) -> Any:
    return asked[0] if isinstance(asked, list) else asked


def _asked(detection: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    """One value for each field that is asked for, and one of each list of keywords (all of them if all are asked)."""
    fields: dict[str, str] = {}
    words: list[str] = []
    for name, part in detection.items():
        if name in ("condition", "filter") or (name == "keywords" and "selection" in detection):
            continue
        if isinstance(part, list) and not isinstance(part[0], dict):
            words.append(str(part[0]))
            continue
        for key, asked in _first(part).items():
            if key == "|all":
                words += map(str, asked)
            else:
                fields.setdefault(key.partition("|")[0], str(_first(asked)))
                if "|startswith" in key:
                    fields[key.partition("|")[0]] = str(_first(asked)) + fields[key.partition("|")[0]]
    return fields, words


def _rpc(fields: dict[str, str]) -> bytes:
    """An event of RPC Firewall, whose data have no names."""
    data = ["RpcAsyncCall", "7", "C:\\x.exe", "ncacn_np", "\\pipe\\x", "192.0.2.1", fields["InterfaceUuid"]]
    data += [fields.get("OpNum", "99"), "EXAMPLE\\mere", "6", "10"]
    system: list[make_evtx.Element] = [
        ("Provider", {"Name": "RPCFW"}, []),
        ("EventID", {}, "3"),
        ("TimeCreated", {"SystemTime": "2024-03-05T10:00:00.000000Z"}, []),
        ("EventRecordID", {}, "1"),
        ("Channel", {}, "RPCFW"),
        ("Computer", {}, "dc1.example.org"),
    ]
    texts: list[make_evtx.Element] = [("Data", {}, text) for text in data]
    event: make_evtx.Element = ("Event", {"xmlns": "urn:example"}, [("System", {}, system), ("EventData", {}, texts)])
    return make_evtx.file([[(1, event)]])


def _log(kind: str, fields: dict[str, str], words: Iterable[str]) -> bytes:
    said = " ".join(words)
    if kind == "rpcfw":
        return _rpc(fields)
    if kind == "clamav":
        path, name = fields.get("Filename", "/tmp/x"), fields.get("Signature", "Eicar").replace("\\d", "7")
        return f"/var/www/html/x: OK\n{path.replace('.asax', '')}/www/x.asax: {name} FOUND\n".encode()
    if kind == "paloalto":
        return SYSTEM.format(f'"{said or fields["TargetFilename"]} , x"').encode()
    if kind == "cisco":
        return CISCO.format(said).encode()
    names = {"src_ip": "srcip", "dst_ip": "dstip", "dst_port": "dstport", "destination.port": "dstport"}
    pairs = [f'{names.get(name, name)}="{text}"' for name, text in fields.items() if name != "blocked"]
    return FORTI.format(" ".join([*pairs, f'msg="{said}"'])).encode()


def _cases(pack: Pack) -> Iterator[tuple[str, str, dict[str, str], list[str]]]:
    for text in pack.texts:
        rule = yaml.CSafeLoader(text.content).get_single_data()  # of 3,800: in Python it takes ten times as long
        source = rule["logsource"]
        kind = ABOUT.get(tuple(source.get(part, "") for part in ("category", "product", "service")))  # type: ignore[arg-type]
        if kind:
            yield rule["id"], kind, *_asked(rule["detection"])


def _fired(pack: Pack, events: Events) -> Iterator[Rule]:
    rules = pack.detector.rules
    return (rules.rules[rules.variants[number].rule] for number, _ in pack.detector.scan(events).rows)


def test_every_rule_fires(pack: Pack) -> None:
    silent, count = [], 0
    for rule, kind, fields, words in _cases(pack):
        count += 1
        events = read_bytes(_log(kind, fields, words))
        fired = {one.id for one in _fired(pack, events)}
        if rule not in fired:
            silent.append((rule, kind, fields, words))
    assert not silent
    assert count >= 50


@pytest.mark.parametrize("opnum", ["3", "4"])
def test_rpc_calls_are_told_apart_by_their_number(pack: Pack, opnum: str) -> None:
    events = read_bytes(_rpc({"InterfaceUuid": "e3514235-4b06-11d1-ab04-00c04fc2dcd2", "OpNum": opnum}))
    assert events.all_fields(0)["OpNum"] == opnum
    assert events.columns["OpNum"].text(0) == opnum
    assert any("DCSync" in rule.title for rule in _fired(pack, events))


def test_what_defender_found_is_found_by_the_rules_about_virus_scanners(pack: Pack) -> None:
    found = {
        "Threat Name": "HackTool:Win32/Mimikatz",
        "Path": "file:_C:\\Users\\Public\\a.exe",
        "Action Name": "Quarantine",
    }
    channel = "Microsoft-Windows-Windows Defender/Operational"
    events = read_bytes(orjson.dumps({"Channel": channel, "EventID": 1116, "EventData": found}))
    titles = {rule.title for rule in _fired(pack, events) if rule.title.startswith("Antivirus")}
    assert all(any(word in title for title in titles) for word in ("Hacktool", "Password Dump", "File Paths"))
    other = read_bytes(orjson.dumps({"Channel": channel, "EventID": 5007, "EventData": found}))
    assert not {rule.title for rule in _fired(pack, other)} & titles
