"""`tocsin case` and `tocsin person`, as people type them."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from seal.agents import running_agent
from tocsin.cli import passphrase, person
from tocsin.cli.main import main
from tocsin.seal import agent, keys

Tocsin = Callable[..., tuple[int, str, str]]
ESCAPES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(keys, "ROUNDS", 1)
    for name in ("TOCSIN_CASES", person.VARIABLE, agent.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("correct horse battery\n")
    monkeypatch.setenv(passphrase.VARIABLE, str(secret))

    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        assert not ESCAPES.search(said.out + said.err)
        return code, said.out, said.err

    return run


def _new(tocsin: Tocsin, title: str = "Mail server") -> str:
    code, out, _ = tocsin("case", "new", title, "--by", "Ben")
    assert code == 0
    return out.strip()


def test_alone_they_help(tocsin: Tocsin) -> None:
    for words in (("case",), ("person",), ("case", "task")):
        code, out, err = tocsin(*words)
        assert (code, err) == (0, "")
        assert "Usage" in out


def test_a_case_from_its_opening_to_its_end(tocsin: Tocsin, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tocsin("person", "add", "Aroha Ngata")[0] == 0
    monkeypatch.setenv(person.VARIABLE, "Aroha Ngata")
    case = _new(tocsin)
    assert tocsin("case", "note", case, "Called \x1b[31m\u202ethem\nno answer")[1] == "entry 1\n"
    assert tocsin("case", "task", "add", case, "Rebuild WS1", "--due", "2026-11-20", "--owner", "Ben")[1] == "1\n"
    code, out, err = tocsin("case", "close", case, "--reason", "done")
    assert (code, out) == (7, "")
    assert "1 of its tasks is still open: 1 Rebuild WS1" in err
    code, page, _ = tocsin("case", "handover", case, "--to", "Ben", "--text", "Look at the proxy")
    assert code == 0
    for word in ("from Aroha Ngata to Ben", "Look at the proxy", "OVERDUE 1: Rebuild WS1", "none was signed"):
        assert word in page
    head = re.findall(r"--head ([0-9a-f]{16})", page)[0]
    assert head in page.replace(" ", "")
    assert tocsin("case", "task", "done", case, "1", "--text", "rebuilt")[0] == 0
    assert tocsin("case", "decide", case, "publish", "no", "--role", "legal", "--reason", "too early")[0] == 0
    assert tocsin("case", "close", case, "--reason", "All rebuilt")[0] == 0
    code, out, err = tocsin("case", "verify", case, "--head", head)
    assert (code, err) == (0, "")
    assert f"{case}: good, 9 entries, 2 signed decisions" in out
    lines = tocsin("case", "log", case)[1].splitlines()
    assert lines[0].split("\t") == ["n", "when", "who", "verb", "what"]
    assert [line.split("\t")[3] for line in lines[1:]] == [
        "opened",
        "noted",
        "task added",
        "handed over",
        "task done",
        "introduced",
        "decided",
        "decided",
        "closed",
    ]
    assert "Called \\x1b[31m\\u202ethem no answer" in lines[2]
    diary = tocsin("case", "log", case, "--diary")[1]
    assert "Aroha Ngata decided and signed: publish: no, as legal, because: too early" in diary
    page = tocsin("case", "handover", case)[1]
    assert "since " in page
    assert "added task" not in page.split("OPEN TASKS")[0], "what was before the last handover is not told again"
    assert "publish: no" in page.split("DECISIONS")[1]
    shown = tocsin("case", "show", case)[1]
    for word in ("state       closed", "close: yes, as lead, because: All rebuilt", "Aroha Ngata SHA256:"):
        assert word in shown
    assert tocsin("case", "reopen", case, "--reason", "more")[0] == 0
    listed = tocsin("case", "list")[1].splitlines()
    assert listed[0].split("\t") == [
        "case",
        "state",
        "opened (UTC)",
        "changed (UTC)",
        "open tasks",
        "telling people",
        "title",
    ]
    assert listed[1].split("\t")[:2] == [case, "open"]
    assert tocsin("case", "task", "list", case)[1].splitlines()[1] == "1\tdone\t2026-11-20\tBen\tRebuild WS1"


def test_a_case_that_was_changed(tocsin: Tocsin, tmp_path: Path) -> None:
    good, bad = _new(tocsin, "good"), _new(tocsin, "bad")
    path = tmp_path / "state" / "tocsin" / "cases" / bad / "log.jsonl"
    path.write_bytes(path.read_bytes().replace(b"bad", b"fine"))
    code, out, err = tocsin("case", "verify")
    assert code == 7
    assert f"{good}: good" in out
    assert f"{bad}: CHANGED" in out
    assert "WRONG: log.jsonl, line 1: was changed" in out
    assert "1 of 2 cases does not verify" in err
    code, _, err = tocsin("case", "note", bad, "x")
    assert code == 7
    assert "changed behind our back" in err
    assert tocsin("case", "verify", good)[0] == 0
    assert f"{bad}\t?" in tocsin("case", "list")[1]


def test_a_torn_line_is_told(tocsin: Tocsin, tmp_path: Path) -> None:
    case = _new(tocsin)
    with (tmp_path / "state" / "tocsin" / "cases" / case / "log.jsonl").open("ab") as file:
        file.write(b'{"digest":"12')
    code, out, err = tocsin("case", "verify", case)
    assert code == 0
    assert "to know: log.jsonl ends with 13 bytes" in out
    code, out, err = tocsin("case", "note", case, "next")
    assert "13 bytes" in err
    assert "cut 13 bytes off the log" in tocsin("case", "log", case)[1]


def test_two_cases_and_one(tocsin: Tocsin, tmp_path: Path) -> None:
    one, two = _new(tocsin, "one"), _new(tocsin, "two")
    (tmp_path / "paper").write_text("x")
    assert tocsin("case", "attach", two, tmp_path / "paper")[0] == 0
    assert tocsin("case", "merge", one, two, "--reason", "the same")[1] == f"{one}\n"
    assert "merged into " + one in tocsin("case", "show", two)[1]
    code, out, _ = tocsin("case", "split", one, "three", "--reason", "not the same", "--part", "WS3")
    assert code == 0
    assert f"split from  {one}" in tocsin("case", "show", out.strip())[1]
    assert tocsin("case", "verify")[0] == 0
    code, _, _ = tocsin("case", "merge", one, two, "--reason", "again")
    assert code == 0
    assert tocsin("case", "merge", two, one, "--reason", "back")[0] == 7


def test_where_cases_are(tocsin: Tocsin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = tocsin("case", "list")
    assert (code, out) == (0, "")
    assert str(tmp_path / "state" / "tocsin" / "cases") in err
    code, out, err = tocsin("case", "new", "A case", "--cases", tmp_path / "here")
    assert str(tmp_path / "here" / out.strip()) in err
    monkeypatch.setenv("TOCSIN_CASES", str(tmp_path / "here"))
    assert tocsin("case", "list")[1].splitlines()[1].startswith(out.strip())
    assert tocsin("case", "show", tmp_path / "here" / out.strip())[0] == 0


def test_errors_say_what_to_do(tocsin: Tocsin, tmp_path: Path) -> None:
    case = _new(tocsin)
    for words, code, said in [
        (("case", "show", "nothing"), 7, "no such case"),
        (("case", "show", "2\x1b[31m"), 7, "\\x1b[31m"),
        (("case", "verify", "--head", "12", case), 7, "no head"),
        (("case", "task", "done", case, "4"), 7, "no open task 4"),
        (("case", "close", case, "--reason", "x", "--by", "Nobody"), 6, "no such person"),
        (("case", "close", case, "--reason", "x", "--role", "king"), 2, "no such role"),
        (("case", "handover", case, "--text", "x"), 7, "goes with --to"),
        (("case", "attach", case, tmp_path / "nowhere"), 7, "cannot be read"),
        (("person", "show", "Nobody"), 6, "no such person"),
        (("person", "add", "a\nb"), 6, "name of a person"),
        (("person", "add", "Ben", "--key", tmp_path / "secret"), 6, "not a public key"),
        (("person", "add", "Ben", "--passphrase-fd", "999"), 2, "--passphrase-fd 999"),
    ]:
        got, out, err = tocsin(*words)
        assert (got, out) == (code, ""), words
        assert said in err
        assert len(err.splitlines()) == 2, "what happened, and what to do"


def test_people(tocsin: Tocsin, tmp_path: Path) -> None:
    assert tocsin("person", "list")[1] == ""
    code, out, err = tocsin("person", "add", "Aroha Ngata")
    assert (code, err) == (0, "")
    place = Path(re.findall(r"private key  (.*)", out)[0])
    assert place.stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in place.read_bytes() or b"OPENSSH PRIVATE KEY" in place.read_bytes()
    assert keys.fingerprint(keys.load(place, lambda question: b"correct horse battery")) in out
    before = place.read_bytes()
    assert tocsin("person", "add", "aroha ngata")[0] == 6
    assert place.read_bytes() == before
    public = tmp_path / "ben.pub"
    public.write_text(keys.public_text(keys.make()) + " ben@example.org\n")
    assert "can be checked here" in tocsin("person", "add", "Ben", "--key", public)[1]
    private = tmp_path / "id"
    keys.save(private, keys.make(), b"")
    assert tocsin("person", "add", "Chloé", "--key", private)[0] == 0
    assert [line.split("\t")[::2] for line in tocsin("person", "list")[1].splitlines()[1:]] == [
        ["Aroha Ngata", "yes"],
        ["Ben", "no"],
        ["Chloé", "yes"],
    ]
    assert str(place) in tocsin("person", "show", "Aroha Ngata")[1]
    case = _new(tocsin)
    code, _, err = tocsin("case", "close", case, "--reason", "x", "--by", "Ben")
    assert (code, "only the public key" in err) == (6, True)
    private.unlink()
    keys.save(private, keys.make(), b"")
    code, _, err = tocsin("case", "close", case, "--reason", "x", "--by", "Chloé")
    assert (code, "holds another key" in err) == (6, True)


@pytest.mark.skipif(not shutil.which("ssh-agent"), reason="OpenSSH is not here")
def test_an_agent_signs_a_decision(tocsin: Tocsin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of ssh-keygen under a passphrase, given to a real agent; here only the public one is known."""
    private, public = tmp_path / "id_ed25519", tmp_path / "id_ed25519.pub"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", private], check=True, timeout=60)
    assert tocsin("person", "add", "Ben", "--key", public)[0] == 0
    case = _new(tocsin)
    with running_agent(tmp_path / "agent", monkeypatch):
        code, _, err = tocsin(
            "case", "decide", case, "isolate", "yes", "--role", "lead", "--reason", "x", "--by", "Ben"
        )
        assert (code, "did not sign" in err) == (6, True), "it does not have the key yet"
        subprocess.run(["ssh-add", "-q", private], check=True, timeout=60)
        private.unlink()
        assert (
            tocsin("case", "decide", case, "isolate", "yes", "--role", "lead", "--reason", "x", "--by", "Ben")[0] == 0
        )
    assert tocsin("case", "verify", case)[0] == 0
    code, _, err = tocsin("case", "close", case, "--reason", "x", "--by", "Ben")
    assert (code, "no agent answers" in err) == (6, True)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="OpenSSH is not here")
