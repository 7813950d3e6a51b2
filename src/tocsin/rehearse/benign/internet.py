"""A day in, what the internet does to public servers on it out: readers, search engines, and scanners without end."""

from __future__ import annotations

from datetime import date

from tocsin.rehearse import words
from tocsin.rehearse.acts import linux, logons, network, web
from tocsin.rehearse.dice import Dice, Weighted
from tocsin.rehearse.rhythm import EVEN, PUBLIC, midnight_us, moment_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.world import Body, Host

_AGENTS = Weighted(words.AGENTS)
_PAGES = {
    "iis": (
        "/",
        "/submissions/list.aspx?c={n}",
        "/submissions/view.aspx?id={n}",
        "/css/site.css",
        "/js/app.js",
        "/about.aspx",
    ),
    "nginx": ("/", "/act/{n}/latest", "/bill/{n}", "/search?q=act+{n}", "/assets/site.css", "/assets/main.js"),
}


def day(scene: Scene, body: Body, today: date, pace: float) -> None:
    dice = Dice(scene.world.seed, "internet", body.key, today.toordinal())
    server = body.one("web")
    with scene.marked(None, dice):
        weight = 1.0 if today.weekday() < 5 else 0.7
        for _ in range(dice.count(230 * pace * weight)):
            _reader(scene, body, server, PUBLIC.draw(dice, midnight_us(today)))
        for _ in range(dice.count(14 * min(pace, 2))):
            _scanner(scene, server, EVEN.draw(dice, midnight_us(today)))
        for _ in range(dice.count(60 * pace)):
            _knock(scene, body, EVEN.draw(dice, midnight_us(today)))
        if today.weekday() == 6:
            _own_scan(scene, body, moment_us(today, 3))


def _reader(scene: Scene, body: Body, server: Host, ts_us: int) -> None:
    """Somebody reads a few pages, or sends something in."""
    dice = scene.dice
    kind = "nginx" if "nginx" in server.roles else "iis"
    client = dice.one(scene.world.homes)
    agent = _AGENTS.draw(dice)
    requests = []
    for _ in range(1 + dice.below(5)):
        target = dice.one(_PAGES[kind]).replace("{n}", str(dice.below(3000)))
        status = 304 if dice.chance(0.15) else 404 if dice.chance(0.03) else 200
        size = 0 if status == 304 else 1200 if status == 404 else dice.size(16_000, 1.0)
        requests.append(web.Request(target=target, status=status, received=size, took_ms=dice.size(24, 0.8)))
    if dice.chance(0.05):
        target = "/submissions/upload.aspx" if kind == "iis" else "/feedback"
        requests.append(
            web.Request(
                method="POST", target=target, sent=dice.size(220_000, 1.2), received=900, took_ms=dice.size(300, 0.6)
            )
        )
    referrer = f"https://{body.web}/" if dice.chance(0.4) else "-"
    web.visit(scene, ts_us, client, server, requests, agent=agent, referrer=referrer)


def _scanner(scene: Scene, server: Host, ts_us: int) -> None:
    """Somebody who tries every server of the world tries ours too."""
    dice = scene.dice
    client = dice.one(scene.world.homes)
    agent = _AGENTS.draw(dice)
    at = ts_us
    for target in dice.some(words.PROBES, 1 + dice.below(7)):
        status = dice.one((404, 404, 404, 403, 400))
        method = "POST" if dice.chance(0.15) else "GET"
        requests = [
            web.Request(
                method=method,
                target=target,
                status=status,
                received=1245,
                sent=80 if method == "POST" else 0,
                took_ms=6,
            )
        ]
        web.visit(scene, at, client, server, requests, agent=agent)
        at += 300_000 + dice.below(9_000_000)


def _knock(scene: Scene, body: Body, ts_us: int) -> None:
    """A packet to a port that nobody opened; sometimes a password tried where one is."""
    dice = scene.dice
    client = dice.one(scene.world.homes)
    gate = dice.one([host for host in body.hosts if host.address.startswith(body.outside)])
    if dice.chance(0.06) and gate.kind == "linux":
        user = dice.one(("admin", "oracle", "test", "ubuntu", "postgres", "user"))
        linux.refused(scene, scene.machine(gate), ts_us, user, client)
        return
    port = dice.one((22, 23, 80, 445, 1433, 3306, 3389, 5900, 6379, 8080, 8443, 9200, 5060))
    network.connect(scene, ts_us, client, gate, port, sent=0, received=0, lasts_s=0, state="S0")


def _own_scan(scene: Scene, body: Body, ts_us: int) -> None:
    """Each Sunday our own scanner tries all servers, and finds doors that it must not use."""
    dice = scene.dice
    scanner = body.one("scanner")
    at = ts_us
    for host in body.with_role("server"):
        if host is scanner:
            continue
        for port in (21, 22, 80, 135, 443, 445, 1433, 3389, 5985, 8443):
            state = "REJ" if dice.chance(0.7) else "SF"
            network.connect(scene, at, scanner, host, port, sent=60, received=140, lasts_s=0.2, state=state)
            at += 20_000 + dice.below(90_000)
        if host.kind == "windows":
            logons.failed(scene, scene.machine(host), at, f"{body.netbios}\\guest", 3, source=scanner, unknown=False)
        if "web" in host.roles:
            for target in words.PROBES:
                requests = [web.Request(target=target, status=404, received=1245, took_ms=4)]
                web.visit(scene, at, scanner, host, requests, agent="Mozilla/5.0 (compatible; vulnscan 9.2)")
                at += 150_000
