"""Incidents to contain, cases with people who sign, and lists of assets, for tests."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tocsin import cases, planning
from tocsin.contain import Own
from tocsin.model.asset import Asset, Assets, Service
from tocsin.model.citation import Citation
from tocsin.model.decision import Role, Signer
from tocsin.model.incident import Cited, Incident, Move, Seen
from tocsin.model.plan import Way
from tocsin.model.rule import Level
from tocsin.planning import Chosen
from tocsin.seal import signers

# The same in every process, as the tests that kill one need it.
KEYS = {name: Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()) for name in ("Aroha", "Ben", "Chen")}
PEOPLE: dict[str, Signer] = {name: signers.of(name, key) for name, key in KEYS.items()}
START = 1_700_000_000_000_000
BAD = "203.0.113.9"
BAD_NAME = "updates.evil.example"

ASSETS = Assets(
    [
        Asset(
            name="WEB01",
            also=("web01.agency.example",),
            addresses=("192.0.2.10",),
            authority="Agency",
            services=(Service(name="website", dependents=("the public",)),),
            protected=False,
            criticality="high",
        ),
        Asset(name="WS017", authority="Agency", protected=False, criticality="low"),
        Asset(name="DC01", also=("dc01.agency.example",), authority="Agency", protected=True, criticality="critical"),
        Asset(name="gateway", addresses=("192.0.2.1",), authority="Agency", protected=True),
    ]
)
OWN = Own(assets=ASSETS, addresses=(("198.51.100.53", "our own resolver"),), hosts=(("analyst1", "the analyst's own"),))


def citation(number: int) -> Citation:
    return Citation(src="ab" * 32, path="logs/a.evtx", rec=number, chunk=0, ts_us=START + number)


def cited(
    number: int,
    *techniques: str,
    host: str = "web01.agency.example",
    level: Level = "high",
    terms: tuple[str, ...] | None = None,
    **fields: str,
) -> Cited:
    return Cited(
        rule_id=f"rule-{number}",
        title=f"Rule {number}",
        level=level,
        techniques=techniques,
        tactics=(),
        host=host,
        kind="windows",
        at=citation(number),
        fields=dict(fields),
        terms=terms,
    )


def incident(
    *findings: Cited,
    name: str = "inc1",
    accounts: tuple[Seen, ...] = (),
    addresses: tuple[Seen, ...] = (),
    moves: tuple[Move, ...] = (),
) -> Incident:
    hosts = dict.fromkeys(one.host for one in findings)
    return Incident(
        id=name,
        title="An intrusion",
        rank="act now",
        score=1.0,
        because=("a test says so",),
        level="high",
        first_us=START,
        last_us=START,
        findings=findings,
        hosts=tuple(seen(host) for host in hosts),
        accounts=accounts,
        addresses=addresses,
        moves=moves,
    )


def seen(name: str, *on: str) -> Seen:
    return Seen(name=name, first_us=START, last_us=START, findings=1, on=on)


def talking(name: str = "inc1") -> Incident:
    """A machine that talks to an address and to a name."""
    return incident(
        cited(0, "T1071.001", DestinationIp=BAD),
        cited(1, "T1071.004", QueryName=BAD_NAME),
        name=name,
    )


def case(root: Path, of: Incident) -> Path:
    return root / cases.open_case(root, of, by="Ben").id


def sign(folder: Path, by: str, subject: str, role: Role = "lead", seen: str = "", choice: str = "yes") -> None:
    with cases.writing(folder) as log:
        cases.decide(
            log, PEOPLE[by], KEYS[by], subject=subject, choice=choice, role=role, reason="As agreed.", seen=seen
        )


def planned(folder: Path, way: Way = "least disruptive", own: Own = OWN) -> Chosen:
    return planning.keep(folder, planning.plan(folder, own, PEOPLE.values()), way, "Ben")


def allow(folder: Path, kept: Chosen) -> None:
    """Everything that people can sign for a plan, signed."""
    for name in ("Aroha", "Ben"):
        sign(folder, name, "contain", seen=kept.digest)
    for authority in sorted({name for action in kept.alternative.actions for name in action.authorities}):
        sign(folder, "Chen", f"consent:{authority}", role="owner", seen=kept.digest)
    for what in sorted({name for action in kept.alternative.actions for name in action.preserve}):
        sign(folder, "Aroha", f"collected:{what}")
