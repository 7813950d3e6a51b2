"""A drill in, what goes wrong with its machines and logs out: another name, days that are lost, lines that are torn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from tocsin.rehearse.acts import changes, logons
from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import Machine, boot
from tocsin.rehearse.rhythm import DAY_US, OFFICE, day_of, moment_us
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import windows
from tocsin.rehearse.tape import Hole, Tear
from tocsin.rehearse.world import Body, World

# Which logs are lost now and then: those of one sensor or one machine.
_LOST: Final = (
    *("dns/ns01-ps/", "dns/ns01-lc/", "zeek/ps/dns", "zeek/lc/http", "web/px01-lc/", "cloud/ps/sign-ins"),
    *("linux/mx01-ps/auth", "linux/legis01-lc/auth", "linux/mon01-ps/audit", "firewall/lc/", "mail/LC-EX01/"),
)
_MONTH_DAYS: Final = 30
# Where lines are torn, by how: collectors of Windows and of the cloud keep what was not confirmed, forwarders of
# syslog do not, and some store cuts what it has by size.
_TORN: Final = {
    "stopped": ("windows/ps/", "windows/lc/", "cloud/ps/audit", "cloud/ps/sign-ins"),
    "lost": ("linux/legis01-lc/", "web/legis01-lc/", "web/PS-WEB01/", "linux/mx01-ps/", "web/px01-lc/", "dns/ns01-ps/"),
    "cut": ("web/legis01-lc/", "linux/legis01-lc/audit", "linux/mx02-lc/mail", "dns/ns01-lc/", "firewall/", "zeek/ps/"),
}
_ATTACKED: Final = ("windows/ps/", "linux/legis01-lc/", "web/legis01-lc/", "web/PS-WEB01/")


def holes(world: World) -> tuple[Hole, ...]:
    """What was never kept: hours to days of a few logs, once or twice a month."""
    dice, calendar = Dice(world.seed, "holes"), world.calendar
    found = []
    for _ in range(2 + calendar.days // _MONTH_DAYS):
        start = moment_us(calendar.first, 0) + int(dice.between(0.05, 0.95) * calendar.days * DAY_US)
        lasts = int(dice.between(0.2, 2.5) * DAY_US)
        found.append(Hole(logs=dice.one(_LOST), from_us=start, until_us=start + lasts))
    return tuple(found)


def tears(world: World) -> tuple[Tear, ...]:
    """Lines that were never finished, a few a month, as often on what is attacked as elsewhere."""
    dice, calendar = Dice(world.seed, "tears"), world.calendar
    found = []
    for how, logs in _TORN.items():
        for number in range(2 + calendar.days // _MONTH_DAYS):
            of = logs if number % 2 else tuple(name for name in logs if name.startswith(_ATTACKED))
            day = moment_us(calendar.first + timedelta(days=dice.below(calendar.days)), 0)
            at = OFFICE.draw(dice, day)
            until = at + int(dice.between(2, 90) * 60_000_000)
            found.append(Tear(logs=dice.one(of), how=how, at_us=at, until_us=until))
    return tuple(found)


def day(scene: Scene, body: Body, today: date) -> None:
    """Machines that are given to somebody else, or installed anew, get another name, a little after midnight."""
    calendar, dice = scene.world.calendar, Dice(scene.world.seed, "renamed", body.key)
    stations = [host for host in body.hosts if "workstation" in host.roles]
    chosen = dice.some(stations, 2 + calendar.days // _MONTH_DAYS)
    for number, host in enumerate(chosen):
        due = day_of(calendar.working_day(dice.between(0.1, 0.9)))
        if due == today:
            with scene.marked(None, Dice(scene.world.seed, "renamed", host.name)):
                _renamed(scene, body, scene.machine(host), moment_us(today, 0.1 + number / 50))


def _renamed(scene: Scene, body: Body, machine: Machine, ts_us: int) -> None:
    dice, old = scene.dice, machine.host
    name = f"{body.key.upper()}-{dice.hexes(7).upper()}"
    helper = body.staff("helpdesk")[0]
    account = logons.admin_of(helper)
    controller = scene.machine(body.one("dc"))
    session = logons.logon(scene, controller, ts_us, account, 3, source=old, elevated=True)
    fields = {
        "OldTargetUserName": f"{old.name}$",
        "NewTargetUserName": f"{name}$",
        "TargetDomainName": body.netbios,
        "TargetSid": logons.sid_of(body, f"{body.netbios}\\{old.name}$"),
        **changes.subject(session),
        "PrivilegeList": "-",
    }
    windows.write(scene, controller, ts_us + 400_000, windows.SECURITY, 4781, fields)
    logons.logoff(scene, controller, ts_us + 900_000, session)
    told = {"param1": old.name, "param2": name}
    windows.write(scene, machine, ts_us + 20_000_000, windows.SYSTEM, 6006, {}, provider="EventLog")
    machine.host = replace(old, name=name, fqdn=old.fqdn.replace(old.name.lower(), name.lower(), 1))
    # Who asks for it under its first name still finds it.
    scene.machines[name] = machine
    boot(machine, ts_us + 60_000_000)
    windows.write(scene, machine, ts_us + 75_000_000, windows.SYSTEM, 6011, told, provider="EventLog")
    windows.write(scene, machine, ts_us + 75_100_000, windows.SYSTEM, 6005, {}, provider="EventLog")
