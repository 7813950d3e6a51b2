"""An incident in, the links by which an intruder gets and stays in out: ways in, channels, what was left, secrets.

A path leads from the intruder to something that must not stay in their hands: a machine with findings, an account, the
secrets of a directory. Private addresses and machines on other cases' paths are nodes, too, so that a way through them
is not forgotten. What no log tells is a link as well: a machine that they hold in a way nobody knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tocsin.contain import facts
from tocsin.contain.guard import is_outside
from tocsin.model.incident import Incident
from tocsin.model.plan import Link, LinkKind

INTRUDER: Final = "the intruder"
_MOST_LINKS: Final = 20_000
_MOST_TOLD: Final = 3
_LONGEST_NAME: Final = 256
_MOST_HOSTS: Final = 8  # of an incident, that are taken where no record says which machine an address dealt with
_SYSTEM: Final = frozenset(
    "nt authority|window manager|font driver host|nt service|iis apppool|autorite nt|nt-autorität".split("|")
)
_NOBODY: Final = frozenset({"system", "local service", "network service", "anonymous logon", "root", "-", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """`held` are nodes that must not stay in reach; `left_out` counts links beyond what can be looked at.

    `names` is how logs write an account, by its node: what is acted on must be named whole.
    """

    links: tuple[Link, ...]
    held: tuple[str, ...]
    names: Mapping[str, str]
    left_out: int = 0


class _Drawn:
    """Links by what they are, each once, with all findings that they rest on."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str, LinkKind, str], Link] = {}
        self.held: dict[str, None] = {}
        self.names: dict[str, str] = {}
        self.left_out = 0

    def draw(
        self, source: str, target: str, kind: LinkKind, what: str, because: Iterable[int] = (), told: str = ""
    ) -> None:
        key = (source, target, kind, what)
        because, words = tuple(because), (told,) if told else ()
        if key in self.known:
            known = self.known[key]
            words = tuple(dict.fromkeys((*known.told, *words)))[:_MOST_TOLD]
            self.known[key] = replace(known, because=tuple(sorted({*known.because, *because})), told=words)
        elif len(self.known) < _MOST_LINKS:
            self.known[key] = Link(
                id="", source=source, target=target, kind=kind, what=what, because=because, told=words
            )
        else:
            self.left_out += 1


def drawn(incident: Incident) -> Graph:
    """The graph of one incident; links are numbered in the order of the incident, so the same gives the same."""
    graph = _Drawn()
    _of_findings(graph, incident)
    _of_addresses(graph, incident)
    _of_accounts(graph, incident)
    _of_moves(graph, incident)
    _of_impact(graph, incident)
    _unknown(graph)
    links = tuple(replace(link, id=f"link {number + 1}") for number, link in enumerate(graph.known.values()))
    return Graph(links=links, held=tuple(graph.held), names=graph.names, left_out=graph.left_out)


def host(name: str) -> str:
    return f"host {name.strip().rstrip('.').casefold()}"


def account(name: str) -> str:
    r"""`DOMAIN\name`, `name@realm` and `REALM\name@REALM` of one account are one node; a bare name is its own."""
    folded = name.strip().casefold()
    domain, _, rest = folded.rpartition("\\")
    user, _, realm = rest.partition("@")
    return f"account {user}@{(realm or domain).split('.')[0]}" if (realm or domain) else f"account {user}"


def is_person(name: str) -> bool:
    """Whether an account can be disabled or given a new secret: not the system's, not a machine's own."""
    domain, _, rest = name.strip().casefold().rpartition("\\")
    user = rest.partition("@")[0]
    return domain not in _SYSTEM and user not in _NOBODY and not user.endswith("$")


def _of_findings(graph: _Drawn, incident: Incident) -> None:
    for number, finding in enumerate(incident.findings):
        because = (number,)
        here = host(finding.host) if finding.host else ""
        if here:
            graph.held[here] = None
            if facts.opens(finding):
                graph.draw(INTRUDER, here, "way in", f"a service of {finding.host} that is open to them", because)
            left = facts.stays(finding)
            if left:
                graph.draw(INTRUDER, here, "persistence", f"{left.kind} {left.value}", because)
            for digest in facts.programs(finding):
                graph.draw(INTRUDER, here, "persistence", f"program with SHA-256 {digest}", because)
            for end in facts.far_ends(finding):
                graph.draw(f"{end.kind} {end.value}", here, "channel", f"{end.kind} {end.value}", because)
                graph.draw(INTRUDER, f"{end.kind} {end.value}", "channel", f"{end.kind} {end.value}", because)
        _of_the_whole(graph, number, incident)


def _of_the_whole(graph: _Drawn, number: int, incident: Incident) -> None:
    """What reaches beyond one machine: the secrets of a directory, of a tenant, of a mailbox."""
    finding = incident.findings[number]
    if facts.of_directory(finding):
        _copied(graph, domain_of(finding.host), (number,))
    if facts.of_signing(finding):
        tenant = f"tenant of {domain_of(finding.host) or 'the cloud'}"
        graph.held[tenant] = None
        graph.draw(INTRUDER, tenant, "credential", "tokens that they can sign themselves", (number,))
    if name := facts.grant(finding):
        graph.held[f"grant {name}"] = None
        graph.draw(INTRUDER, f"grant {name}", "session", f"grant to the application {name}", (number,))
    if name := facts.mailbox_rule(finding):
        graph.held[f"mailbox {name}"] = None
        graph.draw(INTRUDER, f"mailbox {name}", "persistence", f"inbox rule of {name}", (number,))


