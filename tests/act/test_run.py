"""Steps are programs with their words, files and posts; what goes wrong is told, never raised."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tocsin.act import here, post
from tocsin.act.run import ask, run
from tocsin.model.action import Step


def test_values_arrive_on_standard_input_as_they_are() -> None:
    value = "$(reboot); `id` \n'\"\\ é"
    step = Step(what="echo", argv=("cat",), text=value)
    assert ask(step).said == value


def test_words_are_words_and_no_shell_reads_them() -> None:
    step = Step(what="echo", argv=("printf", "%s", "$(id); $HOME"))
    assert run(step).said == "$(id); $HOME"


def test_what_is_so_already_is_skipped(tmp_path: Path) -> None:
    step = Step(what="make", argv=("false",), unless=("true",))
    assert (run(step).well, run(step).skipped) == (True, True)


@pytest.mark.parametrize("argv", [(), ("no-such-program",), ("false",), ("printf\0",), ("/",)])
def test_what_cannot_be_run_is_told(argv: tuple[str, ...]) -> None:
    done = run(Step(what="try", argv=argv))
    assert not done.well


def test_what_a_program_says_of_its_failure_is_kept() -> None:
    done = run(Step(what="try", argv=(sys.executable, "-c", "import sys; sys.exit('no such table')")))
    assert "no such table" in done.said
    assert len(run(Step(what="try", argv=("yes-no",), text="x")).said) <= 2_000


def test_a_file_is_replaced_whole_and_keeps_who_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "zone"
    path.write_text("old")
    path.chmod(0o640)
    assert run(Step(what="write", path=str(path), text="new")).well
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert not run(Step(what="write", path=str(tmp_path / "none" / "zone"), text="x")).well


def test_nothing_of_our_environment_reaches_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD_TRY", "1")
    assert "LD_PRELOAD_TRY" not in ask(Step(what="env", argv=("env",))).said


@pytest.mark.parametrize(
    "url", ["http://x.example/", "file:///etc/passwd", "ftp://x.example/", "https://", "https://[", "https://x:y/"]
)
def test_only_https_is_posted_to(url: str) -> None:
    well, said = post.post(Step(what="post", url=url, text="{}"))
    assert not well
    assert "https" in said or "cannot be posted" in said


def test_a_post_that_does_not_arrive_is_told() -> None:
    well, said = post.post(Step(what="post", url="https://127.0.0.1:9/", text="{}"))
    assert not well
    assert said


def test_this_machine_tells_what_must_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "proc/net").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "proc/net/route").write_text(
        "Iface\tDestination\tGateway\tFlags\neth0\t00000000\t010200C0\t0003\neth0\t000200C0\t00000000\t0001\n"
    )
    (tmp_path / "proc/net/ipv6_route").write_text(f"{'0' * 32} 00 {'0' * 32} 00 20010db8{'0' * 23}1 00 eth0\n")
    (tmp_path / "proc/net/fib_trie").write_text("Local:\n  |-- 192.0.2.7\n     /32 host LOCAL\n")
    (tmp_path / "proc/net/if_inet6").write_text(f"fe80{'0' * 27}1 02 40 20 80 eth0\n")
    (tmp_path / "etc/resolv.conf").write_text("# a comment\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n")
    monkeypatch.setenv("SSH_CLIENT", "198.51.100.4 50000 22")
    found = dict(here.addresses(tmp_path))
    assert found == {
        "192.0.2.1": "our own gateway",
        "2001:db8::1": "our own gateway",
        "192.0.2.53": "our own resolver",
        "2001:db8::53": "our own resolver",
        "198.51.100.4": "the analyst's own machine",
        "192.0.2.7": "the machine that Tocsin runs on",
        "fe80::1": "the machine that Tocsin runs on",
    }
    assert here.hosts() == ((os.uname().nodename, "the machine that Tocsin runs on"),)


def test_a_machine_that_tells_nothing_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_CLIENT", raising=False)
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    assert here.addresses(tmp_path) == ()
