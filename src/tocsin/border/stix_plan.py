"""A way to cut an intruder off in, a STIX 2.1 bundle of courses of action out, each tied to what it is against.

The incident, its techniques, machines, addresses and accounts are the objects that `stix_incident` makes of them, under
the same ids where author, marking and incident are the same: whoever has both bundles has one graph. A plan says what
is to be done. Nothing here says that it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tocsin.border.stix_incident import Bundle, technique
from tocsin.border.stix_parcel import OURS
from tocsin.model.action import Action
from tocsin.model.attack import Facts
from tocsin.model.incident import Incident
from tocsin.model.plan import Alternative


def bundle(
    incident: Incident, chosen: Alternative, *, author: str, tlp: str, attack: Facts, digest: str
) -> dict[str, Any]:
    """The bundle, as JSON holds it; the same plan gives the same.

    Args:
        author: who says all this.
        tlp: of everything in it.
        attack: names and tactics of techniques.
        digest: of the plan, as people sign it.
    """
    made = _Bundle(incident, author, tlp)
    for action in chosen.actions:
        made.course(action, [technique(made, name, attack) for name in _techniques(incident, action)])
    if told := list(_beside(chosen)):
        abstract = "What comes first, and what stays open"
        made.add("note", abstract=abstract, content="\n".join(told), object_refs=[made.incident])
    return made.whole(
        name=f"Plan to contain, {chosen.way}: {incident.title}",
        description=f"To be done in this order. It does not say that it was done. SHA-256 of the plan: {digest}",
    )


def _techniques(incident: Incident, action: Action) -> list[str]:
    found = [name for number in action.because for name in incident.findings[number].techniques]
    return list(dict.fromkeys(found))


def _beside(chosen: Alternative) -> Iterable[str]:
    for words in chosen.first:
        yield f"First: {words}"
    for one in chosen.leaves:
        yield f"Stays open: {one.what}: {one.why}"


def _words(action: Action) -> Iterable[str]:
    yield action.why
    for number, step in enumerate(action.steps, 1):
        yield f"{number}. {step}"
    for probe in action.probes:
        yield f"Check: {probe}"
    for step in action.undo:
        yield f"Take back: {step}"
    if not action.reversible:
        yield "What was before does not come back."


class _Bundle(Bundle):
    """What an incident makes, with its machines and accounts, and courses of action."""

    def __init__(self, incident: Incident, author: str, tlp: str) -> None:
        super().__init__(incident, author, tlp)
        # All of them, as words of a plan may name any: what shares this bundle hides names of what is in it.
        self.hosts = {one.name.casefold(): self.host(one.name) for one in incident.hosts}
        accounts = ((one.name.casefold(), self.account(one.name)) for one in incident.accounts)
        self.accounts = {name: named for name, named in accounts if named}

    def course(self, action: Action, techniques: Iterable[str]) -> None:
        course = self.add(
            "course-of-action",
            name=f"{action.verb}: {action.target.value}",
            description="\n".join(_words(action)),
            external_references=[{"source_name": OURS, "external_id": action.id}],
        )
        for target in techniques:
            self._relation("mitigates", course, target)
        self._relation("related-to", course, self.incident)
        if on := self._target(action):
            self._relation("related-to", course, on)

    def _relation(self, how: str, course: str, target: str) -> None:
        self.add("relationship", relationship_type=how, source_ref=course, target_ref=target)

    def _target(self, action: Action) -> str | None:
        """What it is done to, where STIX has an object for that; else the machine it is done on, if there is one."""
        kind, value = action.target.kind, action.target.value
        if kind == "address":
            return self.address(value)
        if kind == "domain":
            return self.observable("domain-name", value=value)
        if kind == "account":
            return self.accounts.get(value.casefold()) or self.account(value)
        if kind == "hash":
            return self.observable("file", hashes={"SHA-256": value})
        host = value if kind == "host" else action.target.host
        return (self.hosts.get(host.casefold()) or self.address(host) or self.host(host)) if host else None
