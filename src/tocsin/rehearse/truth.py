"""What the stories did and where their records came to stand in, `truth.json` out (docs/drill.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tocsin.rehearse.acts.logons import admin_of, sid_of
from tocsin.rehearse.benign.mishaps import holes
from tocsin.rehearse.rhythm import DAY_US, clock
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors.linux import IDS
from tocsin.rehearse.stories.story import Story
from tocsin.rehearse.tape import Hole, Mark, Place
from tocsin.rehearse.world import Body, World

PEOPLE = ("targeted", "possibly_reached", "reached", "data_left")
PERMITTED = "permitted"
_SECOND_US: Final = 1_000_000


# Accounts that every machine has, and machines' own: to name them is to name the machine.
_NOBODYS: Final = ("NT AUTHORITY\\", "IIS APPPOOL\\")


def moment(ts_us: int) -> str:
    return clock(ts_us) + "Z"


def told(scene: Scene, body: Body, stories: Mapping[int, Story]) -> dict[str, Any]:
    """What one body's part of a drill knows of the truth, as JSON can have it; `write` puts all parts together."""
    tape = scene.tape
    machines = {host.name: scene.machine(host).host for host in body.hosts}
    return {
        "records": tape.records,
        "incidents": [
            [number, {"group": _group(story), "incident": _incident(scene, story)}] for number, story in stories.items()
        ],
        "permitted": _permitted(scene),
        "lost": [[hole.from_us, _hole(hole)] for hole in tape.lost],
        "torn": [{**_record(place), "how": place.torn} for place in tape.torn],
        "names": {name: [host.name, host.fqdn] for name, host in machines.items()},
    }


def write(
    world: World,
    parts: Sequence[Mapping[str, Any]],
    names: Mapping[str, tuple[str, str]],
    claim: Mapping[str, Any],
    path: Path,
) -> None:
    """Write the truth.

    Args:
        parts: what `told` told of each body.
        names: those that machines have today, by what each was called at first.
    """
    calendar = world.calendar
    hosts = sum(len(body.hosts) for body in world.bodies)
    campaigns: dict[str, dict[str, Any]] = {}
    stories = incidents(parts)
    for story in stories:
        campaign = story["incident"]["campaign"]
        entry = campaigns.setdefault(campaign, {"id": campaign, "group": story["group"], "incidents": []})
        entry["incidents"].append(story["incident"]["id"])
    lost = [(hole.from_us, _hole(hole)) for hole in holes(world)] + [one for part in parts for one in part["lost"]]
    told = {
        "version": 1,
        "seed": world.seed,
        "attack_release": "19",
        "first_day": calendar.first.isoformat(),
        "days": calendar.days,
        "hosts": hosts,
        "host_months": round(hosts * calendar.days / 30.4375, 3),
        "records": sum(part["records"] for part in parts),
        "campaigns": list(campaigns.values()),
        "incidents": [story["incident"] for story in stories],
        "names": _names(world, names),
        "permitted": [one for part in parts for one in part["permitted"]],
        "lost": [hole for _, hole in sorted(lost, key=lambda one: one[0])],
        "torn": sorted(
            (one for part in parts for one in part["torn"]), key=lambda one: (str(one["path"]), int(one["line"]))
        ),
        "clocks": _clocks(world),
        "claim": claim,
    }
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def incidents(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of all parts, in the order of the stories: each `incident`, with the `group` behind it."""
    numbered = sorted((one for part in parts for one in part["incidents"]), key=lambda one: int(one[0]))
    return [told for _, told in numbered]


def _hole(hole: Hole) -> dict[str, str]:
    return {"logs": hole.logs, "from": moment(hole.from_us), "until": moment(hole.until_us)}


def _group(story: Story) -> dict[str, Any] | None:
    profile = story.profile
    if profile is None:
        return None
    return {"name": profile.group, "id": profile.id, "aliases": list(profile.aliases)}


def _incident(scene: Scene, story: Story) -> dict[str, Any]:
    steps = []
    ended = 0
    for step in story.steps.values():
        places = scene.tape.marked.get(Mark(incident=story.id, step=step.id), [])
        first = min((place.ts_us for place in places), default=step.at_us)
        last = max((place.ts_us for place in places), default=step.at_us)
        ended = max(ended, last)
        steps.append(
            {
                "id": step.id,
                "at": moment(first),
                "until": moment(last),
                "what": step.what,
                "techniques": list(step.techniques),
                "host": step.host,
                "account": step.account,
                "decoy": step.decoy,
                "observable": not all(place.torn for place in places),
                "records": [_record(place) for place in places],
            }
        )
    return {
        "id": story.id,
        "campaign": story.campaign,
        "kind": story.kind,
        "title": story.title,
        "body": story.body.title,
        "breached": story.kind != "targeting",
        "started_at": moment(min((step.at_us for step in story.steps.values()), default=0)),
        "ended_at": moment(ended),
        "contained_at": moment(story.contained_us) if story.contained_us else None,
        "hosts": sorted(story.hosts),
        "accounts": sorted(one for one in story.accounts if not one.startswith(_NOBODYS) and not one.endswith("$")),
        "addresses": sorted(story.addresses),
        "domains": sorted(story.domains),
        "people": {how: sorted(story.people.get(how, ())) for how in PEOPLE},
        "bytes": {
            "staged": story.staged,
            "left": sum(story.left.values()),
            "left_by_kind": dict(sorted(story.left.items())),
        },
        "steps": sorted(steps, key=lambda step: (str(step["at"]), str(step["id"]))),
    }


def _clocks(world: World) -> list[dict[str, Any]]:
    """Those that are wrong by a second or more: times of the truth are true ones."""
    return [
        {
            "host": host.fqdn,
            "ahead_s": host.skew_us / 1e6,
            "until": moment(host.right_us) if host.right_us else None,
        }
        for body in world.bodies
        for host in body.hosts
        if abs(host.skew_us) >= _SECOND_US
    ]


def _names(world: World, now: Mapping[str, tuple[str, str]]) -> list[list[str]]:
    """What means one and the same machine, and one and the same account."""
    groups = []
    for body in world.bodies:
        for host in body.hosts:
            name, fqdn = now[host.name]
            every = (fqdn, name, host.fqdn, host.name, host.address, host.front)
            groups.append(list(dict.fromkeys(name for name in every if name)))
        for person in body.people:
            groups.append([person.account, person.upn, person.sid])
            if person.role in {"admin", "helpdesk"}:
                account = admin_of(person)
                groups.append([account, f"{account.rpartition(chr(92))[2]}@{body.mail}", sid_of(body, account)])
    groups += [[name, str(number)] for name, number in IDS.items()]
    return groups


def _record(place: Place) -> dict[str, Any]:
    return {"path": place.path, "line": place.line, "offset": place.offset, "bytes": place.bytes}


def _permitted(scene: Scene) -> list[dict[str, Any]]:
    places = [place for mark, found in scene.tape.marked.items() if mark.incident == PERMITTED for place in found]
    if not places:
        return []
    return [
        {
            "id": PERMITTED,
            "permit": "permit.json",
            "from": moment(min(place.ts_us for place in places) // DAY_US * DAY_US),
            "until": moment(max(place.ts_us for place in places)),
            "records": [_record(place) for place in places],
        }
    ]
