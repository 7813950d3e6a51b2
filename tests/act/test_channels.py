"""Letters out: over TLS whose certificate is checked, whole, and never said to be gone when they may not be."""

from __future__ import annotations

import email
import email.policy
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tocsin.act import post
from tocsin.act.channels import SENDERS, by_kind, drop, smtp, webhook
from tocsin.model.letter import Message
from tocsin.model.notification import Channel

MESSAGE = Message(
    id="ab" * 20,
    to="aroha@home.example",
    title="Tēnā koe: please read this",
    text="Kia ora.\n.\nA dot alone on a line.\n" + "x" * 2_000 + "\n",
    html="<p>Kia ora</p>",
    pdf=b"%PDF-1.7 \x00\xff",
)


def certificate(folder: Path) -> tuple[Path, Path]:
    """For this machine alone, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    there, secret = folder / "cert.pem", folder / "key.pem"
    there.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return there, secret


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


class Kept:
    """A mail server's end: what it took, or how it refuses."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses = refuses
        self.took: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - as the library calls it
        if self.refuses == "rcpt":
            return "550 nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - as the library calls it
        if self.refuses == "data":
            return "554 not wanted"
        self.took.append(envelope)
        if self.refuses == "cut":
            server.transport.abort()
        return "250 OK"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Any]:
    there, secret = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(there, secret)
    running = []

    def start(kept: Kept, *, tls: bool = True, secret: str = "") -> Channel:
        def check(server: Any, session: Any, envelope: Any, mechanism: str, auth: Any) -> AuthResult:
            right = bool(secret) and auth.password.decode() == secret
            return AuthResult(success=right, handled=kept.refuses == "silent")  # else the server says 535

        controller = Controller(
            kept,
            hostname="127.0.0.1",
            port=free_port(),
            tls_context=context if tls else None,
            require_starttls=tls,
            authenticator=check,
            auth_required=bool(secret),
        )
        controller.start()
        running.append(controller)
        return Channel(
            name="mail",
            kind="smtp",
            host="127.0.0.1",
            port=controller.port,
            sender="desk@centre.example",
            trust=str(there),
        )

    yield start
    for one in running:
        one.stop()


def test_every_channel_is_registered() -> None:
    assert [one.NAME for one in SENDERS] == ["smtp", "webhook", "drop"]
    assert by_kind("drop") is drop
    assert [one.REPEATS for one in SENDERS] == [False, False, True]


def test_mail_arrives_whole(servers: Any) -> None:
    kept = Kept()
    outcome = smtp.send(servers(kept), MESSAGE)
    assert outcome.went == "sent", outcome.said
    (envelope,) = kept.took
    assert (envelope.mail_from, envelope.rcpt_tos) == ("desk@centre.example", ["aroha@home.example"])
    mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert mail["Subject"] == MESSAGE.title
    assert mail["Message-ID"] == f"<{MESSAGE.id}@centre.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    parts = {part.get_content_type(): part for part in mail.walk()}
    assert parts["text/plain"].get_content().splitlines() == MESSAGE.text.splitlines()
    assert parts["text/html"].get_content().strip() == MESSAGE.html
    assert parts["application/pdf"].get_content() == MESSAGE.pdf


@pytest.mark.parametrize(("refuses", "went"), [("rcpt", "failed"), ("data", "failed"), ("cut", "uncertain")])
def test_what_was_refused_did_not_go_and_what_broke_off_may_have(servers: Any, refuses: str, went: str) -> None:
    outcome = smtp.send(servers(Kept(refuses)), MESSAGE)
    assert outcome.went == went


def test_nothing_goes_out_without_tls(servers: Any, tmp_path: Path) -> None:
    kept = Kept()
    plain = servers(kept, tls=False)
    assert smtp.send(plain, MESSAGE).went == "failed"
    (tmp_path / "other").mkdir()
    foreign = replace(servers(kept), trust=str(certificate(tmp_path / "other")[0]))
    outcome = smtp.send(foreign, MESSAGE)
    assert (outcome.went, "certificate" in outcome.said.lower()) == ("failed", True)
    assert smtp.send(replace(servers(kept), trust=""), MESSAGE).went == "failed", "the system does not know it"
    assert not kept.took


def test_a_password_is_read_from_its_file(servers: Any, tmp_path: Path) -> None:
    kept, secret = Kept(), tmp_path / "secret"
    secret.write_text("correct horse\n")
    channel = servers(kept, secret="correct horse")
    assert smtp.send(replace(channel, user="desk", password_file=str(secret)), MESSAGE).went == "sent"
    secret.write_text("wrong\n")
    outcome = smtp.send(replace(channel, user="desk", password_file=str(secret)), MESSAGE)
    assert (outcome.went, outcome.said[:3]) == ("failed", "535")
    assert smtp.send(replace(channel, user="desk", password_file=str(tmp_path / "none")), MESSAGE).went == "failed"


def test_a_server_that_falls_silent_is_not_waited_for(
    servers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, secret = Kept("silent"), tmp_path / "secret"
    secret.write_text("wrong\n")
    monkeypatch.setattr(smtp, "_AT_MOST_S", 1.0)
    channel = servers(kept, secret="correct horse")
    outcome = smtp.send(replace(channel, user="desk", password_file=str(secret)), MESSAGE)
    assert (outcome.went, "timed out" in outcome.said) == ("failed", True)
    assert not kept.took


@pytest.mark.parametrize(
    "hostile", ["a@b.example\r\nBcc: x@y.example", "a@b.example>\nRCPT TO:<x@y.example", "\r\n", "\ud800"]
)
def test_a_line_end_in_an_address_sends_nothing(servers: Any, hostile: str) -> None:
    for words in ({"to": hostile}, {"title": hostile}):
        kept = Kept()
        outcome = smtp.send(servers(kept), replace(MESSAGE, **words))
        assert outcome.went == "failed" or [one.rcpt_tos for one in kept.took] == [["aroha@home.example"]]


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    channel = Channel(name="m", kind="smtp", host="127.0.0.1", port=1, sender="a@b.example", trust="")
    assert smtp.send(channel, MESSAGE).went == "failed"
    assert smtp.send(replace(channel, trust=str(tmp_path / "none")), MESSAGE).went == "failed"


def test_files_lie_there_once(tmp_path: Path) -> None:
    channel = Channel(name="d", kind="drop", folder=str(tmp_path / "out"))
    for _ in range(2):
        assert drop.send(channel, MESSAGE).went == "sent"
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".html", ".pdf", ".txt"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "out").iterdir())
    assert drop.send(replace(channel, folder="/proc/none"), MESSAGE).went == "failed"


@pytest.mark.parametrize(
    ("answer", "went"),
    [
        ((True, "200 "), "sent"),
        ((False, "403 no"), "failed"),
        ((False, "500 x"), "uncertain"),
        ((False, "timed out"), "uncertain"),
    ],
)
def test_a_post_is_believed_as_far_as_it_answers(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[bool, str], went: str
) -> None:
    said: list[str] = []
    monkeypatch.setattr(post, "post", lambda step: (said.append(step.url + step.text), answer)[1])
    channel = Channel(name="p", kind="webhook", url="https://gateway.example/in")
    assert webhook.send(channel, MESSAGE).went == went
    assert '"id": "' + MESSAGE.id in said[0]