def test_a_key_of_openssh_under_a_passphrase_signs_a_decision(tocsin: Tocsin, tmp_path: Path) -> None:
    private = tmp_path / "id_ed25519"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "correct horse battery", "-f", private]
    subprocess.run(words, check=True, timeout=60)
    assert tocsin("person", "add", "Ben", "--key", private)[0] == 0
    case = _new(tocsin)
    assert tocsin("case", "decide", case, "isolate", "yes", "--role", "lead", "--reason", "x", "--by", "Ben")[0] == 0
    assert tocsin("case", "verify", case)[0] == 0
    assert b"OPENSSH PRIVATE KEY" in private.read_bytes(), "it is used where it lies, and never copied"


def test_passphrases(tocsin: Tocsin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.chmod(0o644)
    code, _, err = tocsin("person", "add", "Ben")
    assert (code, "others may read" in err) == (6, True)
    secret.chmod(0o600)
    secret.write_text("short\n")
    code, _, err = tocsin("person", "add", "Ben")
    assert (code, "shorter than 8" in err) == (6, True)
    monkeypatch.delenv(passphrase.VARIABLE)
    reads, writes = os.pipe()
    os.write(writes, b"from a pipe, in words\nand no more")
    os.close(writes)
    assert tocsin("person", "add", "Ben", "--passphrase-fd", reads)[0] == 0
    os.close(reads)
    secret.write_text("another one\n")
    monkeypatch.setenv(passphrase.VARIABLE, str(secret))
    code, _, err = tocsin("case", "close", _new(tocsin), "--reason", "x", "--by", "Ben")
    assert (code, "does not open with this passphrase" in err) == (6, True)
    monkeypatch.setattr(passphrase.os, "open", _no_terminal)
    monkeypatch.delenv(passphrase.VARIABLE)
    code, _, err = tocsin("person", "add", "Chloé")
    assert (code, "no terminal" in err) == (6, True)


def _no_terminal(*words: object) -> int:
    raise OSError(6, "No such device or address")


def test_a_passphrase_that_is_typed_is_not_shown(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tocsin", "person", "add", "Ben"]
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    environment.pop(passphrase.VARIABLE, None)
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, words, environment)
    seen, answers = b"", [b"correct horse\n", b"correct horse\n"]
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                more = os.read(terminal, 4096)
            except OSError:  # so a terminal tells that nobody is at its other end any more
                break
            if not more:
                break
            seen += more
            if answers and seen.rstrip(b" ").endswith(b":"):
                os.write(terminal, answers.pop(0))
    os.waitpid(child, 0)
    os.close(terminal)
    assert b"the key is made" in seen
    assert b"correct" not in seen


def test_tables_on_a_terminal(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "TERM": "xterm", "COLUMNS": "120"}
    run = [sys.executable, "-m", "tocsin", "case"]
    subprocess.run([*run, "new", "Mail \x1b[31m server"], env=environment, check=True, capture_output=True)
    ours, theirs = pty.openpty()
    subprocess.run([*run, "list"], env=environment, check=True, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    seen = os.read(ours, 65536).decode()
    os.close(ours)
    assert "Mail \\x1b[31m server" in seen
    assert "\t" not in seen
