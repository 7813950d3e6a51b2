"""Addresses and networks in, a table of nftables out: sets with a timeout and a counter for each element (nft(8)).

The table is Tocsin's own, and it is gone when the last block is: the ruleset is then, byte for byte, what it was. Each
script is one transaction. All that is written here are normal forms of addresses.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from tocsin.contain.guard import normal
from tocsin.model.action import Block, Place, Probed, Step, Text, Verb

NAME: Final = "nftables"
VERBS: Final[frozenset[Verb]] = frozenset({"block address", "block network"})
CARRIED_OUT: Final = True

_TABLE: Final = "inet tocsin"
_LINE: Final = 2_000  # elements of one command
_SETS: Final = ("address4", "address6", "network4", "network6")
_KINDS: Final = {"4": ("ipv4_addr", "ip"), "6": ("ipv6_addr", "ip6")}


def render(blocks: Sequence[Block], place: Place, now_us: int) -> tuple[Text, ...]:
    return (Text(name="tocsin.nft", content=_table(blocks, now_us)),)


def steps(before: Sequence[Block], after: Sequence[Block], place: Place, now_us: int) -> tuple[Step, ...]:
    nft = (*place.run, "nft", "-f", "-")
    if not after:
        # `add` is for the machine that was started anew in the meantime and has no such table.
        text = f"add table {_TABLE}\ndelete table {_TABLE}\n"
        return (Step(what="remove the table of blocks", argv=nft, text=text),) if before else ()
    there = (*place.run, "nft", "list", "table", *_TABLE.split())
    changes = _changes(before if before != after else (), after, now_us)
    made = Step(what="make the table of blocks", argv=nft, text=_table(before, now_us), unless=there)
    if not changes:
        return (made,)
    return made, Step(what=f"change {len(before)} blocks to {len(after)}", argv=nft, text=changes)


def probes(blocks: Sequence[Block], place: Place) -> tuple[Step, ...]:
    argv = (*place.run, "nft", "-j", "list", "table", *_TABLE.split())
    return (Step(what="list the blocks and what they stopped", argv=argv),)


def seen(said: Sequence[str], blocks: Sequence[Block]) -> tuple[Probed, ...]:
    stopped: dict[str, int | None] = {}
    for text in said:
        stopped.update(_counted(text))
    found = []
    for block in blocks:
        name = block.target.value
        if name not in stopped and block.target.kind == "network":
            name = next((wide for wide in stopped if _covers(wide, name)), name)
        found.append(Probed(target=block.target, stands=name in stopped, stopped=stopped.get(name)))
    return tuple(found)


def _counted(text: str) -> Iterable[tuple[str, int | None]]:
    """Each element of the sets in what `nft -j` tells, with its packets."""
    try:
        parts: list[Any] = json.loads(text)["nftables"]
    except (ValueError, KeyError, TypeError):
        return
    for part in parts:
        for one in part.get("set", {}).get("elem", ()):
            told = one.get("elem", one) if isinstance(one, dict) else {"val": one}
            value, counter = told.get("val", told), told.get("counter")
            if isinstance(value, dict) and "prefix" in value:
                value = f"{value['prefix']['addr']}/{value['prefix']['len']}"
            yield str(value), counter["packets"] if isinstance(counter, dict) else None


def _covers(wide: str, name: str) -> bool:
    if "/" not in wide or (":" in wide) != (":" in name):
        return False
    return ipaddress.ip_network(name).subnet_of(ipaddress.ip_network(wide))  # type: ignore[arg-type]


def _table(blocks: Sequence[Block], now_us: int) -> str:
    """The whole table. `prerouting` sees what is let through and what is for this machine, `output` what it sends."""
    lines = [f"table {_TABLE} {{"]
    for name in _SETS:
        interval = "interval," if name.startswith("network") else ""
        lines.append(f"\tset {name} {{ type {_KINDS[name[-1]][0]}; flags {interval}timeout; counter; }}")
    for chain, hook in (("arriving", "prerouting"), ("leaving", "output")):
        lines.append(f"\tchain {chain} {{")
        lines.append(f"\t\ttype filter hook {hook} priority -290; policy accept;")
        for name in _SETS:
            protocol = _KINDS[name[-1]][1]
            lines += [f"\t\t{protocol} {side} @{name} drop" for side in ("saddr", "daddr")]
        lines.append("\t}")
    lines.append("}")
    lines += _added(_addresses(blocks), now_us)
    lines += _added(_widest(blocks), now_us)
    return "\n".join(lines) + "\n"


def _changes(before: Sequence[Block], after: Sequence[Block], now_us: int) -> str:
    """Elements that go, then those that come. What another case lets stand longer goes and comes again."""
    old = {block.target.value: block for block in _addresses(before)}
    new = {block.target.value: block for block in _addresses(after)}
    gone = [block for name, block in old.items() if name not in new or new[name].until_us != block.until_us]
    come = [block for name, block in new.items() if name not in old or old[name].until_us != block.until_us]
    # An element may have run out by itself: adding what is there and deleting it is no error, deleting nothing is.
    lines = [*_elements("add", gone), *_elements("delete", gone), *_added(come, now_us)]
    nets = [[(block.target.value, block.until_us) for block in _widest(side)] for side in (before, after)]
    if nets[0] != nets[1]:
        lines += [f"flush set {_TABLE} network4", f"flush set {_TABLE} network6", *_added(_widest(after), now_us)]
    return "".join(f"{line}\n" for line in lines)


def _addresses(blocks: Iterable[Block]) -> list[Block]:
    return sorted((one for one in blocks if one.target.kind == "address"), key=lambda one: one.target.value)


def _widest(blocks: Iterable[Block]) -> list[Block]:
    """Networks that lie in no other one: sets of intervals take none that overlap."""
    every = [one for one in blocks if one.target.kind == "network"]
    every.sort(key=lambda one: (ipaddress.ip_network(normal(one.target)).prefixlen, one.target.value))
    kept: list[Block] = []
    for block in every:
        if not any(_covers(wide.target.value, block.target.value) for wide in kept):
            kept.append(block)
    return kept


def _set_of(block: Block) -> str:
    return f"{block.target.kind}{'6' if ':' in block.target.value else '4'}"


def _added(blocks: Sequence[Block], now_us: int) -> list[str]:
    left = [one for one in blocks if not one.until_us or one.until_us > now_us]
    return _elements("add", left, now_us)


def _elements(verb: str, blocks: Sequence[Block], now_us: int | None = None) -> list[str]:
    by_set: dict[str, list[str]] = {}
    for block in blocks:
        word = normal(block.target)
        if now_us is not None and block.until_us:
            word += f" timeout {max(1, (block.until_us - now_us) // 1_000_000)}s"
        by_set.setdefault(_set_of(block), []).append(word)
    return [
        f"{verb} element {_TABLE} {name} {{ {', '.join(words[first : first + _LINE])} }}"
        for name, words in sorted(by_set.items())
        for first in range(0, len(words), _LINE)
    ]
