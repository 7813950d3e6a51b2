"""The table of log sources in the manual is what the rules and the readers say; TOCSIN_UPDATE_GOLDEN=1 writes it."""

from __future__ import annotations

import os
from pathlib import Path

from detect.compiled import text_of
from tocsin.cli import source_pages
from tocsin.collect.formats import READERS
from tocsin.detect import census
from tocsin.learn import packs
from tocsin.model.kind import KINDS
from tocsin.model.rule import RuleText

TABLE = Path(__file__).resolve().parents[2] / "docs" / "log-sources.md"


def _rule(source: str) -> RuleText:
    return RuleText(path="x.yml", content=text_of("s: {A: 1}\ncondition: s", logsource=source).encode())


def test_a_log_source_is_what_becomes_of_it() -> None:
    found = census.named(
        [_rule("{category: webserver}"), _rule("{product: beos}"), _rule("{category: webserver, product: apache}")]
    )
    assert [(one.product, one.category, one.rules, one.state, one.kinds) for one in found] == [
        ("beos", "", 1, "no reader", ()),
        ("", "webserver", 1, "read", ("webserver", "zeek", "suricata")),
        ("apache", "webserver", 1, "read", ("webserver", "zeek", "suricata")),
    ]


def test_what_is_no_rule_is_passed_over() -> None:
    assert census.named([RuleText(path="x.yml", content=b"{"), RuleText(path="y.yml", content=b"a: 1")]) == []


def test_every_kind_has_a_reader() -> None:
    assert {reader.KIND for reader in READERS} == set(KINDS)


def test_the_published_table(shared: Path) -> None:
    found = census.named(packs.resolve([str(shared / "corpus" / "sigma-rules.zip")]))
    page = source_pages.markdown(found)
    if os.environ.get("TOCSIN_UPDATE_GOLDEN"):
        TABLE.write_text(page, encoding="utf-8")
    assert TABLE.read_text(encoding="utf-8") == page
