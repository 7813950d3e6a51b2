"""The scorer against truths made by hand, whose figures one can count."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tocsin.rehearse import score as module
from tocsin.rehearse.score import incidents_of, main, score

LOG = "windows/ps/a.ndjson"


def _step(number: str, *lines: int) -> dict[str, Any]:
    records = [{"path": LOG, "line": line, "offset": line * 100, "bytes": 100} for line in lines]
    return {"id": number, "techniques": ["T1190"], "observable": bool(records), "records": records}


def _incident(number: int, campaign: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    people = {"targeted": [], "possibly_reached": [], "reached": [], "data_left": []}
    told = {"hosts": [], "accounts": [], "people": people, "bytes": {"staged": 0, "left": 0}}
    return {"id": f"i{number}", "campaign": campaign, "steps": list(steps), **told, **more}


def _truth(*incidents: dict[str, Any], **more: Any) -> dict[str, Any]:
    claim = {"id": "c", "parts": [{"id": "mail", "contradicted": True}]}
    told = {"version": 1, "days": 14, "hosts": 150, "host_months": 10.0, "permitted": [], "claim": claim}
    return {**told, "incidents": list(incidents), **more}


def _told(*lines: int, rank: str = "act now", **more: Any) -> dict[str, Any]:
    findings = [{"at": {"path": f"/evidence/logs/{LOG}", "rec": line * 100}} for line in lines]
    return {"rank": rank, "findings": findings, **more}


def test_all_right() -> None:
    truth = _truth(_incident(1, "a", _step("s1", 1, 2), _step("s2", 3)), _incident(2, "b", _step("s1", 7)))
    told = score(truth, [_told(1, 3), _told(7)])
    assert (told["step_recall"], told["event_precision"], told["grouping_f1"]) == (1, 1, 1)
    assert (told["act_now_false_per_host_month"], told["review_queue_per_week"]) == (0, 0)
    assert told["missed"] == told["campaigns_merged"] == []


def test_nothing_said() -> None:
    told = score(_truth(_incident(1, "a", _step("s1", 1))), [])
    assert (told["step_recall"], told["grouping_f1"], told["event_precision"]) == (0, 0, 1)
    assert told["missed"] == [{"incident": "i1", "step": "s1"}]


def test_a_step_is_found_by_any_of_its_records_and_counts_once() -> None:
    truth = _truth(_incident(1, "a", _step("s1", 1, 2, 3), _step("s2", 4), _step("s3", 5), _step("s4", 6)))
    told = score(truth, [_told(1, 2, 3, 50), _told(5, rank="review")])
    assert told["step_recall"] == 0.5
    assert told["event_precision"] == 0.8  # four of five records
    assert told["counts"]["steps_found"] == 2


def test_context_is_shown_and_counts_both_ways() -> None:
    truth = _truth(_incident(1, "a", _step("s1", 1), _step("s2", 2)))
    context = [{"citations": [{"path": LOG, "rec": line * 100} for line in (2, 50)]}]
    told = score(truth, [_told(1, context=context), _told(70, context=context)])
    assert (told["step_recall"], told["step_recall_of_findings"]) == (1, 0.5)
    assert (told["event_precision"], told["event_precision_of_findings"]) == (0.5, 0.5)
    # What an incident is about is said by its findings: one with a step in its context alone is false all the same.
    assert told["counts"]["act_now_false"] == 1


def test_those_addressed_are_shown_and_count_both_ways() -> None:
    truth = _truth(_incident(1, "a", _step("s1", 1), _step("s2", 2)), _incident(2, "b", _step("s3", 3)))
    mails = [{"all": [{"citations": [{"path": LOG, "line": line}]} for line in (2, 50)]}]
    told = score(truth, [_told(1, addressed=mails), _told(3)])
    assert (told["step_recall"], told["step_recall_of_findings"]) == (1, 0.6667)
    assert (told["event_precision"], told["grouping_f1"]) == (0.75, 1)
    theirs = [{"all": [{"citations": [{"path": LOG, "line": 3}]}]}]
    assert score(truth, [_told(1, addressed=theirs), _told(3)])["campaigns_merged"] == [["a", "b"]]


def test_what_no_sensor_saw_is_not_asked_for() -> None:
    told = score(_truth(_incident(1, "a", _step("s1", 1), _step("s2"))), [_told(1)])
    assert told["step_recall"] == 1
    assert told["counts"]["steps_unseen"] == 1


def test_lines_do_as_well_as_offsets_and_windows_paths_too() -> None:
    truth = _truth(_incident(1, "a", _step("s1", 3)))
    at = {"path": "D:\\evidence\\logs\\windows\\ps\\a.ndjson", "line": 3}
    assert score(truth, [{"rank": "act now", "findings": [{"at": at}]}])["step_recall"] == 1
    other = {"path": "D:\\evidence\\windows\\lc\\a.ndjson", "line": 3}
    assert score(truth, [{"rank": "act now", "findings": [{"at": other}]}])["step_recall"] == 0


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz", "a.ndjson.gz!a.ndjson"])
def test_packed_logs_by_whichever_name(name: str) -> None:
    truth = _truth(_incident(1, "a", _step("s1", 3)))
    truth["incidents"][0]["steps"][0]["records"][0]["path"] = f"{LOG}.gz"
    at = {"path": f"/evidence/logs/windows/ps/{name}", "rec": 300}
    assert score(truth, [{"rank": "act now", "findings": [{"at": at}]}])["step_recall"] == 1


def test_folded_findings_count() -> None:
    truth = _truth(_incident(1, "a", _step("s1", 1), _step("s2", 2)))
    folded = {"citations": [{"path": LOG, "rec": 200}]}
    assert score(truth, [_told(1, folded=[folded])])["step_recall"] == 1


def test_false_incidents_by_rank() -> None:
    truth = _truth(_incident(1, "a", _step("s1", 1)))
    told = score(truth, [_told(1, 99), _told(50), _told(51), _told(60, rank="review"), _told(61, rank="review")])
    assert told["act_now_false_per_host_month"] == 0.2  # two in ten host-months
    assert told["review_queue_per_week"] == 2.0  # two in two weeks of 150 hosts


def test_what_was_permitted_is_neither_false_nor_right() -> None:
    permitted = [{"id": "p", "records": [{"path": LOG, "line": 9, "offset": 900, "bytes": 100}]}]
    truth = _truth(_incident(1, "a", _step("s1", 1)), permitted=permitted)
    told = score(truth, [_told(1), _told(9)])
    assert told["event_precision"] == 1
    assert told["act_now_false_per_host_month"] == 0
    assert told["counts"]["act_now_permitted"] == 1


def test_grouping_by_hand() -> None:
    one = _incident(1, "a", _step("s1", 1), _step("s2", 2), _step("s3", 3))
    other = _incident(2, "b", _step("s1", 5))
    # Of the three pairs within, one is together; one pair across is together too: F1 = 2 / (2 + 1 + 2).
    told = score(_truth(one, other), [_told(1, 2), _told(3, 5)])
    assert told["grouping_f1"] == 0.4
    assert told["campaigns_merged"] == [["a", "b"]]


def test_incidents_of_one_campaign_may_be_one_or_two() -> None:
    truth = _truth(_incident(1, "a", _step("s1", 1), _step("s2", 2)), _incident(2, "a", _step("s1", 5), _step("s2", 6)))
    for told in ([_told(1, 2), _told(5, 6)], [_told(1, 2, 5, 6)]):
        assert score(truth, told)["grouping_f1"] == 1
    assert score(truth, [_told(1, 2, 5, 6)])["campaigns_merged"] == []


def test_impact_by_hand() -> None:
    people = {"targeted": ["p1"], "possibly_reached": [], "reached": ["p1"], "data_left": []}
    truth = _truth(
        _incident(
            1,
            "a",
            _step("s1", 1),
            hosts=["web.ps.example", "dc.ps.example"],
            accounts=["PS\\anna"],
            people=people,
            bytes={"staged": 0, "left": 1_000_000_000},
        )
    )
    seen = [{"name": "WEB.ps.example"}, {"name": "fs", "also": ["fs.ps.example"]}]
    told = {"hosts": seen, "accounts": [{"name": "ps\\ANNA"}], "people": [_person("p1"), _person("p2", "data left")]}
    errors = score(truth, [_told(1, **told, impact=_impact((10_000_000_000, None)))])["impact_errors"]
    assert errors["hosts"] == 0.6667  # one of three names is in both
    assert errors["accounts"] == 0
    assert errors["bytes"] == pytest.approx(1, abs=0.01)  # ten times too much
    assert (errors["targeted"], errors["reached"], errors["data_left"]) == (0, 0, 1)
    assert score(truth, [_told(1, impact=_impact((500_000_000, 2_000_000_000)))])["impact_errors"]["bytes"] == 0
    assert score(truth, [_told(1)])["impact_errors"]["bytes"] == 1
    assert score(truth, [_told(1)])["impact_errors"]["reached"] == 1


def _person(name: str, how: str = "reached") -> dict[str, Any]:
    return {"id": name, "how": how}


def _impact(*bounds: tuple[int, int | None], stage: str = "left", unit: str = "bytes", rec: int = 0) -> dict[str, Any]:
    """Claims that rest on a record each, from `rec` on."""
    claims = [
        {
            "stage": stage,
            "unit": unit,
            "amount": {"lower": lower, "upper": upper},
            "evidence": [{"path": "conn.log", "rec": rec + number}],
        }
        for number, (lower, upper) in enumerate(bounds)
    ]
    return {"claims": claims}


def _bytes_error(*impacts: dict[str, Any]) -> float:
    truth = _truth(_incident(1, "a", _step("s1", 1), bytes={"staged": 0, "left": 1_000_000}))
    return float(score(truth, [_told(1, impact=one) for one in impacts])["impact_errors"]["bytes"])


def test_bytes_are_the_sum_of_what_left() -> None:
    assert _bytes_error(_impact((400_000, 500_000), (500_000, 600_000))) == 0
    assert _bytes_error(_impact((400_000, 450_000), (450_000, 480_000))) > 0
    assert _bytes_error(_impact((400_000, 500_000), (500_000, None))) == 0  # without an end
    assert _bytes_error(_impact((1000_000, 1000_000), stage="staged")) == 1
    assert _bytes_error(_impact((1000_000, 1000_000), unit="messages")) == 1


def test_a_flow_that_two_claims_tell_of_counts_once() -> None:
    twice = _impact((1000_000, 1000_000))
    assert _bytes_error(twice, twice) == 0
    assert _bytes_error(twice, _impact((1000_000, 1000_000), rec=7)) > 0


def test_a_little_is_as_good_as_nothing_and_no_answer_is_none() -> None:
    quiet = _truth(_incident(1, "a", _step("s1", 1), bytes={"staged": 0, "left": 0}))
    for bounds, most in (((2_000, 4_000), 0.01), ((50_000, 90_000), 0.2), ((5_000_000, None), 1.0)):
        error = score(quiet, [_told(1, impact=_impact(bounds))])["impact_errors"]["bytes"]
        assert 0 < error <= most
    assert _bytes_error(_impact((0, None))) == 1


def test_whichever_name_it_has() -> None:
    truth = _truth(
        _incident(1, "a", _step("s1", 1), hosts=["web.ps.example"], accounts=["PS\\anna"]),
        names=[["web.ps.example", "WEB", "10.0.0.7"], ["PS\\anna", "anna@ps.example", "S-1-5-21-1-2-3-1104"]],
    )
    for host, account in (("web", "Anna@ps.example"), ("10.0.0.7", "s-1-5-21-1-2-3-1104")):
        errors = score(truth, [_told(1, hosts=[{"name": host}], accounts=[{"name": account}])])["impact_errors"]
        assert (errors["hosts"], errors["accounts"]) == (0, 0)
    twice = [{"name": "anna@ps.example"}, {"name": "ps\\anna"}, {"name": "ps\\otto"}]
    assert score(truth, [_told(1, accounts=twice)])["impact_errors"]["accounts"] == 0.5


def test_the_claim() -> None:
    truth = _truth(_incident(1, "a", _step("s1", 1)))
    assert score(truth, [_told(1)])["claim_contradicted"] is None
    for verdict, right in (("contradicted", True), ("open", False)):
        told = _told(1, claims=[{"id": "mail", "verdict": verdict}])
        assert score(truth, [told])["claim_contradicted"] is right


def test_results_in_all_their_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = [_told(1)]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "incidents.json").write_text(json.dumps(told))
    case = tmp_path / "cases" / "2026-01"
    (case / "kept").mkdir(parents=True)
    (case / "case.json").write_text(json.dumps({"incident": "ab", "merged_into": ""}))
    (case / "kept" / "ab").write_text(json.dumps(told[0]))
    for result in (tmp_path / "out", tmp_path / "out" / "incidents.json", tmp_path / "cases", case):
        assert list(incidents_of(result)) == told
    (tmp_path / "truth.json").write_text(json.dumps(_truth(_incident(1, "a", _step("s1", 1)))))
    words = [str(tmp_path / "truth.json"), str(tmp_path / "cases"), "--out", str(tmp_path / "score.json")]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "score.json").read_text())
    assert main([str(tmp_path / "truth.json"), str(tmp_path / "absent")]) == 2
    (tmp_path / "truth.json").write_text('{"version": 2}')
    assert main([str(tmp_path / "truth.json"), str(tmp_path / "cases")]) == 2


def test_only_the_standard_library() -> None:
    assert module.__file__
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= set(sys.stdlib_module_names)
