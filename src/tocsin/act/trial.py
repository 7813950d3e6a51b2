"""Addresses in, a small network to try blocks in out: three namespaces of this machine, which reach nothing else.

`inside` speaks to the addresses through `router`; `outside` has them all, and one more that nobody wants to block.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tocsin.act.run import ask
from tocsin.errors import ActError
from tocsin.model.action import Step

BYSTANDER: Final = "198.18.0.99"  # of the range for benchmarks (RFC 2544): it is nobody's
_HINT: Final = "Namespaces want root, and the programs ip, nft and ping (Debian: iproute2, nftables, iputils-ping)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    router: tuple[str, ...]  # words that enter it
    inside: tuple[str, ...]

    def reaches(self, address: str) -> bool:
        """Whether an answer comes back from an address, which is in its normal form."""
        return ask(Step(what="ping", argv=(*self.inside, "ping", "-c", "1", "-W", "1", address))).well

    def ruleset(self) -> str:
        return ask(Step(what="list the ruleset", argv=(*self.router, "nft", "list", "ruleset"))).said


@contextmanager
def network(addresses: Sequence[str]) -> Iterator[Trial]:
    """The network, as long as the context lasts.

    Args:
        addresses: IPv4, in their normal form.

    Raises:
        ActError: no such network can be made here.
    """
    tag = f"tocsin{os.getpid()}"
    names = inside, router, outside = [f"{tag}{part}" for part in ("i", "r", "o")]
    try:
        _batch((), [f"netns add {name}" for name in names])
        _batch(
            (),
            [
                f"link add {tag}a netns {inside} type veth peer name {tag}b netns {router}",
                f"link add {tag}c netns {outside} type veth peer name {tag}d netns {router}",
            ],
        )
        own = [f"addr add {address}/32 dev lo" for address in (*addresses, BYSTANDER)]
        ends = {
            inside: [f"addr add 198.18.0.2/30 dev {tag}a", f"link set {tag}a up", "route add default via 198.18.0.1"],
            outside: [
                *(f"addr add 198.18.0.6/30 dev {tag}c", f"link set {tag}c up", "link set lo up"),
                *own,
                "route add default via 198.18.0.5",
            ],
            router: [
                *(f"addr add 198.18.0.1/30 dev {tag}b", f"link set {tag}b up"),
                *(f"addr add 198.18.0.5/30 dev {tag}d", f"link set {tag}d up"),
                *(f"route add {address}/32 via 198.18.0.6" for address in (*addresses, BYSTANDER)),
            ],
        }
        for name, lines in ends.items():
            _batch(("-n", name), lines)
        forward = (*_within(router), "tee", "/proc/sys/net/ipv4/ip_forward")
        _done(Step(what="let the router forward", argv=forward, text="1\n"))
        _done(Step(what="ask for nft", argv=(*_within(router), "nft", "list", "ruleset")))
        yield Trial(router=_within(router), inside=_within(inside))
    finally:
        for name in names:
            ask(Step(what="remove the namespace", argv=("ip", "netns", "del", name)))


def _within(name: str) -> tuple[str, ...]:
    return ("ip", "netns", "exec", name)


def _batch(words: tuple[str, ...], lines: Sequence[str]) -> None:
    _done(Step(what="make a network", argv=("ip", *words, "-batch", "-"), text="".join(f"{line}\n" for line in lines)))


def _done(step: Step) -> None:
    done = ask(step)
    if not done.well:
        raise ActError(f"no network to try it in can be made: {done.said.strip()[:200]}", hint=_HINT)
