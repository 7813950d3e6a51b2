"""A seed in, two parliamentary bodies out: who works there, on which machines, and what lies outside.

Names stand under top-level domains that are kept for such use (RFC 2606, RFC 6761); addresses of the outside are those
for documentation (RFC 5737, RFC 3849), those of the inside are private (RFC 1918).
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from tocsin.rehearse import words
from tocsin.rehearse.dice import Dice, Weighted, digest, zipf
from tocsin.rehearse.rhythm import Calendar, day_of, moment_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine. `kind` is windows, linux or appliance; `roles` say what it is for.

    Args:
        front: its address towards the outside, for servers of the public, which stand in two networks.
        skew_us: how far its clock is ahead, until `right_us` if that is given: then it is set right.
        gaps: days (ordinals) with the hours from and to between which its agent sent nothing.
    """

    name: str
    fqdn: str
    body: str
    kind: str
    address: str
    roles: frozenset[str]
    front: str = ""
    owner: str = ""
    sysmon: bool = True
    skew_us: int = 0
    right_us: int = 0
    gaps: tuple[tuple[int, int, int], ...] = ()

    def clock(self, ts_us: int) -> int:
        """What its own clock shows."""
        return ts_us if self.right_us and ts_us >= self.right_us else ts_us + self.skew_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`starts_h` and `leaves_h` are local hours; `rank` is how much they do, compared with others."""

    id: str
    name: str
    body: str
    user: str
    account: str
    upn: str
    mailbox: str
    sid: str
    role: str
    language: str
    contact: str
    host: str
    home: str
    starts_h: float
    leaves_h: float
    rank: float
    travels: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place on the internet."""

    name: str
    address: str
    tls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    key: str
    title: str
    ad: str
    netbios: str
    mail: str
    web: str
    inside: str  # the first two numbers of its private network
    outside: str  # the first three of its public one
    sid: str
    tenant: str
    cloud: bool  # mail is kept in the cloud, and not on a server of its own
    hosts: tuple[Host, ...]
    people: tuple[Person, ...]
    sids: Mapping[str, str]  # of people, by the name of their account
    by_role: Mapping[str, tuple[Host, ...]]

    def with_role(self, role: str) -> tuple[Host, ...]:
        return self.by_role.get(role, ())

    def one(self, role: str) -> Host:
        return self.with_role(role)[0]

    def staff(self, *roles: str) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.role in roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    seed: int
    calendar: Calendar
    bodies: tuple[Body, ...]
    sites: Weighted[Site]
    homes: tuple[str, ...]  # addresses that visitors and people at home have

    def body(self, key: str) -> Body:
        for body in self.bodies:
            if body.key == key:
                return body
        raise KeyError(key)


# Of each body: key, title, directory, NetBIOS name, mail domain, website, networks, cloud mail, people of each role.
_BODIES: Final = (
    (
        *("ps", "Parliamentary Service", "ps.parliament.example", "PARLSVC", "parliament.example"),
        *("submissions.parliament.example", "10.20", "198.51.100", True),
        (("member", 62), ("clerk", 34), ("staff", 75), ("helpdesk", 5), ("admin", 5)),
    ),
    (
        *("lc", "Office of the Legislative Counsel", "counsel.example", "COUNSEL", "counsel.example"),
        *("legislation.counsel.example", "10.40", "192.0.2", False),
        (("drafter", 46), ("staff", 34), ("helpdesk", 2), ("admin", 3)),
    ),
)
# Of each body's servers: name, kind, place in the network (or `w` for the public one), roles.
_SERVERS: Final = (
    ("DC01", "windows", 10, "dc dns ca"),
    ("DC02", "windows", 11, "dc"),
    ("FS01", "windows", 20, "file"),
    ("FS02", "windows", 21, "file archive"),
    ("APP01", "windows", 30, "app sql"),
    ("MGT01", "windows", 35, "jump"),
    ("BKP01", "windows", 40, "backup"),
    ("PRN01", "windows", 45, "print"),
    ("mon01", "linux", 50, "monitoring"),
    ("scan01", "linux", 51, "scanner"),
    ("px01", "linux", 60, "proxy"),
    ("ns01", "linux", 53, "resolver"),
)
_OWN_SERVERS: Final = {
    "ps": (
        *(("WEB01", "windows", "w20", "web iis"), ("SYNC01", "windows", 15, "sync")),
        *(("mx01", "linux", "w25", "mx"), ("FS03", "windows", 22, "file")),
        ("ADFS01", "windows", "w22", "adfs"),
    ),
    "lc": (
        *(("legis01", "linux", "w20", "web nginx"), ("EX01", "windows", 25, "exchange iis")),
        ("mx02", "linux", "w25", "mx"),
    ),
}


