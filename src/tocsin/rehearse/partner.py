"""Two campaigns in, what an ally who met them too would tell of them out: a STIX bundle and a Sigma rule.

The ally was visited by the same groups, weeks before. It knows what a group uses twice - a domain, a mailer, a way to
type into a web shell - and what was for itself alone: its own build of a program, a domain of its own, an address that
had been left by then. It knows nothing of our machines, and its indicators end when it thought that they would.

partner/bundle.json   STIX 2.1        partner/rule.yml   Sigma
partner/known.json    which of it is of which campaign, and what only the ally met (never show it to what is tested)
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tocsin.rehearse.dice import Dice, digest
from tocsin.rehearse.rhythm import DAY_US, midnight_us
from tocsin.rehearse.stories import pixels
from tocsin.rehearse.stories.profile import Profile
from tocsin.rehearse.truth import moment
from tocsin.rehearse.world import World

_NAMES: Final = uuid.UUID("a6f1d0be-3c1b-4f0e-8a44-6f1b8f6b7a10")
_AMBER: Final = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"  # STIX 2.1 §7.2.1.4
_RULE: Final = """title: Command typed into a web shell of China Chopper's kind
id: {id}
status: experimental
description: Its client brackets what a command says with [S] and [E], and changes the folder before it.
references:
    - https://attack.mitre.org/software/S0020/
author: An ally, in a drill
date: {date}
tags:
    - attack.persistence
    - attack.t1505.003
logsource:
    category: process_creation
    product: windows
detection:
    client:
        CommandLine|contains|all:
            - '&echo [S]'
            - '&echo [E]'
    condition: client
falsepositives:
    - Unlikely
