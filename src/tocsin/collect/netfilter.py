"""A line that the kernel's packet filter logged in, its fields out, under its own names and Sigma's for firewalls.

After the kernel's `nf_log_syslog` (the LOG target of iptables and nftables): `PREFIX IN=eth0 OUT= SRC=... DST=...`.
The filter does not say what became of the packet: only the prefix does, which whoever wrote the rule chose. `action`
and `blocked` are told where it holds a usual word (`[UFW BLOCK]`, `DROP`), or at its end the letter of EdgeOS and VyOS.
Words that are no pairs are `ip_flags` (`DF`), `tcp_flags` (`ACK SYN`) or, whatever else they are, `words`. Fields of
the packet that an ICMP error carries stand in brackets; they are called `inner_SRC` and so on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np

from tocsin.collect.later import later
from tocsin.collect.lines import Lines, Mask, Spans, Told
from tocsin.collect.marks import Marks, byte, chosen, holds, is_number, unless
from tocsin.model.event import Longs

Fields: TypeAlias = dict[str, str | tuple[str, ...] | None]

_BEGIN: Final = later(r"(?:^|(?<=[\s\]:.>-]))IN=[^\s=]{0,64} OUT=")
_LONGEST_NAME: Final = 64  # of an interface, as in the expression above
_UPTIME: Final = later(r"\[ *\d+\.\d+\] ?")
_WORD: Final = later(r"([A-Z][A-Za-z0-9]{0,31})=(\S*)|(\S+)")
_NAMES: Final = {"SRC": "src_ip", "DST": "dst_ip", "SPT": "src_port", "DPT": "dst_port"}
_IP_FLAGS: Final = ("CE", "DF", "MF")
_TCP_FLAGS: Final = ("CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN")
_ACTIONS: Final = (
    (
        later(r"(?:^|[^A-Za-z])(?:DROP(?:PED)?|BLOCK(?:ED)?|DEN(?:Y|IED))(?![A-Za-z])", re.IGNORECASE),
        "drop",
        "true",
    ),
    (later(r"(?:^|[^A-Za-z])REJECT(?:ED)?(?![A-Za-z])", re.IGNORECASE), "reject", "true"),
    (later(r"(?:^|[^A-Za-z])(?:ACCEPT|ALLOW|PERMIT|PASS)(?:ED)?(?![A-Za-z])", re.IGNORECASE), "accept", "false"),
    (later(r"-D\]\s*$"), "drop", "true"),
    (later(r"-R\]\s*$"), "reject", "true"),
    (later(r"-A\]\s*$"), "accept", "false"),
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
    opening, closing = rest.find("["), rest.rfind("]")
    inner = rest[opening + 1 : closing] if 0 <= opening < closing else ""
    fields |= _words(rest.replace(f"[{inner}]", "", 1) if inner else rest, "")
    fields |= _words(inner, "inner_")
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
    """Pairs, and the words between them. UDP says `LEN` twice: of the packet, and as `LEN_` of what it carries."""
    fields: Fields = {}
    again: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    for key, value, word in _WORD.findall(text):
        if word:
            kind = "ip_flags" if word in _IP_FLAGS else "tcp_flags" if word in _TCP_FLAGS else "words"
            words.setdefault(before + kind, []).append(word)
        else:
            name = before + key
            if name in fields:
                again.setdefault(f"{name}_", []).append(value)
            else:
                fields[name] = value
    fields |= {name: some[0] if len(some) == 1 else tuple(some) for name, some in again.items()}
    return fields | {name: " ".join(found) for name, found in words.items()}


class Packets:
    """The packets of a block of lines: `usual` marks lines that are one of TCP or UDP of which all is known.

    Args:
        starts: where each line's message begins.
        outs: where ` OUT=` stands in each line; before the line where it does not.
    """

    def __init__(self, block: Lines, starts: Longs, outs: Longs) -> None:
        self._block, self._spaces, equals = block, Marks(block, " "), Marks(block, "=")
        first = equals.before(starts)
        begin = equals.at(first) - 2
        self.usual: Mask = (outs >= starts) & holds(block, begin, "IN=") & (equals.before(outs) == first + 1)
        self.usual &= (begin >= starts) & (self._spaces.before(outs) == self._spaces.before(begin))
        self.usual &= outs - begin <= _LONGEST_NAME + 3
        behind = np.isin(byte(block, begin - 1), np.frombuffer(b" ]:.>-", np.uint8))
        self.usual &= (begin == starts) | behind
        self._spans: dict[str, Spans] = {"prefix": self._prefix(starts, begin), "IN": Spans(begin + 3, outs)}
        self._at, self._space = outs + 1, self._spaces.before(outs + 1)  # and which space is the next behind it
        self._walk()

    def fields(self, usual: Mask) -> Mapping[str, Spans | Told | str]:
        """The fields of lines, all of which `usual` marks or which are to have none; for `Split.fields`."""
        spans = {}
        for name, span in self._spans.items():
            there = self.usual & (span.starts >= 0)
            if there.any():
                spans[name] = chosen(usual, unless(~there, *span))
        told: dict[str, Spans | Told | str] = {**spans}
        told |= {name: spans[key] for key, name in _NAMES.items() if key in spans}
        if "prefix" in spans:
            told["action"] = Told(spans["prefix"], lambda text: _fate(text, "action"))
            told["blocked"] = Told(spans["prefix"], lambda text: _fate(text, "blocked"))
        if "PROTO" in spans:
            told["protocol"] = Told(spans["PROTO"], str.lower)
        return told

    def _prefix(self, starts: Longs, begin: Longs) -> Spans:
        """What stands before `IN=`, without the time since the start of the system."""
        block, dots, closing = self._block, Marks(self._block, "."), Marks(self._block, "]")
        dot, end = dots.at(dots.before(starts)), closing.at(closing.before(starts))
        opened = byte(block, starts) == ord("[")
        timed = opened & is_number(block, starts + 1, dot) & is_number(block, dot + 1, end) & (end < begin)
        inside = byte(block, starts + 1)
        self.usual &= timed | ~opened | ((inside > ord("9")) | (inside == ord("-")))
        at = np.where(timed, end + 1, starts)
        at = at + (timed & (byte(block, at) == ord(" ")))
        stop = begin - (byte(block, begin - 1) == ord(" "))
        stop = np.maximum(stop, at)
        self.usual &= (at == stop) | ((byte(block, at) > ord(" ")) & (byte(block, stop - 1) > ord(" ")))
        return unless(at >= stop, at, stop)

    def _walk(self) -> None:
        """Read one pair after the other, in the order in which the kernel writes them."""
        for name in ("OUT", "PHYSIN", "PHYSOUT", "MAC"):
            self._pair(name)
        self.usual &= self._pair("SRC", filled=True) & self._pair("DST", filled=True) & self._pair("LEN")
        for name in ("TOS", "PREC", "TTL", "ID", "TC", "HOPLIMIT", "FLOWLBL"):
            self._pair(name)
        self._flags("ip_flags", _IP_FLAGS)
        tcp, udp = holds(self._block, self._at, "PROTO=TCP "), holds(self._block, self._at, "PROTO=UDP ")
        self.usual &= (
            (tcp | udp) & self._pair("PROTO") & self._pair("SPT", filled=True) & self._pair("DPT", filled=True)
        )
        self.usual &= self._pair("LEN", "LEN_") == udp
        for name in ("SEQ", "ACK", "WINDOW", "RES"):
            self._pair(name)
        self._flags("tcp_flags", _TCP_FLAGS)
        for name in ("URGP", "UID", "GID", "MARK"):
            self._pair(name)
        self.usual &= self._at >= self._block.stops

    def _pair(self, key: str, name: str = "", *, filled: bool = False) -> Mask:
        """Step over a pair where it stands; whether it does, and holds something if it must."""
        block, at = self._block, self._at
        there = holds(block, at, f"{key}=") & (at < block.stops)
        end = np.where(self._space < self._spaces.count, self._spaces.at(self._space), block.stops)
        start = at + len(key) + 1
        self._spans[name or key] = unless(~there, start, end)
        self._at, self._space = np.where(there, end + 1, at), self._space + there
        return there & (end > start) if filled else there

    def _flags(self, name: str, flags: tuple[str, ...]) -> None:
        """Step over words that stand one behind the other in a fixed order."""
        start = self._at
        for flag in flags:
            there = holds(self._block, self._at, f"{flag} ")
            self._at, self._space = self._at + (len(flag) + 1) * there, self._space + there
        self._spans[name] = unless(self._at == start, start, self._at - 1)


def _fate(prefix: str, name: str) -> str | None:
    told = action(prefix).get(name)
    return told if isinstance(told, str) else None
