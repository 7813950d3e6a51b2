"""The second look: only what may show impact is read again, whatever it is packed in, and what cannot be is told."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from investigate.weighing import BEGIN, MINUTE, audit, zeek
from tocsin import lookback, pipeline
from tocsin.investigate import context, impact
from tocsin.ledger import Progress
from tocsin.lookback import look_back
from tocsin.model.kind import ENVELOPE
from tocsin.model.rule import RuleText

RULE = """
title: Anything
id: 5d4d9b9e-6a0b-4a50-9a4e-3d2f1c0a9b7e
status: test
level: high
logsource: {product: zeek, service: conn}
detection:
  one: {id.resp_h: 203.0.113.9}
  condition: one
"""
AROUND = impact.Around(
    windows=np.array([[BEGIN, BEGIN + 60 * MINUTE]]),
    hosts=frozenset(),
    names=frozenset({"mere"}),
    addresses=frozenset({"203.0.113.9"}),
    domains=frozenset(),
    files=frozenset(),
    places=frozenset(),
)


def _evidence(folder: Path) -> Path:
    folder.mkdir()
    inside, outside = zeek(5, "203.0.113.9", 70), zeek(5_000, "203.0.113.9", 70)
    (folder / "conn.log").write_text(inside, encoding="utf-8")
    (folder / "late.log").write_text(outside, encoding="utf-8")
    (folder / "packed.log.gz").write_bytes(gzip.compress(zeek(6, "203.0.113.9", 71).encode()))
    (folder / "dns.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.writestr("in/conn.log", zeek(7, "203.0.113.9", 72))
        archive.writestr("in/late.log", zeek(5_000, "203.0.113.9", 73))
        archive.writestr("in/audit.json", audit("MailboxLogin", 8))
    return folder


def _looked(tmp_path: Path, evidence: Path, *, jobs: int = 1) -> tuple[tuple[str, ...], impact.Kept, set[str]]:
    rules = pipeline.compile_rules([RuleText(path="r.yml", content=RULE.encode())])
    with pipeline.detect([evidence], rules, jobs=jobs) as run:
        custody = run.custody
    seen: set[str] = set()

    def note(progress: Progress) -> None:
        seen.add(Path(progress.current.partition(",")[0]).name)

    folder = tmp_path / f"kept-{jobs}"
    folder.mkdir()
    kept = impact.Kept(folder=folder).made()
    return look_back([evidence], custody, AROUND, kept, jobs=jobs, on_progress=note), kept, seen


def test_only_what_may_show_something_is_read_again(tmp_path: Path) -> None:
    lost, kept, seen = _looked(tmp_path, _evidence(tmp_path / "evidence"))
    assert lost == ()
    assert seen == {"conn.log", "packed.log.gz", "all.zip"}
    evidence = impact.read(kept, lost=lost, digests={}, seen=[])
    assert sorted(evidence.flows.columns["sent_most"].tolist()) == [70, 71, 72]
    assert [pick.fields["Operation"] for pick in evidence.picked.of["mail"]] == ["MailboxLogin"]


def test_fields_of_which_nothing_is_kept_are_not_read(tmp_path: Path) -> None:
    """The third look is for what lies around an incident alone; its first form read all that the second does."""
    sought = context.Search(folder=tmp_path, wanted={}, since_us=0, until_us=1)
    nothing = impact.around(())
    assert lookback._fields(nothing, None, [sought]) == context.FIELDS | ENVELOPE
    assert [kinds for kinds, _ in lookback._windows(nothing, None, [sought])] == [context.KINDS]
    assert lookback._fields(AROUND, None, [sought]) == impact.FIELDS | context.FIELDS | ENVELOPE
    assert lookback._fields(AROUND, None, []) == impact.FIELDS | ENVELOPE


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    folder = _evidence(tmp_path / "evidence")
    one, three = (impact.read(_looked(tmp_path, folder, jobs=jobs)[1], lost=(), digests={}, seen=[]) for jobs in (1, 3))
    assert one.picked == three.picked
    assert one.flows.texts == three.flows.texts
    assert all((one.flows.columns[name] == three.flows.columns[name]).all() for name in one.flows.columns)


def test_evidence_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    log = folder / "conn.log"
    log.write_text(zeek(5, "203.0.113.9", 70), encoding="utf-8")
    rules = pipeline.compile_rules([RuleText(path="r.yml", content=RULE.encode())])
    with pipeline.detect([log], rules, jobs=1) as run:
        custody = run.custody
    log.unlink()
    (tmp_path / "kept").mkdir()
    lost = look_back([log], custody, AROUND, impact.Kept(folder=tmp_path / "kept").made(), jobs=1)
    assert len(lost) == 1
    assert "conn.log" in lost[0]


def test_more_than_can_be_held_is_counted(tmp_path: Path) -> None:
    _, kept, _ = _looked(tmp_path, _evidence(tmp_path / "evidence"))
    from tocsin.investigate.impact import flows, picks

    assert flows.read(kept.flows.iterdir(), most=2).beyond == 1
    assert picks.read(kept.picks.iterdir(), most=0).beyond == {"mail": 1}
    assert picks.read(kept.picks.iterdir(), most_bytes=10).beyond == {"mail": 1}