def domain_of(host_name: str) -> str:
    """The directory that a machine is of, by its whole name; '' where the name is short."""
    return host_name.strip().rstrip(".").casefold().partition(".")[2]


def _copied(graph: _Drawn, domain: str, because: tuple[int, ...], told: str = "") -> None:
    node = f"directory {domain or '(not named)'}"
    graph.held[node] = None
    what = f"tickets that they can make for {domain or 'the directory'}"
    graph.draw(INTRUDER, node, "credential", what, because, told)


def _of_addresses(graph: _Drawn, incident: Incident) -> None:
    naming = _naming(incident, lambda value: value)
    for one in incident.addresses:
        if is_outside(one.name):
            numbers, told = naming.get(one.name, ()), "it among its addresses"
            for name in one.on or tuple(seen.name for seen in incident.hosts[:_MOST_HOSTS]):
                graph.draw(f"address {one.name}", host(name), "channel", f"address {one.name}", numbers, told)
            graph.draw(INTRUDER, f"address {one.name}", "channel", f"address {one.name}", numbers, told)


def _of_accounts(graph: _Drawn, incident: Incident) -> None:
    naming = _naming(incident, _user)
    for one in incident.accounts:
        if is_person(one.name):
            _in_hand(graph, one.name, naming.get(_user(one.name), ()), "it among its accounts")
            for name in one.on:
                graph.draw(account(one.name), host(name), "credential", f"logons of {one.name}")


def _naming(incident: Incident, normal: Callable[[str], str]) -> Mapping[str, Sequence[int]]:
    """The findings that have a value in one of their fields, by its normal form."""
    found: dict[str, list[int]] = {}
    for number, finding in enumerate(incident.findings):
        values = {normal(value) for value in finding.fields.values() if value and len(value) <= _LONGEST_NAME}
        for value in sorted(values):
            found.setdefault(value, []).append(number)
    return found


def _user(name: str) -> str:
    """The account without where it is of."""
    return account(name).removeprefix("account ").partition("@")[0]


def _in_hand(graph: _Drawn, name: str, because: Iterable[int], told: str = "") -> None:
    node = account(name)
    graph.held[node] = None
    graph.names.setdefault(node, name.strip())
    graph.draw(INTRUDER, node, "credential", f"the secret of {name}", because, told)
    graph.draw(INTRUDER, node, "session", f"sessions and tokens of {name}", because, told)


def _of_moves(graph: _Drawn, incident: Incident) -> None:
    known = {host(one.name) for one in incident.hosts}
    for move in incident.moves:
        who = move.account if is_person(move.account) else ""
        whole = f"from {move.source} to {move.target}{f' as {who}' if who else ''}"
        told = f"a move {whole}, by record {move.at.rec} of {move.at.path.rpartition('/')[2]}"
        if who:
            _in_hand(graph, who, (), told)
        if is_outside(move.source):
            what = f"logons of {who} from outside" if who else f"logons from {move.source}"
            graph.draw(account(who) if who else INTRUDER, host(move.target), "way in", what, (), told)
            continue
        if host(move.source) not in known:
            what = f"how they came to {move.source} is not in this case"
            graph.draw(INTRUDER, host(move.source), "way in", what, (), told)
        graph.draw(host(move.source), host(move.target), "movement", whole, (), told)


def _of_impact(graph: _Drawn, incident: Incident) -> None:
    """Claims that surely or likely belong to the incident; a low confidence is no ground to cut anybody off."""
    for claim in incident.impact.claims if incident.impact else ():
        if claim.confidence == "low":
            continue
        told = f"{claim.what}, by {claim.records} records of {claim.confidence} confidence"
        if claim.sort == "network" and claim.stage == "left" and is_outside(claim.subject):
            what = f"address {claim.subject}"
            graph.draw(INTRUDER, what, "channel", what, claim.findings, told)
            for name in (claim.host,) if claim.host else tuple(seen.name for seen in incident.hosts[:_MOST_HOSTS]):
                graph.draw(what, host(name), "channel", what, claim.findings, told)
        elif claim.sort == "directory" and claim.stage in {"staged", "left"}:
            _copied(graph, domain_of(claim.host), claim.findings, told)
        elif claim.sort == "mail" and claim.account and is_person(claim.account):
            _in_hand(graph, claim.account, claim.findings, told)


def _unknown(graph: _Drawn) -> None:
    """Machines with findings that nothing leads to: they are held in a way that no log shows."""
    reached = {link.target for link in graph.known.values()}
    for node in graph.held:
        if node.startswith("host ") and node not in reached:
            graph.draw(INTRUDER, node, "way in", f"how they hold {node.removeprefix('host ')} is not in the logs")
