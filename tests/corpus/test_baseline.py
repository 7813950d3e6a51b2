"""On real attack logs the engine finds what the SQLite baseline finds: the same records for every rule.

The baseline shares nothing with the engine but pySigma's parser: it has readers of its own, and SQLite matches.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
import sqlite_baseline as sqlite

from corpus.pack import Pack
from tocsin import collect

Pairs = dict[str, set[tuple[str, str]]]  # rule id -> (log, record)

OWN_NAMES = ("", "sysmon")  # of variants that the baseline knows, too

# Rule -> (records only the engine finds, records only the baseline finds, who is right and why).
DIFFERENCES: dict[str, tuple[set[tuple[str, str]], set[tuple[str, str]], str]] = {
    "2e4e488a-6164-4811-9ea1-f960c7359c40": (
        {("sideloading_uacbypass_rundll32_injection_c2.evtx", "15")},
        set(),
        (
            "The engine. The rule asks for `StartModule: null`: a remote thread that starts in no module. XML has "
            "no null, so Sysmon writes an empty element there; to SQLite that is the text '', which IS NULL denies."
        ),
    ),
}


@pytest.fixture(scope="module")
def logs(shared: Path) -> list[Path]:
    found = sorted((shared / "corpus" / "evtx-attack-samples").rglob("*.evtx"))
    assert len(found) > 100
    assert len({log.name for log in found}) == len(found), "names must tell logs apart"
    return found


@pytest.fixture(scope="module")
def sql(pack: Pack) -> sqlite.SqlRules:
    """The rules that the engine has for logs of Windows, as SQL: to the baseline other rules are for any log."""
    rules = pack.detector.rules
    own = {one.rule for one in rules.variants if one.kind == "windows" and one.name in OWN_NAMES}
    ours = {rules.rules[number].path for number in own}
    return sqlite.rules_to_sql({text.path: text.content.decode() for text in pack.texts if text.path in ours})


@pytest.fixture(scope="module")
def by_sqlite(sql: sqlite.SqlRules, logs: list[Path]) -> Pairs:
    return _by_rule(sqlite.find_all(logs, sql))


@pytest.fixture(scope="module")
def by_engine(pack: Pack, logs: list[Path]) -> Pairs:
    """Without what only the engine knows: that the Security log tells of some things as well as Sysmon does."""
    found: dict[Path, set[tuple[str, str]]] = {log: set() for log in logs}
    rules = pack.detector.rules
    for log in logs:
        for events in collect.read(log, pack.projection):
            for place, rows in pack.detector.scan(events).rows:
                variant = rules.variants[place]
                if variant.name in OWN_NAMES:
                    rule = rules.rules[variant.rule].id
                    found[log].update((rule, str(events.rec[row])) for row in rows.tolist())
    return _by_rule(found)


def _by_rule(found: dict[Path, set[tuple[str, str]]]) -> Pairs:
    pairs: Pairs = defaultdict(set)
    for log, names in found.items():
        for rule, record in names:
            pairs[rule].add((log.name, record))
    return pairs


def test_no_rule_for_windows_is_left_out(pack: Pack) -> None:
    """What the engine has not compiled is not for logs of this corpus, or the baseline cannot convert it either."""
    ours = {rule.path for rule in pack.detector.rules.rules}
    left_out = {text.path for text in pack.texts} - ours
    problems = {problem.path: problem for problem in pack.detector.rules.problems}
    assert left_out <= problems.keys()
    unread = {path for path in left_out if problems[path].reason == "no reader"}
    for path in unread:
        text = problems[path].text
        assert "product 'windows'" not in text or "is in no Windows log" in text, path
    rest = {text.path: text.content.decode() for text in pack.texts if text.path in left_out - unread}
    assert sqlite.rules_to_sql(rest).rules == {}


def test_the_baseline_converts_nearly_all(sql: sqlite.SqlRules) -> None:
    """All but keywords, which have no column to look at."""
    assert len(sql.rules) > 2800
    assert len(sql.failures) < len(sql.rules) / 50
    assert all("SigmaFeatureNotSupportedByBackendError" in why for why in sql.failures.values())


def test_the_same_records_for_every_rule(sql: sqlite.SqlRules, by_sqlite: Pairs, by_engine: Pairs) -> None:
    converted = {rule for rule, _ in sql.rules}
    differences = {
        rule: (by_engine[rule] - by_sqlite[rule], by_sqlite[rule] - by_engine[rule])
        for rule in converted
        if by_engine[rule] != by_sqlite[rule]
    }
    assert differences == {rule: (more, fewer) for rule, (more, fewer, _) in DIFFERENCES.items()}
    assert sum(map(len, by_engine.values())) > 800
