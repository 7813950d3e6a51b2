"""A line that the kernel's packet filter logged in, its fields out, under its own names and Sigma's for firewalls.

After the kernel's `nf_log_syslog` (the LOG target of iptables and nftables): `PREFIX IN=eth0 OUT= SRC=... DST=...`.
The filter does not say what became of the packet: only the prefix does, which whoever wrote the rule chose. `action`
and `blocked` are told where it holds a usual word (`[UFW BLOCK]`, `DROP`), or at its end the letter of EdgeOS and VyOS.
Fields of the packet that an ICMP error carries stand in brackets; they are called `inner_SRC` and so on.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Fields: TypeAlias = dict[str, str | tuple[str, ...] | None]

_BEGIN: Final = re.compile(r"(?:^|(?<=[\s\]:.>-]))IN=\S* OUT=")
_UPTIME: Final = re.compile(r"\[ *\d+\.\d+\] ?")
_WORD: Final = re.compile(r"([A-Z][A-Za-z0-9]{0,31})=(\S*)|(\S+)")
_INNER: Final = re.compile(r"\[(.*)\]")
_NAMES: Final = {"SRC": "src_ip", "DST": "dst_ip", "SPT": "src_port", "DPT": "dst_port"}
_ACTIONS: Final = (
    (
        re.compile(r"(?:^|[^A-Za-z])(?:DROP(?:PED)?|BLOCK(?:ED)?|DEN(?:Y|IED))(?![A-Za-z])", re.IGNORECASE),
        "drop",
        "true",
    ),
    (re.compile(r"(?:^|[^A-Za-z])REJECT(?:ED)?(?![A-Za-z])", re.IGNORECASE), "reject", "true"),
    (re.compile(r"(?:^|[^A-Za-z])(?:ACCEPT|ALLOW|PERMIT|PASS)(?:ED)?(?![A-Za-z])", re.IGNORECASE), "accept", "false"),
    (re.compile(r"-D\]\s*$"), "drop", "true"),
    (re.compile(r"-R\]\s*$"), "reject", "true"),
    (re.compile(r"-A\]\s*$"), "accept", "false"),
)


def packet(message: str) -> Fields:
    """The fields of a message; none if it is not about a packet."""
    begin = _BEGIN.search(message)
    if begin is None:
        return {}
    uptime = _UPTIME.match(message)
    prefix = message[uptime.end() if uptime else 0 : begin.start()].strip()
    fields: Fields = {"prefix": prefix} if prefix else {}
    fields |= action(prefix)
    rest = message[begin.start() :]
    inner = _INNER.search(rest)
    if inner:
        rest = rest[: inner.start()] + rest[inner.end() :]
    fields |= _words(rest, "")
    fields |= _words(inner[1], "inner_") if inner else {}
    fields |= {name: fields[key] for key, name in _NAMES.items() if fields.get(key)}
    protocol = fields.get("PROTO")
    return fields | ({"protocol": protocol.lower()} if isinstance(protocol, str) else {})


def action(prefix: str) -> Fields:
    """What the prefix of a rule says of the packet's fate."""
    for pattern, word, blocked in _ACTIONS:
        if pattern.search(prefix):
            return {"action": word, "blocked": blocked}
    return {}


def _words(text: str, before: str) -> Fields:
    """Pairs, and words that stand for themselves (`SYN`, `DF`); a pair that comes twice keeps its first value.

    UDP says `LEN` twice: of the packet, and of what it carries.
    """
    fields: Fields = {}
    flags: list[str] = []
    for key, value, flag in _WORD.findall(text):
        if flag:
            flags.append(flag)
        else:
            name = before + key
            while name in fields:
                name += "_"
            fields[name] = value
    return fields | ({f"{before}flags": tuple(flags) if len(flags) > 1 else flags[0]} if flags else {})
