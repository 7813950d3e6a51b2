"""Scenes and what was kept of the records around them in, the same incidents with their impact out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tocsin.investigate.impact import flows as flow_files
from tocsin.investigate.impact import heard as heard_files
from tocsin.investigate.impact import mail, network, picks
from tocsin.investigate.impact.flows import Flows
from tocsin.investigate.impact.heard import Heard
from tocsin.investigate.impact.look import CLAIMING, Kept
from tocsin.investigate.impact.picks import Pick, Picked, tie
from tocsin.investigate.impact.scene import Scene, accounts_of, hosts_of
from tocsin.investigate.impact.tied import Tied
from tocsin.investigate.normal import last
from tocsin.model.asset import Assets
from tocsin.model.citation import Citation
from tocsin.model.coverage import SeenLog
from tocsin.model.event import NO_TIME
from tocsin.model.impact import SORTS, STAGES, Claim, Impact, Sort, Unanswered
from tocsin.model.incident import Incident

_CLOUD: Final = frozenset({"m365", "azure", "okta", "google_workspace"})
_QUESTIONS: Final[Mapping[Sort, tuple[str, str]]] = {
    "network": (
        "how many bytes left, and for where",
        "Zeek's conn.log, NetFlow, a firewall or a proxy that counts bytes",
    ),
    "file": (
        "which files were opened or downloaded",
        "auditing of file shares and file systems (5145, 4663), and the unified audit log for SharePoint and OneDrive",
    ),
    "archive": ("what was packed to be taken away", "command lines and file creation (Sysmon 1 and 11, 4688)"),
    "database": ("whether databases were read", "the audit logs of the database servers"),
    "directory": (
        "whether the directory was copied",
        "auditing of directory access (4662) on each domain controller, and command lines there",
    ),
    "credential": (
        "whose passwords and keys must be taken as known",
        "access to processes (Sysmon 10), command lines, and Kerberos auditing (4768, 4769)",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was kept of the records around incidents.

    Args:
        lost: sources that could not be read once more, with the reason.
        digests: SHA-256 by file on disk.
        seen: which logs there are at all, and over which time.
        heard: what they tell of a claim, whatever incidents there are.
    """

    picked: Picked
    flows: Flows
    lost: Sequence[str] = ()
    digests: Mapping[str, str]
    seen: Sequence[SeenLog]
    heard: Heard


def read(kept: Kept, *, lost: Sequence[str], digests: Mapping[str, str], seen: Sequence[SeenLog]) -> Evidence:
    return Evidence(
        picked=picks.read(kept.picks.iterdir()),
        flows=flow_files.read(kept.flows.iterdir()),
        lost=lost,
        digests=digests,
        seen=seen,
        heard=heard_files.read(kept.heard.iterdir()),
    )


def assess(
    incidents: Sequence[Incident], scenes: Sequence[Scene], evidence: Evidence, assets: Assets
) -> tuple[Incident, ...]:
    """The incidents that have a scene, in their order, each with its impact."""
    index = _index(evidence.picked)
    inside = network.ours(evidence.flows, assets)
    told = []
    for incident, scene in zip(incidents, scenes, strict=True):
        impact = _impact(incident, scene, evidence, index, inside)
        told.append(replace(incident, impact=impact))
    return tuple(told)


def _index(picked: Picked) -> dict[str, dict[object, list[int]]]:
    """Picks by machine, account, address and place: most incidents have to do with few of them."""
    index: dict[str, dict[object, list[int]]] = {}
    for sort, some in picked.of.items():
        of_sort = index[sort] = {}
        for number, pick in enumerate(some):
            keys = {("host", name) for name in hosts_of(pick.host)}
            keys |= {("account", name) for name in accounts_of(pick.account)}
            keys |= {("address", name) for name in pick.addresses}
            for key in (*keys, ("place", pick.place)):
                of_sort.setdefault(key, []).append(number)
    return index


