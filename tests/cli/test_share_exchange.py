"""`tocsin share exchange`, `push` and `pull --node`: what two nodes have for each other, over the server of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from allies import FIVE, TOKENS, identity, indicator, named, serving, written
from tocsin.border.bundles import as_bundle
from tocsin.border.site import read_site
from tocsin.cli.main import main
from tocsin.errors import SettingsError, ShareError
from tocsin.share.taxii import feeds, place
from tocsin.share.taxii.place import Ours
from tocsin.share.taxii.store import address


def no_passphrase(question: str) -> bytes:
    raise AssertionError(question)


@dataclass
class Allies:
    """Our server with a node, and Australia, who asks it."""

    root: Path
    patch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    url: str = ""

    def code(self, who: str, *words: str) -> int:
        self.patch.setenv("XDG_DATA_HOME", str(self.root / who / "data"))
        self.patch.setenv("XDG_STATE_HOME", str(self.root / who / "state"))
        self.capsys.readouterr()
        return main(list(words))

    def say(self, who: str, *words: str) -> str:
        code = self.code(who, *words)
        out, err = self.capsys.readouterr()
        assert code == 0, err
        return out

    @property
    def token(self) -> tuple[str, str]:
        return "--token-file", str(self.root / "au.token")


@pytest.fixture
def allies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Allies]:
    monkeypatch.setenv("TOCSIN_PERSON", "Aroha")
    here = Allies(tmp_path, monkeypatch, capsys)
    nodes = {}
    for who in ("us", "au"):
        here.say(who, "node", "init", who)
        nodes[who] = json.loads(here.say(who, "node", "id", "--json"))["node"]
    here.say("us", "node", "trust", "Australia", nodes["au"])
    here.say("au", "node", "trust", "Us", nodes["us"])
    site = written(tmp_path)
    (tmp_path / "au.toml").write_text((tmp_path / "au.toml").read_text() + f'node = "{nodes["au"]}"\n')
    agreement = 'version = 1\nid = "us"\nname = "Us"\ntlp = "amber"\npap = "red"\n'
    (tmp_path / "us.toml").write_text(agreement + f'node = "{nodes["us"]}"\n')
    (tmp_path / "au.token").write_text(TOKENS["au"] + "\n")
    (tmp_path / "au.token").chmod(0o600)
    (tmp_path / "bundle.json").write_text(as_bundle([identity(), indicator(1), indicator(2, tlp="red")]))
    folder = tmp_path / "us" / "data" / "tocsin"
    ours = Ours(root=folder / "node", mark=tmp_path / "us" / "state" / "tocsin" / "node-head.json", ask=no_passphrase)
    found = place.opened(read_site(site), folder / "share", address(folder / "share" / "taxii.db"), ours)
    feeds.settle(found)
    with serving(found) as port:
        here.url = f"http://127.0.0.1:{port}/allies/collections/{FIVE}/"
        yield here


def test_from_an_offer_to_what_is_taken_back_and_confirmed(allies: Allies) -> None:
    bundle, site = str(allies.root / "bundle.json"), str(allies.root / "site.toml")
    allies.say("us", "share", "offer", site, bundle, "--collection", "five")
    told = allies.say("au", "share", "pull", allies.url, "--as", "us", "--node", "Us", *allies.token)
    assert "2 new from us" in told
    assert "2 objects and letters came" in told
    allies.say("us", "share", "revoke", named("indicator", 1), "--reason", "It was wrong.")
    told = allies.say("au", "share", "exchange", "us", allies.url, *allies.token)
    assert "because: It was wrong." in told
    peers = json.loads(allies.say("us", "peers", "--json"))
    assert peers["revocations"][0]["knows"] == ["Australia"]
    again = json.loads(allies.say("au", "share", "exchange", "Us", allies.url, "--json", *allies.token))
    assert [(one["payloads"], one["new"], one["signed"]) for one in again] == [(0, {}, True)]


def test_what_was_told_hunts_by_itself(allies: Allies) -> None:
    log, lake = allies.root / "dns.log", allies.root / "lake"
    log.write_text("Mar  5 10:00:00 ns1 unbound[12:0]: [12:0] info: 192.0.2.1 c1.example. A IN\n")
    allies.say("au", "lake", "add", str(log), "--lake", str(lake), "--quiet")
    allies.say(
        "us", "share", "offer", str(allies.root / "site.toml"), str(allies.root / "bundle.json"), "--collection", "five"
    )
    words = ("share", "exchange", "Us", allies.url, *allies.token, "--lake", str(lake), "--quiet")
    assert allies.code("au", *words) == SettingsError.exit_code  # by which authority?
    assert "1 found" in allies.say("au", *words, "--by-authority", "the Act")
    assert "found" not in allies.say("au", *words, "--by-authority", "the Act")  # asked once
    allies.say("us", "share", "revoke", named("indicator", 1), "--reason", "It was wrong.")
    assert "1 found" in allies.say("au", *words, "--by-authority", "the Act")  # history answers, and says so


def test_what_is_pushed_is_in_the_log_and_can_be_taken_back(allies: Allies) -> None:
    theirs = named("identity", 7)
    objects: list[dict[str, Any]] = [identity(theirs, "Australia"), indicator(5, by=theirs)]
    (allies.root / "theirs.json").write_text(as_bundle(objects))
    words = [str(allies.root / "theirs.json"), allies.url, "--to", str(allies.root / "us.toml"), "--own", theirs]
    told = allies.say("au", "share", "push", *words, *allies.token)
    assert "they took 2 and refused 0" in told
    allies.say("au", "share", "revoke", named("indicator", 5), "--reason", "It was wrong.")
    allies.say("au", "share", "exchange", "Us", allies.url, *allies.token)
    (kept,) = (allies.root / "us" / "data" / "tocsin" / "node" / "received").glob("australia-*.json")
    told_us = {one["id"]: one for one in json.loads(kept.read_text())["objects"]}
    assert told_us[named("indicator", 5)]["revoked"] is True
    assert json.loads(allies.say("au", "peers", "--json"))["revocations"][0]["knows"] == ["Us"]


def test_what_goes_wrong_says_what_to_do(allies: Allies) -> None:
    exchange = ("share", "exchange")
    assert allies.code("au", *exchange, "Nobody", allies.url, *allies.token) == ShareError.exit_code
    assert "tocsin node trust" in allies.capsys.readouterr().err
    assert allies.code("nobody", *exchange, "Us", allies.url, *allies.token) == ShareError.exit_code
    assert "tocsin node init" in allies.capsys.readouterr().err
    assert allies.code("au", *exchange, "Us", allies.url) == ShareError.exit_code  # no token
    assert "401" in allies.capsys.readouterr().err
    (allies.root / "ca.token").write_text(TOKENS["ca"] + "\n")
    assert allies.code("au", *exchange, "Us", allies.url, "--token-file", str(allies.root / "ca.token")) != 0
    assert "takes no messages of nodes from us" in allies.capsys.readouterr().err
