"""Linux logs in the public datasets: as many records as other means count, and every value of them."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from collect.reference import row_of
from tocsin.collect import read

AUDIT_LOGS = ["defense_evasion/host/sh_binary_padding_dd.zip", "discovery/host/sh_arp_cache.zip"]
SYSLOG = "compound/Log4Shell/syslog_{}_log4shell_cve2021_44228_jndi_reference.zip"


def _text(archive: Path) -> str:
    with zipfile.ZipFile(archive) as packed:
        return "".join(packed.read(name).decode() for name in packed.namelist())


def _rows(archive: Path, kind: str) -> list[tuple[bytes, int, dict[str, Any]]]:
    tables = list(read(archive))
    assert {events.kind for events in tables} == {kind}
    return [
        (events.raw[row], int(events.ts[row]), row_of(events, row)) for events in tables for row in range(len(events))
    ]


@pytest.mark.parametrize("path", AUDIT_LOGS)
def test_every_pair_of_an_audit_log_is_a_field(shared: Path, path: str) -> None:
    archive = shared / "corpus" / "security-datasets" / "atomic" / "linux" / path
    lines = _text(archive).splitlines()
    found = _rows(archive, "auditd")
    assert [raw.decode() for raw, _, _ in found] == lines
    for line, (_, ts, fields) in zip(lines, found, strict=True):
        head, _, body = line.partition("): ")
        seconds, serial = head.rpartition("(")[2].split(":")
        assert ts == round(float(seconds) * 1_000_000)
        assert (fields["type"], fields["serial"]) == (head.split()[0].removeprefix("type="), serial)
        for key, value in re.findall(r'(\w+)=("[^"]*"|\S+)', body):
            text = bytes.fromhex(value).replace(b"\0", b" ").decode() if key == "proctitle" else value.strip('"')
            assert fields[key] == text


def test_a_start_of_a_program_is_told_as_sysmon_would(shared: Path) -> None:
    archive = shared / "corpus" / "security-datasets" / "atomic" / "linux" / AUDIT_LOGS[0]
    (started,) = [fields for _, _, fields in _rows(archive, "auditd") if fields["type"] == "EXECVE"]
    assert started["Image"] == "/bin/dd"
    assert started["CommandLine"] == "dd if=/dev/zero bs=1 count=1"
    assert (started["CurrentDirectory"], started["User"], started["ProcessId"]) == ("/home/wardog", "1000", "2168")


@pytest.mark.parametrize("name", ["auoms_auditd", "sysmon"])
def test_every_key_of_the_syslog_table_is_a_field(shared: Path, name: str) -> None:
    archive = shared / "corpus" / "security-datasets" / SYSLOG.format(name)
    records = [json.loads(line) for line in _text(archive).splitlines()]
    found = _rows(archive, "linux")
    assert len(found) == len(records) > 0
    for record, (raw, _, fields) in zip(records, found, strict=True):
        assert json.loads(raw) == record
        assert record.items() <= fields.items()
        assert (fields["program"], fields["message"]) == (record["ProcessName"], record["SyslogMessage"])


def test_every_pair_of_auoms_is_a_field(shared: Path) -> None:
    started = 0
    for _, _, fields in _rows(shared / "corpus" / "security-datasets" / SYSLOG.format("auoms_auditd"), "linux"):
        before, _, command = fields["EventData"].partition(" cmdline=")
        before = before.partition(" proctitle=")[0]
        for key, value in re.findall(r'(?:^| )(\w+)=("[^"]*"|\[[^\]]*\]|\S*)', before):
            texts = json.loads(value) if value.startswith("[") else value.strip('"').split(",")
            told = fields[key]
            assert (list(told) if isinstance(told, tuple) else [told]) in (texts, [value.strip('"')])
        if command:
            line = command.partition(" redactors=")[0]
            assert fields["cmdline"] == line[1:-1]
            assert fields.get("CommandLine") == (line[1:-1] if fields["success"] == "yes" else None)
            started += 1
    assert started > 10


def test_every_value_of_sysmon_is_a_field(shared: Path) -> None:
    whole = 0
    for _, _, fields in _rows(shared / "corpus" / "security-datasets" / SYSLOG.format("sysmon"), "linux"):
        message = fields["SyslogMessage"]
        if message.endswith("</Event>"):
            event = ET.fromstring(re.sub(r"&(?!\w+;)", "&amp;", message))  # the agent took some semicolons away
            assert fields["EventID"] == event.findtext("System/EventID")
            told = {data.get("Name"): data.text or "" for data in event.iterfind("EventData/Data")}
            assert told.items() <= fields.items()
            whole += 1
        else:  # syslog cut it off
            name = re.findall(r'<Data Name="(\w+)">', message)[-1]
            assert message.endswith(f'"{name}">{fields[name]}')
    assert whole > 50