def build(seed: int, last: date, days: int) -> World:
    """The world of a seed in the `days` up to and including `last`."""
    calendar = Calendar(seed=seed, first=last - timedelta(days=days - 1), days=days)
    dice = Dice(seed, "world")
    homes = tuple(f"203.0.113.{n}" for n in range(130, 222)) + tuple(
        f"2001:db8:{dice.below(4000) + 16:x}:{dice.below(60000):x}::{dice.below(60000) + 2:x}" for _ in range(160)
    )
    bodies = tuple(_body(Dice(seed, "body", row[0]), row, calendar, homes) for row in _BODIES)
    return World(seed=seed, calendar=calendar, bodies=bodies, sites=_sites(dice), homes=homes)


def _sites(dice: Dice) -> Weighted[Site]:
    names = [f"{one}{two}" for one in words.FIRST for two in words.SECOND]
    shuffled = dice.some(names, len(names))
    sites = []
    for name in shuffled:
        top = dice.one(("example", "example.net", "example.org", "example.com", "test"))
        full = f"{dice.one(('www.', 'www.', '', 'api.', 'cdn.'))}{name}.{top}"
        sites.append(Site(name=full, address=f"203.0.113.{2 + dice.below(110)}", tls=dice.chance(0.88)))
    return Weighted(zipf(sites, 1.05))


def _body(dice: Dice, row: tuple[object, ...], calendar: Calendar, homes: tuple[str, ...]) -> Body:
    key, title, ad, netbios, mail, web, inside, outside, cloud, roles = row
    assert isinstance(roles, tuple)
    sid = f"S-1-5-21-{1_000_000_000 + dice.below(3_000_000_000)}-{dice.below(4_000_000_000)}-{dice.below(10**9)}"
    hosts = [
        _server(dice, str(key), str(ad), str(inside), str(outside), server, calendar)
        for server in (*_SERVERS, *_OWN_SERVERS[str(key)])
    ]
    people: list[Person] = []
    taken: set[str] = set()
    for role, count in roles:
        for _ in range(count):
            number = len(people)
            station = _station(dice, str(key), str(ad), str(inside), number, calendar, role)
            person = _person(
                dice, (str(key), str(netbios), str(mail), sid), number, role, station.name, taken, calendar
            )
            hosts.append(replace(station, owner=person.id))
            people.append(replace(person, home=dice.one(homes)))
    hosts = [_wrong_for_a_while(host, calendar) for host in hosts]
    hosts.append(_firewall(str(key), str(ad), str(inside), str(outside)))
    return Body(
        key=str(key),
        title=str(title),
        ad=str(ad),
        netbios=str(netbios),
        mail=str(mail),
        web=str(web),
        inside=str(inside),
        outside=str(outside),
        sid=sid,
        tenant=_guid(digest(sid, "tenant")),
        cloud=bool(cloud),
        hosts=tuple(hosts),
        people=tuple(people),
        sids={person.user: person.sid for person in people},
        by_role={
            role: tuple(host for host in hosts if role in host.roles)
            for role in frozenset[str]().union(*(host.roles for host in hosts))
        },
    )


def _wrong_for_a_while(host: Host, calendar: Calendar) -> Host:
    """Of some machines the clock is wrong by minutes to hours, until somebody notices in the middle of a drill.

    Servers that the public reaches, and those that hold files, are among them as often as not: it is there that time is
    asked for. Controllers are where the others have theirs from.
    """
    dice = Dice(calendar.seed, "clock", host.fqdn)
    often = bool({"web", "file", "jump"} & host.roles)
    share = 0.0 if "dc" in host.roles else 0.2 if often else 0.06 if "server" in host.roles else 0.015
    if not dice.chance(share):
        return host
    wrong_s = math.exp(dice.between(math.log(120), math.log(10_800))) * (1 if dice.chance(0.5) else -1)
    day = day_of(calendar.working_day(dice.between(0.15, 0.85)))
    return replace(host, skew_us=int(wrong_s * 1e6), right_us=moment_us(day, dice.between(8.5, 17)))


