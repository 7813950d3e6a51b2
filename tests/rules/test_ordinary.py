"""What administrators, visitors and scanners do all day is no finding that anybody must look at."""

from __future__ import annotations

from pathlib import Path

from rules.events import stem
from tocsin.detect import Detector
from tocsin.model.rule import LEVELS
from tocsin.pipeline import detect

ORDINARY = Path(__file__).parent / "ordinary"
LOW = {
    "azure_audit_application_credential_added",
    "azure_audit_second_factor_taken_away",
    "azure_signin_from_hosting",
    "correlation_email_one_sender_many_people",
    "correlation_win_security_admin_share_on_many",
    "correlation_win_security_one_account_many_hosts",
    "correlation_zeek_sweep_inside",
    "microsoft365_mailbox_permission_given",
    "net_dns_dynamic_name",
    "web_jndi_lookup_in_request",
    "win_security_account_created",
    "win_system_remote_execution_service",
}


def test_ordinary_work(own: Detector) -> None:
    with detect(sorted(path for path in ORDINARY.iterdir() if path.suffix != ".md"), own.rules, jobs=1) as run:
        found = {finding.rule for finding in run.findings}
        read = sum(source.read for source in run.custody)
    assert read >= 900
    worst = LEVELS.index("medium")
    assert not {own.rules.rules[rule].title for rule in found if LEVELS.index(own.rules.rules[rule].level) >= worst}
    assert {stem(own.rules.rules[rule].path) for rule in found} == LOW
