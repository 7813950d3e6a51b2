"""A host in, what goes on in it out: its processes, its logon sessions, the numbers its logs count up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tocsin.rehearse.dice import Dice, digest
from tocsin.rehearse.rhythm import DAY_US, HOUR_US, ahead_us, day_of
from tocsin.rehearse.world import Host

SYSTEM32: Final = "C:\\Windows\\System32\\"
AGENT: Final = "C:\\Program Files\\Fieldwatch\\Agent\\fwagent.exe"
# What runs from the start: image, what it is for, command line.
SERVICES: Final = (
    (SYSTEM32 + "svchost.exe", "netsvcs", SYSTEM32 + "svchost.exe -k netsvcs -p -s Schedule"),
    (SYSTEM32 + "svchost.exe", "dcom", SYSTEM32 + "svchost.exe -k DcomLaunch -p"),
    (SYSTEM32 + "svchost.exe", "dns", SYSTEM32 + "svchost.exe -k NetworkService -p -s Dnscache"),
    (SYSTEM32 + "svchost.exe", "winrm", SYSTEM32 + "svchost.exe -k NetworkService -p -s WinRM"),
    (SYSTEM32 + "svchost.exe", "update", SYSTEM32 + "svchost.exe -k netsvcs -p -s wuauserv"),
    (SYSTEM32 + "svchost.exe", "term", SYSTEM32 + "svchost.exe -k termsvcs -s TermService"),
    (SYSTEM32 + "spoolsv.exe", "spool", SYSTEM32 + "spoolsv.exe"),
    (AGENT, "agent", f'"{AGENT}" --service'),
)


@dataclass(slots=True, kw_only=True)
class Session:
    """A logon. `number` is what Windows calls it on that machine."""

    account: str  # DOMAIN\\user
    sid: str
    number: int
    guid: str
    kind: int
    since_us: int
    elevated: bool = False
    terminal: int = 0

    @property
    def user(self) -> str:
        return self.account.rpartition("\\")[2]

    @property
    def domain(self) -> str:
        return self.account.rpartition("\\")[0]


@dataclass(slots=True, kw_only=True)
class Running:
    """One run of a program. Times are true ones; `until_us` is 0 while it runs."""

    machine: Machine
    image: str
    line: str
    pid: int
    guid: str
    session: Session
    parent: Running | None
    since_us: int
    until_us: int = 0
    integrity: str = "Medium"

    @property
    def name(self) -> str:
        return self.image.rpartition("\\")[2].rpartition("/")[2]


@dataclass(slots=True, kw_only=True)
class Machine:
    """A machine while the drill runs."""

    host: Host
    netbios: str
    dice: Dice
    booted_us: int
    counts: dict[str, int] = field(default_factory=dict)
    core: dict[str, Running] = field(default_factory=dict)  # what runs since it was started, by what it is for
    desk: Session | None = None  # who sits at it, or is logged on remotely
    shell: Running | None = None
    at_boot: list[Callable[[int], None]] = field(default_factory=list)  # what starts with it, given a time
    tag: str = field(init=False)  # of the name that it was installed under: its numbers keep to that

    def __post_init__(self) -> None:
        self.tag = digest("machine", self.host.fqdn)[:8]

    def count(self, what: str, first: int) -> int:
        """The next number of a series."""
        number = self.counts.get(what, first)
        self.counts[what] = number + 1
        return number

    def pid(self) -> int:
        """Numbers of processes: multiples of four in no order, none twice within four thousand starts."""
        return 4 * (self.count("pid", self.booted_us // 1_000_000 % 4093) * 1021 % 4093 + 211)

    def clock(self, ts_us: int) -> int:
        """What its own clock shows."""
        return self.host.clock(ts_us)

    def silent(self, ts_us: int) -> bool:
        """True while its agent sends nothing."""
        if not self.host.gaps:
            return False
        number = day_of(ts_us).toordinal()
        for day, start, end in self.host.gaps:
            if day == number and start * HOUR_US <= (ts_us + ahead_us(ts_us)) % DAY_US < end * HOUR_US:
                return True
        return False

    def guid(self, ts_us: int) -> str:
        """Of a process, as Sysmon forms it: machine, seconds of its start, and a number that counts up."""
        number = self.count("run", 0x51)
        seconds = f"{self.clock(ts_us) // 1_000_000:08x}"
        low = f"{number & 0xFFFF:04x}"
        return f"{{{self.tag}-{seconds[4:]}-{seconds[:4]}-{low[2:]}{low[:2]}-{number >> 16:04x}00000400}}"

    def session(self, ts_us: int, account: str, sid: str, kind: int, *, elevated: bool = False) -> Session:
        """A logon whose number is above those of all that came before it."""
        since = max(0, ts_us - self.booted_us) // 1000
        number = (0x3E7 << 8) + since * 3 + self.dice.below(3)
        terminal = {2: 1, 10: 2, 11: 1}.get(kind, 0)
        guid = f"{{{self.dice.guid()}}}"
        return Session(
            account=account,
            sid=sid,
            number=number,
            guid=guid,
            kind=kind,
            since_us=ts_us,
            elevated=elevated,
            terminal=terminal,
        )


def system(machine: Machine) -> Session:
    return Session(
        account="NT AUTHORITY\\SYSTEM",
        sid="S-1-5-18",
        number=0x3E7,
        guid="{" + f"{machine.tag}-0000-0000-e703-000000000000" + "}",
        kind=0,
        since_us=machine.booted_us,
        elevated=True,
    )


def boot(machine: Machine, ts_us: int) -> None:
    """Fill the tree of processes that every Windows machine has. Nobody writes it down: agents start later."""
    machine.booted_us = ts_us
    machine.core.clear()
    session = system(machine)

    def run(image: str, line: str, parent: Running | None, after_us: int) -> Running:
        return Running(
            machine=machine,
            image=image,
            line=line,
            pid=machine.pid(),
            guid=machine.guid(ts_us + after_us),
            session=session,
            parent=parent,
            since_us=ts_us + after_us,
            integrity="System",
        )

    wininit = run(SYSTEM32 + "wininit.exe", "wininit.exe", None, 900_000)
    machine.core["wininit"] = wininit
    services = run(SYSTEM32 + "services.exe", SYSTEM32 + "services.exe", wininit, 1_100_000)
    machine.core["services"] = services
    machine.core["lsass"] = run(SYSTEM32 + "lsass.exe", SYSTEM32 + "lsass.exe", wininit, 1_200_000)
    machine.core["winlogon"] = run(SYSTEM32 + "winlogon.exe", "winlogon.exe", None, 1_500_000)
    for number, (image, what, line) in enumerate(SERVICES):
        machine.core[what] = run(image, line, services, 2_000_000 + number * 70_000)
