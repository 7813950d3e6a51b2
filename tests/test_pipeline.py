"""The whole way from logs to findings, on logs made here."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tocsin import pipeline
from tocsin.collect import units
from tocsin.collect.formats import windows_json
from tocsin.detect import predicates
from tocsin.errors import EvidenceError
from tocsin.ledger import Progress
from tocsin.model.custody import Custody
from tocsin.model.rule import RuleSet, RuleText
from tocsin.pipeline import compile_rules, detect, select

SYSMON = "Microsoft-Windows-Sysmon/Operational"
READ = sys.modules["tocsin.collect.read"]  # the room offers a function of the same name
HOSTILE = b"ends whoever reads it"
START_US = 1_714_550_400_000_000  # 2024-05-01 08:00 UTC

Log = list[dict[str, Any]]


def rule(number: int, detection: str, category: str = "process_creation", **more: str) -> RuleText:
    lines = {"level": "medium", "status": "test", **more}
    source = f"{{product: windows, {category if ':' in category else f'category: {category}'}}}"
    text = f"title: Rule {number}\nid: 00000000-0000-4000-8000-{number:012}\nlogsource: {source}\n"
    text += "".join(f"{name}: {value}\n" for name, value in lines.items())
    return RuleText(path=f"{number}.yml", content=f"{text}detection:\n{textwrap.indent(detection, '  ')}\n".encode())


def one(selection: str, condition: str = "selection") -> str:
    return f"selection: {selection}\ncondition: {condition}"


TEXTS = (
    rule(0, one("{Image|endswith: '\\cmd.exe'}"), level="high"),
    rule(1, one("{CommandLine|contains: whoami}"), level="low", status="stable"),
    rule(2, one("{TargetObject|contains: Run}"), "registry_set", level="critical", status="experimental"),
    rule(3, one("['needle']"), "service: system"),
    rule(4, one("{CommandLine|re: '^(a+)+(?=!!)'}")),
    rule(5, one("{Details: x}"), "registry_set"),
    rule(6, one("{Details|contains: x, Colour: red}"), "registry_set"),
    rule(7, one("{Hue: null, TargetObject|contains: never}"), "registry_set"),
    rule(8, one("{ServiceName: x}"), "service: security"),
)


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    compiled = compile_rules(TEXTS)
    assert compiled.problems == ()
    return compiled


def process(number: int, image: str = "C:\\x.exe", line: str = "x", **more: Any) -> dict[str, Any]:
    return made(1, number, Image=image, CommandLine=line, **more)


def made(event_id: int, number: int, *, channel: str = SYSMON, host: str = "desk7", **fields: Any) -> dict[str, Any]:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START_US // 1_000_000 + number))
    named = {"Channel": channel, "EventID": event_id, "Computer": host, "@timestamp": seconds}
    return {key: value for key, value in {**named, **fields}.items() if value is not None}


def lines(log: Log) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in log)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve logs of mixed content, one of them in a zip with another, and a file that is no log."""
    logs = tmp_path / "logs"
    logs.mkdir()
    chance = random.Random(7)
    for number in range(12):
        log = [
            chance.choice(
                (
                    process(at, image="C:\\Windows\\System32\\cmd.exe", line=f"cmd /c {at}", host=f"h{number % 3}"),
                    process(at, line=f"whoami /all {number} {at}"),
                    process(at, line="quiet"),
                    made(13, at, TargetObject=f"HKU\\Run\\{at}", Details="x"),
                    made(7036, at, channel="System", param1=f"a needle {at}"),
                )
            )
            for at in range(number * 37 % 101)
        ]
        (logs / f"{number:02}.jsonl").write_bytes(lines(log))
    with zipfile.ZipFile(logs / "06 both.zip", "w") as archive:
        archive.writestr("b.json", lines([process(1, line="whoami")] * 3))
        archive.writestr("a.json", lines([process(2, image="C:\\cmd.exe")]))
    (logs / "readme.txt").write_text("no log")
    return logs


def told(logs: Path, rules: RuleSet, **options: Any) -> tuple[list[bytes], tuple[Custody, ...], bytes]:
    with detect([logs], rules, **options) as run:
        found = [msgspec.json.encode(finding) for finding in run.findings]
        assert found == [msgspec.json.encode(finding) for finding in run.findings]
        fired = {rule.rule: rule.findings for rule in run.coverage.rules if rule.findings}
    assert sum(fired.values()) == len(found)
    return found, run.custody, msgspec.json.encode(run.coverage)