def _impact(
    incident: Incident,
    scene: Scene,
    evidence: Evidence,
    index: Mapping[str, Mapping[object, list[int]]],
    inside: network.Rows,
) -> Impact:
    lost = ""
    if evidence.lost:
        lost = f"{len(evidence.lost)} sources could not be read once more, {evidence.lost[0]} among them"
    short = _shortness(incident, evidence.seen)
    claims: list[Claim] = []
    questions: list[Unanswered] = []
    for module in CLAIMING:
        of_sort = evidence.picked.of.get(module.SORT, ())
        beyond = evidence.picked.beyond.get(module.SORT, 0)
        tied = Tied(
            picks=_ties(of_sort, index.get(module.SORT, {}), scene),
            scene=scene,
            whole=lost or (f"{beyond:,} records were more than could be looked at" if beyond else ""),
            cite=lambda pick: _citation(evidence.digests, pick.file, pick.path, pick.rec, pick.chunk, pick.ts),
            short=short,
        )
        claims += module.claims(tied)
        if module is mail and any(cited.kind in _CLOUD for cited in incident.findings):
            questions += mail.unanswered(tied, (seen.name for seen in incident.accounts))
    claims += _network(incident, scene, evidence, inside, _staged(claims), lost)
    questions += network.unanswered(evidence.flows, scene, inside)
    shown = {claim.sort for claim in claims}
    questions += (
        Unanswered(question=question, would_tell=would_tell)
        for sort, (question, would_tell) in _QUESTIONS.items()
        if sort not in shown
    )
    claims.sort(key=_weight)
    return Impact(
        claims=tuple(claims),
        unanswered=tuple(questions),
        since_us=None if scene.since_us == NO_TIME else scene.since_us,
        until_us=None if incident.last_us is None else scene.until_us,
    )


def _weight(claim: Claim) -> tuple[object, ...]:
    """What is hardly sure stands last; before it what left, what is surest, what is most."""
    sure = ("high", "moderate", "low").index(claim.confidence)
    return (
        claim.confidence == "low",
        STAGES.index(claim.stage),
        sure,
        SORTS.index(claim.sort),
        -claim.amount.lower,
        claim.subject,
        claim.what,
    )


def _ties(of_sort: Sequence[Pick], index: Mapping[object, list[int]], scene: Scene) -> list[tuple[Pick, int]]:
    keys: list[object] = [("host", name) for name in scene.hosts]
    keys += [("account", name) for name in scene.accounts]
    keys += [("address", name) for name in scene.own | scene.outside]
    keys += [("place", place) for place in scene.places]
    numbers = sorted({number for key in keys for number in index.get(key, ())})
    return [(of_sort[number], how) for number in numbers if (how := tie(of_sort[number], scene))]


def _staged(claims: Iterable[Claim]) -> dict[str, int]:
    """Names of what was made ready, with the first moment."""
    names: dict[str, int] = {}
    for claim in claims:
        if claim.stage == "staged" and claim.confidence != "low":
            since = NO_TIME if claim.first_us is None else claim.first_us
            for name in claim.names:
                if "." in (file := last(name)):
                    names[file] = min(since, names.get(file, since))
    return names


def _network(
    incident: Incident,
    scene: Scene,
    evidence: Evidence,
    inside: network.Rows,
    staged: Mapping[str, int],
    lost: str,
) -> Iterator[Claim]:
    flows = evidence.flows
    whole = lost or (f"{flows.beyond:,} connections were more than could be looked at" if flows.beyond else "")
    counting = sorted(network.COUNTING)
    if not whole and all(_shortness(incident, evidence.seen)(kind, "") for kind in counting):
        whole = "no log that counts bytes reaches over the whole incident"

    def cite(row: int) -> Citation:
        columns = flows.columns
        _, file, path = flows.sources[columns["source"][row]]
        numbers = (int(columns[name][row]) for name in ("rec", "chunk", "ts"))
        return _citation(evidence.digests, file, path, *numbers)

    yield from network.claims(flows, scene, inside, staged, whole, cite)


def _citation(digests: Mapping[str, str], file: str, path: str, rec: int, chunk: int, ts: int) -> Citation:
    return Citation(src=digests.get(file, ""), path=path, rec=rec, chunk=chunk, ts_us=None if ts == NO_TIME else ts)


def _shortness(incident: Incident, seen: Iterable[SeenLog]) -> Callable[[str, str], str]:
    """Why logs of a kind do not tell of the whole incident."""
    spans: dict[tuple[str, str], tuple[int, int]] = {}
    for log in seen:
        if log.first_us is not None and log.last_us is not None:
            for host in {"", log.host.lower()}:
                first, last = spans.get((log.kind, host), (log.first_us, log.last_us))
                spans[log.kind, host] = min(first, log.first_us), max(last, log.last_us)

    def short(kind: str, host: str) -> str:
        first, last = spans.get((kind, host.lower()), (0, -1))
        if incident.first_us is None or incident.last_us is None or first > last:
            return "; over which time such records were kept is not known"
        if first > incident.first_us:
            return "; the log begins after the incident does"
        return "; the log ends before the incident does" if last < incident.last_us else ""

    return short
