"""The command line as people use it: in a process of its own, on the sample that the package makes."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tocsin.cli import options
from tocsin.errors import SettingsError
from tocsin.output.formats import WRITERS
from tocsin.rehearse.sample import make

Run = Callable[..., subprocess.CompletedProcess[str]]
TOCSIN = (sys.executable, "-m", "tocsin")
FINDINGS = 9


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which nothing of this user is read or left behind."""
    folder = tmp_path_factory.mktemp("home")
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "COLUMNS", "FORCE_"))}
    return mine | {
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_DATA_HOME": str(folder / "share"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


@pytest.fixture
def tocsin(home: dict[str, str], sample: Path, tmp_path: Path) -> Run:
    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*TOCSIN, *words], cwd=tmp_path, env=home | more, capture_output=True, text=True, timeout=120, check=False
        )

    return run


@pytest.fixture
def on_sample(tocsin: Run, sample: Path) -> Run:
    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return tocsin("detect", str(sample / "logs"), "--rules", str(sample / "rules"), "--jobs", "2", *words, **more)

    return run


def test_summary(on_sample: Run, home: dict[str, str]) -> None:
    done = on_sample()
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "FINDINGS  9",
        "Copy of the Domain Database",
        "dc-01.assembly.example",
        "1 damaged record lost",
        "WHAT COULD NOT HAVE BEEN SEEN",
        "windows/create_remote_thread 1",
    ):
        assert words in done.stdout
    assert "\x1b" not in done.stdout
    manifests = list(Path(home["XDG_STATE_HOME"], "tocsin", "runs").glob("*-custody.json"))
    assert any(str(path) in done.stdout for path in manifests)


def test_a_folder_of_results(on_sample: Run, tmp_path: Path) -> None:
    assert on_sample("--out", "results/", "--format", "csv").returncode == 0
    names = {path.name for path in (tmp_path / "results").iterdir()}
    assert names == {"findings.jsonl", "findings.csv", "navigator.json", "coverage.json", "custody.json"}
    lines = (tmp_path / "results" / "findings.jsonl").read_text().splitlines()
    assert len(lines) == FINDINGS
    first = json.loads(lines[0])
    assert first["level"] == "high"
    assert len(first["src"]) == 64
    custody = json.loads((tmp_path / "results" / "custody.json").read_text())
    assert {source["read"] for source in custody["sources"]} == {1008, 1006}


def test_a_file_of_results(on_sample: Run, tmp_path: Path) -> None:
    done = on_sample("-o", "out/found.csv", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (tmp_path / "out" / "found.csv").read_bytes().decode()
    assert len(list(csv.reader(io.StringIO(text, newline="")))) == FINDINGS + 1
    assert (tmp_path / "out" / "found.csv.custody.json").is_file()


def test_the_same_again_gives_the_same_bytes(on_sample: Run, tmp_path: Path) -> None:
    for name in ("one/", "two/"):
        assert on_sample("-o", name, "-q", "--jobs", "1" if name == "one/" else "2").returncode == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("name", ["jsonl", "csv", "timesketch", "navigator", "coverage", "custody"])
def test_to_standard_output(on_sample: Run, name: str) -> None:
    quiet = on_sample("--format", name, "--quiet")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    told = on_sample("--format", name)
    assert told.stdout == quiet.stdout
    assert "WHAT COULD NOT HAVE BEEN SEEN" in told.stderr


def test_no_finding_still_says_what_was_not_seen(on_sample: Run) -> None:
    done = on_sample("--since", "2026-03-11T13:00", "--level", "high")
    assert done.returncode == 0
    assert "FINDINGS  0" in done.stdout
    assert "could have fired" in done.stdout
    quiet = on_sample("--since", "2026-03-11T13:00", "-q")
    assert "0 findings in" in quiet.stdout
    assert "7 of 9 rules could fire" in quiet.stdout  # by then no service was made any more


def test_level_and_status_and_times(on_sample: Run) -> None:
    def count(*words: str) -> int:
        return len(on_sample("--format", "jsonl", "-q", *words).stdout.splitlines())

    assert count("--level", "critical") == 2
    assert count("--status", "test", "--status", "experimental") == 3
    assert count("--until", "2026-03-11T11:00") == 4
    assert count("--since", "2026-03-11T12:00+01:00", "--until", "2026-03-11") == 5


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["detect"], 2, "Missing argument"),
        (["detect", "--colour"], 2, "No such option"),
        (["dettect"], 2, "No such command"),
        (["detect", "{logs}", "--since", "yesterday"], 2, "not a date or time"),
        (["detect", "{logs}", "--since", "2026-03-02", "--until", "2026-03-01"], 2, "is not before"),
        (["detect", "{logs}", "--format", "xlsx"], 2, "no such format"),
        (["detect", "{logs}", "--status", "good"], 2, "no such status"),
        (["detect", "{logs}", "-o", "a.xlsx"], 2, "does not tell the format"),
        (["detect", "{logs}", "-o", "a.jsonl", "--format", "table"], 2, "for the terminal"),
        (["detect", "no\x1b[2Jwhere", "-r", "{rules}"], 3, "no\\x1b[2Jwhere"),
        (["detect", "{rules}", "-r", "{rules}", "-q"], 3, "none of this is a log"),
        (["detect", "{logs}", "-r", "nowhere"], 4, "nowhere"),
        (["detect", "{logs}", "-r", "{rules}", "--status", "deprecated"], 4, "of that level and status"),
        (["detect", "{logs}", "-r", "{rules}", "-o", "/proc/here/"], 5, "cannot be made"),
        (["detect", "{logs}", "-r", "{rules}", "-o", "{logs}/found.jsonl"], 5, "among the evidence"),
    ],
)
def test_errors_are_two_lines(tocsin: Run, sample: Path, words: list[str], code: int, told: str) -> None:
    done = tocsin(*(word.format(logs=sample / "logs", rules=sample / "rules") for word in words))
    assert done.returncode == code
    message, hint = done.stderr.splitlines()
    assert told in message
    assert message.startswith("tocsin: ")
    assert hint.strip()


