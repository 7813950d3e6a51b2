"""A rule's log source in, where such events are found out: channels, event ids, the names of fields there.

Which channel a service writes and which event id a category has is read from the tables inside pySigma's
pipeline packages, handed in as `Tables`; what they lack stands here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from tocsin.detect import defender
from tocsin.detect.places import PLACES, Place
from tocsin.detect.providers import (
    FILE_ACCESS,
    NETWORK_CONNECTION,
    PROCESS_CREATION,
    REGISTRY,
    REGISTRY_OPERATIONS,
    Provider,
)
from tocsin.detect.trees import Tree, all_of, any_of, translated
from tocsin.model.kind import KINDS
from tocsin.model.mapping import Served
from tocsin.model.rule import Pattern

# Channels of services that the pipeline packages do not name.
MORE_CHANNELS: Final[Mapping[str, str]] = {
    "iis-configuration": "Microsoft-IIS-Configuration/Operational",
    "ldap": "Microsoft-Windows-LDAP-Client/Debug",
    "ntfs": "Microsoft-Windows-Ntfs/Operational",
    "sense": "Microsoft-Windows-SENSE/Operational",
    "smbclient-connectivity": "Microsoft-Windows-SmbClient/Connectivity",
    "smbserver-connectivity": "Microsoft-Windows-SMBServer/Connectivity",
    "smbserver-operational": "Microsoft-Windows-SMBServer/Operational",
    "terminalservices-remoteconnectionmanager": (
        "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational"
    ),
    "winrm": "Microsoft-Windows-WinRM/Operational",
}

# Categories for which Windows keeps no log, and who could see such events.
UNLOGGED: Final[Mapping[str, str]] = {
    "file_rename": "only the Kernel-File event tracing provider sees files being renamed",
}

# What tells of the same events as Sysmon's category, where Windows' own auditing is switched on.
SECURITY: Final[Mapping[str, Provider]] = {
    "network_connection": NETWORK_CONNECTION,
    "process_creation": PROCESS_CREATION,
    **dict.fromkeys(REGISTRY_OPERATIONS, REGISTRY),
}


# Categories that Sysmon does not know, and auditing does.
AUDITED_ALONE: Final[Mapping[str, Provider]] = {"file_access": FILE_ACCESS}

# What else tells that an event of the security log is of the category: a field, and the texts it may hold.
SECURITY_GATES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "file_access": ("ObjectType", ("file",)),
    **{category: ("OperationType", texts) for category, texts in REGISTRY_OPERATIONS.items()},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What pySigma's pipeline packages know."""

    channels: Mapping[str, str | Sequence[str]]  # of a service
    sysmon: Mapping[str, int | Sequence[int]]  # Sysmon's event ids of a category
    categories: Mapping[str, Mapping[str, Any]]  # those that are one event id of a service


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A place where events of a log source are found. `provider` is None where fields have Sigma's names.

    `besides` tells fields in which a field's texts are looked for as well.
    """

    name: str
    kind: str
    gate: Tree
    provider: Provider | None = None
    besides: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def widened(self, tree: Tree) -> Tree:
        """The tree with its texts also looked for in the fields besides; what is not there is asked of none."""

        def change(asked: Pattern, _: bool) -> Tree:
            others = () if asked.kind in ("null", "exists") else self.besides.get(asked.field or "", ())
            return any_of((asked, *(msgspec.structs.replace(asked, field=other) for other in others)))

        return translated(tree, change) if self.besides else tree


def variants(
    category: str, product: str, service: str, tables: Tables, served: Sequence[Served] = ()
) -> tuple[Binding, ...] | str:
    """The places to look, or the reason why there is none. Parts that a rule does not name are empty.

    Args:
        served: log sources that mappings read besides.
    """
    found = _known(category, product, service, tables)
    more = {
        one.kind: Binding(name=one.kind, kind=one.kind, gate=True)
        for one in served_by(served, category, product, service)
    }
    if not more:
        return found
    return (*(() if isinstance(found, str) else found), *more.values())


def served_by(served: Sequence[Served], category: str, product: str, service: str) -> tuple[Served, ...]:
    return tuple(one for one in served if one.kind not in KINDS and one.holds(category, product, service))


def _known(category: str, product: str, service: str, tables: Tables) -> tuple[Binding, ...] | str:
    if found := places(category, product, service):
        return tuple(
            Binding(
                name=one.name,
                kind=one.kind,
                gate=_place_gate(one.gate),
                provider=one.provider,
                besides=one.besides,
            )
            for one in found
        )
    if product not in ("windows", ""):
        return f"{_name(category, product, service)} has no reader"
    generic = _generic(category, tables)
    if generic:
        return generic
    if category in UNLOGGED:
        return f"{_name(category, product, service)} is in no Windows log: {UNLOGGED[category]}"
    if product and service:
        channels = tables.channels.get(service) or MORE_CHANNELS.get(service)
        if channels is None:
            return f"{_name(category, product, service)} has no reader: its channel is not known"
        return (Binding(name="", kind="windows", gate=_gate(channels)),)
    if product and not category:
        return (Binding(name="", kind="windows", gate=True),)
    return f"{_name(category, product, service)} has no reader"


def places(category: str, product: str, service: str) -> tuple[Place, ...]:
    """Where a log source outside Windows is found; a product that logs what a category asks is that category."""
    found = PLACES.get((category, product, service)) or (PLACES.get((category, "", ""), ()) if category else ())
    return tuple(place for place in found if place.kind in KINDS)


def _place_gate(fields: Mapping[str, Sequence[str]]) -> Tree:
    def holds(name: str, text: str) -> Pattern:
        return Pattern(name, "exists", "") if text == "*" else Pattern(name, "equals" if text else "null", text)

    return all_of(any_of(holds(name, text) for text in texts) for name, texts in fields.items())


def _generic(category: str, tables: Tables) -> tuple[Binding, ...]:
    """The bindings of a category that means certain events, whatever service a rule names beside it."""
    if category in tables.categories:
        known = tables.categories[category]
        gate = _gate(tables.channels[known["service"]], known["EventID"])
        return (Binding(name="", kind="windows", gate=gate),)
    provider = SECURITY.get(category) or AUDITED_ALONE.get(category)
    bindings = []
    if category in tables.sysmon:
        gate = _gate(tables.channels["sysmon"], tables.sysmon[category])
        bindings.append(Binding(name="sysmon" if provider else "", kind="windows", gate=gate))
    if provider:
        field, texts = SECURITY_GATES.get(category, ("", ()))
        more = any_of(Pattern(field, "equals", text) for text in texts) or True
        gate = all_of([_gate("Security", provider.event_id or ()), more])
        bindings.append(Binding(name="security", kind="windows", gate=gate, provider=provider))
    if category in defender.CATEGORIES:
        actions, _ = defender.CATEGORIES[category]
        gate = _place_gate({"ActionType": actions, "platform": ("windows",)})
        provider = defender.PROVIDERS[category]
        bindings.append(Binding(name=defender.NAME, kind=defender.KIND, gate=gate, provider=provider))
    return tuple(bindings)


def _gate(channels: str | Sequence[str], event_ids: int | Sequence[int] = ()) -> Tree:
    channels = [channels] if isinstance(channels, str) else channels
    event_ids = [event_ids] if isinstance(event_ids, int) else event_ids
    gate = any_of(Pattern("Channel", "equals", channel.lower()) for channel in channels)
    return all_of([gate, any_of(Pattern("EventID", "equals", str(number)) for number in event_ids) or True])


def _name(category: str, product: str, service: str) -> str:
    named = {"product": product, "category": category, "service": service}
    return "the log source " + ", ".join(f"{part} {text[:60]!r}" for part, text in named.items() if text)
