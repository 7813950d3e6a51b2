"""Records that the intruder wrote, to break what counts them: they end in a claim or in none, never in an error."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from investigate.weighing import SYSMON, accessed, audit, incident, only, weigh, windows, zeek
from tocsin.investigate.impact import archives, credentials, databases, directory
from tocsin.investigate.impact.content import content
from tocsin.investigate.impact.picks import Gate

DEEP = '{"a":' * 2_000 + "1" + "}" * 2_000


@pytest.mark.parametrize(
    "folders",
    [
        "[",
        "null",
        "[1, null, [], {}]",
        '[{"Path": {"a": 1}, "FolderItems": {"InternetMessageId": "x"}}]',
        '[{"FolderItems": [1, null, {"InternetMessageId": null}, {"InternetMessageId": ["x"]}]}]',
        DEEP,
        "[" + DEEP + "]",
    ],
)
def test_mail_records_that_hold_something_else(tmp_path: Path, folders: str) -> None:
    record = json.loads(accessed("Bind"))
    record["Folders"] = folders
    told = weigh(tmp_path, {"audit.json": json.dumps(record)}, incident())
    claim = only(told, sort="mail")
    assert claim.amount.upper is None
    assert claim.amount.lower <= 1


def test_a_record_with_very_many_messages_is_cut_and_says_so(tmp_path: Path) -> None:
    span = [audit("UserLoggedIn", 0), audit("UserLoggedIn", 61)]
    line = accessed("Bind", *(f"{number}@example.org" for number in range(20_000)))
    claim = only(weigh(tmp_path, {"audit.json": "\n".join([*span, line])}, incident()), sort="mail")
    assert claim.amount.upper is None, "what is cut is not counted as if it were whole"
    assert 1_000 < claim.amount.lower < 20_000
    assert claim.unnamed == claim.amount.lower - len(claim.names)


@pytest.mark.parametrize("number", ["-5", "1e9", "0x10", "9" * 400, "NaN", "", "١٢٣", "12,000"])
def test_numbers_that_are_none(tmp_path: Path, number: str) -> None:
    record = json.loads(zeek(5, "203.0.113.9", 1)) | {"orig_bytes": number}
    span = [zeek(0, "10.0.0.9", 1), zeek(61, "10.0.0.9", 1)]
    claim = only(weigh(tmp_path, {"conn.log": "\n".join([*span, json.dumps(record)])}, incident()), sort="network")
    assert claim.amount.upper is None or claim.amount.upper >= 10**9 - 1


def test_sums_beyond_64_bits(tmp_path: Path) -> None:
    flows = [zeek(minute, "203.0.113.9", 1 << 63, uid=f"C{minute}") for minute in range(62)]
    claim = only(weigh(tmp_path, {"conn.log": "\n".join(flows)}, incident()), sort="network")
    assert claim.amount.lower == 62 << 62


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>.7z", "a\u202e\x1b[2J.zip", "x" * 9_000 + ".rar", "..\\" * 99 + "a.7z"]
)
def test_names_stay_text_and_short(tmp_path: Path, name: str) -> None:
    line = windows(11, 3, channel=SYSMON, TargetFilename=name, User="PARL\\mere")
    told = weigh(tmp_path, {"sysmon.json": line}, incident())
    assert all(len(one) <= 300 for claim in told.claims for one in claim.names)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("module", [archives, credentials, databases, directory])
@pytest.mark.parametrize(
    "unit",
    [
        "ntdsutil ",
        "bcp ",
        "vssadmin create ",
        "lsass ",
        "comsvcs ",
        "reg save ",
        "7z a ",
        "tar -c",
        "a\\",
        "wmic shadowcopy ",
    ],
)
def test_expressions_end_soon(module: object, unit: str) -> None:
    """Without a bound on what stands between two words, one alone would take hours."""
    text = (unit * 4_000)[:4_000]
    for gate in module.GATES:  # type: ignore[attr-defined]
        for pattern in gate.found.values():
            pattern.search(text)


COMMANDS = (
    *("7z a o.7z x", "rar.exe a o.rar x", "makecab a b", "tar czf o.tgz x", "zip -r o.zip x", "Compress-Archive x"),
    *("mysqldump x", "pg_dumpall", "bcp t out f", "sqlite3 d .dump", "BACKUP DATABASE x", "exec xp_cmdshell 'x'"),
    *("ntdsutil ac i ntds ifm", "vssadmin create shadow", "wbadmin start systemstatebackup", "copy ntds.dit x"),
    *("adfind -f x", "csvde -f x", "SharpHound.exe", "Get-ADUser -Filter *", "diskshadow /s x", "Invoke-NinjaCopy"),
    *(
        "procdump -ma lsass.exe",
        "rundll32 comsvcs.dll, MiniDump 1 x",
        "reg save HKLM\\SAM x",
        "sekurlsa::logonpasswords",
    ),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_words_of_a_gate_let_through_what_its_expression_finds(command: str) -> None:
    found = 0
    for module in (archives, credentials, databases, directory):
        for gate in module.GATES:
            for pattern in _patterns(gate):
                for text in (command, command.upper(), command.lower()):
                    if pattern.search(text):
                        found += 1
                        assert not gate.words or any(word in text.lower() for word in gate.words), (command, gate.words)
    assert found


def _patterns(gate: Gate) -> list[object]:
    return list(gate.found.values()) if gate.words else []


def test_names_say_what_they_can() -> None:
    assert content(["minutes.docx"]) == "content"
    assert content(["id_rsa", "net\\Network Plan.pdf"]) == "technical"
    assert content(["id_rsa", "minutes.docx"]) == "both"
    assert content(["x", ""]) == "not known"


def test_an_incident_without_a_time_bounds_nothing_from_above(tmp_path: Path) -> None:
    one = replace(incident(), first_us=None, last_us=None)
    told = weigh(tmp_path, {"conn.log": zeek(5, "203.0.113.9", 70), "audit.json": accessed("Bind", "a@x")}, one)
    assert {claim.amount.upper for claim in told.claims} == {None}
    assert told.since_us is None
