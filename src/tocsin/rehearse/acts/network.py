"""A connection in, what each sensor on its way wrote of it out. Bytes are counted once, so that all sensors agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from tocsin.rehearse.machine import Running
from tocsin.rehearse.rhythm import clock
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import firewall, names, windows, zeek
from tocsin.rehearse.world import Body, Host

# A machine of ours, or an address of the outside.
End: TypeAlias = Host | str

# A full segment on Ethernet with timestamps, and the headers of IPv4 and TCP with them.
_SEGMENT: Final = 1448
_HEADERS: Final = 52


@dataclass(slots=True, kw_only=True)
class Link:
    """A connection that happened. `uids` are what the network sensor of each body calls it."""

    ts_us: int
    source: str
    sport: int
    target: str
    dport: int
    sent: int
    received: int
    lasts_s: float
    uids: dict[str, str]


def address(end: End) -> str:
    return end if isinstance(end, str) else end.address


def connect(
    scene: Scene,
    ts_us: int,
    source: End,
    target: End,
    port: int,
    *,
    sent: int,
    received: int,
    lasts_s: float,
    proto: str = "tcp",
    service: str = "",
    state: str = "SF",
    run: Running | None = None,
    name: str = "",
    sport: int = 0,
) -> Link:
    """Two machines speak.

    Args:
        sent: bytes of payload from the source; `received` those that came back.
        state: Zeek's word for how it went: SF to its end, S0 no answer, REJ refused.
        run: the program that opened it, where its machine is watched.
        name: what the program called the target.
    """
    link = Link(
        ts_us=ts_us,
        source=address(source),
        sport=sport or 49_152 + scene.dice.below(16_000),
        target=address(target),
        dport=port,
        sent=sent if state == "SF" else 0,
        received=received if state == "SF" else 0,
        lasts_s=lasts_s if state == "SF" else 0.0,
        uids={},
    )
    sizes = _sizes(link, proto, state)
    bodies = {end.body: end for end in (source, target) if not isinstance(end, str)}
    for key in bodies:
        outward = isinstance(target, str) or target.body != key
        inward = isinstance(source, str) or source.body != key
        # One body has a tap in its core and sees all; the other has one at its border.
        # What the firewall drops on its way in never comes to either of them.
        if (key in zeek.JSON_BODIES or outward or inward) and not (inward and state == "S0"):
            _seen(scene, key, link, proto, service, state, sizes, (not inward, not outward))
        if outward or inward:
            _passed(scene, key, link, proto, state, sizes, inward=inward)
    if run is not None:
        _noted(scene, link, proto, run, name)
    return link


def _sizes(link: Link, proto: str, state: str) -> tuple[int, int, int, int]:
    """Bytes and packets of both ways, as they are on the wire."""
    if proto == "udp":
        return link.sent + 28, 1, link.received + 28 if link.received else 0, 1 if link.received else 0
    if state != "SF":
        return 60, 1, 40 if state == "REJ" else 0, 1 if state == "REJ" else 0
    acks = (link.sent + link.received) // (4 * _SEGMENT)
    out = 4 + -(-link.sent // _SEGMENT) + acks // 2
    back = 3 + -(-link.received // _SEGMENT) + acks // 3
    return link.sent + _HEADERS * out, out, link.received + _HEADERS * back, back


def _seen(
    scene: Scene,
    key: str,
    link: Link,
    proto: str,
    service: str,
    state: str,
    sizes: tuple[int, int, int, int],
    local: tuple[bool, bool],
) -> None:
    uid = link.uids[key] = "C" + scene.dice.letters(17)
    udp = proto == "udp"
    quiet = state != "SF"
    history = {"S0": "S", "REJ": "Sr"}.get(state, "Dd" if udp else "ShADadFf")
    fields = {
        "ts": link.ts_us,
        "uid": uid,
        "id.orig_h": link.source,
        "id.orig_p": link.sport,
        "id.resp_h": link.target,
        "id.resp_p": link.dport,
        "proto": proto,
        **({"service": service} if service and not quiet else {}),
        **({} if state == "S0" else {"duration": round(link.lasts_s, 6)}),
        **({} if quiet else {"orig_bytes": link.sent, "resp_bytes": link.received}),
        "conn_state": state,
        "local_orig": local[0],
        "local_resp": local[1],
        "missed_bytes": 0,
        "history": history,
        "orig_pkts": sizes[1],
        "orig_ip_bytes": sizes[0],
        "resp_pkts": sizes[3],
        "resp_ip_bytes": sizes[2],
    }
    zeek.write(scene, key, "conn", link.ts_us + int(link.lasts_s * 1e6), fields)


def _passed(
    scene: Scene, key: str, link: Link, proto: str, state: str, sizes: tuple[int, int, int, int], *, inward: bool
) -> None:
    ends = (link.source, link.sport, link.target, link.dport)
    number = 6 if proto == "tcp" else 17
    denied = state == "S0"
    if key in zeek.JSON_BODIES:
        firewall.fortigate(
            scene,
            key,
            link.ts_us,
            ends=ends,
            inward=inward,
            proto=number,
            denied=denied,
            lasts_s=link.lasts_s,
            sizes=sizes,
        )
    else:
        firewall.netfilter(scene, key, link.ts_us, ends=ends, inward=inward, proto=number, denied=denied)


def _noted(scene: Scene, link: Link, proto: str, run: Running, name: str) -> None:
    machine = run.machine
    at = clock(machine.clock(link.ts_us), sep=" ")
    initiated = link.source == machine.host.address
    own, other = machine.host.fqdn, name or "-"
    windows.write(
        scene,
        machine,
        link.ts_us + 900_000,  # Sysmon tells of connections about a second late
        windows.SYSMON,
        3,
        {
            "RuleName": "-",
            "UtcTime": at,
            "ProcessGuid": run.guid,
            "ProcessId": str(run.pid),
            "Image": run.image,
            "User": run.session.account,
            "Protocol": proto,
            "Initiated": "true" if initiated else "false",
            "SourceIsIpv6": "true" if ":" in link.source else "false",
            "SourceIp": link.source,
            "SourceHostname": own if initiated else other,
            "SourcePort": str(link.sport),
            "SourcePortName": "-",
            "DestinationIsIpv6": "true" if ":" in link.target else "false",
            "DestinationIp": link.target,
            "DestinationHostname": other if initiated else own,
            "DestinationPort": str(link.dport),
            "DestinationPortName": {443: "https", 80: "http", 445: "microsoft-ds"}.get(link.dport, "-"),
        },
    )


def ask(
    scene: Scene,
    ts_us: int,
    body: Body,
    source: Host,
    name: str,
    answers: list[str],
    *,
    kind: str = "A",
    run: Running | None = None,
) -> None:
    """A machine asks for a name of the outside; no answers: there is no such name."""
    resolver = body.one("resolver")
    size = 17 + len(name)
    took = 0.0006 + scene.dice.random() * 0.03
    link = connect(
        scene,
        ts_us,
        source,
        resolver,
        53,
        sent=size,
        received=size + 16 * len(answers),
        lasts_s=took,
        proto="udp",
        service="dns",
    )
    names.write(scene, resolver, ts_us, source.address, link.sport, name, kind)
    if body.key in link.uids:
        _asked(scene, body.key, link, name, answers, kind)
    if run is not None:
        at = clock(run.machine.clock(ts_us), sep=" ")
        results = "".join(f"::ffff:{answer};" if "." in answer else f"{answer};" for answer in answers)
        windows.write(
            scene,
            run.machine,
            ts_us + 700_000,
            windows.SYSMON,
            22,
            {
                "RuleName": "-",
                "UtcTime": at,
                "ProcessGuid": run.guid,
                "ProcessId": str(run.pid),
                "QueryName": name,
                "QueryStatus": "0" if answers else "9003",
                "QueryResults": results or "-",
                "Image": run.image,
                "User": run.session.account,
            },
        )


def _asked(scene: Scene, key: str, link: Link, name: str, answers: list[str], kind: str) -> None:
    number = {"A": 1, "AAAA": 28, "TXT": 16, "MX": 15, "PTR": 12}[kind]
    fields = {
        "ts": link.ts_us,
        "uid": link.uids[key],
        "id.orig_h": link.source,
        "id.orig_p": link.sport,
        "id.resp_h": link.target,
        "id.resp_p": link.dport,
        "proto": "udp",
        "trans_id": scene.dice.below(65_536),
        "rtt": round(link.lasts_s, 6),
        "query": name,
        "qclass": 1,
        "qclass_name": "C_INTERNET",
        "qtype": number,
        "qtype_name": kind,
        "rcode": 0 if answers else 3,
        "rcode_name": "NOERROR" if answers else "NXDOMAIN",
        "AA": False,
        "TC": False,
        "RD": True,
        "RA": True,
        "Z": 0,
        "rejected": False,
    }
    if answers:
        fields["answers"] = answers
        fields["TTLs"] = [300.0] * len(answers)
    zeek.write(scene, key, "dns", link.ts_us + int(link.lasts_s * 1e6), fields)
