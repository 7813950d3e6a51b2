"""Links and what is known of assets in, everything that could be done about them out, each with price and reach.

What must not be done is not here: protected assets have no action at all, and what `guard` refuses is told as open.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from tocsin.contain import cost, networks, words
from tocsin.contain.graph import INTRUDER, Graph, host
from tocsin.contain.guard import Own, refusal
from tocsin.contain.networks import Shared
from tocsin.model.action import Action, Target, Verb
from tocsin.model.asset import Asset, Assets
from tocsin.model.incident import Incident
from tocsin.model.pap import forbids, source_of
from tocsin.model.plan import Link

NOBODY_KNOWS: Final = "not known"  # whose an asset is that no list names
# These act on one value alone; if any ground for it may not be acted on, the value gives it away.
_OF_A_VALUE: Final[frozenset[Verb]] = frozenset({"block address", "block network", "block domain", "quarantine hash"})
_OF_HOSTS: Final[frozenset[Verb]] = frozenset({"isolate host", "remove persistence", "close way in"})


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """`actions` by id; `severing` says which sever a link; `refused` why something that would is not done.

    `shared` is by address the network that several of the intruder's are in.
    """

    shared: Mapping[str, Shared]

    actions: dict[str, Action] = field(default_factory=dict)
    severing: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, list[str]] = field(default_factory=dict)
    advice: dict[str, Action] = field(default_factory=dict)


def catalogue(incident: Incident, graph: Graph, own: Own, agreed: Iterable[str] = ()) -> Catalogue:
    """Everything that could be done.

    Args:
        own: what must stay in reach, and the list of assets.
        agreed: originators who said that their intelligence may be acted on.
    """
    wanted: dict[tuple[Verb, Target], list[Link]] = {}
    found = Catalogue(shared=networks.shared(graph.links, incident))
    protected = {node for node in _nodes(graph.links) if _protected(node, own.assets)}
    for link in graph.links:
        for verb, target, node in _offers(link, graph.names, found.shared):
            if node in protected:
                found.refused.setdefault(link.id, []).append(
                    f"{_called(node)} is protected: only its owner may decide to {verb.partition(' ')[0]} there"
                )
            elif why := refusal(target, own):
                found.refused.setdefault(link.id, []).append(why)
            else:
                wanted.setdefault((verb, target), []).append(link)
    agreed = (*agreed, *(name for name, _ in own.agreed))
    behind, on = _behind(graph.links), _by_machine(incident)
    for (verb, target), links in wanted.items():
        touched = _touched(verb, target, links, behind, own.assets)
        action = _action(verb, target, links, incident, touched, _because(links, behind, on))
        grounds = _grounds(action, links, incident)
        asked = tuple(sorted({name for name, _ in _resting(verb, grounds, ())}))
        action = replace(_of_network(action, found.shared), originators=asked)
        terms = next((why for _, why in _resting(verb, grounds, agreed)), "")
        if terms:
            for link in links:
                found.refused.setdefault(link.id, []).append(terms)
            found.advice[action.id] = _advised(action, terms)
            continue
        found.actions[action.id] = action
        for link in links:
            found.severing.setdefault(link.id, []).append(action.id)
    return found


def _nodes(links: Iterable[Link]) -> set[str]:
    return {node for link in links for node in (link.source, link.target)}


def _called(node: str) -> str:
    return node.partition(" ")[2]


def assets_of(node: str, assets: Assets) -> tuple[Asset, ...]:
    kind, _, name = node.partition(" ")
    return assets.named(name) or assets.at(name) if kind == "host" else ()


def _protected(node: str, assets: Assets) -> bool:
    """Of several assets that it may be, one that is protected is enough."""
    return any(asset.protected for asset in assets_of(node, assets))


def _offers(link: Link, names: Mapping[str, str], shared: Mapping[str, Shared]) -> Iterable[tuple[Verb, Target, str]]:
    """What severs a link: verb, target, and the node that is touched by it."""
    for node in (link.source, link.target):
        if node.startswith("host "):
            yield "isolate host", Target(kind="host", value=_called(node)), node
    kind, _, name = (link.target if link.source == INTRUDER else link.source).partition(" ")
    if link.kind == "channel" and link.source == INTRUDER:
        if kind == "address":
            yield "block address", Target(kind="address", value=name), link.target
            if name in shared:
                yield "block network", Target(kind="network", value=shared[name].network), link.target
        elif kind == "domain":
            yield "block domain", Target(kind="domain", value=name), link.target
    elif link.kind == "persistence":
        yield from _left_behind(link)
    elif link.kind == "way in" and link.what.startswith("a service of "):
        yield "close way in", Target(kind="host", value=_called(link.target)), link.target
    elif link.source == INTRUDER and link.kind in {"credential", "session"}:
        yield from _secrets(link, kind, names.get(link.target, name))


def _left_behind(link: Link) -> Iterable[tuple[Verb, Target, str]]:
    kind, _, name = link.target.partition(" ")
    digest = link.what.removeprefix("program with SHA-256 ")
    if kind == "mailbox":
        yield "remove inbox rule", Target(kind="mailbox", value=name), link.target
    elif digest != link.what:
        yield "quarantine hash", Target(kind="hash", value=digest), link.target
    else:
        yield "remove persistence", Target(kind="persistence", value=link.what, host=name), link.target


def _secrets(link: Link, kind: str, name: str) -> Iterable[tuple[Verb, Target, str]]:
    if kind == "directory":
        yield "reset krbtgt", Target(kind="directory", value=name), link.target
    elif kind == "tenant":
        yield "renew signing certificates", Target(kind="tenant", value=name.removeprefix("of ")), link.target
    elif kind == "grant":
        yield "remove grant", Target(kind="grant", value=name), link.target
    elif link.kind == "session":
        yield "revoke sessions", Target(kind="account", value=name), link.target
    else:
        for verb in _SECRET:
            yield verb, Target(kind="account", value=name), link.target


# Disabling an account ends no session that is open already: tickets and tokens live on.
_SECRET: Final[tuple[Verb, ...]] = ("reset secret", "disable account")


def _by_machine(incident: Incident) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, one in enumerate(incident.findings):
        if one.host:
            found.setdefault(host(one.host), []).append(number)
    return found


def _because(
    links: Sequence[Link], behind: Mapping[str, Sequence[str]], on: Mapping[str, Sequence[int]]
) -> tuple[int, ...]:
    """Findings that show these links; where none does, those on the machines that they lead to."""
    direct = {number for link in links for number in link.because}
    if direct:
        return tuple(sorted(direct))
    to = {node for link in links for node in (link.target, *behind.get(link.target, ()))}
    return tuple(sorted({number for node in to for number in on.get(node, ())}))


def _action(
    verb: Verb,
    target: Target,
    links: Sequence[Link],
    incident: Incident,
    touched: tuple[Asset, ...],
    because: tuple[int, ...],
) -> Action:
    price, minutes, noise = cost.weights(verb, touched if verb in _OF_HOSTS else ())
    said = words.of(verb, target)
    return Action(
        id=_id(verb, target),
        verb=verb,
        target=target,
        because=because,
        why=_why(links, because, incident),
        reversible=bool(said.undo),
        expires_s=said.lasts_s,
        approvals=2 if cost.touches_a_service(verb, touched) else 1,
        cost=price,
        minutes=minutes,
        noise=noise,
        authorities=_authorities(touched),
        severs=tuple(link.id for link in links),
        preserve=_kept_first(verb, target),
        steps=said.steps,
        probes=said.probes,
        undo=said.undo,
    )


def _of_network(action: Action, shared: Mapping[str, Shared]) -> Action:
    """Of a network also what else of ours is cut off by it, which makes it dearer."""
    if action.verb != "block network":
        return action
    one = next(each for each in shared.values() if each.network == action.target.value)
    return replace(action, cost=action.cost + cost.WITHOUT_IT * len(one.others), why=f"{action.why}; {one.told}")


def _behind(links: Iterable[Link]) -> dict[str, list[str]]:
    """The machines that an address or an account leads to."""
    found: dict[str, list[str]] = {}
    for link in links:
        if link.source != INTRUDER and link.target.startswith("host "):
            found.setdefault(link.source, []).append(link.target)
    return found


def _touched(
    verb: Verb, target: Target, links: Sequence[Link], behind: Mapping[str, Sequence[str]], assets: Assets
) -> tuple[Asset, ...]:
    """Assets that an action is done to; of what is done in the network or a directory, those that it leads to."""
    if verb in _OF_HOSTS:
        return assets_of(f"host {target.host or target.value}", assets)
    if target.kind == "directory":
        whole = f".{target.value}"
        return tuple(
            one for one in assets.all if any(name.casefold().endswith(whole) for name in (one.name, *one.also))
        )
    nodes = dict.fromkeys(node for link in links for node in (link.target, *behind.get(link.target, ())))
    return tuple(dict.fromkeys(asset for node in nodes for asset in assets_of(node, assets)))


def _authorities(touched: Sequence[Asset]) -> tuple[str, ...]:
    return tuple(sorted({asset.authority or NOBODY_KNOWS for asset in touched})) or (NOBODY_KNOWS,)


def _kept_first(verb: Verb, target: Target) -> tuple[str, ...]:
    if verb in _OF_HOSTS:
        return (f"host {target.host or target.value}",)
    return (f"{target.kind} {target.value}",) if target.kind in {"account", "mailbox", "grant"} else ()


def _id(verb: Verb, target: Target) -> str:
    """Of what is done to what: readable by its verb, told apart by a digest, and with nothing of the value in it."""
    digest = hashlib.sha256(f"{verb}\x00{target.kind}\x00{target.value}\x00{target.host}".encode("utf-8", "replace"))
    return f"{verb.replace(' ', '-')}-{digest.hexdigest()[:10]}"


def _why(links: Sequence[Link], because: Sequence[int], incident: Incident) -> str:
    titles = "; ".join(list(dict.fromkeys(incident.findings[number].title for number in because))[:3])
    reach = ", ".join(sorted({link.kind for link in links}))
    found = [f"severs {_count(len(links), 'link')} ({reach})"]
    if any(link.because for link in links):
        return f"{found[0]}; seen in {_count(len(because), 'finding')}: {titles}"
    words = list(dict.fromkeys(word for link in links for word in link.told))[:3]
    found += [f"no finding names it; the case has {'; '.join(words)}"] if words else []
    if because:
        found.append(f"it leads to machines with {_count(len(because), 'finding')}: {titles}")
    return "; ".join(found)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


_Terms: TypeAlias = tuple[str, ...] | None


def _grounds(action: Action, links: Sequence[Link], incident: Incident) -> list[_Terms]:
    """The terms of what an action rests on. What is known of a machine says nothing of a value that it dealt with."""
    direct = sorted({number for link in links for number in link.because})
    return [incident.findings[one].terms for one in (direct if action.verb in _OF_A_VALUE else action.because)]


def _resting(verb: Verb, grounds: Sequence[_Terms], agreed: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Originators whose intelligence an action falls without and who forbid it, each with the words.

    One on a value alone falls with any ground for it.
    """
    bound = [(source_of(terms), why) for terms in grounds if terms is not None and (why := forbids(terms, agreed))]
    return () if verb not in _OF_A_VALUE and len(bound) < len(grounds) else tuple(bound)


def _advised(action: Action, why: str) -> Action:
    return replace(action, advice=why)


def prices(found: Mapping[str, Action], kept_low: str) -> dict[str, int]:
    return {one.id: getattr(one, kept_low) for one in found.values()}
