"""Packs over real HTTP, on loopback: what servers do by mistake and on purpose."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from learn.packing import RULE, tarred, zipped
from tocsin.errors import RuleError
from tocsin.learn import fetch, packs

PACK = zipped({"rules/a.yml": RULE, "LICENSE": b"MIT License"})
Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Answers each path with what a test gave for it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Asked)

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def serve(self, path: str, answer: Answer) -> str:
        self.answers[path.partition("?")[0]] = answer
        return self.at(path)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go away in the middle: that is what is tested."""


class _Asked(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        answer = self.server.answers.get(self.path.partition("?")[0])
        if answer is None:
            self.send_error(404)
        else:
            answer(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library calls it so
        pass


def body(content: bytes, *, kind: str = "application/zip", length: int | None = None) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        if length != -1:
            request.send_header("Content-Length", str(len(content) if length is None else length))
        request.end_headers()
        request.wfile.write(content)

    return answer


def redirect(address: str, code: int = 302) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.send_header("Location", address)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "tocsin" / "packs"


def refusal(address: str, home: Path) -> str:
    """Why a pack was not added; and nothing of it stays."""
    with pytest.raises(RuleError) as caught:
        packs.add(address, "mine")
    assert caught.value.hint
    assert not home.exists() or list(home.iterdir()) == []
    return caught.value.message


@pytest.mark.parametrize("content", [PACK, tarred({"a.yml": RULE})], ids=["zip", "tgz"])
def test_a_pack_is_fetched(server: Server, content: bytes) -> None:
    address = server.serve("/SigmaHQ/Core.zip?token=secret", body(content, kind="text/html"))
    pack = packs.add(address)
    assert (pack.name, pack.rules) == ("core", 1)
    assert pack.sha256 == hashlib.sha256(content).hexdigest()
    assert pack.source == server.at("/SigmaHQ/Core.zip"), "what is secret is in the query"
    assert server.asked == ["/SigmaHQ/Core.zip?token=secret"]
    assert len(packs.resolve(["core"])) == 1


def test_an_answer_that_tells_no_length(server: Server) -> None:
    assert packs.add(server.serve("/a.zip", body(PACK, length=-1))).rules == 1


def test_a_redirect_is_followed(server: Server) -> None:
    server.serve("/there.zip", body(PACK))
    assert packs.add(server.serve("/here", redirect("/there.zip", 301)), "mine").rules == 1


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x.zip",
        "data:text/plain,x",
        "gopher://127.0.0.1/",
        "http://u:p@127.0.0.1/x",
    ],
)
def test_a_redirect_to_elsewhere_is_not(server: Server, home: Path, target: str) -> None:
    message = refusal(server.serve("/here.zip", redirect(target)), home)
    assert "cannot be read" not in message, "nothing was fetched that could be looked at"
    assert ":p@" not in message


def test_redirects_in_a_circle(server: Server, home: Path) -> None:
    assert "302" in refusal(server.serve("/here.zip", redirect("/here.zip")), home)
    assert len(server.asked) < 20


def test_from_https_nothing_leads_down_to_http(monkeypatch: pytest.MonkeyPatch) -> None:
    request = fetch.urllib.request.Request("https://example.org/a.zip")
    with pytest.raises(RuleError, match="not encrypted"):
        fetch._Redirects().redirect_request(request, io.BytesIO(), 302, "", fetch.Message(), "http://example.org/a.zip")


def test_not_found(server: Server, home: Path) -> None:
    assert "404" in refusal(server.at("/nix.zip"), home)


@pytest.mark.parametrize("length", [len(PACK) + 1000, len(PACK) * 2])
def test_an_answer_that_is_cut_short(server: Server, home: Path, length: int) -> None:
    assert "cut short" in refusal(server.serve("/a.zip", body(PACK, length=length)), home)


def test_a_chunked_answer_that_is_cut_short(server: Server, home: Path) -> None:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        request.wfile.write(b"%x\r\n" % len(PACK) + PACK[:100])

    refusal(server.serve("/a.zip", answer), home)


def test_an_empty_answer(server: Server, home: Path) -> None:
    assert "cut short" in refusal(server.serve("/a.zip", body(b"")), home)


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><p>Sign in", b"PK is how it begins, " * 40, b"x"])
def test_a_page_instead_of_an_archive(server: Server, home: Path, content: bytes) -> None:
    message = refusal(server.serve("/a.zip", body(content, kind="text/html")), home)
    assert "no zip or tar.gz archive (text/html)" in message


def test_an_archive_that_escapes(server: Server, home: Path) -> None:
    message = refusal(server.serve("/a.zip", body(zipped({"a.yml": RULE, "../../x.yml": RULE}))), home)
    assert "leads out of the archive" in message
    assert server.at("/a.zip") in message


def test_an_answer_that_says_it_is_too_large(server: Server, home: Path) -> None:
    assert "larger than 256 MiB" in refusal(server.serve("/a.zip", body(PACK, length=1 << 40)), home)


def test_an_answer_that_is_too_large(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MOST_BYTES", 1 << 20)
    message = refusal(server.serve("/a.zip", body(PACK + bytes(2 << 20), length=-1)), home)
    assert "larger than 1 MiB" in message


def test_a_server_that_says_nothing(server: Server, tmp_path: Path) -> None:
    address = server.serve("/a.zip", lambda request: time.sleep(2))
    with (tmp_path / "out").open("wb") as file, pytest.raises(RuleError, match=r"nothing came for 0\.2 s"):
        fetch.fetch(address, file, silence_s=0.2)


def test_a_server_that_drips(server: Server, tmp_path: Path) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")
        for at in range(100):
            request.wfile.write(PACK[at : at + 1])
            time.sleep(0.05)

    began = time.monotonic()
    with (tmp_path / "out").open("wb") as file, pytest.raises(RuleError, match="too slowly"):
        fetch.fetch(server.serve("/a.zip", drip), file, whole_s=0.3)
    assert time.monotonic() - began < 3


def test_nobody_listens(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert "cannot be reached" in refusal("http://127.0.0.1:9/a.zip", home)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://example.org/a.zip",
        "http://",
        "http://[::1/a.zip",
        "https://user:secret@example.org/a.zip",
        "http://a b/x.zip",
        "http://127.0.0.1:port/x.zip",
    ],
)
def test_an_address_that_is_not_fetched(address: str, home: Path) -> None:
    assert "secret" not in refusal(address, home)
