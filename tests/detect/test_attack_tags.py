"""Tags of rules, and which release of ATT&CK they are of."""

from __future__ import annotations

from pathlib import Path

import pytest

from detect.compiled import compiled_pack
from tocsin.detect.attack_tags import TACTICS, dated, tactics, techniques
from tocsin.learn import attack
from tocsin.model.attack import telltales
from tocsin.model.rule import Rule

TELLTALES = telltales(attack.shipped())


def releases(*rules: tuple[str, str], by: object = None) -> list[str]:
    made = [
        Rule(
            id=str(place),
            title="A rule",
            level="low",
            status="",
            path=path,
            line=1,
            logsource="windows",
            techniques=techniques(tags.split()),
            tactics=tactics(tags.split()),
        )
        for place, (path, tags) in enumerate(rules)
    ]
    return [rule.attack_release for rule in dated(made, TELLTALES if by is None else by)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ("attack.stealth", "19"),
        ("attack.defense-impairment", "19"),
        ("attack.t1685.001", "19"),
        ("attack.t1027.018", "19"),
        ("attack.defense-evasion", "18"),
        ("attack.defense_evasion", "18"),
        ("attack.t1562.001", "18"),
        ("attack.t1070.001", "18"),
        ("attack.t1070.004", ""),
        ("attack.t1059 attack.execution", ""),
        ("attack.t1086", ""),  # older than either
        ("attack.defense-evasion attack.t1685", "19"),
        ("", ""),
    ],
)
def test_the_release_that_tags_tell(tags: str, wanted: str) -> None:
    assert releases(("a.yml", tags)) == [wanted]


def test_the_release_of_a_pack() -> None:
    neutral = "attack.t1059"
    packs = [("p.zip!a/1.yml", "attack.stealth"), ("p.zip!b/2.yml", neutral), ("q.zip!1.yml", neutral)]
    assert releases(*packs, ("p.zip!c.yml", "attack.t1562")) == ["19", "19", "", "18"]
    folders = [("x/a/1.yml", "attack.defense-evasion"), ("x/a/2.yml", neutral), ("x/b/3.yml", neutral)]
    assert releases(*folders, ("x/b/c/4.yml", "attack.stealth"), ("x/a/5.yml", "")) == ["18", "18", "19", "19", ""]


def test_newer_is_what_the_telltales_say_and_not_what_sorts_later() -> None:
    telling = [("100", frozenset({"T1900"})), ("99", frozenset({"T1800"})), ("9", frozenset({"T1700"}))]
    pack = [("p.zip!1", "attack.t1800"), ("p.zip!2", "attack.t1900"), ("p.zip!3", "attack.t1700"), ("p.zip!4", "x")]
    assert releases(*pack, ("p.zip!5", "attack.t1000"), by=telling) == ["99", "100", "9", "", "100"]


def test_nothing_known_tells_nothing() -> None:
    assert releases(("a.yml", "attack.stealth"), by=()) == [""]


def test_the_tactics_that_tags_name_are_those_of_the_shipped_facts() -> None:
    assert {name for release in attack.shipped().releases for name in release.tactics} == TACTICS


def test_the_public_pack_is_of_19(shared: Path) -> None:
    rules = dated(compiled_pack(shared).rules, TELLTALES)
    assert {rule.attack_release for rule in rules if rule.techniques or rule.tactics} == {"19"}
    assert {rule.attack_release for rule in rules if not rule.techniques and not rule.tactics} <= {""}


def test_every_technique_of_the_public_pack_is_known(shared: Path) -> None:
    release = attack.shipped().release("19")
    assert release is not None
    used = {technique for rule in compiled_pack(shared).rules for technique in rule.techniques}
    assert len(used) > 300
    assert used - set(release.entries) == set()
