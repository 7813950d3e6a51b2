"""A small network to enforce in."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator

import pytest

from containing.nets import Net, needs, run


@pytest.fixture
def net() -> Iterator[Net]:
    """`web` behind `router`; outside of it `evil` at 203.0.113.9 and `client` at 203.0.113.80, whom the web serves."""
    needs("ip", "nft", "ping", "unshare")
    made = Net(tag=f"t{secrets.token_hex(3)}")
    try:
        for name in ("router", "web", "evil", "client"):
            made.host(name)
        made.link("web", "192.0.2.10/24", "router", "192.0.2.1/24", 1)
        made.link("evil", "203.0.113.9/30", "router", "203.0.113.10/30", 2)
        made.link("client", "203.0.113.81/30", "router", "203.0.113.82/30", 3)
        made.route("web", "192.0.2.1")
        made.route("evil", "203.0.113.10")
        made.route("client", "203.0.113.82")
        run(*made.within("router"), "sysctl", "-qw", "net.ipv4.ip_forward=1")
        yield made
    finally:
        for name in made.made:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
