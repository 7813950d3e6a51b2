"""A plan and its incident in, what must hold before the case may be closed out (NIST SP 800-61 Rev. 2 §3.3.4)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from tocsin.model.containment import Recovery
from tocsin.model.incident import Incident
from tocsin.model.plan import Alternative, Plan

WATCH_DAYS: Final = 90
PREFIX: Final = "Exit criterion: "
_STOLEN: Final = ("T1003", "T1555", "T1558", "T1552")


def recovery(plan: Plan, chosen: Alternative, incident: Incident, day: date) -> Recovery:
    """`day` is the one on which somebody decided that it is contained: the heightened watch runs from then."""
    left = {link.target.removeprefix("host ") for link in plan.links if link.kind == "persistence"}
    rebuild = tuple(sorted(one.name for one in incident.hosts if one.name.casefold() in left))
    secrets = _secrets(plan, incident)
    until = (day + timedelta(days=WATCH_DAYS)).isoformat()
    hosts = ", ".join(one.name for one in incident.hosts[:8]) or "its machines"
    criteria = [
        f"{name} is set up anew from a source that was never theirs, or its owner signed why not" for name in rebuild
    ]
    criteria += [f"renewed: {secret}" for secret in secrets]
    ways = [action.target.value for action in chosen.actions if action.verb == "close way in"]
    criteria += [f"the way in on {name} is patched, and was looked through before it was opened" for name in ways]
    criteria += [
        f"what this plan left open is closed or carried by somebody by name: {one.what}" for one in chosen.leaves
    ]
    criteria += [
        f"heightened watch of {hosts} until {until}, with logs that would show their return, and no sign in them",
        "every block, isolation and disabled account of this case was lifted, or stays by a signed decision",
    ]
    return Recovery(rebuild=rebuild, secrets=secrets, watch_until=until, criteria=tuple(criteria))


def _secrets(plan: Plan, incident: Incident) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for link in plan.links:
        if link.kind == "credential" and link.target.partition(" ")[0] in {"account", "directory", "tenant"}:
            found.setdefault(link.what)
    robbed = sorted(
        {
            finding.host
            for finding in incident.findings
            if finding.host and any(one.startswith(_STOLEN) for one in finding.techniques)
        }
    )
    for name in robbed:
        found.setdefault(f"the secrets of everybody and every service that logged on to {name} since they came")
    return tuple(found)
