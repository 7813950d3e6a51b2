"""What truly left in, what somebody told the press was taken out: louder, and wrong (claim-1.schema.json)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tocsin.rehearse.dice import Dice
from tocsin.rehearse.rhythm import DAY_US, HOUR_US, clock, midnight_us
from tocsin.rehearse.stories import breach
from tocsin.rehearse.world import World


def made(world: World) -> dict[str, Any]:
    """The claim. Each of its parts is contradicted by the evidence, in a way of its own."""
    body, dice = world.body(breach.BODY), Dice(world.seed, "claim")
    last = midnight_us(world.calendar.last)
    day = last - (4 + dice.below(3)) * DAY_US
    members = sum(person.role == "member" for person in body.people)
    return {
        "version": 1,
        "id": f"claim-{world.seed}",
        "claimed_at": clock(last + 11 * HOUR_US) + "Z",
        "by": "The Open Ledger",
        "where": "a message to two newspapers and a paste site",
        "authority": body.title,
        "parts": [
            {
                "id": "mail",
                "says": f"The mail of all {members} members was taken",
                "what": "mailboxes",
                "mailboxes": members,
                "bytes": 340_000_000_000 + dice.below(9) * 1_000_000_000,
                "host": None,
                "from": None,
                "until": None,
            },
            {
                "id": "archive",
                "says": "The whole archive server was copied in one night",
                "what": "files",
                "mailboxes": None,
                "bytes": 1_200_000_000_000,
                "host": body.one("archive").fqdn,
                "from": clock(day) + "Z",
                "until": clock(day + 8 * HOUR_US) + "Z",
            },
        ],
    }


def truth_of(claim: Mapping[str, Any], incident: Mapping[str, Any]) -> dict[str, Any]:
    """Why it is wrong; the incident is what the truth says of the breach."""
    taken, left = len(incident["people"]["data_left"]), incident["bytes"]["left"]
    reasons = {
        "mail": f"mail of {taken} mailboxes was read; {left} bytes left in all",
        "archive": "in that night nothing but its agents' reports went from that server to the outside",
    }
    parts = [{"id": part["id"], "contradicted": True, "because": reasons[part["id"]]} for part in claim["parts"]]
    return {"id": claim["id"], "file": "claim.json", "contradicted": True, "parts": parts}
