"""A webhook on a real server of HTTPS: what arrives, what is not followed, and no secret in what is kept."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from containing.making import BAD, OWN, PEOPLE, allow, case, planned, talking
from tocsin import enforce, planning
from tocsin.act import journal, post
from tocsin.act import run as world
from tocsin.contain import ENFORCERS
from tocsin.errors import ActError
from tocsin.model.action import Block, Place, Step, Target

KNOWN = tuple(PEOPLE.values())
WEBHOOK = next(one for one in ENFORCERS if one.NAME == "webhook")
TOKEN = "t0ps3cret-of-the-webhook"


@dataclass
class Receiver:
    """A server that answers as it is told, and keeps what came."""

    url: str
    status: int = 200
    slowly_s: float = 0.0
    drop: bool = False
    got: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def step(self, path: str = "/", **more: str) -> Step:
        return Step(what="post", url=self.url + path, text='{"version":1}', once="abc", **more)


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    certificate = _certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    told: Receiver

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.got.append((self.path, {key.lower(): value for key, value in self.headers.items()}, text))
            if told.drop:
                self.close_connection = True
                return
            self.send_response(told.status)
            if 300 <= told.status < 400:
                self.send_header("Location", f"{told.url}/elsewhere")
            self.end_headers()
            for byte in f"you sent {self.headers.get('Authorization')}".encode():
                time.sleep(told.slowly_s)
                self.wfile.write(bytes([byte]))

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            return

    with Server(("127.0.0.1", 0), Handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, tmp_path / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        told = Receiver(url=f"https://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield told
        server.shutdown()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(secret)
    return path


def _token(folder: Path) -> str:
    path = folder / "token"
    path.write_text(f"{TOKEN}\n")
    return str(path)


def _here(folder: Path, receiver: Receiver) -> list[Place]:
    return [Place(enforcer="webhook", url=f"{receiver.url}/tocsin", token_file=_token(folder))]


def test_a_post_arrives_with_its_key_and_its_token(receiver: Receiver, tmp_path: Path) -> None:
    well, said = post.post(receiver.step("/tocsin", token_file=_token(tmp_path)))
    assert well
    ((path, headers, text),) = receiver.got
    assert (path, text) == ("/tocsin", '{"version":1}')
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["idempotency-key"] == '"abc"'
    assert TOKEN not in said
    assert "(the token)" in said


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 500, 503])
def test_what_is_no_yes_is_told_and_no_redirection_is_followed(receiver: Receiver, status: int) -> None:
    receiver.status = status
    well, said = post.post(receiver.step())
    assert not well
    assert str(status) in said
    assert len(receiver.got) == 1
    assert ("not followed" in said) is (status < 400)


def test_who_speaks_too_slowly_is_not_waited_for(receiver: Receiver) -> None:
    receiver.slowly_s = 0.2
    well, said = post.post(receiver.step(), at_most_s=1.0)
    assert not well
    assert "whether it arrived is not known" in said


def test_who_hangs_up_is_told(receiver: Receiver) -> None:
    receiver.drop = True
    well, said = post.post(receiver.step())
    assert not well
    assert said


def test_a_server_that_nobody_vouches_for_gets_nothing(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    well, said = post.post(receiver.step())
    assert not well
    assert "certificate" in said.lower()
    assert receiver.got == []


def test_a_token_that_is_none_is_not_sent(receiver: Receiver, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("a\r\nX-Evil: b")
    for name in (str(bad), str(tmp_path / "none")):
        well, said = post.post(receiver.step(token_file=name))
        assert not well
        assert said
    assert receiver.got == []


def test_a_plan_is_posted_and_no_secret_is_in_any_file(receiver: Receiver, tmp_path: Path) -> None:
    folder = case(tmp_path / "cases", talking())
    kept = planned(folder)
    allow(folder, kept)
    told: list[str] = []
    enforce.apply(folder, kept, _here(tmp_path, receiver), OWN, KNOWN, "Ben", told=told.append)
    ((_, _, text),) = receiver.got
    standing = json.loads(text)["standing"]
    assert {one["value"] for one in standing} == {one.target.value for one in kept.alternative.actions}
    everything = b"".join(one.read_bytes() for one in (tmp_path / "cases").rglob("*") if one.is_file())
    assert TOKEN.encode() not in everything
    assert TOKEN not in "".join(told)


def test_a_post_that_failed_is_sent_again_with_the_same_key(receiver: Receiver, tmp_path: Path) -> None:
    folder = case(tmp_path / "cases", talking())
    kept = planned(folder)
    allow(folder, kept)
    places = _here(tmp_path, receiver)
    receiver.status = 500
    with pytest.raises(ActError, match="500"):
        enforce.apply(folder, kept, places, OWN, KNOWN, "Ben")
    receiver.status = 200
    enforce.apply(folder, kept, places, OWN, KNOWN, "Ben")
    keys = [headers["idempotency-key"] for _, headers, _ in receiver.got]
    assert keys[0] == keys[1]  # the go that was left is finished with the post that it began
    assert len(set(keys)) == 2  # and what is applied after it is another


def test_a_kill_after_a_post_sends_it_again_under_the_same_key(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = case(tmp_path / "cases", talking())
    kept = planned(folder)
    allow(folder, kept)
    places, do = _here(tmp_path, receiver), world.run

    def killed(step: Step) -> world.Done:
        do(step)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(world, "run", killed)
        with pytest.raises(KeyboardInterrupt):
            enforce.apply(folder, kept, places, OWN, KNOWN, "Ben")
    assert journal.read(enforce.enforced(folder)).pending is not None
    enforce.undo(folder, places, "Ben")
    keys = [headers["idempotency-key"] for _, headers, _ in receiver.got]
    assert len(keys) == len(set(keys)) == 2
    assert json.loads(receiver.got[-1][2])["standing"] == []


def test_the_same_again_after_something_else_is_another_post() -> None:
    now, place = planning.now_us(), Place(enforcer="webhook", url="https://x.example/")
    address = Target(kind="address", value=BAD)
    block = Block(verb="block address", target=address, since_us=now, until_us=0, cases=("inc1",))
    (one,) = WEBHOOK.steps((), (block,), place, now)
    (same,) = WEBHOOK.steps((), (block,), place, now)
    (later,) = WEBHOOK.steps((), (block,), place, now + 1)
    assert one.once == same.once != later.once
