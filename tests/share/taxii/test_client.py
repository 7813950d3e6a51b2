"""The client against our server, against medallion, the one of OASIS, and against servers that mislead."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from allies import FIVE, TOKENS, identity, indicator, opened, serving
from tocsin.border.bundles import read_objects
from tocsin.errors import ShareError
from tocsin.share.taxii import asking, checkpoint, client
from tocsin.share.taxii.asking import Answered, Remote

URL = "http://127.0.0.1:1/allies/collections/five"
PULL = """
import sys
from pathlib import Path
from tocsin.share.taxii import client
from tocsin.share.taxii.asking import Remote, asking
client.PAGE = 3
with asking(Remote(url=sys.argv[1], token=sys.argv[2])) as ask:
    print(client.pull(ask, sys.argv[1], Path(sys.argv[3])).new)
"""


def _kept(folder: Path) -> list[Any]:
    return [one for path in sorted(folder.glob("objects-*.json")) for one in read_objects(path)[0]]


def test_what_is_new_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 4)
    made = [identity(), *(indicator(number) for number in range(10))]
    with serving(opened(tmp_path / "server")) as port:
        url = f"http://127.0.0.1:{port}/allies/collections/{FIVE}/"
        with asking.asking(Remote(url=url, token=TOKENS["siem"])) as ask:
            posted = client.post(ask, url, made)
            assert (posted.taken, posted.refused) == (11, 0)
            first = client.pull(ask, url, tmp_path / "kept")
            assert (first.new, first.known, len(first.files)) == (11, 0, 3)
            assert client.pull(ask, url, tmp_path / "kept").new == 0
            client.post(ask, url, [indicator(50), indicator(1, modified="2026-03-02T00:00:00.000Z")])
            assert client.pull(ask, url, tmp_path / "kept").new == 2
            refused = client.post(ask, url, [indicator(1, name="otherwise")])
            assert (refused.taken, refused.refused) == (0, 1)
            assert "conflict" in refused.reasons[0]
    assert _kept(tmp_path / "kept") == [*made, indicator(50), indicator(1, modified="2026-03-02T00:00:00.000Z")]
    with pytest.raises(ShareError, match="another collection"):
        checkpoint.load(tmp_path / "kept", "https://elsewhere.example/x/collections/y/")


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_it_reads_on(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    made = [indicator(number) for number in range(60)]
    with serving(opened(tmp_path / "server")) as port:
        url = f"http://127.0.0.1:{port}/allies/collections/{FIVE}/"
        with asking.asking(Remote(url=url, token=TOKENS["siem"])) as ask:
            client.post(ask, url, made)
        argv = [sys.executable, "-c", PULL, url, TOKENS["siem"], str(tmp_path / "kept")]
        for _ in range(4):
            running = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until = time.monotonic() + 20
            wanted = chance.randrange(1, 15)
            while len(list((tmp_path / "kept").glob("objects-*"))) < wanted and time.monotonic() < until:
                if running.poll() is not None:
                    break
                time.sleep(0.001)
            running.send_signal(signal.SIGKILL)
            running.wait()
        subprocess.run(argv, check=True, timeout=60, capture_output=True)
    assert _kept(tmp_path / "kept") == made


@pytest.fixture(scope="module")
def medallion(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """medallion 3.0 in a process of its own, with an empty collection; its backend is in memory."""
    folder = tmp_path_factory.mktemp("medallion")
    media = ["application/stix+json;version=2.1"]
    held = {"id": FIVE, "title": "Five", "can_read": True, "can_write": True, "media_types": media}
    information = {"title": "Root", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 10**8}
    root = {"information": information, "status": [], "collections": [held | {"objects": [], "manifest": []}]}
    discovery = {
        "title": "medallion",
        "default": "http://127.0.0.1/trusted/",
        "api_roots": ["http://127.0.0.1/trusted/"],
    }
    (folder / "content.json").write_text(json.dumps({"/discovery": discovery, "trusted": root}))
    config = {
        "backend": {
            "module": "medallion.backends.memory_backend",
            "module_class": "MemoryBackend",
            "filename": str(folder / "content.json"),
        },
        "users": {"admin": "password"},
        "taxii": {"max_page_size": 100},
    }
    (folder / "config.json").write_text(json.dumps(config))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv = [sys.executable, "-W", "ignore", "-m", "medallion.scripts.run", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen([*argv, str(folder / "config.json")], stdout=log, stderr=log, env={**os.environ})
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert running.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/trusted/collections/{FIVE}/"
        finally:
            running.terminate()
            running.wait(20)


def test_medallion_takes_and_gives(tmp_path: Path, medallion: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE", 7)
    made = [indicator(number) for number in range(30)]
    with warnings.catch_warnings(), asking.asking(Remote(url=medallion, token="password", user="admin")) as ask:
        posted = client.post(ask, medallion, made)
        assert (posted.taken, posted.refused) == (30, 0)
        assert client.pull(ask, medallion, tmp_path).new == 30
        client.post(ask, medallion, [indicator(77)])
        again = client.pull(ask, medallion, tmp_path)
        assert again.new == 1
    assert sorted(one["id"] for one in _kept(tmp_path)) == sorted(one["id"] for one in [*made, indicator(77)])


def _answers(*told: Any, **headers: str) -> Any:
    left = list(told)

    def ask(method: str, resource: str, asked: Mapping[str, str], body: bytes | None) -> Answered:
        one = left.pop(0) if len(left) > 1 else left[0]
        status, what = one if isinstance(one, tuple) else (200, one)
        return Answered(status, what if isinstance(what, bytes) else json.dumps(what).encode(), headers)

    return ask


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ([{"more": True, "next": "a", "objects": []}], "circles"),
        ([{"more": True, "objects": []}], "nowhere"),
        (
            [{"more": True, "next": "a", "objects": []}, {"more": True, "next": "b"}, {"more": True, "next": "a"}],
            "circles",
        ),
        ([b"<html>"], "does not answer in TAXII"),
        ([b"[" * 100_000], "does not answer in TAXII"),
        ([b'{"objects": 5}'], "no envelope"),
        ([(404, b"no")], "answers 404"),
        ([(302, b"")], "answers 302"),
    ],
)
def test_servers_that_mislead_are_left(tmp_path: Path, told: list[Any], says: str) -> None:
    with pytest.raises(ShareError, match=says):
        client.pull(_answers(*told), URL, tmp_path)


def test_pages_without_end_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MOST_IDLE", 5)
    pages = [{"more": True, "next": str(number), "objects": [indicator(1)]} for number in range(50)]
    with pytest.raises(ShareError, match="circles"):
        client.pull(_answers(*pages), URL, tmp_path)
    assert _kept(tmp_path) == [indicator(1)]


def test_a_page_that_was_lost_on_the_way_is_fetched_again(tmp_path: Path) -> None:
    """As medallion does: one word for all pages, and asked twice it gives the page after."""
    pages = [{"more": number < 5, "next": "w", "objects": [indicator(number)]} for number in range(6)]
    given = [0]
    tries = iter([1, 1, 2, 1] + [1] * 20)

    def ask(method: str, resource: str, asked: Mapping[str, str], body: bytes | None) -> Answered:
        number = next(tries)
        given[0] = given[0] + number if "next" in asked else 0
        return Answered(200, json.dumps(pages[given[0]]).encode(), {}, number)

    assert client.pull(ask, URL, tmp_path).new == 6
    assert sorted(one["id"] for one in _kept(tmp_path)) == [indicator(number)["id"] for number in range(6)]


def test_what_is_no_stix_is_counted_and_not_kept(tmp_path: Path) -> None:
    told = {"objects": [indicator(1), {"id": "garbage"}, indicator(2, modified="2020-01-01T00:00:00.000Z")]}
    found = client.pull(_answers(told), URL, tmp_path)
    assert found.new == 1
    assert sum(found.refused.values()) == 2
    assert _kept(tmp_path) == [indicator(1)]


def test_a_word_that_leads_nowhere_any_more_begins_anew(tmp_path: Path) -> None:
    first = {"more": True, "next": "a", "objects": [indicator(1)]}
    whole = {"objects": [indicator(1), indicator(2)]}
    found = client.pull(_answers(first, (400, b"gone"), whole), URL, tmp_path)
    assert (found.new, found.known) == (2, 1)


def test_busy_servers_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    told = [(429, {"retry-after": "7"}), (503, {"retry-after": "99999"}), (200, {})]
    answers = [Answered(status, b"", headers) for status, headers in told]
    with asking.asking(Remote(url=URL, token=""), wait=waits.append) as ask:
        with monkeypatch.context() as patch:
            patch.setattr(asking, "_once", lambda *rest: answers.pop(0))
            assert ask("GET", "objects/", {}, None).status == 200
        assert waits == [7, asking.LONGEST_WAIT_S]
        with pytest.raises(ShareError, match="after 6 tries"):
            ask("GET", "objects/", {}, None)


@pytest.mark.parametrize("url", ["http://partner.example/x/collections/y/", "ftp://127.0.0.1/", "/x", "http:///x"])
def test_no_token_goes_in_clear_text(url: str) -> None:
    with pytest.raises(ShareError), asking.asking(Remote(url=url, token="secret")):
        pass
