"""What Zeek, the firewall and servers wrote of one connection adds up."""

from __future__ import annotations

import re
import shlex
from collections import defaultdict

from rehearse.conftest import Drill

COMBINED = re.compile(r'^(\S+) - - \[[^]]+] "(\S+) (\S+) HTTP/1\.1" (\d{3}) (\d+) "[^"]*" "[^"]*"$')


def _conns(drill: Drill, body: str) -> dict[tuple[str, int, str, int], list[dict[str, str]]]:
    found = defaultdict(list)
    for _, conn in drill.zeek(body, "conn"):
        key = conn["id.orig_h"], int(conn["id.orig_p"]), conn["id.resp_h"], int(conn["id.resp_p"])
        found[key].append(conn)
    return found


def test_the_firewall_counts_what_zeek_counts(drill: Drill) -> None:
    conns = _conns(drill, "ps")
    checked = 0
    for _, _, line in drill.lines("firewall/ps/*"):
        session = dict(part.split("=", 1) for part in shlex.split(line))
        if session["action"] == "deny":
            continue
        key = session["srcip"], int(session["srcport"]), session["dstip"], int(session["dstport"])
        sizes = (int(session["sentbyte"]), int(session["rcvdbyte"]), int(session["sentpkt"]), int(session["rcvdpkt"]))
        end = int(session["eventtime"]) / 1e9
        matching = [
            conn
            for conn in conns[key]
            if sizes == tuple(int(conn[name]) for name in ("orig_ip_bytes", "resp_ip_bytes", "orig_pkts", "resp_pkts"))
            and abs(float(conn["ts"]) + float(conn.get("duration") or 0) - end) < 0.01
        ]
        assert len(matching) == 1, line
        checked += 1
    assert checked > 1000


def test_payload_and_packets_fit_each_other(drill: Drill) -> None:
    for body in ("ps", "lc"):
        for _, conn in drill.zeek(body, "conn"):
            if conn["conn_state"] != "SF":
                continue
            for way in ("orig", "resp"):
                payload, packets = int(conn[f"{way}_bytes"]), int(conn[f"{way}_pkts"])
                on_wire = int(conn[f"{way}_ip_bytes"])
                assert payload <= on_wire <= payload + 52 * packets
                assert payload <= 1500 * packets or conn["proto"] == "udp"


def test_plain_http_adds_up_to_its_connection(drill: Drill) -> None:
    for body in ("ps", "lc"):
        conns = {conn["uid"]: conn for _, conn in drill.zeek(body, "conn")}
        received: dict[str, int] = defaultdict(int)
        count: dict[str, int] = defaultdict(int)
        for _, request in drill.zeek(body, "http"):
            received[request["uid"]] += int(request["response_body_len"])
            count[request["uid"]] += 1
        assert received
        for uid, size in received.items():
            headers = int(conns[uid]["resp_bytes"]) - size
            assert 200 * count[uid] < headers < 400 * count[uid], uid


def test_what_iis_sent_went_over_the_wire(drill: Drill) -> None:
    sent: dict[str, int] = defaultdict(int)
    names: list[str] = []
    for _, _, line in drill.lines("web/PS-WEB01/*"):
        if line.startswith("#Fields"):
            names = line.split()[1:]
        elif not line.startswith("#"):
            row = dict(zip(names, line.split(), strict=True))
            sent[row["c-ip"]] += int(row["sc-bytes"])
    wire: dict[str, int] = defaultdict(int)
    number: dict[str, int] = defaultdict(int)
    for (client, _, server, port), conns in _conns(drill, "ps").items():
        if server in {"198.51.100.20", "10.20.2.20"} and port == 443:
            for conn in conns:
                if conn["conn_state"] == "SF":
                    wire[client] += int(conn["resp_bytes"])
                    number[client] += 1
    assert len(sent) > 50
    for client, size in sent.items():
        # TLS adds its own to each connection; the scanner also connects and says nothing.
        assert size <= wire[client] <= size + 6_000 * number[client], client


def test_what_nginx_sent_went_over_the_wire(drill: Drill) -> None:
    sent: dict[str, int] = defaultdict(int)
    for _, _, line in drill.lines("web/legis01-lc/*"):
        match = COMBINED.match(line)
        assert match, line
        sent[match[1]] += int(match[5])
    wire: dict[str, int] = defaultdict(int)
    for (client, _, server, port), conns in _conns(drill, "lc").items():
        if server in {"192.0.2.20", "10.40.2.20"} and port == 443:
            wire[client] += sum(int(conn["resp_bytes"]) for conn in conns if conn["conn_state"] == "SF")
    inside = [client for client in sent if client.startswith("10.")]
    assert len(sent) > 50
    assert all(sent[client] <= wire[client] for client in sent if client not in inside)


def test_what_left_by_the_truth_is_on_the_wire(drill: Drill) -> None:
    for incident in drill.truth["incidents"]:
        servers = set(incident["addresses"])
        out = sum(
            int(conn["orig_bytes"])
            for body in ("ps", "lc")
            for place, conn in drill.zeek(body, "conn")
            if conn["id.resp_h"] in servers and conn["conn_state"] == "SF" and place in drill.attack
        )
        assert incident["bytes"]["left"] <= out or not incident["bytes"]["left"]
        assert incident["bytes"]["left"] == sum(incident["bytes"]["left_by_kind"].values())
