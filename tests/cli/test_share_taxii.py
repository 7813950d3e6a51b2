"""`tocsin share serve`, `offer`, `token`, `pull` and `push`, as people at two sites use them."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from allies import FIVE, TOKENS, US, digest, identity, indicator, written
from tocsin.border.bundles import as_bundle, read_objects
from tocsin.cli.main import main
from tocsin.errors import SettingsError, ShareError
from tocsin.share import journal


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("TOCSIN_PERSON", "Aroha")
    written(tmp_path)
    for name, token in TOKENS.items():
        (tmp_path / f"{name}.token").write_text(token + "\n")
        (tmp_path / f"{name}.token").chmod(0o600)
    (tmp_path / "bundle.json").write_text(as_bundle([identity(), indicator(1), indicator(2, tlp="red")]))
    return tmp_path


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _served(folder: Path, *words: str) -> Iterator[int]:
    """The server in a process of its own, with a home of its own."""
    port = _free()
    home = {**os.environ, "XDG_DATA_HOME": str(folder / "server")}
    argv = [
        sys.executable,
        "-m",
        "tocsin",
        "share",
        "serve",
        str(folder / "site.toml"),
        "--listen",
        f"127.0.0.1:{port}",
    ]
    running = subprocess.Popen([*argv, *words], env=home, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert running.poll() is None, running.stderr and running.stderr.read()
            time.sleep(0.1)
        yield port
    finally:
        running.terminate()
        running.wait(30)
        if running.stderr:
            running.stderr.close()


def _url(port: int, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{port}/allies/collections/{FIVE}/"


def _kept(folder: Path, name: str) -> list[Any]:
    files = sorted((folder / "data" / "tocsin" / "share" / "pulled" / name).glob("objects-*.json"))
    return [one for path in files for one in read_objects(path)[0]]


def test_offered_here_and_pulled_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "server"))
    offer = ["share", "offer", str(folder / "site.toml"), str(folder / "bundle.json"), "--collection", "five"]
    assert main(offer) == 0
    assert "3 are there, 0 are not" in capsys.readouterr().out
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    with _served(folder) as port:
        pull = ["share", "pull", _url(port), "--as", "them", "--token-file", str(folder / "au.token")]
        assert main(pull) == 0
        assert "2 new from them" in capsys.readouterr().out
        assert _kept(folder, "them") == [identity(), indicator(1)]
        assert main(pull) == 0
        assert "0 new from them" in capsys.readouterr().out
        wrong = [*pull[:-1], str(folder / "none.token")]
        assert main(wrong) == ShareError.exit_code
        assert "404" in capsys.readouterr().err


def test_pushed_is_what_was_released_and_it_is_in_the_journal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with _served(folder) as port:
        words = [str(folder / "bundle.json"), _url(port), "--to", str(folder / "ca.toml"), "--own", US]
        assert main(["share", "push", *words, "--token-file", str(folder / "siem.token")]) == 0
        assert "they took 2 and refused 0" in capsys.readouterr().out
        assert main(["share", "pull", _url(port), "--as", "back", "--token-file", str(folder / "siem.token")]) == 0
    assert _kept(folder, "back") == [identity(), indicator(1)]
    what = [(one["what"], one["to"]) for one in journal.entries(folder / "data" / "tocsin" / "share")]
    assert [one for one, _ in what] == ["released", "answered"]
    capsys.readouterr()
    assert main(["share", "log"]) == 0
    assert "0 refused, 2 taken" in capsys.readouterr().out
    (folder / "red.json").write_text(as_bundle([indicator(2, tlp="red")]))
    assert main(["share", "push", str(folder / "red.json"), *words[1:-2]]) == ShareError.exit_code
    assert len(journal.entries(folder / "data" / "tocsin" / "share")) == 2


def test_what_was_pulled_hunts_by_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = folder / "dns.log"
    log.write_text("Mar  5 10:00:00 ns1 unbound[12:0]: [12:0] info: 192.0.2.1 c1.example. A IN\n")
    lake = folder / "lake"
    assert main(["lake", "add", str(log), "--lake", str(lake), "--quiet"]) == 0
    with _served(folder) as port:
        token = ["--token-file", str(folder / "siem.token")]
        assert (
            main(
                [
                    "share",
                    "push",
                    str(folder / "bundle.json"),
                    _url(port),
                    "--to",
                    str(folder / "ca.toml"),
                    "--own",
                    US,
                    *token,
                ]
            )
            == 0
        )
        pull = ["share", "pull", _url(port), "--as", "them", *token]
        assert main(pull) == 0  # by somebody who had no lake, or was stopped before it was asked
        pull += ["--lake", str(lake), "--quiet"]
        assert main(pull) == SettingsError.exit_code
        capsys.readouterr()
        assert main([*pull, "--by-authority", "the Act"]) == 0
        out = capsys.readouterr().out
        assert "0 new from them, 2 known" in out
        assert "1 found" in out
        assert main([*pull, "--by-authority", "the Act"]) == 0
    text = "".join(path.read_text() for path in sorted(lake.rglob("*.jsonl")))
    assert text.count("objects-00000001.json") == 1  # asked once, and the journal names what came


def _certificate(folder: Path, name: str, issuer: tuple[Any, Any] | None) -> tuple[Any, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        made = made.add_extension(names, critical=False)
        made = made.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key()), critical=False
        )
    else:
        usage = dict.fromkeys(
            "digital_signature content_commitment key_encipherment data_encipherment key_agreement crl_sign "
            "encipher_only decipher_only".split(),
            False,
        )
        made = made.add_extension(x509.KeyUsage(key_cert_sign=True, **usage), critical=True)
    certificate = made.sign(issuer[1] if issuer else key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.key").write_bytes(private)
    return certificate, key


def test_mutual_tls(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authority = _certificate(folder, "authority", None)
    _certificate(folder, "server", authority)
    theirs, _ = _certificate(folder, "theirs", authority)
    _certificate(folder, "anothers", authority)
    _certificate(folder, "strangers", None)
    text = (folder / "site.toml").read_text()
    proof = f'tokens = ["{digest("au")}"]\ncertificates = ["sha256:{theirs.fingerprint(hashes.SHA256()).hex()}"]'
    (folder / "site.toml").write_text(text.replace(f'tokens = ["{digest("au")}"]', proof))
    files = [
        word
        for name in ("certificate", "key")
        for word in (f"--{name}", str(folder / f"server.{'pem' if name != 'key' else 'key'}"))
    ]
    with _served(folder, *files, "--authority", str(folder / "authority.pem")) as port:

        def pull(name: str, *words: str) -> int:
            asked = ["share", "pull", _url(port, "https"), "--as", "x", "--token-file", str(folder / f"{name}.token")]
            return main([*asked, "--authority", str(folder / "authority.pem"), *words])

        def shows(name: str) -> list[str]:
            return ["--certificate", str(folder / f"{name}.pem"), "--key", str(folder / f"{name}.key")]

        assert pull("au", *shows("theirs")) == 0
        assert pull("siem") == 0  # of whom no certificate is wanted
        capsys.readouterr()
        assert pull("au") == ShareError.exit_code
        assert "401" in capsys.readouterr().err
        assert pull("au", *shows("anothers")) == ShareError.exit_code
        assert "401" in capsys.readouterr().err


@pytest.mark.parametrize("listen", ["0.0.0.0:8043", "[::]:8043", "example.org:8043"])
def test_beyond_this_machine_only_with_a_certificate(
    folder: Path, listen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["share", "serve", str(folder / "site.toml"), "--listen", listen]) == SettingsError.exit_code
    assert "clear text" in capsys.readouterr().err


@pytest.mark.parametrize("listen", ["8043", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "127.0.0.1:x"])
def test_no_address(folder: Path, listen: str) -> None:
    assert main(["share", "serve", str(folder / "site.toml"), "--listen", listen]) == SettingsError.exit_code


def test_token(capsys: pytest.CaptureFixture[str]) -> None:
    from hashlib import sha256

    assert main(["share", "token"]) == 0
    secret, stands_for = capsys.readouterr().out.split()
    assert stands_for == "sha256:" + sha256(secret.encode()).hexdigest()
    assert len(secret) > 40


def test_a_store_that_cannot_be_opened_is_told_without_its_password(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(folder / "bundle.json")
    for url in ("postgresql://me:geheim@127.0.0.1:1/x", "mysql://me:geheim@x/y", "geheim", "sqlite:////proc/geheim/x"):
        words = ["share", "offer", str(folder / "site.toml"), bundle, "--collection", "five", "--store", url]
        assert main(words) == ShareError.exit_code
        assert "geheim@" not in capsys.readouterr().err
