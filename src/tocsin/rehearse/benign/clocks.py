"""A day in, how machines keep time on it out: by small steps, and once by a large one where a clock was wrong.

Windows writes both with the same two events: Kernel-General 1, and 4616 of "Advanced security audit policy settings".
chronyd and systemd-timesyncd write what they do to syslog.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from tocsin.rehearse.dice import Dice
from tocsin.rehearse.machine import SYSTEM32, Machine
from tocsin.rehearse.rhythm import EVEN, OFFICE, day_of, midnight_us, moment_us, utc
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import linux, windows
from tocsin.rehearse.world import Body

_SECOND_US: Final = 1_000_000
_LOCAL_SERVICE: Final = ("LOCAL SERVICE", "S-1-5-19")
_PROGRAM_CHANGED_IT: Final = "1"  # the reason that Kernel-General tells


def day(scene: Scene, body: Body, today: date, pace: float) -> None:
    for host in body.hosts:
        machine = scene.machine(host)
        with scene.marked(None, Dice(scene.world.seed, "time", host.fqdn, today.toordinal())):
            due = bool(host.right_us) and day_of(host.right_us) == today
            if host.kind == "windows":
                _windows(scene, machine, today, pace)
                if due:
                    _changed(scene, machine, host.right_us, -host.skew_us)
            elif host.kind == "linux":
                _linux(scene, body, machine, today, due=due)


def _windows(scene: Scene, machine: Machine, today: date, pace: float) -> None:
    """A clock runs a little fast or slow; where its time comes by the network, it is told so."""
    dice, host = scene.dice, machine.host
    server = "server" in host.roles
    if "dc" in host.roles or (host.right_us and day_of(host.right_us) >= today) or (not server and pace < 0.3):
        return
    for _ in range(dice.count(0.2 * pace)):
        at = (EVEN if server else OFFICE).draw(dice, midnight_us(today))
        if at > machine.booted_us + 60 * _SECOND_US:
            _changed(scene, machine, at, int(dice.normal(0, 4_000)))


def _changed(scene: Scene, machine: Machine, ts_us: int, by_us: int) -> None:
    """What the time was, and what it is now."""
    now = machine.clock(ts_us)
    old, new = (_filetime(moment) for moment in (now - by_us, now))
    told = {"NewTime": new, "OldTime": old, "Reason": _PROGRAM_CHANGED_IT}
    provider = "Microsoft-Windows-Kernel-General"
    windows.write(scene, machine, ts_us, windows.SYSTEM, 1, told, provider=provider, user=_LOCAL_SERVICE)
    service = machine.core["netsvcs"]
    fields = {
        "SubjectUserSid": _LOCAL_SERVICE[1],
        "SubjectUserName": _LOCAL_SERVICE[0],
        "SubjectDomainName": "NT AUTHORITY",
        "SubjectLogonId": "0x3e5",
        "PreviousTime": old,
        "NewTime": new,
        "ProcessId": f"0x{service.pid:x}",
        "ProcessName": SYSTEM32 + "svchost.exe",
    }
    windows.write(scene, machine, ts_us + 300, windows.SECURITY, 4616, fields)


def _filetime(ts_us: int) -> str:
    return f"{utc(ts_us):%Y-%m-%dT%H:%M:%S}.{ts_us % _SECOND_US:06}0Z"


def _linux(scene: Scene, body: Body, machine: Machine, today: date, *, due: bool) -> None:
    dice, host = scene.dice, machine.host
    source = body.one("dc")
    wrong = bool(host.right_us) and day_of(host.right_us) >= today
    program = "systemd-timesyncd" if {"monitoring", "scanner"} & host.roles else "chronyd"
    pid = 380 + sum(host.name.encode()) % 300
    at = moment_us(today, 5.5) + dice.below(3_600 * _SECOND_US)

    def say(ts_us: int, text: str) -> None:
        linux.logged(scene, machine, ts_us, program, pid, text, "daemon")

    if wrong and not (due and at >= host.right_us):
        late = f"Timed out waiting for reply from {source.address}:123 ({source.address})."
        say(at, late if program != "chronyd" else "Can't synchronise: no selectable sources")
    elif dice.chance(0.5):
        met = f"Contacted time server {source.address}:123 ({source.address})."
        say(at, met if program != "chronyd" else f"Selected source {source.address} ({source.fqdn})")
    if not due:
        return
    if program == "chronyd":
        by = f"{-host.skew_us / 1e6:.6f} seconds"
        say(host.right_us - 2 * _SECOND_US, f"Selected source {source.address} ({source.fqdn})")
        say(host.right_us - 1_000, f"System clock wrong by {by}")
        say(host.right_us, f"System clock was stepped by {by}")
    else:
        say(host.right_us - 30_000, f"Contacted time server {source.address}:123 ({source.address}).")
        shown = utc(host.right_us)
        told = f"{shown:%a %Y-%m-%d %H:%M:%S}.{shown.microsecond:06} UTC"
        say(host.right_us + 1_000, f"Initial clock synchronization to {told}.")