level: high
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One indicator. `shared` if we may have met it, too; days are before our first one, 0 for no end."""

    campaign: str
    what: str
    pattern: str
    value: str
    shared: bool
    since_days: int
    until_days: int = 0
    confidence: int = 80
    revoked: bool = False


def write(world: World, incidents: Sequence[Mapping[str, Any]], breached: Profile, folder: Path) -> None:
    """Write what the ally tells; `incidents` are those of the truth, and `breached` the habits of whoever broke in."""
    dice = Dice(world.seed, "partner")
    told = list(_of_campaigns(world, incidents, breached, dice))
    folder.mkdir()
    first_us = midnight_us(world.calendar.first)
    rule = _id("rule", world.seed)
    (folder / "bundle.json").write_text(
        json.dumps(_bundle(told, first_us, world.seed), indent=1) + "\n", encoding="utf-8"
    )
    date = moment(first_us - 20 * DAY_US)[:10]
    (folder / "rule.yml").write_text(_RULE.format(id=rule, date=date), encoding="utf-8")
    known = {
        "version": 1,
        "rule": {"id": rule, "campaign": "campaign-1"},
        "indicators": [
            {"id": f"indicator--{_of(one, world.seed)}", "campaign": one.campaign, "value": one.value}
            | {"shared": one.shared, "revoked": one.revoked}
            for one in told
        ],
    }
    (folder / "known.json").write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def _of_campaigns(
    world: World, incidents: Sequence[Mapping[str, Any]], breached: Profile, dice: Dice
) -> Iterator[_Told]:
    """What a group uses twice, and beside it what it used once."""
    by = {incident["id"]: incident for incident in incidents}
    breach, mails = by["incident-1"], by["incident-3"]
    home = dice.one(breached.domains)
    homes = set(world.homes)
    relays = sorted(homes.intersection(breach["addresses"]))
    rented = sorted(set(breach["addresses"]) - homes)
    one, two = breach["campaign"], mails["campaign"]
    yield _domain(one, home, "a server that the program calls", shared=True, since=96)
    yield _domain(one, f"{dice.one(('sync', 'status', 'edge'))}-allyonly.test", "another of its servers", since=80)
    if relays:
        yield _address(one, dice.one(relays), "a router that they come through", since=70, until=38)
    yield _address(one, f"2001:db8:f00d::{dice.hexes(3)}", "a router that they came through", since=70, until=38)
    build = digest("partner", world.seed)
    pattern = f"[file:hashes.'SHA-256' = '{build}']"
    yield _Told(campaign=one, what="its program", pattern=pattern, value=build, shared=False, since_days=96)
    if rented:  # a rented machine with many sites on it: taken back when the ally saw what else it serves
        yield _address(one, dice.one(rented), "a rented server", since=60, confidence=20, revoked=True)
    sender = pixels.GROUP.domains[0]
    yield _domain(two, sender, "whose mails tell who opened them", shared=True, since=44)
    yield _domain(two, "newsdesk-allyonly.example", "another of their senders", since=44)


def _domain(campaign: str, name: str, what: str, *, since: int, shared: bool = False) -> _Told:
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")  # a profile may name what it likes
    pattern = f"[domain-name:value = '{quoted}']"
    return _Told(campaign=campaign, what=what, pattern=pattern, value=name, shared=shared, since_days=since)


def _address(
    campaign: str, value: str, what: str, *, since: int, until: int = 0, confidence: int = 60, revoked: bool = False
) -> _Told:
    kind = "ipv6-addr" if ":" in value else "ipv4-addr"
    return _Told(
        campaign=campaign,
        what=what,
        pattern=f"[{kind}:value = '{value}']",
        value=value,
        shared=not value.startswith("2001:db8:f00d:"),
        since_days=since,
        until_days=until,
        confidence=confidence,
        revoked=revoked,
    )


def _id(*names: object) -> str:
    return str(uuid.uuid5(_NAMES, "/".join(map(str, names))))


def _of(one: _Told, seed: int) -> str:
    return _id("indicator", seed, one.value)


def _bundle(told: Sequence[_Told], first_us: int, seed: int) -> dict[str, Any]:
    """STIX 2.1: the ally, its campaigns under names of its own, its indicators (§4.7) and what they indicate."""
    stamp = moment(first_us - 20 * DAY_US)
    ally = f"identity--{_id('ally', seed)}"

    def thing(kind: str, key: str, /, **more: Any) -> dict[str, Any]:
        head = {"type": kind, "spec_version": "2.1", "id": f"{kind}--{key}", "created": stamp, "modified": stamp}
        return {**head, **more}

    objects = [
        {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": _AMBER,
            "created": "2017-01-20T00:00:00.000Z",
            "definition_type": "tlp",
            "name": "TLP:AMBER",
            "definition": {"tlp": "amber"},
        },
        thing("identity", _id("ally", seed), name="An allied national centre", identity_class="organization"),
    ]
    ours = {"created_by_ref": ally, "object_marking_refs": [_AMBER]}
    for number, campaign in enumerate(sorted({one.campaign for one in told})):
        called = ("RUSTED GATE", "QUIET PROOF")[number % 2]
        objects.append(thing("campaign", _id("campaign", seed, campaign), name=called, **ours))
    for one in told:
        since, until = first_us - one.since_days * DAY_US, first_us - one.until_days * DAY_US
        more = {"valid_until": moment(until)} if one.until_days else {}
        objects.append(
            thing(
                "indicator",
                _of(one, seed),
                name=f"{one.what[0].upper()}{one.what[1:]}",
                indicator_types=["malicious-activity"],
                pattern=one.pattern,
                pattern_type="stix",
                valid_from=moment(since),
                confidence=one.confidence,
                revoked=one.revoked,
                **more,
                **ours,
            )
        )
        objects.append(
            thing(
                "relationship",
                _id("indicates", seed, one.value),
                relationship_type="indicates",
                source_ref=f"indicator--{_of(one, seed)}",
                target_ref=f"campaign--{_id('campaign', seed, one.campaign)}",
                **ours,
            )
        )
    return {"type": "bundle", "id": f"bundle--{_id('bundle', seed)}", "objects": objects}
