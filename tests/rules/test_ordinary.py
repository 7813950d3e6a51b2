"""What administrators, visitors and scanners do all day is no finding that anybody must look at."""

from __future__ import annotations

from pathlib import Path

from rules.events import stem
from tocsin.detect import Detector
from tocsin.model.rule import LEVELS
from tocsin.pipeline import detect

ORDINARY = Path(__file__).parent / "ordinary"
LOW = {
    "microsoft365_mailbox_permission_given",
    "web_jndi_lookup_in_request",
    "win_security_account_created",
    "win_system_remote_execution_service",
}


def test_ordinary_work(own: Detector) -> None:
    with detect(sorted(path for path in ORDINARY.iterdir() if path.suffix != ".md"), own.rules, jobs=1) as run:
        found = {finding.rule for finding in run.findings}
        read = sum(source.read for source in run.custody)
    assert read >= 55
    worst = LEVELS.index("medium")
    assert not {own.rules.rules[rule].title for rule in found if LEVELS.index(own.rules.rules[rule].level) >= worst}
    assert {stem(own.rules.rules[rule].path) for rule in found} == LOW
