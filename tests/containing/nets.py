"""Hosts as network namespaces; what a machine lacks for them is told and left out, or fails where CI asks for all."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field

import pytest


def needs(*programs: str) -> None:
    """Leave a test out, or fail it where everything must run, unless these are here and namespaces may be made."""
    if "/usr/sbin" not in os.environ.get("PATH", "").split(":"):
        os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"  # where a plain user's shell does not look
    lacking = [name for name in programs if shutil.which(name) is None]
    word = (
        f"not here: {', '.join(lacking)} (Debian: nftables, iproute2, unbound, bind9, bind9-dnsutils)"
        if lacking
        else ""
    )
    if not word and "ip" in programs:
        made = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
        word = "" if made.returncode == 0 else "network namespaces may not be made here: run as root"
    if not word:
        return
    if os.environ.get("TOCSIN_REQUIRE_SHARED") == "1":
        pytest.fail(f"left out: {word}", pytrace=False)
    pytest.skip(word)


def run(*argv: str, text: str = "") -> str:
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{argv}: {done.stderr}"
    return done.stdout


@dataclass
class Net:
    """A router between a network of our own and the outside: names of namespaces, made and removed."""

    tag: str
    made: list[str] = field(default_factory=list)

    def __getitem__(self, host: str) -> str:
        return f"{self.tag}{host}"

    def within(self, host: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self[host])

    def host(self, name: str) -> None:
        run("ip", "netns", "add", self[name])
        self.made.append(self[name])
        run(*self.within(name), "ip", "link", "set", "lo", "up")

    def link(self, one: str, address: str, other: str, towards: str, number: int) -> None:
        """A wire between two hosts, with an address at each end."""
        ends = f"{self.tag}{number}a", f"{self.tag}{number}b"
        run(
            "ip",
            "link",
            "add",
            ends[0],
            "netns",
            self[one],
            "type",
            "veth",
            "peer",
            "name",
            ends[1],
            "netns",
            self[other],
        )
        for host, end, own in ((one, ends[0], address), (other, ends[1], towards)):
            run(*self.within(host), "ip", "addr", "add", own, "dev", end)
            run(*self.within(host), "ip", "link", "set", end, "up")

    def route(self, host: str, via: str) -> None:
        run(*self.within(host), "ip", "route", "add", "default", "via", via)

    def reaches(self, host: str, address: str) -> bool:
        argv = [*self.within(host), "ping", "-c", "1", "-W", "1", address]
        return subprocess.run(argv, capture_output=True, check=False, timeout=10).returncode == 0

    def ruleset(self, host: str) -> str:
        return run(*self.within(host), "nft", "list", "ruleset")
