"""unbound and BIND from Debian answer under the zone, and normally else; and normally again when it is lifted."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from containing.making import BAD_NAME, OWN, PEOPLE, allow, case, planned, talking
from containing.nets import Net, needs, run
from tocsin import enforce, watched
from tocsin.model.action import Place

KNOWN = tuple(PEOPLE.values())
GOOD_NAME = "www.good.example"
_ANSWER = "192.0.2.99"
UNBOUND = """server:
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  interface: 127.0.0.1
  port: 5300
  module-config: "respip iterator"
  local-zone: "example." transparent
  local-data: "x.invalid. A 192.0.2.1"
remote-control:
  control-enable: yes
  control-interface: {folder}/control
  control-use-cert: no
rpz:
  name: tocsin.rpz
  zonefile: "{folder}/tocsin.zone"
auth-zone:
  name: "example."
  for-upstream: yes
  for-downstream: no
  zonefile: "{folder}/example.zone"
"""
BIND = """options {{
  directory "{folder}";
  listen-on port 5300 {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file "{folder}/named.pid";
  session-keyfile "{folder}/session.key";
  managed-keys-directory "{folder}";
  recursion yes;
  allow-query {{ any; }};
  dnssec-validation no;
  response-policy {{ zone "tocsin.rpz" min-update-interval 0; }} qname-wait-recurse no;
}};
key "rndc" {{ algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"; }};
controls {{ inet 127.0.0.1 port 9530 allow {{ 127.0.0.1; }} keys {{ "rndc"; }}; }};
zone "tocsin.rpz" {{ type primary; file "{folder}/tocsin.zone"; }};
zone "example" {{ type primary; file "{folder}/example.zone"; }};
"""
RNDC = """key "rndc" { algorithm hmac-sha256; secret "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"; };
options { default-key "rndc"; default-server 127.0.0.1; default-port 9530; };
"""
EXAMPLE = f"""$TTL 60
@ IN SOA localhost. root.localhost. 1 60 60 86400 60
@ IN NS localhost.
* IN A {_ANSWER}
*.evil IN A {_ANSWER}
*.good IN A {_ANSWER}
"""
EMPTY = "$TTL 60\n@ IN SOA localhost. root.localhost. 1 60 60 86400 60\n@ IN NS localhost.\n"


def _unbound(net: Net, folder: Path) -> tuple[list[str], Place]:
    (folder / "unbound.conf").write_text(UNBOUND.format(folder=folder))
    place = Place(
        enforcer="unbound",
        run=net.within("resolver"),
        zone_file=str(folder / "tocsin.zone"),
        control=("unbound-control", "-c", str(folder / "unbound.conf"), "auth_zone_reload"),
        port=5300,
    )
    return ["unbound", "-d", "-c", str(folder / "unbound.conf")], place


def _bind(net: Net, folder: Path) -> tuple[list[str], Place]:
    (folder / "named.conf").write_text(BIND.format(folder=folder))
    (folder / "rndc.conf").write_text(RNDC)
    place = Place(
        enforcer="bind",
        run=net.within("resolver"),
        zone_file=str(folder / "tocsin.zone"),
        control=("rndc", "-c", str(folder / "rndc.conf"), "reload"),
        port=5300,
    )
    return ["named", "-f", "-c", str(folder / "named.conf")], place


@pytest.fixture(params=["unbound", "bind"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Net, Place]]:
    """A resolver that knows all names below `example`, in a namespace of its own."""
    needs(
        "ip", "unshare", "dig", *(("unbound", "unbound-control") if request.param == "unbound" else ("named", "rndc"))
    )
    folder = tmp_path / "resolver"
    folder.mkdir()
    (folder / "tocsin.zone").write_text(EMPTY)
    (folder / "example.zone").write_text(EXAMPLE)
    net = Net(tag=f"d{os.getpid()}")
    net.host("resolver")
    server, found = (_unbound if request.param == "unbound" else _bind)(net, folder)
    if request.param == "bind that waits":
        told = folder / "named.conf"
        told.write_text(told.read_text().replace("min-update-interval 0", "min-update-interval 60"))
    # A server that inherits our pipe would hold it open for ever.
    with (folder / "said").open("w") as said:
        running = subprocess.Popen(
            [*net.within("resolver"), *server], stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
    try:
        _until(lambda: _status(net, GOOD_NAME) == "NOERROR", folder / "said")
        yield net, found
    finally:
        running.terminate()
        running.wait(timeout=20)
        subprocess.run(["ip", "netns", "del", net["resolver"]], capture_output=True, check=False)


def _until(holds: Callable[[], bool], said: Path) -> None:
    for _ in range(100):
        if holds():
            return
        time.sleep(0.1)
    pytest.fail(said.read_text()[-2_000:])


def _status(net: Net, name: str) -> str:
    argv = [*net.within("resolver"), "dig", "@127.0.0.1", "-p", "5300", "+time=1", "+tries=1", name, "A"]
    said = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20).stdout
    return said.partition("status: ")[2].partition(",")[0]


def test_the_intruders_names_are_gone_and_all_others_are_answered(place: tuple[Net, Place], tmp_path: Path) -> None:
    net, where = place
    said = tmp_path / "resolver" / "said"
    assert _status(net, BAD_NAME) == "NOERROR"
    folder = case(tmp_path, talking())
    kept = planned(folder)
    allow(folder, kept)
    enforce.apply(folder, kept, [where], OWN, KNOWN, "Ben")
    _until(lambda: _status(net, BAD_NAME) == "NXDOMAIN", said)
    assert _status(net, f"deeper.{BAD_NAME}") == "NXDOMAIN"
    assert _status(net, GOOD_NAME) == "NOERROR"
    assert _status(net, "other.evil.example") == "NOERROR"
    (seen,) = watched.probed(folder, [where])
    assert (seen.target.value, seen.stands) == (BAD_NAME, True)
    enforce.undo(folder, [where], "Ben")
    _until(lambda: _status(net, BAD_NAME) == "NOERROR", said)
    assert _status(net, GOOD_NAME) == "NOERROR"


@pytest.mark.parametrize("place", ["bind that waits"], indirect=True)
def test_a_resolver_that_waits_is_not_told_to_hold(place: tuple[Net, Place], tmp_path: Path) -> None:
    """Without `min-update-interval 0` BIND says yes to `reload` and goes on answering; the probe tells."""
    net, where = place
    folder = case(tmp_path, talking())
    kept = planned(folder)
    allow(folder, kept)
    enforce.apply(folder, kept, [where], OWN, KNOWN, "Ben")
    assert _status(net, BAD_NAME) == "NOERROR"
    (seen,) = watched.probed(folder, [where])
    assert not seen.stands


@pytest.mark.parametrize("checker", ["named-checkzone"])
def test_a_zone_of_many_names_is_one(checker: str, tmp_path: Path) -> None:
    needs(checker)
    from tocsin.contain.zone import zone
    from tocsin.model.action import Block, Target

    now = 1_800_000_000_000_000
    blocks = [
        Block(
            verb="block domain",
            target=Target(kind="domain", value=f"n{number}.evil.example"),
            since_us=now,
            until_us=now + 1_000_000,
            cases=("inc1",),
        )
        for number in range(2_000)
    ]
    path = tmp_path / "zone"
    path.write_text(zone(blocks, now))
    assert "OK" in run(checker, "tocsin.rpz", str(path))
    assert "n0." not in zone(blocks, now + 2_000_000)
