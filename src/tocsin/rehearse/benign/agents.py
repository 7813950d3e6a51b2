"""A day in, what programs do without anybody's asking out: agents that call home, crawlers, caches, checks."""

from __future__ import annotations

from datetime import date
from typing import Final

from tocsin.rehearse import words
from tocsin.rehearse.acts import logons, processes, web
from tocsin.rehearse.benign.workday import reach
from tocsin.rehearse.dice import Dice, Weighted, digest, zipf
from tocsin.rehearse.machine import Machine
from tocsin.rehearse.rhythm import EVEN, HOUR_US, OFFICE, midnight_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.world import Body, Host, Site

# Where agents report to, all day and all night and in small pieces: as intruders' programs do.
_HOMES: Final = (
    Site(name="ingest.fieldwatch.example", address="203.0.113.114", tls=True),
    Site(name="eu.telemetry.scanwise.example", address="203.0.113.115", tls=True),
    Site(name="settings.platform.example", address="203.0.113.116", tls=True),
    Site(name="backup-vault.example", address="203.0.113.117", tls=True),
)
_AUTHORITIES: Final = tuple(
    Site(name=f"{kind}.{name}.example", address=f"203.0.113.{118 + number}", tls=False)
    for number, (kind, name) in enumerate((("ocsp", "rootsafe"), ("crl", "rootsafe"), ("ocsp", "harbourtrust")))
)
# Who asks over plain HTTP, and for what: agent, path, bytes of the answer.
_PLAIN: Final = Weighted(
    zipf(
        (
            ("Microsoft-CryptoAPI/10.0", "/MFQwUjBQ{h}", 471),
            ("Microsoft-CryptoAPI/10.0", "/rootsafe-g2.crl", 1_890),
            ("Microsoft BITS/7.8", "/d/msdownload/update/{h}.cab", 410_000),
            ("Microsoft NCSI", "/connecttest.txt", 22),
            ("Windows-Update-Agent/10.0.10011.16384 Client-Protocol/2.77", "/v10/trigger", 640),
            (
                "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-NZ) WindowsPowerShell/5.1.19041.5794",
                "/choco/{h}.nupkg",
                88_000,
            ),
        )
    )
)
# What programs leave on the disk as they go: by which, and where.
_WRITTEN: Final = Weighted(
    zipf(
        (
            ("netsvcs", "C:\\Windows\\Prefetch\\{N}.EXE-{h}.pf"),
            ("agent", "C:\\ProgramData\\Fieldwatch\\spool\\{h}.tmp"),
            ("netsvcs", "C:\\Windows\\SoftwareDistribution\\Download\\{h}\\package.cab"),
            ("dcom", "C:\\Windows\\Temp\\wct{h}.tmp"),
            ("update", "C:\\Windows\\SoftwareDistribution\\DataStore\\Logs\\edb{n}.jtx"),
            ("spool", "C:\\Windows\\System32\\spool\\PRINTERS\\{n}.SPL"),
            ("netsvcs", "C:\\Windows\\System32\\Tasks\\Fieldwatch\\inventory"),
            ("agent", "C:\\ProgramData\\Fieldwatch\\agent\\bin\\plugin-{n}.dll"),
            (
                "lsass",
                "C:\\Windows\\System32\\config\\systemprofile\\AppData\\LocalLow\\Microsoft\\CryptnetUrlCache\\{h}",
            ),
        )
    )
)


def day(scene: Scene, body: Body, today: date, pace: float) -> None:
    start = midnight_us(today)
    for host in body.hosts:
        if host.kind != "windows":
            continue
        server = "server" in host.roles
        if not server and not scene.world.calendar.works(today):
            continue
        with scene.marked(None, Dice(scene.world.seed, "agent", host.fqdn, today.toordinal())):
            _machine(scene, body, scene.machine(host), start, pace, server=server)
    with scene.marked(None, Dice(scene.world.seed, "crawler", body.key, today.toordinal())):
        _crawls(scene, body, start, pace)