def found(logs: Path, rules: RuleSet, **options: Any) -> list[tuple[int, int, str]]:
    """(number of the rule's file, record, source) of each finding."""
    with detect([logs], rules, **{"jobs": 1, **options}) as run:
        return [
            (int(run.rules.rules[finding.rule].id[-4:]), finding.rec, Path(finding.path).name)
            for finding in run.findings
        ]


# --- the same whatever happens beside it


@pytest.mark.parametrize("bundle_bytes", [None, 1, 9_000], ids=["one bundle", "a bundle a file", "some"])
@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_findings_depend_on_the_evidence_alone(
    jobs: int, bundle_bytes: int | None, folder: Path, rules: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = told(folder, rules, jobs=1)
    assert len(wanted[0]) > 200
    if bundle_bytes:
        monkeypatch.setattr(pipeline, "_BUNDLE_BYTES", bundle_bytes)
    assert told(folder, rules, jobs=jobs) == wanted


def test_findings_stand_in_the_order_of_sources_and_records(folder: Path, rules: RuleSet) -> None:
    with detect([folder], rules) as run:
        order = [(finding.path.split("!")[0], finding.rec, finding.rule) for finding in run.findings]
        in_zip = [finding.path.split("!")[1] for finding in run.findings if "!" in finding.path]
    plain = [place for place in order if place[0].endswith(".jsonl")]
    assert plain == sorted(plain)
    assert [path for path, _, _ in order] == sorted(path for path, _, _ in order)
    assert in_zip == ["b.json"] * 3 + ["a.json"], "in the order of the archive"


def test_a_finding_leads_back_to_its_bytes(folder: Path, rules: RuleSet) -> None:
    with detect([folder], rules) as run:
        for finding in run.findings:
            path, _, member = finding.path.partition("!")
            assert finding.src == sha256(Path(path).read_bytes()).hexdigest()
            content = zipfile.ZipFile(path).read(member) if member else Path(path).read_bytes()
            record = json.loads(content[finding.rec :].split(b"\n")[0])
            assert finding.host == record["Computer"]
            shown = {name: str(record[name]) for name in finding.fields}
            assert finding.fields == shown


def test_large_files_are_read_in_parts(tmp_path: Path, rules: RuleSet, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "large.jsonl"
    log.write_bytes(lines([process(at, line=f"whoami {at} {'x' * (at % 300)}") for at in range(3000)]))
    whole = told(log, rules, jobs=1)
    for name in ("_UNIT_BYTES", "_LEAST_UNIT_BYTES"):
        monkeypatch.setattr(units, name, 50_000)
    parts = told(log, rules, jobs=3)
    assert len(parts[0]) == 3000
    assert parts == whole
    assert parts[1][0].sha256 == sha256(log.read_bytes()).hexdigest()


def test_every_source_is_in_custody(folder: Path, rules: RuleSet) -> None:
    with detect([folder], rules, jobs=2) as run:
        kept = {Path(source.path).name: source for source in run.custody}
    assert kept.keys() == {
        *(f"{number:02}.jsonl" for number in range(12)), "06 both.zip", "06 both.zip!a.json", "06 both.zip!b.json",
        "readme.txt",
    }  # fmt: skip
    assert kept["readme.txt"].problems == ("no reader knows this format",)
    assert kept["00.jsonl"].problems == ("empty",)
    for name in ("readme.txt", "06 both.zip", "03.jsonl"):
        assert kept[name].sha256 == sha256((folder / name).read_bytes()).hexdigest()
    assert kept["03.jsonl"].read == 10


# --- hostile and moving files


def crash_on_hostile(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> None:
    cut = windows_json.cut

    def cuts(*arguments: Any) -> Iterator[Any]:
        for block in cut(*arguments):
            if HOSTILE in block.data:
                deed()
            yield block

    monkeypatch.setattr(windows_json, "cut", cuts)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("deed", "problem"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "the reader crashed (SIGKILL)"),
        (lambda: next(iter(())), "RuntimeError: generator raised StopIteration"),
        (lambda: json.loads("["), "JSONDecodeError: Expecting value: line 1 column 2 (char 1)"),
    ],
    ids=["killed", "stopped", "raised"],
)
def test_a_reader_that_crashes_takes_only_its_file(
    deed: Callable[[], object],
    problem: str,
    jobs: int,
    folder: Path,
    rules: RuleSet,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crash_on_hostile(monkeypatch, deed)
    wanted = told(folder, rules, jobs=1)
    hostile = folder / "05 hostile.jsonl"
    hostile.write_bytes(lines([process(1, line="whoami"), process(2, line=HOSTILE.decode())]))
    last: list[Progress] = []
    now = told(folder, rules, jobs=jobs, on_progress=last.append)
    assert now[0] == wanted[0]
    assert now[2] == wanted[2]
    assert [source for source in now[1] if source.path != str(hostile)] == list(wanted[1])
    [lost] = [source for source in now[1] if source.path == str(hostile)]
    assert lost.problems == (problem,)
    assert lost.read == 0
    assert lost.sha256 == sha256(hostile.read_bytes()).hexdigest()
    assert lost.size_bytes == hostile.stat().st_size
    assert last[-1].findings <= len(now[0]), "what is read twice is counted once"


def test_what_was_found_before_a_crash_stands(tmp_path: Path, rules: RuleSet, monkeypatch: pytest.MonkeyPatch) -> None:
    crash_on_hostile(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGKILL))
    monkeypatch.setattr(READ, "TABLE_BYTES", 20_000)
    monkeypatch.setattr(READ, "_BLOCK_BYTES", 10_000)
    log = tmp_path / "log.jsonl"
    hostile = process(9, line=HOSTILE.decode())
    log.write_bytes(lines([*(process(at, line=f"whoami {at}") for at in range(500)), hostile]))
    digest = sha256(log.read_bytes()).hexdigest()
    with detect([log], rules, jobs=1) as run:
        kept = list(run.findings)
        [source] = run.custody
    assert 100 < len(kept) < 500
    assert [finding.rec for finding in kept] == sorted({finding.rec for finding in kept})
    assert {finding.src for finding in kept} == {digest}
    assert source.problems == ("the reader crashed (SIGKILL)",)
    assert source.sha256 == digest
    assert source.read == len(kept)
    [fired] = [rule for rule in run.coverage.rules if rule.state == "fired"]
    assert fired.findings == len(kept)
    assert run.coverage.seen[0].records == len(kept)


def test_a_file_that_vanishes_while_others_are_read(
    folder: Path, rules: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = folder / "04.jsonl"
    bundles = pipeline._bundles

    def vanishing(*arguments: Any) -> Any:
        gone.unlink(missing_ok=True)
        return bundles(*arguments)

    monkeypatch.setattr(pipeline, "_bundles", vanishing)
    _, custody, _ = told(folder, rules, jobs=2)
    [lost] = [source for source in custody if source.path == str(gone)]
    [problem] = lost.problems
    assert "No such file or directory" in problem
    assert (lost.read, lost.sha256) == (0, "")
    wanted = told(folder, rules)
    assert [source for source in custody if source is not lost] == list(wanted[1])


def test_a_file_that_grows_while_it_is_read(tmp_path: Path, rules: RuleSet) -> None:
    log = tmp_path / "growing.jsonl"
    log.write_bytes(lines([process(at, line="whoami") for at in range(2000)]))
    stop = threading.Event()

    def grow() -> None:
        with log.open("ab") as file:
            while not stop.is_set():
                file.write(lines([process(1, line="whoami")] * 20))
                file.flush()
                time.sleep(0.001)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        with detect([log], rules, jobs=1) as run:
            count = len(list(run.findings))
    finally:
        stop.set()
        writer.join()
    [source] = run.custody
    assert count >= 2000
    assert source.problems == ()
    assert source.read + sum(source.damaged.values()) in (count, count + 1)
    # What was read is what the digest is of, whatever was written behind it since.
    content = log.read_bytes()[: source.size_bytes]
    assert source.sha256 == sha256(content).hexdigest()
    assert content.count(b"\n") == count


def test_a_name_that_stands_for_nothing_stops_the_run(tmp_path: Path, rules: RuleSet) -> None:
    with pytest.raises(EvidenceError, match="no such file"), detect([tmp_path / "none.evtx"], rules):
        pass


def test_an_empty_folder_is_a_mistake(tmp_path: Path, rules: RuleSet) -> None:
    with pytest.raises(EvidenceError, match="empty folder"), detect([tmp_path], rules):
        pass


# --- what is asked for


def test_since_and_until(tmp_path: Path, rules: RuleSet) -> None:
    log = [process(at, line=f"whoami {at}") for at in (0, 10, 20)]
    log += [process(3, line="whoami", **{"@timestamp": time}) for time in (None, "?")]
    path = tmp_path / "log.jsonl"
    path.write_bytes(lines(log))
    offsets = [len(lines(log[:at])) for at in range(len(log))]

    def rows(**options: int) -> list[int]:
        return [offsets.index(rec) for _, rec, _ in found(path, rules, **options)]

    ten = START_US + 10_000_000
    assert rows() == [0, 1, 2, 3, 4]
    assert rows(since_us=ten) == [1, 2, 3, 4], "a time is within from its first microsecond"
    assert rows(since_us=ten + 1) == [2, 3, 4]
    assert rows(until_us=ten) == [0, 3, 4], "and no longer within at its last"
    assert rows(since_us=ten, until_us=ten + 1) == [1, 3, 4]
    assert rows(until_us=0) == [3, 4]
    assert rows(since_us=ten, until_us=0) == [3, 4]


def test_rules_by_level_and_status(folder: Path, rules: RuleSet) -> None:
    def numbers(**options: Any) -> set[int]:
        return {number for number, _, _ in found(folder, select(rules, **options))}

    assert numbers() == {0, 1, 2, 3, 5}
    assert numbers(level="informational") == {0, 1, 2, 3, 5}
    assert numbers(level="medium") == {0, 2, 3, 5}
    assert numbers(level="high") == {0, 2}
    assert numbers(level="critical") == {2}
    assert numbers(statuses=["stable"]) == {1}
    assert numbers(statuses=["stable", "experimental"]) == {1, 2}
    assert numbers(level="medium", statuses=["stable"]) == set()


def test_selected_rules_find_what_they_find_among_all(folder: Path, rules: RuleSet) -> None:
    everything = found(folder, rules)
    assert found(folder, select(rules, level="high")) == [one for one in everything if one[0] in (0, 2)]


def test_progress(folder: Path, rules: RuleSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_BUNDLE_BYTES", 1)
    heard: list[Progress] = []
    with detect([folder], rules, jobs=2, on_progress=heard.append) as run:
        count = len(list(run.findings))
    sizes = [one.bytes_done for one in heard]
    assert sizes == sorted(sizes)
    assert heard[-1].findings <= count
    assert heard[-1].events <= sum(source.read for source in run.custody)
    assert {one.bytes_total for one in heard} == {heard[0].bytes_total}
    assert {Path(one.current).name for one in heard} >= {"03.jsonl", "06 both.zip!a.json"}


def test_findings_are_gone_from_disk_when_the_run_is_over(folder: Path, rules: RuleSet, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(scratch))
        with contextlib.suppress(ZeroDivisionError), detect([folder], rules):
            assert list(scratch.iterdir())
            raise ZeroDivisionError
    assert list(scratch.iterdir()) == []


# --- what could have been seen


def states(logs: Path, rules: RuleSet) -> dict[int, tuple[str, int, str]]:
    with detect([logs], rules, jobs=1) as run:
        return {one.rule: (one.state, one.findings, one.detail) for one in run.coverage.rules}


def test_coverage_says_why_a_rule_did_not_fire(tmp_path: Path, rules: RuleSet) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(lines([process(1, image="C:\\cmd.exe"), made(13, 2, TargetObject="a", Details="y")]))
    assert states(log, rules) == {
        0: ("fired", 1, ""),
        1: ("silent", 0, ""),
        2: ("silent", 0, ""),
        3: ("no log source", 0, "windows//system"),
        4: ("silent", 0, ""),
        5: ("silent", 0, ""),
        6: ("field absent", 0, "Colour"),
        7: ("silent", 0, ""),  # an absent field is null, so it could have held
        8: ("no log source", 0, "windows//security"),
    }


def test_a_field_is_sought_where_the_rule_looks(tmp_path: Path, rules: RuleSet) -> None:
    """That some other event has the field does not make the rule one that could have fired."""
    log = tmp_path / "log.jsonl"
    log.write_bytes(lines([made(13, 1, Details="y"), process(2, Colour="red"), process(3, TargetObject="Run")]))
    found_states = states(log, rules)
    assert found_states[6] == ("field absent", 0, "Colour")
    assert found_states[2] == ("field absent", 0, "TargetObject")
    assert found_states[7] == ("field absent", 0, "Hue, TargetObject")


def test_either_log_of_a_generic_rule_is_enough(tmp_path: Path, rules: RuleSet) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(lines([made(4688, 1, channel="Security", NewProcessName="C:\\cmd.exe")]))
    found_states = states(log, rules)
    assert found_states[0] == ("fired", 1, "")
    assert found_states[1] == ("field absent", 0, "CommandLine")
    assert found_states[8] == ("field absent", 0, "ServiceName")


def test_logs_that_were_seen(tmp_path: Path, rules: RuleSet) -> None:
    log = [
        process(5, host="a"),
        process(2, host="a"),
        process(9, host="b"),
        made(7036, 4, channel="System", host="a"),
        process(1, host="c", **{"@timestamp": None}),
        {"EventID": 1, "Provider_Name": "x", "SourceName": "x", "@timestamp": "2024-05-01T08:00:07Z"},
    ]
    for part in range(2):  # in two files, which two workers read
        (tmp_path / f"{part}.jsonl").write_bytes(lines(log[part::2]))
    with detect([tmp_path], rules, jobs=2) as run:
        seen = {
            (one.channel, one.host): (
                one.records,
                *(None if at is None else (at - START_US) // 1_000_000 for at in (one.first_us, one.last_us)),
            )
            for one in run.coverage.seen
        }
    assert seen == {
        ("", ""): (1, 7, 7),
        (SYSMON, "a"): (2, 2, 5),
        (SYSMON, "b"): (1, 9, 9),
        (SYSMON, "c"): (1, None, None),
        ("System", "a"): (1, 4, 4),
    }
    assert sum(one.records for one in run.coverage.seen) == len(log)


def test_events_outside_the_window_do_not_make_a_rule_silent(tmp_path: Path, rules: RuleSet) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(lines([process(1, image="C:\\cmd.exe")]))
    with detect([log], rules, jobs=1, since_us=START_US + 60_000_000) as run:
        assert {one.state for one in run.coverage.rules} == {"no log source"}


def test_an_expression_that_gives_up_is_told_and_the_run_goes_on(
    tmp_path: Path, rules: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predicates, "_LONGEST_MATCH_S", 0.05)
    log = [process(at, line="a" * 40 + f"{at}!") for at in range(3)]
    log += [process(8, line="aaaa!!"), process(9, image="C:\\cmd.exe")]
    (tmp_path / "0.jsonl").write_bytes(lines(log))
    (tmp_path / "1.jsonl").write_bytes(lines([process(1, line="a" * 50 + "!")]))
    monkeypatch.setattr(pipeline, "_BUNDLE_BYTES", 1)
    with detect([tmp_path], rules, jobs=2) as run:
        numbers = [finding.rule for finding in run.findings]
    assert numbers == [4, 0]
    assert run.coverage.gave_up == ((4, 4),)
    assert all(source.problems == () for source in run.custody)


def test_many_hostile_values_do_not_hold_up_the_run(
    tmp_path: Path, rules: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is held up for minutes would be taken for dead, and its whole file for lost."""
    monkeypatch.setattr(predicates, "_LONGEST_MATCH_S", 0.2)
    log = [process(at, line="a" * 40 + f"{at}!") for at in range(5_000)] + [process(8, line="aaaa!!")]
    (tmp_path / "log.jsonl").write_bytes(lines(log))
    start = time.monotonic()
    with detect([tmp_path], rules, jobs=1) as run:
        list(run.findings)
    assert time.monotonic() - start < 30
    assert run.coverage.gave_up[0][1] >= 5_000
    assert run.custody[0].read == len(log)


# --- compiled rules are kept


def test_a_warm_start_neither_compiles_nor_imports_the_compiler(tmp_path: Path) -> None:
    script = tmp_path / "start.py"
    script.write_text(
        textwrap.dedent("""
        import sys
        from pathlib import Path
        from tocsin.model.rule import RuleText
        from tocsin.pipeline import compile_rules, select

        folder, *paths = map(Path, sys.argv[1:])
        rules = compile_rules([RuleText(path=path.name, content=path.read_bytes()) for path in paths], folder)
        print(len(select(rules).rules), "sigma" in sys.modules, "tocsin.detect.sigma" in sys.modules)
        """)
    )
    paths = []
    for text in TEXTS:
        paths.append(tmp_path / text.path)
        paths[-1].write_bytes(text.content)

    def start(*names: Path) -> str:
        return subprocess.run(
            [sys.executable, script, tmp_path / "cache", *names], check=True, capture_output=True, text=True
        ).stdout.strip()

    assert start(*paths) == "9 True True"
    assert start(*paths) == "9 False False"
    assert start(*paths[1:]) == "8 True True", "other rules are another set"
    assert start(*paths) == "9 False False", "which does not take the place of the first"
    paths[0].write_bytes(TEXTS[0].content + b"# a remark\n")
    assert start(*paths) == "9 True True", "and so is a changed rule"


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    wanted = compile_rules(TEXTS, tmp_path)
    [kept] = tmp_path.iterdir()
    content = kept.read_bytes()
    chance = random.Random(1)
    for damage in (b"", content[:100], content[:-1], content + b"x", b"\0" * len(content)):
        kept.write_bytes(damage)
        assert compile_rules(TEXTS, tmp_path) == wanted
        assert kept.read_bytes() == content
    for _ in range(8):
        flipped = bytearray(content)
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        kept.write_bytes(flipped)
        assert compile_rules(TEXTS, tmp_path) == wanted
    assert compile_rules(TEXTS) == wanted
