"""A connection across the border in, the firewall's line out: FortiOS traffic logs, or Linux netfilter's LOG target.

FortiOS: "Log reference", traffic, log 13 (forward). netfilter: the kernel's `nf_log_syslog`; it tells the first packet
only and no sizes.
"""

from __future__ import annotations

from typing import Final

from tocsin.rehearse.dice import digest
from tocsin.rehearse.rhythm import HOUR_US, ahead_us, clock
from tocsin.rehearse.scene import Scene

_SERVICES: Final = {22: "SSH", 25: "SMTP", 53: "DNS", 80: "HTTP", 123: "NTP", 443: "HTTPS", 3389: "RDP"}


def fortigate(
    scene: Scene,
    body: str,
    ts_us: int,
    *,
    ends: tuple[str, int, str, int],
    inward: bool,
    proto: int,
    denied: bool,
    lasts_s: float,
    sizes: tuple[int, int, int, int],
) -> None:
    """One session, written when it is over.

    Args:
        ends: source address and port, destination address and port.
        sizes: bytes and packets sent, bytes and packets received, with their headers.
    """
    source, sport, target, dport = ends
    ends_us = ts_us + int(lasts_s * 1e6)
    ahead = ahead_us(ends_us)
    day, _, hour = clock(ends_us + ahead).partition("T")
    lan, wan = ("dmz", "wan1") if source.startswith("198.51.") or target.startswith("198.51.") else ("lan", "wan1")
    one, other = (wan, lan) if inward else (lan, wan)
    sent, sent_packets, received, received_packets = (0, 0, 0, 0) if denied else sizes
    service = _SERVICES.get(dport, f"{'tcp' if proto == 6 else 'udp'}/{dport}")
    action = "deny" if denied else "close" if proto == 6 else "accept"
    line = (
        f'date={day} time={hour[:8]} devname="fw-{body}-edge" devid="FG200FT920{sum(body.encode()):06}" '
        f'eventtime={ends_us}000 tz="+{ahead // HOUR_US}00" logid="0000000013" type="traffic" subtype="forward" '
        f'level="{"warning" if denied else "notice"}" vd="root" srcip={source} srcport={sport} srcintf="{one}" '
        f'srcintfrole="{"wan" if inward else "lan"}" dstip={target} dstport={dport} dstintf="{other}" '
        f'dstintfrole="{"lan" if inward else "wan"}" srccountry="Reserved" dstcountry="Reserved" '
        f'sessionid={int(digest(ts_us, sport)[:7], 16)} proto={proto} action="{action}" '
        f'policyid={0 if denied else 12 if inward else 7} policytype="policy" service="{service}" '
        f'trandisp="noop" duration={int(lasts_s)} sentbyte={sent} rcvdbyte={received} '
        f'sentpkt={sent_packets} rcvdpkt={received_packets} appcat="unscanned"\n'
    )
    scene.tape.put(scene.tape.stream(f"firewall/{body}/traffic-{{day}}.log"), ends_us, line, scene.mark)


def netfilter(
    scene: Scene,
    body: str,
    ts_us: int,
    *,
    ends: tuple[str, int, str, int],
    inward: bool,
    proto: int,
    denied: bool,
) -> None:
    """The first packet of a connection, as rsyslog writes the kernel's line with its time in full (RFC 3339)."""
    source, sport, target, dport = ends
    one, other = ("eth0", "eth1") if inward else ("eth1", "eth0")
    six = ":" in source or ":" in target
    tag = digest(source, sport, ts_us)
    size = 80 if six else 60
    if proto != 6:
        size += 12
    ip = (
        "TC=0 HOPLIMIT=57 FLOWLBL=0"
        if six
        else f"TOS=0x00 PREC=0x00 TTL={50 + int(tag[0], 16)} ID={int(tag[:4], 16)} DF"
    )
    rest = f"WINDOW={64240 if tag[5] > '3' else 65535} RES=0x00 SYN URGP=0" if proto == 6 else f"LEN={size - 20}"
    line = (
        f"{clock(ts_us, micro=True)}+00:00 fw-{body}-edge kernel: "
        f"[{ts_us // 1_000_000 % 9_000_000}.{ts_us % 1_000_000:06}] "
        f"{'DROP' if denied else 'ACCEPT'} IN={one} OUT={other} "
        f"MAC=02:00:00:00:{tag[:2]}:01:02:00:00:00:{tag[2:4]}:02:08:00 "
        f"SRC={source} DST={target} LEN={size} {ip} "
        f"PROTO={'TCP' if proto == 6 else 'UDP'} SPT={sport} DPT={dport} {rest} \n"
    )
    scene.tape.put(scene.tape.stream(f"firewall/{body}/kern-{{day}}.log"), ts_us, line, scene.mark)
