"""What the stories did and where their records came to stand in, `truth.json` out (docs/drill.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tocsin.rehearse.acts.logons import admin_of, sid_of
from tocsin.rehearse.rhythm import DAY_US, clock
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors.linux import IDS
from tocsin.rehearse.stories.story import Story
from tocsin.rehearse.tape import Mark, Place

PEOPLE = ("targeted", "possibly_reached", "reached", "data_left")
PERMITTED = "permitted"
_SECOND_US: Final = 1_000_000


# Accounts that every machine has, and machines' own: to name them is to name the machine.
_NOBODYS: Final = ("NT AUTHORITY\\", "IIS APPPOOL\\")


def moment(ts_us: int) -> str:
    return clock(ts_us) + "Z"


def write(scene: Scene, stories: list[Story], path: Path, claim: dict[str, Any]) -> None:
    calendar = scene.world.calendar
    hosts = sum(len(body.hosts) for body in scene.world.bodies)
    campaigns: dict[str, dict[str, Any]] = {}
    for story in stories:
        entry = campaigns.setdefault(story.campaign, {"id": story.campaign, "group": _group(story), "incidents": []})
        entry["incidents"].append(story.id)
    told = {
        "version": 1,
        "seed": scene.world.seed,
        "attack_release": "19",
        "first_day": calendar.first.isoformat(),
        "days": calendar.days,
        "hosts": hosts,
        "host_months": round(hosts * calendar.days / 30.4375, 3),
        "records": scene.tape.records,
        "campaigns": list(campaigns.values()),
        "incidents": [_incident(scene, story) for story in stories],
        "names": _names(scene),
        "permitted": _permitted(scene),
        "lost": [
            {"logs": hole.logs, "from": moment(hole.from_us), "until": moment(hole.until_us)}
            for hole in sorted(scene.tape.holes, key=lambda hole: hole.from_us)
        ],
        "torn": [
            {**_record(place), "how": place.torn}
            for place in sorted(scene.tape.torn, key=lambda place: (place.path, place.line))
        ],
        "clocks": _clocks(scene),
        "claim": claim,
    }
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


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


def _clocks(scene: Scene) -> list[dict[str, Any]]:
    """Those that are wrong by a second or more: times of the truth are true ones."""
    return [
        {
            "host": host.fqdn,
            "ahead_s": host.skew_us / 1e6,
            "until": moment(host.right_us) if host.right_us else None,
        }
        for body in scene.world.bodies
        for host in body.hosts
        if abs(host.skew_us) >= _SECOND_US
    ]


def _names(scene: Scene) -> list[list[str]]:
    """What means one and the same machine, and one and the same account."""
    groups = []
    for body in scene.world.bodies:
        for host in body.hosts:
            now = scene.machine(host).host
            every = (now.fqdn, now.name, host.fqdn, host.name, host.address, host.front)
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