def test_debug_tells_where(tocsin: Run) -> None:
    done = tocsin("detect", "nowhere", "--since", "x", "--debug")
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_evidence_is_never_written_over(on_sample: Run, sample: Path) -> None:
    log = sample / "logs" / "dc-01.nxlog.jsonl"
    before = log.read_bytes()
    assert on_sample("-o", str(log)).returncode == 5
    assert log.read_bytes() == before
    assert {path.name for path in log.parent.iterdir()} == {"dc-01.nxlog.jsonl", "ws-017.winlogbeat.jsonl"}


def test_version_and_help(tocsin: Run) -> None:
    assert tocsin("--version").stdout.startswith("tocsin ")
    told = tocsin("--help")
    assert told.returncode == 0
    for name in ("detect", "rules", "sample", "--install-completion"):
        assert name in told.stdout
    assert "could not have been seen" in " ".join(tocsin().stdout.split())
    assert tocsin("detect", "-h").returncode == 0


def test_whoever_reads_may_go_away(home: dict[str, str], sample: Path) -> None:
    words = ["detect", str(sample / "logs"), "-r", str(sample / "rules"), "--format", "jsonl", "-q"]
    with subprocess.Popen([*TOCSIN, *words], env=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_when_told(home: dict[str, str], sample: Path, tmp_path: Path, number: int, code: int) -> None:
    logs, temporary = tmp_path / "logs", tmp_path / "temporary"
    logs.mkdir()
    temporary.mkdir()
    (logs / "long.jsonl").write_bytes((sample / "logs" / "ws-017.winlogbeat.jsonl").read_bytes() * 100)
    env = home | {"TMPDIR": str(temporary)}
    words = ["detect", str(logs), "-r", str(sample / "rules")]
    with subprocess.Popen([*TOCSIN, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        workers: list[psutil.Process] = []
        while not workers and process.poll() is None:
            workers = psutil.Process(process.pid).children()
            time.sleep(0.005)
        for worker in workers:
            worker.suspend()  # so that it is not done before we speak
        process.send_signal(number)
        told = process.communicate(timeout=60)[1].decode()
    assert process.returncode == code
    assert told == ("tocsin: interrupted\n" if number == signal.SIGINT else "")
    assert not [worker for worker in workers if worker.is_running()]
    assert not list(temporary.iterdir())


def _terminal(words: list[str], env: dict[str, str]) -> Iterator[bytes]:
    """What a process writes to a terminal of its own."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(words, env=env, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end was closed
                break
            if not piece:
                break
            yield piece
        assert process.wait(60) == 0
    os.close(ours)


def test_progress_on_a_terminal(home: dict[str, str], sample: Path) -> None:
    words = [*TOCSIN, "detect", str(sample / "logs"), "-r", str(sample / "rules")]
    env = home | {"TERM": "xterm-256color", "COLUMNS": "100"}
    page = b"".join(_terminal(words, env)).decode()
    assert "events/s" in page
    assert "left" in page
    assert "\x1b[31m" in page or "\x1b[1;31m" in page  # in colour
    plain = b"".join(_terminal(words, env | {"NO_COLOR": "1"})).decode()
    assert "\x1b[1;31m" not in plain
    assert "\x1b[31m" not in plain


def test_names_of_formats() -> None:
    assert list(options.FORMATS) == ["table", *(writer.NAME for writer in WRITERS)]
    assert options.complete_formats("c") == ["csv", "coverage", "custody"]
    assert options.complete_statuses("s") == ["stable"]


@pytest.mark.parametrize(
    ("since", "until", "window"),
    [
        (None, None, (None, None)),
        ("1970-01-01", "1970-01-01", (0, 86_400_000_000)),  # a date alone is meant to its end
        ("1970-01-01T00:00:01", None, (1_000_000, None)),
        ("1970-01-01T01:00:00.000001+01:00", None, (1, None)),
        (None, "1970-01-02T00:00Z", (None, 86_400_000_000)),
    ],
)
def test_window(since: str | None, until: str | None, window: tuple[int | None, int | None]) -> None:
    assert options.window(since, until) == window


@pytest.mark.parametrize("text", ["", " ", "now", "2026-13-01", "9999-12-31", "1e9"])
def test_not_a_time(text: str) -> None:
    with pytest.raises(SettingsError):
        options.window(None, text or "-")
