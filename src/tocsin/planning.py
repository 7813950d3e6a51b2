"""What is planned against an intruder on one page: a case in, a plan that is kept in it for people to sign out.

The same case, lists and signatures give the same plan, and the same plan has the same digest, which is what is signed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from tocsin import cases
from tocsin.act import here
from tocsin.contain import ENFORCERS, Own, authority, cacao
from tocsin.contain import plan as planned
from tocsin.errors import ActError, CaseError
from tocsin.model.action import Action, Block, Place, Text
from tocsin.model.asset import Assets
from tocsin.model.case import Case
from tocsin.model.decision import Decision, Signer
from tocsin.model.incident import Incident
from tocsin.model.plan import Alternative, Plan, Way
from tocsin.observe import known_good as lists

PLAN: Final = "containment plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The plan that is kept in a case, of which `way` was chosen. `digest` is what people sign over."""

    plan: Plan
    way: Way
    digest: str = ""

    @property
    def alternative(self) -> Alternative:
        return self.plan.way(self.way)


def now_us() -> int:
    return time.time_ns() // 1000


def own(
    assets: Assets | None,
    never: Mapping[str, tuple[tuple[str, str], ...]],
    known_good: Path | None = None,
) -> Own:
    """What must stay in reach: what the lists name, and what this machine tells of itself.

    Args:
        known_good: where lists of what others need are.
    """
    return Own(
        addresses=(*never.get("addresses", ()), *here.addresses()),
        domains=never.get("domains", ()),
        hosts=(*never.get("hosts", ()), *here.hosts()),
        assets=assets or Assets(),
        known_good=lists.load(known_good) if known_good is not None else None,
        agreed=never.get("agreed", ()),
    )


def decisions_of(folder: Path, known: Iterable[Signer]) -> tuple[Case, Incident, tuple[Decision, ...]]:
    """The case, its incident, and decisions that count here: of people whose keys came another way than in the case."""
    known = tuple(known)
    verdict = cases.verify(folder, known=known)
    if verdict.faults:
        hint = "`tocsin case verify` tells all; nothing is done by a case that was changed."
        raise CaseError(f"{folder}: {verdict.faults[0]}", hint=hint)
    _, case, _ = cases.entries_of(folder)
    incident = cases.incident_of(folder, case)
    if incident is None:
        raise CaseError(
            f"{case.id}: has no incident to contain", hint="`tocsin respond --open-cases` makes such cases."
        )
    keys = {signer.fingerprint for signer in known}
    return case, incident, tuple(one.decision for one in case.decisions if one.decision.key in keys)


def plan(folder: Path, mine: Own, known: Iterable[Signer]) -> Plan:
    case, incident, decisions = decisions_of(folder, known)
    return planned(
        incident,
        of=case.id,
        digest=case.incident,
        own=mine,
        settled=authority.kept_by(decisions),
        agreed=authority.agreed_by(decisions),
    )


def keep(folder: Path, plan: Plan, way: Way, by: str) -> Chosen:
    """Keep a plan in its case, to be signed. The same plan gives the same digest."""
    content = msgspec.json.format(msgspec.json.encode(Chosen(plan=plan, way=way))) + b"\n"
    digest = hashlib.sha256(content).hexdigest()
    with cases.writing(folder) as log:
        if not any(one.name == PLAN and one.sha256 == digest for one in log.case.attached[-1:]):
            cases.attach(log, PLAN, content, by=by)
    return Chosen(plan=plan, way=way, digest=digest)


def chosen(folder: Path) -> Chosen:
    """The plan that was kept last."""
    _, case, _ = cases.entries_of(folder)
    kept = [one.sha256 for one in case.attached if one.name == PLAN]
    if not kept:
        raise ActError(
            f"{case.id}: no plan is kept in it", hint="`tocsin contain CASE --plan WAY` keeps one to be signed."
        )
    found = msgspec.json.decode(cases.kept(folder, kept[-1]), type=Chosen)
    return replace(found, digest=kept[-1])


def changed_since(folder: Path, kept: Chosen) -> tuple[str, ...]:
    """What should be known of a plan that was kept some time ago."""
    _, case, _ = cases.entries_of(folder)
    if case.incident == kept.plan.incident:
        return ()
    return ("the incident was brought up to date since this plan was kept: plan anew, or sign knowing that",)


def missing(folder: Path, kept: Chosen, mine: Own, known: Iterable[Signer]) -> Mapping[str, tuple[str, ...]]:
    """By action what must happen before it may be done."""
    _, _, decisions = decisions_of(folder, known)
    return authority.waiting(kept.alternative.actions, kept.digest, decisions, mine, now_us())


def done_by(folder: Path, kept: Chosen, known: Iterable[Signer]) -> Mapping[str, Decision]:
    """Actions of the plan that people carried out elsewhere, as they signed, by id."""
    return authority.done_by(decisions_of(folder, known)[2], kept.digest)


def take_playbook(folder: Path, file: Path, by: str) -> int:
    """Take the steps of somebody's playbook as tasks of the case; how many are new."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ActError(f"{file}: cannot be read: {error.strerror or error}", hint="See to its name.") from error
    name, told = cacao.steps_of(content, str(file))
    taken = 0
    with cases.writing(folder) as log:
        known = {task.text for task in log.case.tasks}
        cases.attach(log, file.name, content, by=by)
        for step, words in told:
            text = f"Playbook {name[:80]}: {step[:200]}: {words[:2_000]}"
            if text not in known:
                cases.add_task(log, text, by=by)
                taken += 1
    return taken


def rendered(
    folder: Path, kept: Chosen, which: str, places: Sequence[Place], mine: Own, known: Iterable[Signer]
) -> tuple[Text, ...]:
    """The plan as text for whoever carries it out elsewhere.

    A playbook for people holds all of it but what is forbidden by now. What machines read holds only what is allowed.
    """
    at_us = now_us()
    if which == "cacao":
        told = for_people(folder, kept, mine, known)
        return cacao.playbooks(told, case=kept.plan.of, plan=kept.digest, at_us=at_us)
    enforcer = next(one for one in ENFORCERS if which == one.NAME)
    waiting = missing(folder, kept, mine, known)
    actions = [one for one in kept.alternative.actions if one.verb in enforcer.VERBS]
    allowed = [block(one, kept.plan.of, at_us) for one in actions if one.id not in waiting]
    if not allowed:
        why = f"{len(actions)} wait for signatures" if actions else "nothing of it is for that"
        hint = "`tocsin contain CASE --status` tells who must sign what."
        raise ActError(f"{which}: no action of this plan may be rendered: {why}", hint=hint)
    place = next((one for one in places if one.enforcer == which), Place(enforcer=which))
    return enforcer.render(allowed, place, at_us)


def for_people(folder: Path, kept: Chosen, mine: Own, known: Iterable[Signer]) -> Alternative:
    """The way that was chosen, without what has become forbidden since."""
    _, _, decisions = decisions_of(folder, known)
    left = [one for one in kept.alternative.actions if not authority.forbidden(one, decisions, mine)]
    return replace(kept.alternative, actions=tuple(left))


def block(action: Action, case: str, at_us: int) -> Block:
    until = at_us + action.expires_s * 1_000_000 if action.expires_s else 0
    return Block(verb=action.verb, target=action.target, since_us=at_us, until_us=until, cases=(case,))
