"""The mission with mapping files: rules for a log that no reader knows fire, in workers, and coverage says so."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tocsin import pipeline
from tocsin.cli.main import app
from tocsin.collect import mapping_files
from tocsin.detect import cache, census
from tocsin.model.mapping import LogMapping
from tocsin.model.rule import RuleText

RULES = b"""
title: Denied
id: 6d1c2f0e-0000-4000-8000-000000000001
logsource: {product: acme, service: gateway}
detection: {s: {action: deny, src_ip|startswith: '192.0.2.'}, condition: s}
level: high
---
title: Of the product
id: 6d1c2f0e-0000-4000-8000-000000000002
logsource: {product: acme}
detection: {keywords: [swordfish], condition: keywords}
level: low
---
title: Of a service that is not there
id: 6d1c2f0e-0000-4000-8000-000000000003
logsource: {product: acme, service: door}
detection: {s: {action: deny}, condition: s}
"""
TEXTS = [RuleText(path="r.yml", content=RULES)]
MAPPING = """
name: acme-gateway
format: json
recognise: {keys: [client.address, verdict]}
logsource: {product: acme, service: gateway}
fields: {client.address: src_ip, verdict: action}
time: {field: when, format: "%d/%m/%Y %H:%M"}
host: device
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    record = {"client": {"address": "192.0.2.7"}, "verdict": "deny", "when": "01/07/2026 10:00", "device": "gw1"}
    lines = [{**record, "note": "swordfish"}, record, {**record, "verdict": "allow"}]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (folder / "a.log").write_bytes(content)
    (folder / "b.log.gz").write_bytes(gzip.compress(content))
    return folder


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    (tmp_path / "m.yml").write_text(MAPPING, encoding="utf-8")
    return tmp_path / "m.yml"


@pytest.fixture
def mappings(mapping: Path) -> tuple[LogMapping, ...]:
    return mapping_files.load([mapping])


@pytest.mark.parametrize("jobs", [1, 2])
def test_rules_fire_on_what_a_mapping_reads(logs: Path, mappings: tuple[LogMapping, ...], jobs: int) -> None:
    rules = pipeline.compile_rules(TEXTS, mappings=mappings)
    zone = mapping_files.zones.named("Europe/Zurich", "")
    with pipeline.detect([logs], rules, jobs=jobs, mappings=mappings, zone=zone) as run:
        found = list(run.findings)
        assert [(rules.rules[one.rule].title, one.host) for one in found] == [
            ("Denied", "gw1"),
            ("Of the product", "gw1"),
            ("Denied", "gw1"),
        ] * 2
        assert {one.ts_us for one in found} == {1_782_892_800_000_000}
        assert found[0].fields == {"action": "deny", "src_ip": "192.0.2.7"}
        assert {one.format for one in run.custody if one.read} == {"acme-gateway"}
        assert [one.mended for one in run.custody if one.read] == [{"time without a zone: it was assumed": 3}] * 2
        assert {(one.kind, one.channel, one.host) for one in run.coverage.seen} == {
            ("acme-gateway", "acme-gateway", "gw1")
        }
        assert run.timezone == "Europe/Zurich"
        assert [problem.reason for problem in run.coverage.problems] == ["no reader"]


def test_rules_are_kept_apart_by_what_mappings_serve(tmp_path: Path, mappings: tuple[LogMapping, ...]) -> None:
    without = pipeline.compile_rules(TEXTS, tmp_path)
    with_it = pipeline.compile_rules(TEXTS, tmp_path, mappings)
    assert (len(without.rules), len(with_it.rules)) == (0, 2)
    assert without.digest != with_it.digest
    assert cache.load(tmp_path, with_it.digest) == pipeline.compile_rules(TEXTS, tmp_path, mappings)


def test_the_table_of_log_sources_says_mapped(mappings: tuple[LogMapping, ...]) -> None:
    served = [one for mapping in mappings for one in mapping.serves]
    assert {(one.product, one.service): (one.state, one.kinds) for one in census.named(TEXTS, served)} == {
        ("acme", "gateway"): ("mapped", ("acme-gateway",)),
        ("acme", ""): ("mapped", ("acme-gateway",)),
        ("acme", "door"): ("no reader", ()),
    }


def test_the_command_line(logs: Path, mapping: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    (tmp_path / "r.yml").write_bytes(RULES)
    words = ["rules", "test", str(tmp_path / "r.yml"), str(logs / "a.log"), "--mapping", str(mapping)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "gw1" in done.output
    done = CliRunner().invoke(app, ["rules", "sources", str(tmp_path / "r.yml"), "--mapping", str(mapping)])
    assert "mapped: 2 log sources of 2 rules" in done.output
    out = tmp_path / "out"
    words = ["detect", str(logs), "-r", str(tmp_path / "r.yml"), "--mapping", str(mapping), "-o", f"{out}/", "-q"]
    done = CliRunner().invoke(app, [*words, "--timezone", "+02:00"])
    assert done.exit_code == 0, done.output
    custody = json.loads((out / "custody.json").read_text(encoding="utf-8"))
    assert custody["timezone"] == "UTC+02:00"
    assert {source["format"] for source in custody["sources"] if source["read"]} == {"acme-gateway"}
