"""Tocsin's own rules pass every validator that SigmaHQ checks its own with, and pySigma's.

They are named here one by one, so that a new one in a newer version is noticed. Left out are those that look things up
in tables which exist only for download: what they hold to is held to here and there by other tests, or by the engine,
which refuses a log source that it does not know.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationRule
from sigma.data import mitre_attack
from sigma.rule import SigmaRule
from sigma.validation import SigmaValidator
from sigma.validators.base import SigmaRuleValidator
from sigma.validators.core import validators as core
from sigma.validators.sigmahq import validators as sigmahq

from tocsin.learn import built_in

SIGMAHQ = frozenset(
    """
    sigmahq_author_existence sigmahq_correlation_filename_prefix sigmahq_correlation_group_by_existence
    sigmahq_correlation_rules_minimum sigmahq_date_existence sigmahq_description_existence sigmahq_description_length
    sigmahq_falsepositives_banned_word sigmahq_falsepositives_capital sigmahq_falsepositives_typo_word
    sigmahq_field_duplicate_value sigmahq_field_user sigmahq_fields_existence sigmahq_filename_convention
    sigmahq_github_link sigmahq_invalid_all_modifier sigmahq_invalid_hash_kv sigmahq_level_existence
    sigmahq_link_in_description sigmahq_missing_asterisk_condition sigmahq_mitre_link sigmahq_modified_date_order
    sigmahq_modified_without_date sigmahq_ofselection_condition sigmahq_ofthem_condition sigmahq_redundant_modified
    sigmahq_space_field_name sigmahq_status sigmahq_status_existence sigmahq_status_to_high
    sigmahq_sysmon_missing_eventid sigmahq_tags_detection sigmahq_tags_techniques_without_tactics sigmahq_tags_tlp
    sigmahq_tags_unique_detection sigmahq_tags_unique_tlp sigmahq_title_case sigmahq_title_end sigmahq_title_length
    sigmahq_title_start sigmahq_unknown_field sigmahq_unsupported_regex_group_construct
    """.split()
)
DOWNLOADED = frozenset(  # SigmaHQ's tables of log sources, fields, providers and names of files
    """
    sigmahq_category_event_id sigmahq_category_windows_provider_name sigmahq_fieldname_cast sigmahq_filename_prefix
    sigmahq_invalid_fieldname sigmahq_logsource_unknown sigmahq_redundant_field
    """.split()
)
CORE_LEFT_OUT = frozenset({"d3_fendtag"})  # MITRE D3FEND's names exist only for download; no rule has such a tag


def test_every_validator_of_sigmahq_is_named() -> None:
    assert set(sigmahq) == SIGMAHQ | DOWNLOADED


@pytest.fixture(scope="module")
def attack(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """ATT&CK 19 as pySigma reads it, made of what the corpus has of it."""
    folder = tmp_path_factory.mktemp("attack")
    galaxy = shared / "corpus" / "attack" / "misp-galaxy-2026-08" / "mitre-attack-pattern.json.gz"
    with gzip.open(galaxy, "rt", encoding="utf-8") as file:
        objects = list(_objects(json.load(file)["values"]))
    (folder / "attack.json").write_text(json.dumps({"objects": objects}), "utf-8")
    mitre_attack.set_cache_dir(str(folder / "cache"))
    mitre_attack.set_url(str(folder / "attack.json"))
    yield
    mitre_attack.clear_cache()


def _objects(values: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    tactics: set[str] = set()
    for value in values:
        meta = value.get("meta", {})
        phases = sorted(
            {one.partition(":")[2] for one in meta.get("kill_chain", []) if re.match(r"attack(-\w+)*:", one)}
        )
        if phases and not any(link["type"] == "revoked-by" for link in value.get("related", [])):
            tactics.update(phases)
            yield {
                "type": "attack-pattern",
                "name": value["value"],
                "external_references": [{"source_name": "mitre-attack", "external_id": meta["external_id"]}],
                "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": one} for one in phases],
            }
    for number, tactic in enumerate(sorted(tactics)):
        yield {
            "type": "x-mitre-tactic",
            "x_mitre_shortname": tactic,
            "external_references": [{"source_name": "mitre-attack", "external_id": f"TA{number:04}"}],
        }


def _rules() -> list[SigmaRule | SigmaCorrelationRule]:
    return list(SigmaCollection.load_ruleset([built_in.FOLDER]).rules)


def _issues(chosen: dict[str, type[SigmaRuleValidator]]) -> list[str]:
    rules = _rules()
    validator = SigmaValidator(set(chosen.values()))
    found = []
    for rule in rules:
        found += [
            f"{rule.source.path.name if rule.source else rule.title}: {one}" for one in validator.validate_rule(rule)
        ]
    return found + [str(one) for one in validator.finalize()]


def test_validators_of_sigmahq(attack: None) -> None:
    assert _issues({name: one for name, one in sigmahq.items() if name in SIGMAHQ}) == []


def test_validators_of_pysigma(attack: None) -> None:
    assert _issues({name: one for name, one in core.items() if name not in CORE_LEFT_OUT}) == []