def _machine(scene: Scene, body: Body, machine: Machine, start: int, pace: float, *, server: bool) -> None:
    dice, shape = scene.dice, EVEN if server else OFFICE
    ready = machine.booted_us + 120_000_000
    if "archive" in machine.host.roles:
        # However little else is watched, its agent is heard every hour.
        for hour in range(24):
            if (at := start + hour * HOUR_US + dice.below(HOUR_US)) > ready:
                _reports(scene, machine, at)
    for _ in range(dice.count((7 if server else 1.2) * pace)):
        if (at := shape.draw(dice, start)) > ready:
            _reports(scene, machine, at)
    for _ in range(dice.count((4 if server else 0.7) * pace)):
        if (at := shape.draw(dice, start)) > ready:
            _checks(scene, machine, at)
    for _ in range(dice.count((9 if server else 2) * pace)):
        if (at := shape.draw(dice, start)) > ready:
            what, path = _WRITTEN.draw(dice)
            name = dice.one(words.DOCUMENTS).upper()[:8]
            path = (
                path.replace("{h}", dice.hexes(8).upper()).replace("{n}", str(dice.below(90_000))).replace("{N}", name)
            )
            processes.writes(scene, machine.core[what], at, path)
    account = f"{body.netbios}\\{machine.host.name}$"
    for _ in range(dice.count((6 if server else 0.8) * pace)):
        at = EVEN.draw(dice, start)
        controller = scene.machine(dice.one(body.with_role("dc")))
        logons.ticket(scene, body, at, account, machine.host, controller.host.name + "$")
        if controller is not machine and at > controller.booted_us + 60_000_000:
            session = logons.logon(scene, controller, at + 30_000, account, 3, source=machine.host)
            logons.logoff(scene, controller, at + 60_000 + dice.below(9_000_000), session)


def _reports(scene: Scene, machine: Machine, ts_us: int) -> None:
    dice = scene.dice
    # Each machine has the agents it has; the newest are not everywhere.
    site = _HOMES[min(dice.below(4), int(digest("agents", machine.host.name)[0], 16) % 4)]
    sent = dice.size(2600, 1.2) if dice.chance(0.93) else min(dice.size(5_000_000, 0.8), 20_000_000)
    request = web.Request(method="POST", target="/v2/batch", sent=sent, received=dice.size(420, 0.6))
    agent = "fwagent/5.14 (windows; amd64)"
    run = machine.core["agent"] if dice.chance(0.6) else None
    web.fetch(
        scene, ts_us, machine.host, site, [request], agent=agent, run=run, resolve=dice.chance(0.4), lasts_s=sent / 3e6
    )


def _checks(scene: Scene, machine: Machine, ts_us: int) -> None:
    dice = scene.dice
    agent, target, size = _PLAIN.draw(dice)
    site = dice.one(_AUTHORITIES)
    posts = agent.startswith("Microsoft-Crypto") and dice.chance(0.5)
    request = web.Request(
        method="POST" if posts else "GET",
        target=target.replace("{h}", dice.hexes(12)),
        sent=83 if posts else 0,
        received=dice.size(size, 0.3),
    )
    run = machine.core["netsvcs"] if dice.chance(0.4) else None
    mime = "application/ocsp-response" if posts else "application/octet-stream"
    web.fetch(scene, ts_us, machine.host, site, [request], agent=agent, run=run, resolve=dice.chance(0.4), mime=mime)


def _crawls(scene: Scene, body: Body, start: int, pace: float) -> None:
    """Search and archive read through shares file by file: with old accounts, and at any hour."""
    dice = scene.dice
    for _ in range(dice.count(0.8 + 4 * pace)):
        source: Host = dice.one((*body.with_role("app"), *body.with_role("archive")))
        others = [host for host in body.with_role("file") if host is not source]
        server = scene.machine(dice.one(others))
        at = EVEN.draw(dice, start)
        if at < server.booted_us + 60_000_000:
            continue
        folder = dice.one(words.FOLDERS)
        files = [
            (folder, f"{dice.one(words.DOCUMENTS)}\\{dice.one(words.DOCUMENTS)}-{dice.below(600)}.docx")
            for _ in range(4 + dice.below(24))
        ]
        account = f"{body.netbios}\\{dice.one(('svc-search', 'svc-edocs', 'svc-archive'))}"
        package = dice.one(("Kerberos", "NTLM"))
        size = dice.size(60e6, 1.0)
        reach(
            scene, body, account, source, server, at, files, received=size, lasts_s=60 + dice.wait(600), package=package
        )
