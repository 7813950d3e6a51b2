"""An incident and what must stay in reach in, a plan out: three ways to cut the intruder off, side by side.

Least disruptive: what costs those who work there least. Fastest: what one team does in the shortest time. Quietest:
what an intruder sees least of, and none of it before all of it can be done at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from tocsin.contain import preserve as keeping
from tocsin.contain.catalogue import Catalogue, catalogue, prices
from tocsin.contain.cut import Edge, cut, reach
from tocsin.contain.graph import INTRUDER, Graph, account, drawn
from tocsin.contain.guard import Own
from tocsin.model.action import Action, Verb
from tocsin.model.incident import Incident
from tocsin.model.plan import WAYS, Alternative, Open, Plan, Way

_KEPT_LOW: Final[Mapping[Way, str]] = {"least disruptive": "cost", "fastest": "minutes", "quietest": "noise"}
# What comes first: machines are cut off before secrets are renewed on them, or the new ones are stolen, too.
_PHASE: Final[Mapping[Verb, int]] = {
    "block address": 0,
    "block network": 0,
    "block domain": 0,
    "isolate host": 1,
    "close way in": 1,
    "quarantine hash": 2,
    "remove persistence": 2,
    "remove grant": 3,
    "remove inbox rule": 3,
    "disable account": 3,
    "reset secret": 4,
    "revoke sessions": 5,
    "reset krbtgt": 6,
    "renew signing certificates": 6,
}
_CLEANS: Final[frozenset[Verb]] = frozenset({"isolate host", "close way in", "remove persistence", "quarantine hash"})
_SECRETS: Final[frozenset[Verb]] = frozenset({"reset secret", "disable account"})
_QUIETLY: Final = (
    "Change nothing yet: a way that is closed alone tells them to use another",
    "Watch all ways of this plan, and write down each that is not in it yet",
    "Make every action ready, with its approvals, so that all are done within one hour",
)
_BY_VALUE: Final = "they may use another address or name tomorrow: a block stops what is known and nothing else"


def plan(
    incident: Incident,
    *,
    of: str,
    digest: str,
    own: Own,
    settled: Mapping[str, str] | None = None,
    agreed: Iterable[str] = (),
) -> Plan:
    """Plan how to cut an intruder off.

    Args:
        of: id of the case; `digest` is the SHA-256 of the incident.
        own: what must stay in reach, and the list of assets.
        settled: hosts and accounts whose evidence was collected or waived, with who said so.
        agreed: originators of intelligence who said that it may be acted on.
    """
    graph = drawn(incident)
    known = catalogue(incident, graph, own, agreed)
    alternatives = tuple(_alternative(way, graph, known) for way in WAYS)
    chosen = [action for one in alternatives for action in one.actions]
    return Plan(
        of=of,
        incident=digest,
        links=graph.links,
        preserve=keeping.preserve(chosen, settled or {}),
        alternatives=alternatives,
        advice=tuple(known.advice.values()),
        notes=_notes(incident, graph, own, known),
    )


def _alternative(way: Way, graph: Graph, known: Catalogue) -> Alternative:
    edges = [
        Edge(source=link.source, target=link.target, by=tuple(known.severing.get(link.id, ()))) for link in graph.links
    ]
    found = cut(edges, source=INTRUDER, held=graph.held, prices=prices(known.actions, _KEPT_LOW[way]))
    actions = _ordered([known.actions[name] for name in found.chosen], graph)
    return Alternative(
        way=way,
        actions=actions,
        total=found.total,
        gap=found.gap,
        first=_QUIETLY if way == "quietest" else (),
        leaves=tuple(_left(way, graph, known, actions)),
    )


def _left(way: Way, graph: Graph, known: Catalogue, actions: Sequence[Action]) -> Iterable[Open]:
    severed = {link for action in actions for link in action.severs}
    standing = [link for link in graph.links if link.id not in severed]
    edges = [Edge(source=link.source, target=link.target) for link in standing]
    reached, leading = reach(edges, INTRUDER), _leading(edges, graph.held)
    for link in standing:
        # What ends nowhere that matters, such as at an address that leads to no machine any more, is no way.
        if link.source in reached and link.target in leading:
            why = list(dict.fromkeys(known.refused.get(link.id, ()))) or ["nothing that is known severs it"]
            yield Open(what=f"{link.kind}: {link.what}", why="; ".join(why), link=link.id)
    if any(action.verb.startswith("block ") for action in actions):
        yield Open(what="other addresses and names", why=_BY_VALUE)
    if way == "quietest" and actions:
        yield Open(what="every way of this plan", why="until the moment at which all of it is done at once")


def _leading(standing: Iterable[Edge], held: Iterable[str]) -> set[str]:
    """Nodes from which something is reached that must not stay in their hands."""
    back = [Edge(source=edge.target, target=edge.source) for edge in standing]
    return reach([*back, *(Edge(source="", target=node) for node in held)], "")


def _ordered(actions: Sequence[Action], graph: Graph) -> tuple[Action, ...]:
    """In the order in which they are done, each with those that must be done before it."""
    ordered = sorted(actions, key=lambda one: (_PHASE[one.verb], one.target.value, one.id))
    cleaned: dict[str, list[str]] = {}  # by machine
    secret: dict[str, list[str]] = {}  # by account
    for one in ordered:
        if one.verb in _CLEANS:
            cleaned.setdefault(one.target.host or one.target.value, []).append(one.id)
        elif one.verb in _SECRETS:
            secret.setdefault(one.target.value, []).append(one.id)
    logons = _logons(graph)
    told = []
    for one in ordered:
        name = one.target.value
        after: list[str] = []
        if one.verb == "reset secret":
            after = [each for place in sorted(logons.get(account(name), ())) for each in cleaned.get(place, ())]
        elif one.verb == "revoke sessions":
            after = secret.get(name, [])  # or whoever holds the secret begins a new one
        elif one.verb == "reset krbtgt":
            after = [each for place, several in cleaned.items() if place.endswith(f".{name}") for each in several]
        told.append(replace(one, after=tuple(after)) if after else one)
    return tuple(told)


def _logons(graph: Graph) -> dict[str, set[str]]:
    """The machines that an account was seen on."""
    found: dict[str, set[str]] = {}
    for link in graph.links:
        if link.source.startswith("account ") and link.target.startswith("host "):
            found.setdefault(link.source, set()).add(link.target.removeprefix("host "))
    return found


def _notes(incident: Incident, graph: Graph, own: Own, known: Catalogue) -> tuple[str, ...]:
    notes = []
    if not own.assets.all:
        notes.append("no list of assets was given: whose a machine is, what runs on it and whether it is protected is")
        notes[-1] += " not known, and every price is a guess"
    if own.known_good is None:
        notes.append("no known-good lists were given: whether others need what is blocked was not looked up")
    networks = dict.fromkeys(known.shared.values())
    notes += [f"network {one.network}: {one.told}" for one in networks]
    told = dict(own.agreed)
    rests = sorted({name for action in known.actions.values() for name in action.originators})
    notes += [
        f"intelligence of {one} is acted on: {told.get(one, 'somebody signed that they agreed')}" for one in rests
    ]
    if graph.left_out:
        notes.append(f"{graph.left_out} links were more than could be looked at: the plan does not cut them")
    low = [claim for claim in (incident.impact.claims if incident.impact else ()) if claim.confidence == "low"]
    ends = sum(claim.sort == "network" and claim.stage == "left" for claim in low)
    if ends:
        notes.append(f"{ends} destinations of low confidence are not blocked: others may need them")
    notes += [f"not seen: {word}" for word in incident.not_seen]
    return tuple(notes)
