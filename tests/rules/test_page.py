"""docs/own-rules.md says what the rules are; and the rules are what the page promises of them."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

import pytest

from rules.events import stem
from rules.page import markdown
from tocsin.detect import Detector
from tocsin.learn import built_in
from tocsin.model.rule import CORRELATION

PAGE = Path(__file__).resolve().parents[2] / "docs" / "own-rules.md"
# What is of the lowest level and still told: context that somebody reads beside other findings.
TOLD = {
    "correlation_email_one_sender_many_people",
    "correlation_web_sweep_for_paths",
    "email_one_message_many_recipients",
    "win_security_account_created",
}


def test_page(own: Detector) -> None:
    made = markdown(own.rules)
    if os.environ.get("TOCSIN_UPDATE_PAGE") == "1":
        PAGE.write_text(made, "utf-8")
        pytest.skip("the page was made anew: read what changed in it")
    assert made == PAGE.read_text("utf-8")


def test_there_are_enough(own: Detector) -> None:
    loud = [rule for number, rule in enumerate(own.rules.rules) if number not in own.rules.quiet]
    assert len(loud) >= 80
    assert sum(rule.logsource == CORRELATION for rule in loud) >= 10


def test_ordinary_events_give_no_findings_of_their_own(own: Detector) -> None:
    told = {
        stem(rule.path)
        for number, rule in enumerate(own.rules.rules)
        if rule.level == "informational" and number not in own.rules.quiet
    }
    assert told == TOLD


def test_every_rule_says_of_which_release_its_techniques_are(own: Detector) -> None:
    assert {rule.attack_release for rule in own.rules.rules} <= {"19", ""}
    assert all(rule.techniques and rule.tactics for rule in own.rules.rules)


def test_every_rule_says_when_it_is_wrong(own: Detector) -> None:
    assert all(rule.falsepositives for rule in own.rules.rules)


def test_folders_hold_rules_and_what_is_said_of_them() -> None:
    files = [path for path in built_in.FOLDER.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".yml", ".md"}
    assert "Apache License, Version 2.0" in (built_in.FOLDER / "README.md").read_text("utf-8")


def test_nothing_of_detection_rule_license_is_among_them(shared: Path) -> None:
    """No id, no title and no name of a file is SigmaHQ's."""
    ids, titles, names = set(), set(), set()
    with zipfile.ZipFile(shared / "corpus" / "sigma-rules.zip") as archive:
        for name in archive.namelist():
            if name.endswith(".yml"):
                text = archive.read(name).decode("utf-8")
                ids.update(re.findall(r"^id: *(\S+)", text, re.MULTILINE))
                titles.update(one.strip().lower() for one in re.findall(r"^title: *(.+)$", text, re.MULTILINE))
                names.add(Path(name).name)
    for path in built_in.FOLDER.rglob("*.yml"):
        text = path.read_text("utf-8")
        assert path.name not in names
        assert re.findall(r"^id: *(\S+)", text, re.MULTILINE)[0] not in ids
        assert re.findall(r"^title: *(.+)$", text, re.MULTILINE)[0].strip().lower() not in titles
