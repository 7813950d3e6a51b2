"""`tocsin contain`, as people type it: from a plan to its end, with everything signed by those who must."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from containing.making import ASSETS, BAD, BAD_NAME, case, cited, incident, talking
from tocsin.border import stix_parcel
from tocsin.cli import contain, passphrase, person
from tocsin.cli.main import main
from tocsin.contain import ENFORCERS
from tocsin.model.plan import WAYS
from tocsin.seal import keys

Tocsin = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tocsin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tocsin:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("TOCSIN_CASES", str(tmp_path / "cases"))
    monkeypatch.setattr(keys, "ROUNDS", 1)
    monkeypatch.delenv(person.VARIABLE, raising=False)
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("correct horse battery\n")
    monkeypatch.setenv(passphrase.VARIABLE, str(secret))

    def run(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        assert "\x1b" not in said.out + said.err
        return code, said.out, said.err

    for name in ("Aroha", "Ben", "Chen"):
        assert run("person", "add", name)[0] == 0
    return run


@pytest.fixture
def lists(tmp_path: Path) -> tuple[str, ...]:
    """A list of assets, and a resolver whose zone is a file here."""
    assets = tmp_path / "assets.csv"
    rows = ["name,also,addresses,authority,services,protected"]
    for one in ASSETS.all:
        services = "|".join(f"{each.name}: {', '.join(each.dependents)}" for each in one.services)
        rows.append(
            f"{one.name},{'|'.join(one.also)},{'|'.join(one.addresses)},{one.authority},{services},"
            f"{'yes' if one.protected else 'no'}"
        )
    assets.write_text("\n".join(rows) + "\n")
    places = tmp_path / "enforcers.toml"
    places.write_text(
        f'[[place]]\nenforcer = "unbound"\nzone_file = "{tmp_path / "zone"}"\ncontrol = ["true"]\n'
        '[never.addresses]\n"198.51.100.53" = "our resolver"\n'
    )
    good = tmp_path / "good"
    good.mkdir()
    (good / "list.json").write_text(json.dumps({"name": "ours", "type": "string", "list": ["192.0.2.200"]}))
    return "--assets", str(assets), "--enforcers", str(places), "--known-good", str(good)


def _digest(said: str) -> str:
    return said.partition("--seen ")[2].split()[0]


def _approve(tocsin: Tocsin, digest: str, by: str) -> int:
    said = ("contain", "yes", "--seen", digest, "--role", "lead", "--reason", "Yes.", "--by", by)
    return tocsin("case", "decide", "inc1", *said)[0]


def test_the_words_of_the_command_are_those_of_the_rooms() -> None:
    assert contain.WAYS == WAYS
    assert (*(one.NAME for one in ENFORCERS), "cacao", "stix", "steps") == contain.RENDERED


def test_from_the_plan_to_its_end(tocsin: Tocsin, lists: tuple[str, ...], tmp_path: Path) -> None:
    folder = case(tmp_path / "cases", talking())
    before = (folder / "log.jsonl").read_bytes()
    code, out, _ = tocsin("contain", "inc1", *lists)
    assert code == 0
    assert all(way in out for way in WAYS)
    assert "Nothing was kept or done" in out
    assert (folder / "log.jsonl").read_bytes() == before

    code, out, _ = tocsin("contain", "inc1", *lists, "--plan", "least-disruptive", "--by", "Ben")
    assert code == 0
    digest = _digest(out)
    code, out, err = tocsin("contain", "inc1", *lists, "--apply", "--for-real", "--by", "Ben")
    assert code == 11
    assert "must approve" in err

    for by in ("Aroha", "Ben"):
        assert _approve(tocsin, digest, by) == 0
    consent = ("consent:Agency", "yes", "--seen", digest, "--role", "owner", "--reason", "Yes.", "--by", "Chen")
    assert tocsin("case", "decide", "inc1", *consent)[0] == 0

    code, out, _ = tocsin("contain", "inc1", *lists, "--apply")
    assert "Nothing was done" in out
    assert not (tmp_path / "zone").exists()
    code, out, err = tocsin("contain", "inc1", *lists, "--apply", "--for-real", "--by", "Ben")
    assert (code, err) == (0, "")
    assert BAD_NAME in (tmp_path / "zone").read_text()
    assert f"block address: {BAD}" in out  # which is for people: no nftables is among the places

    code, out, _ = tocsin("contain", "inc1", *lists, "--status")
    assert "1 block stands" in out
    code, out, _ = tocsin("contain", "inc1", *lists, "--verify", "--by", "Ben")
    assert "no log was looked at" in out
    assert "NOT IN PLACE" in out  # nobody answers at that resolver
    seen = _digest(out)
    decide = ("contained", "yes", "--seen", seen, "--role", "lead", "--reason", "Yes.", "--by", "Aroha")
    assert tocsin("case", "decide", "inc1", *decide)[0] == 0
    code, out, _ = tocsin("contain", "inc1", *lists, "--recover", "--by", "Ben")
    assert "heightened watch" in out
    code, _, err = tocsin("case", "close", "inc1", "--reason", "Done.", "--by", "Aroha")
    assert code == 7
    assert "still open" in err

    code, out, _ = tocsin("contain", "inc1", *lists, "--undo", "--by", "Ben")
    assert "Nothing was lifted" in out
    code, out, _ = tocsin("contain", "inc1", *lists, "--undo", "--for-real", "--by", "Ben")
    assert code == 0
    assert BAD_NAME not in (tmp_path / "zone").read_text()
    assert tocsin("case", "verify", "inc1")[0] == 0


def test_logs_since_are_looked_through(tocsin: Tocsin, lists: tuple[str, ...], tmp_path: Path) -> None:
    case(tmp_path / "cases", talking())
    _, out, _ = tocsin("contain", "inc1", *lists, "--plan", "fastest", "--by", "Ben")
    digest = _digest(out)
    for by in ("Aroha", "Ben"):
        assert _approve(tocsin, digest, by) == 0
    tocsin(
        "case",
        "decide",
        "inc1",
        "consent:Agency",
        "yes",
        "--seen",
        digest,
        "--role",
        "owner",
        "--reason",
        "Y.",
        "--by",
        "Chen",
    )
    code, _, err = tocsin("contain", "inc1", *lists, "--apply", "--for-real", "--by", "Ben")
    assert (code, err) == (0, "")
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "one.yml").write_text(
        "title: Shell of the web server\nid: 7d8f3c1e-1c5a-4d7f-9b1a-0e5a3c1b2d4f\nstatus: test\nlevel: high\n"
        "logsource: {product: windows, category: process_creation}\n"
        "detection: {selection: {Image|endswith: '\\cmd.exe'}, condition: selection}\n"
    )
    log = tmp_path / "since.jsonl"

    def record(at: str, image: str) -> str:
        return json.dumps(
            {
                "Event": {
                    "System": {
                        "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon"}},
                        "EventID": 1,
                        "Channel": "Microsoft-Windows-Sysmon/Operational",
                        "Computer": "web01.agency.example",
                        "EventRecordID": 1,
                        "TimeCreated": {"#attributes": {"SystemTime": at}},
                    },
                    "EventData": {"Image": image, "UtcTime": "x", "ProcessId": 1},
                }
            }
        )

    log.write_text(record("2099-01-01T00:00:00.000Z", "C:\\Windows\\notepad.exe") + "\n")
    words = ("contain", "inc1", *lists, "--verify", "--logs", log, "--rules", rules, "--by", "Ben")
    code, out, err = tocsin(*words)
    assert code == 0, err
    assert "no sign seen since" in out
    assert "web01.agency.example" in out
    log.write_text(record("2099-01-01T00:00:00.000Z", "C:\\Windows\\cmd.exe") + "\n")
    code, out, _ = tocsin(*words)
    assert "still active: 1 signs" in out
    assert "no sign seen" not in out
    log.write_text(record("2009-01-01T00:00:00.000Z", "C:\\Windows\\cmd.exe") + "\n")
    code, out, _ = tocsin(*words)
    assert "still active" not in out
    assert "nothing can be said" in out


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (("--plan", "fastest", "--apply"), "two things"),
        (("--plan", "boldest"), "no such way"),
        (("--render", "magic"), "no such form"),
        (("--render", "stix", "--tlp", "blue"), "no such marking"),
        (("--apply",), "no plan is kept"),
    ],
)
def test_what_makes_no_sense_is_told(tocsin: Tocsin, tmp_path: Path, words: tuple[str, ...], word: str) -> None:
    case(tmp_path / "cases", talking())
    code, _, err = tocsin("contain", "inc1", *words)
    assert code in {2, 11}
    assert word in err


def test_a_case_without_a_name_is_asked_for(tocsin: Tocsin) -> None:
    assert tocsin("contain")[0] == 2
    assert tocsin("contain", "--expire")[1] == "0 blocks were lifted\n"


def test_hostile_values_are_shown_as_text_and_quoted_for_a_shell(tocsin: Tocsin, tmp_path: Path) -> None:
    evil = "C:\\x\x1b[2J'; reboot #.aspx"
    case(tmp_path / "cases", incident(cited(0, "T1505.003", host="$(reboot)'x", TargetFilename=evil)))
    code, out, _ = tocsin("contain", "inc1", "--plan", "fastest", "--by", "Ben")
    assert code == 0
    assert "'collected:host $(reboot)'\\''x'" in out
    assert tocsin("contain", "inc1", "--render", "steps")[0] == 0  # and the fixture looks for escapes in all of it


def test_render_writes_files(tocsin: Tocsin, tmp_path: Path) -> None:
    case(tmp_path / "cases", talking())
    tocsin("contain", "inc1", "--plan", "fastest", "--by", "Ben")
    code, out, _ = tocsin("contain", "inc1", "--render", "cacao", "--out", tmp_path / "out")
    assert code == 0
    assert len(list((tmp_path / "out").glob("playbook--*.json"))) == len(out.split()) == 2
    code, out, _ = tocsin("contain", "inc1", "--render", "steps")
    assert code == 0
    assert "1. block address: 203.0.113.9" in out
    assert "  take back: " in out


def test_the_plan_as_courses_of_action(tocsin: Tocsin, tmp_path: Path) -> None:
    case(tmp_path / "cases", talking())
    tocsin("contain", "inc1", "--plan", "fastest", "--by", "Ben")
    assert tocsin("contain", "inc1", "--render", "stix", "--tlp", "green", "--out", tmp_path / "out")[0] == 0
    told = stix_parcel.read((tmp_path / "out" / "plan.stix.json").read_bytes(), "plan")
    assert f"block address: {BAD}" in {one.name for one in told.courses}
    assert {one.tlp for one in told.held if one.kind != "marking-definition"} == {"green"}
    assert {one.id for one in told.incidents} == {"inc1"}
