"""When an incident began, where and by whom: what is routine there, or of no weight and earlier, dates nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from investigate.made import BEGIN, DAY, HOUR, RULES, SECOND, Happened, rule, told
from tocsin.investigate import gather
from tocsin.investigate.routine import BECAUSE, RECURRING
from tocsin.model.incident import Incident
from tocsin.output.plain import earlier
from tocsin.output.report import story

SERVER, NEW = r"C:\Program Files\Intranet\server.exe", r"C:\Windows\System32\whoami.exe"
PREVIEW = r"C:\Tools\preview.exe"


def _work(day: int, host: str = "web") -> list[Happened]:
    """What the server does each day, by its own process, for an account of its own."""
    roles = {"image": PREVIEW, "pid": str(1000 + day), "parent_pid": "77", "guid": f"{{w{day}}}", "parent_guid": "{s}"}
    return [Happened(at=day * DAY, host=host, rules=(rule("high"),), act="start", roles=roles | {"account": "svc"})]  # type: ignore[arg-type]


def _attack() -> list[Happened]:
    """What nobody had done there before."""
    roles = {"image": NEW, "pid": "5000", "parent_pid": "77", "guid": "{n}", "parent_guid": "{s}", "account": "mere"}
    return [
        Happened(at=8 * DAY, host="web", rules=(rule("high", 1),), act="start", roles=roles),  # type: ignore[arg-type]
        Happened(at=8 * DAY + 5 * SECOND, host="web", rules=(rule("high", 2),), roles=roles),  # type: ignore[arg-type]
    ]


def _begun() -> list[Happened]:
    roles = {"image": SERVER, "pid": "77", "guid": "{s}"}
    return [Happened(at=0, host="web", act="start", roles=roles)]  # type: ignore[arg-type]


def _gathered(happened: Sequence[Happened], folder: Path, *, quieten: bool = True) -> Incident:
    findings, traces = told(happened, folder)
    rules = [replace(one, tactics=("initial-access",)) if one.id == "high-0" else one for one in RULES]
    found = gather(findings, rules, traces, quieten=quieten)
    (of_weight,) = [one for one in found if any(cited.rule_id == "high-1" for cited in one.findings)]
    return of_weight


def test_routine_of_the_same_server_does_not_date_a_breach(tmp_path: Path) -> None:
    one = _gathered([*_begun(), *(step for day in range(8) for step in _work(day)), *_attack()], tmp_path)
    assert any(cited.rule_id == "high-0" for cited in one.findings), "what hangs on it is still there to be looked at"
    assert one.first_us == BEGIN + 8 * DAY
    assert one.dwell_us == 5 * SECOND
    assert one.way_in is None, "routine is no way in"
    assert one.patient_zero == "web"
    assert one.tactics == ("execution",), "nor does it say what they were after"
    assert [seen.name for seen in one.accounts] == ["mere"]
    assert [seen.name for seen in one.perhaps_accounts] == ["svc"]
    assert {seen.first_us for seen in one.hosts} == {BEGIN + 8 * DAY}
    assert {step.perhaps for step in one.earlier} == {BECAUSE[RECURRING]}
    assert all(step.ts_us and step.ts_us < BEGIN + 8 * DAY for step in one.earlier)


def test_routine_is_one_line_with_its_days_and_what_is_new_is_not(tmp_path: Path) -> None:
    again = [replace(step, at=step.at + HOUR, roles=step.roles | {"pid": "5001", "guid": "{n2}"}) for step in _attack()]
    one = _gathered([*_begun(), *(step for day in range(8) for step in _work(day)), *_attack(), *again], tmp_path)
    (usual,) = [at for at, cited in enumerate(one.findings) if cited.rule_id == "high-0"]
    (line,) = [folded for folded in one.folded if folded.index == usual]
    assert (line.count, line.first_us, line.last_us) == (7, BEGIN, BEGIN + 7 * DAY)
    assert BECAUSE[RECURRING] in line.because
    assert [cited.rule_id for cited in one.findings].count("high-1") == 2, "another process is another doing"


def test_it_is_told_as_possible_with_its_reason_and_never_as_fact(tmp_path: Path) -> None:
    one = _gathered([*_begun(), *(step for day in range(8) for step in _work(day)), *_attack()], tmp_path)
    assert BECAUSE[RECURRING] in earlier(one)
    sentences = story.tell(one)
    assert any(text.startswith("Possibly earlier, which no record of weight shows: ") for text in sentences)
    assert sentences[0].startswith("From 2023-11-22 22:13:20 to ")


def test_what_is_of_low_level_and_earlier_dates_nothing(tmp_path: Path) -> None:
    roles = {"image": SERVER, "pid": "77", "guid": "{s}", "account": "svc"}
    before = Happened(at=DAY, host="web", rules=(rule("low"),), roles=roles)  # type: ignore[arg-type]
    after = replace(before, at=8 * DAY + HOUR)
    one = _gathered([*_begun(), before, *_attack(), after], tmp_path)
    assert one.first_us == BEGIN + 8 * DAY
    assert one.last_us == BEGIN + 8 * DAY + HOUR, "what follows counts: nothing is over because it is quieter"
    assert [step.perhaps for step in one.earlier] == ["of low level, and earlier than anything of weight"]
    assert [seen.name for seen in one.accounts] == ["mere", "svc"], "who is seen again later is of it"


def test_whoever_wants_everything_gets_it_as_it_is(tmp_path: Path) -> None:
    happened = [*_begun(), *(step for day in range(8) for step in _work(day)), *_attack()]
    one = _gathered(happened, tmp_path, quieten=False)
    assert one.first_us == BEGIN
    assert not one.earlier


def test_an_incident_of_nothing_but_routine_is_dated_by_it(tmp_path: Path) -> None:
    findings, traces = told([*_begun(), *(step for day in range(8) for step in _work(day))], tmp_path)
    for one in gather(findings, RULES, traces):
        assert one.first_us is not None
        assert one.hosts
        assert not one.earlier
