"""`tocsin rules`, as people type it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tocsin.cli import rule_pages, rules
from tocsin.cli.main import main

Tocsin = Callable[..., tuple[int, str, str]]

SYSMON = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Computer": "PC1"}
LINUX = "title: Elsewhere\nlogsource: {product: beos, category: process_creation}\n"
LINUX += "detection: {s: {Image: a}, condition: s}\n"
FIRST = """title: Whoami Was Run
id: 11111111-aaaa-4aaa-8aaa-111111111111
status: test
description: |
    Somebody asked
    who they are.
author: A Person
references: ["https://example.org/whoami"]
tags: [attack.discovery, attack.t1033, attack.stealth, car.2016-03-001]
logsource: {product: windows, category: process_creation}
detection:
    selection:
        Image|endswith: ['\\whoami.exe', '\\who.exe']
        CommandLine|contains: ' /'
    filter:
        User|startswith: 'SYSTEM'
    condition: selection and not filter
falsepositives: [Administrators]
level: high
"""
SECOND_ID = "22222222-bbbb-4bbb-8bbb-222222222222"
SECOND = FIRST.replace("11111111-aaaa-4aaa-8aaa-111111111111", SECOND_ID).replace("Was Run", "Was Run Twice")


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> tuple[int, str, str]:
        code = main(["rules", *map(str, words)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "mine"
    top.mkdir()
    (top / "first.yml").write_text(FIRST)
    (top / "second.yml").write_text(SECOND)
    (top / "linux.yml").write_text(LINUX)
    (top / "LICENSE").write_text("MIT License")
    return top


def log_of(path: Path, *events: Mapping[str, Any]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


# --------------------------------------------------------------------------------- packs


def test_alone_it_tells_what_there_is(tocsin: Tocsin) -> None:
    code, out, err = tocsin()
    assert (code, err) == (0, "")
    assert "Packs of rules" in out


def test_add_and_list(tocsin: Tocsin, folder: Path) -> None:
    assert "Without --rules tocsin is used." in tocsin("list")[1]
    code, out, _ = tocsin("add", folder)
    assert code == 0
    for word in ("mine added: 3 rule files", str(folder), "MIT", "2 of 3 rules", "1 no reader"):
        assert word in out
    (folder / "linux.yml").unlink()
    assert "mine replaced: 2 rule files (were 3)" in tocsin("add", folder)[1]
    code, out, _ = tocsin("list")
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("mine"))
    assert "MIT" in line
    assert str(folder) in line
    assert "every pack that was added is used" in out


def test_add_under_a_name(tocsin: Tocsin, folder: Path) -> None:
    assert tocsin("add", folder, "--name", "ours")[0] == 0
    assert tocsin("check", "ours")[0] == 0
    assert tocsin("add", folder, "--name", "../x")[0] == 4


def test_an_archive_that_escapes_is_refused_in_two_lines(tocsin: Tocsin, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("../\x1b[31m.yml", FIRST)
    code, out, err = tocsin("add", tmp_path / "bad.zip")
    assert code == 4
    assert out == ""
    assert len(err.splitlines()) == 2
    assert "refused" in err
    assert "\x1b" not in err
    assert "Without --rules tocsin is used." in tocsin("list")[1]


def test_the_rules_that_come_with_tocsin_are_a_pack(tocsin: Tocsin, folder: Path) -> None:
    code, out, _ = tocsin("list")
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("tocsin "))
    assert "comes with tocsin" in line
    assert "Apache 2.0" in line
    code, out, err = tocsin("add", folder, "--name", "tocsin")
    assert (code, out) == (4, "")
    assert "is the name of the rules that come with tocsin" in err


# --------------------------------------------------------------------------------- check


def test_check_is_content_where_nothing_is_broken(tocsin: Tocsin, folder: Path) -> None:
    code, out, _ = tocsin("check", folder)
    assert code == 0
    assert f"{folder}/linux.yml:1  Elsewhere" in out
    assert "the log source product 'beos', category 'process_creation' has no reader  (1)" in out
    assert "2 of 3 rules; not: 1 no reader" in out


def test_check_names_every_problem_with_file_and_line(tocsin: Tocsin, folder: Path) -> None:
    (folder / "tab.yml").write_text("title: x\n\tfoo: 1\n")
    (folder / "list.yml").write_text("- a\n")
    (folder / "third.yml").write_text(FIRST)
    (folder / "old.yml").write_text(SECOND.replace("2222-bbbb", "3333-bbbb").replace("|contains", "|nix"))
    (folder / "held.yml").write_text(
        SECOND.replace("2222-bbbb", "4444-bbbb").replace("' /'", "'%nix%'").replace("|contains", "|contains|expand")
    )
    code, out, _ = tocsin("check", folder)
    assert code == 4
    for place in ("tab.yml:2", "list.yml:1", "third.yml:1", "old.yml:14", "held.yml:14", "linux.yml:1"):
        assert f"{folder}/{place}" in out
    order = [out.index(reason.upper()) for reason in rules.REASONS]
    assert order == sorted(order), "what somebody must mend comes last"


def test_check_of_one_reason(tocsin: Tocsin, folder: Path) -> None:
    (folder / "tab.yml").write_text("title: x\n\tfoo: 1\n")
    code, out, _ = tocsin("check", folder, "--reason", "not yaml")
    assert code == 4
    assert "tab.yml:2" in out
    assert "linux.yml" not in out
    assert "None is duplicate." in tocsin("check", folder, "--reason", "duplicate")[1]
    assert tocsin("check", folder, "--reason", "nix")[0] == 2


def test_the_reasons_are_those_there_are() -> None:
    from tocsin.model.rule import RuleProblem

    annotation = RuleProblem.__annotations__["reason"]
    assert sorted(rules.REASONS) == sorted(json.loads(annotation.removeprefix("Literal").replace("'", '"')))
    assert list(rule_pages.REASONS) == list(rules.REASONS)


def test_nothing_of_a_rule_file_acts_on_a_terminal(tocsin: Tocsin, folder: Path) -> None:
    (folder / "first.yml").write_text(
        FIRST.replace("Whoami Was Run", '"Who\\e[31m \\u202e was"')
        .replace("A Person", '"\\e]0;x\\a"')
        .replace("' /'", '"\\e[2J"')
    )
    for words in (("check", folder), ("show", folder / "first.yml"), ("check", folder, "--reason", "duplicate")):
        code, out, err = tocsin(*words)
        assert code == 0
        assert not {"\x1b", "\x07", "\u202e"} & set(out + err)


# --------------------------------------------------------------------------------- show


def test_show_tells_all_there_is(tocsin: Tocsin, folder: Path) -> None:
    code, out, _ = tocsin("show", "11111111", "--rules", folder)
    assert code == 0
    for word in (
        "Whoami Was Run  high",
        "11111111-aaaa-4aaa-8aaa-111111111111",
        f"{folder}/first.yml:1",
        "A Person",
        "Somebody asked who they are.",
        "discovery, stealth, T1033  (release 19)",
        "car.2016-03-001",
        "https://example.org/whoami",
        "Administrators",
        "windows/process_creation",
        "CommandLine, Image, User",
        "sysmon logs (Channel: microsoft-windows-sysmon/operational and EventID: 1)",
        "security logs (Channel: security and EventID: 4688)",
        "Image|endswith any of 2",
        r"\whoami.exe",
        "NewProcessName|endswith any of 2",
        "CommandLine|contains: ' /'",
        "not User|startswith: system",
    ):
        assert word in out, word


@pytest.mark.parametrize("word", [SECOND_ID, SECOND_ID.upper(), "2222", "TWICE"])
def test_a_rule_is_called_in_many_ways(tocsin: Tocsin, folder: Path, word: str) -> None:
    code, out, _ = tocsin("show", word, "--rules", folder)
    assert code == 0
    assert SECOND_ID in out


def test_a_whole_title_goes_before_a_part_of_one(tocsin: Tocsin, folder: Path) -> None:
    code, out, _ = tocsin("show", "whoami was run", "--rules", folder)
    assert code == 0
    assert "Twice" not in out


def test_a_word_that_means_several_rules(tocsin: Tocsin, folder: Path) -> None:
    code, _, err = tocsin("show", "whoami", "--rules", folder)
    assert code == 4
    assert "any of 2 rules" in err
    assert "22222222" in err


def test_a_word_that_means_none(tocsin: Tocsin, folder: Path) -> None:
    code, _, err = tocsin("show", "nix", "--rules", folder)
    assert code == 4
    assert "neither an id" in err


def test_a_rule_that_cannot_be_used_says_why(tocsin: Tocsin, folder: Path) -> None:
    for word in ("elsewhere", folder / "linux.yml"):
        code, _, err = tocsin("show", word, "--rules", folder)
        assert code == 4
        assert "linux.yml:1" in err
        assert "no reader" in err


# --------------------------------------------------------------------------------- test


def test_what_fired_and_why(tocsin: Tocsin, folder: Path, tmp_path: Path) -> None:
    fires = {**SYSMON, "Image": "C:\\x\\WHOAMI.exe", "CommandLine": "whoami /\x1b[31mall", "User": "bob"}
    log = log_of(tmp_path / "log.json", {**SYSMON, "Image": "a"}, fires)
    code, out, _ = tocsin("test", folder / "first.yml", log)
    assert code == 0
    assert "2 events, 1 fired" in out
    assert "FIRED 1 of 1  sysmon" in out
    assert "host PC1" in out
    assert f"at byte {len(json.dumps({**SYSMON, 'Image': 'a'})) + 1}  {log}" in out
    for line in (
        "[x] Image|endswith any of 2",
        "Image = C:\\x\\WHOAMI.exe",
        "[x] \\whoami.exe",
        "[x] CommandLine|contains: ' /'",
        "CommandLine = whoami /\\x1b[31mall",
        "[x] not User|startswith: system",
        "User = bob",
    ):
        assert line in out, line
    assert "<-" not in out
    assert "\x1b" not in out


def test_the_nearest_where_nothing_fired(tocsin: Tocsin, folder: Path, tmp_path: Path) -> None:
    log = log_of(
        tmp_path / "log.json",
        {**SYSMON, "Image": "C:\\calc.exe", "CommandLine": "calc"},
        {**SYSMON, "Image": "C:\\who.exe", "CommandLine": "who /all", "User": "SYSTEM\\x"},
        {**SYSMON, "Image": "C:\\who.exe", "CommandLine": ""},
    )
    code, out, _ = tocsin("test", "11111111", log, "--rules", folder, "--limit", 2)
    assert code == 0
    assert "DID NOT FIRE" in out
    first, second = out.split("NEAREST")[1:]
    assert "[ ] not User|startswith: system <-" in first
    assert "User = SYSTEM\\x" in first
    assert first.count("<-") == 1
    assert "[ ] CommandLine|contains: ' /' <-" in second
    assert "CommandLine is there and empty" in second
    assert "User is absent" in second
    assert "calc" not in out


def test_how_many_events_each_condition_held_for(tocsin: Tocsin, folder: Path, tmp_path: Path) -> None:
    log = log_of(tmp_path / "log.json", *[{**SYSMON, "Image": "C:\\who.exe"}] * 3, SYSMON)
    out = tocsin("test", "11111111", log, "--rules", folder)[1]
    told = [" ".join(line.split()) for line in out.splitlines()]
    assert "no event of sysmon has the field CommandLine, User" in told
    assert "3 Image|endswith any of 2" in told
    assert "0 CommandLine|contains: ' /'" in told
    assert "4 not User|startswith: system" in told


def test_more_fired_than_are_shown(tocsin: Tocsin, folder: Path, tmp_path: Path) -> None:
    fires = {**SYSMON, "Image": "\\who.exe", "CommandLine": "who /x"}
    log = log_of(tmp_path / "log.json", *[fires] * 7)
    out = tocsin("test", "11111111", log, "--rules", folder, "--limit", 2)[1]
    assert out.count("FIRED") == 2
    assert "and 5 more events fired: --limit 7 shows all" in out


def test_a_log_source_that_is_not_there(tocsin: Tocsin, folder: Path, tmp_path: Path) -> None:
    log = log_of(tmp_path / "log.json", {"Channel": "System", "EventID": 104}, {**SYSMON, "EventID": 3})
    code, out, _ = tocsin("test", "11111111", log, "--rules", folder)
    assert code == 0
    assert "COULD NOT FIRE" in out
    told = [line.split() for line in out.splitlines()]
    assert ["System", "1", "104"] in told
    assert ["Microsoft-Windows-Sysmon/Operational", "1", "3"] in told


def test_what_stands_around_a_match_in_a_long_value(tocsin: Tocsin, folder: Path, tmp_path: Path) -> None:
    line = "a" * 5000 + " /needle " + "b" * 5000
    log = log_of(tmp_path / "log.json", {**SYSMON, "Image": "\\who.exe", "CommandLine": line})
    out = tocsin("test", "11111111", log, "--rules", folder)[1]
    assert "/needle" in out
    assert len(out) < 3000


def test_logs_that_cannot_be_read(tocsin: Tocsin, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("just text")
    code, _, err = tocsin("test", "11111111", tmp_path / "text", "--rules", folder)
    assert code == 3
    assert "no reader knows this format" in err
    assert tocsin("test", "11111111", tmp_path / "nix", "--rules", folder)[0] == 3


def test_every_rule_of_a_file(tocsin: Tocsin, folder: Path, tmp_path: Path) -> None:
    (folder / "both.yml").write_text(f"{FIRST}---\n{SECOND}")
    log = log_of(tmp_path / "log.json", SYSMON)
    out = tocsin("test", folder / "both.yml", log)[1]
    assert out.count("DID NOT FIRE") == 2


def test_on_real_evidence(tocsin: Tocsin, shared: Path) -> None:
    samples = shared / "corpus" / "evtx-attack-samples" / "Defense Evasion"
    pack = shared / "corpus" / "sigma-rules.zip"
    log = samples / "de_hiding_files_via_attrib_cmdlet.evtx"
    code, out, _ = tocsin("test", "Hiding Files with Attrib.exe", log, "--rules", pack)
    assert code == 0
    assert "FIRED 1 of 1  sysmon  2019-05-19 17:32:00 UTC  host DC1.insecurebank.local  record 1" in out
    assert "CommandLine = attrib  +h nbtscan.exe" in out
    assert "OriginalFileName is absent" in out


def test_times_without_a_zone_are_read_where_the_option_says(tocsin: Tocsin, folder: Path, tmp_path: Path) -> None:
    rule = "title: T\nlogsource: {product: linux, service: sshd}\ndetection: {s: [Failed], condition: s}\nlevel: low\n"
    (folder / "sshd.yml").write_text(rule)
    log = tmp_path / "auth.log"
    log.write_text("Feb 28 10:00:00 web1 sshd[71]: Failed password for root\n" * 3)
    assert "-02-28 10:00:00 UTC" in tocsin("test", folder / "sshd.yml", log)[1]
    assert "-02-28 09:00:00 UTC" in tocsin("test", folder / "sshd.yml", log, "--timezone", "+01:00")[1]