def _guid(text: str) -> str:
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def _server(
    dice: Dice,
    key: str,
    ad: str,
    inside: str,
    outside: str,
    server: tuple[str, str, object, str],
    calendar: Calendar,
) -> Host:
    name, kind, place, roles = server
    public = str(place).startswith("w")
    address = f"{inside}.2.{str(place)[1:]}" if public else f"{inside}.1.{place}"
    name = f"{key.upper()}-{name}" if kind == "windows" else f"{name}-{key}"
    return Host(
        name=name,
        fqdn=f"{name}.{ad}".lower(),
        body=key,
        kind=kind,
        address=address,
        front=f"{outside}.{str(place)[1:]}" if public else "",
        roles=frozenset(roles.split()) | {"server"},
        # Now and then nobody noticed that a server's clock is not kept.
        skew_us=int(dice.normal(0, 30_000)) + (int(dice.between(-150, 150) * 1e6) if dice.chance(0.08) else 0),
        gaps=_gaps(dice, calendar, 0.3),
    )


def _station(dice: Dice, key: str, ad: str, inside: str, number: int, calendar: Calendar, role: str) -> Host:
    # Machines were bought and named under three successive habits.
    tag = digest(key, number)[:6].upper()
    name = dice.one((f"{key.upper()}W10-{number + 101:04}", f"LT-{tag}", f"{key.upper()}WKS{number + 11:03}"))
    return Host(
        name=name,
        fqdn=f"{name}.{ad}".lower(),
        body=key,
        kind="windows",
        address=f"{inside}.{16 + number // 120}.{20 + number % 120}",
        roles=frozenset({"workstation"} | ({"laptop"} if role == "member" or dice.chance(0.4) else set())),
        sysmon=dice.chance(0.93),  # the agent was never rolled out everywhere
        skew_us=int(dice.normal(0, 40_000)) + (dice.below(400) * 1_000_000 if dice.chance(0.02) else 0),
        gaps=_gaps(dice, calendar, 0.12),
    )


def _gaps(dice: Dice, calendar: Calendar, share: float) -> tuple[tuple[int, int, int], ...]:
    """Hours in which an agent was down; for some machines only, about once a month for those."""
    if not dice.chance(share):
        return ()
    first = calendar.first.toordinal()
    gaps = []
    for _ in range(1 + calendar.days // 30):
        start = dice.below(20)
        gaps.append((first + dice.below(calendar.days), start, start + 1 + dice.below(4)))
    return tuple(gaps)


def _firewall(key: str, ad: str, inside: str, outside: str) -> Host:
    """The border, and the address under which everybody within is seen outside."""
    name = f"fw-{key}-edge"
    return Host(
        name=name,
        fqdn=f"{name}.{ad}",
        body=key,
        kind="appliance",
        address=f"{inside}.0.1",
        front=f"{outside}.1",
        roles=frozenset({"firewall", "server"}),
    )


def _plain(name: str) -> str:
    """A name as accounts have it: small letters, without marks."""
    bare = unicodedata.normalize("NFKD", name).lower()
    return "".join(letter for letter in bare if letter.isascii() and letter.isalpha())


def _person(
    dice: Dice,
    of: tuple[str, str, str, str],
    number: int,
    role: str,
    host: str,
    taken: set[str],
    calendar: Calendar,
) -> Person:
    key, netbios, mail, sid = of
    given, family = dice.one(words.GIVEN), dice.one(words.FAMILY)
    stem = _plain(f"{given[0]}{family}")
    user = next(name for name in (stem, *(f"{stem}{n}" for n in range(2, 99))) if name not in taken)
    taken.add(user)
    mailbox = f"{_plain(given)}.{user[1:]}@{mail}"
    late = 10.0 if role == "member" else 8.3
    travels = []
    for _ in range(dice.count(calendar.days / (40 if role == "member" else 200))):
        start = calendar.first.toordinal() + dice.below(calendar.days)
        travels.append((start, start + 2 + dice.below(5)))
    return Person(
        id=f"{key}{1001 + number}",
        name=f"{given} {family}",
        body=key,
        user=user,
        account=f"{netbios}\\{user}",
        upn=mailbox,
        mailbox=mailbox,
        sid=f"{sid}-{1104 + number}",
        role=role,
        language=Weighted(words.LANGUAGES).draw(dice),
        contact=f"+64 4 555 {number + (100 if key == 'ps' else 600):04}",
        host=host,
        home="",
        starts_h=dice.normal(late, 0.6),
        leaves_h=dice.normal(17.4, 0.8),
        rank=dice.size(100, 0.45) / 100,
        travels=tuple(travels),
    )
