"""An action, and what people signed, in; what is still missing before it may be done out.

Only the centre's own say-so never suffices: an asset's authority consents, or the plan is advice to it. Nobody counts
twice: signatures that share a key or a person are one voice (`seal.decisions.voices`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from tocsin.contain.catalogue import NOBODY_KNOWS
from tocsin.contain.guard import Own, refusal
from tocsin.contain.preserve import missing as not_kept
from tocsin.model.action import Action
from tocsin.model.decision import Decision, Role
from tocsin.seal.decisions import settled

APPROVE: Final = "contain"
CONSENT: Final = "consent"
COLLECTED: Final = "collected"
WAIVED: Final = "waived"
CONTAINED: Final = "contained"
AGREED: Final = "originator"
DONE: Final = "done"  # of an action that people carry out elsewhere, by its id
YES: Final = "yes"
HOLDS_DAYS: Final = 14  # how long an approval or a consent counts: who signed for then has not signed for ever
_TOO_OLD: Final = f"are older than {HOLDS_DAYS} days, or of a time to come, and count no more"

_MAY_CONSENT: Final[tuple[Role, ...]] = ("owner", "leadership")
_MAY_APPROVE: Final[tuple[Role, ...]] = ("duty", "lead", "owner", "leadership")


def kept_by(decisions: Iterable[Decision]) -> dict[str, str]:
    """Hosts and accounts whose evidence was collected, or waived, with who signed that; the last word counts."""
    found: dict[str, str] = {}
    for one in sorted(decisions, key=lambda one: one.at):
        verb, _, what = one.subject.partition(":")
        if verb in {COLLECTED, WAIVED} and what:
            found.pop(what, None)
            if one.choice == YES:
                found[what] = f"{verb} by {one.by}: {one.reason}"
    return found


def agreed_by(decisions: Iterable[Decision]) -> tuple[str, ...]:
    """Originators of intelligence who agreed that it be acted on, as somebody signed."""
    decisions = tuple(decisions)
    names = {one.subject.partition(":")[2] for one in decisions if one.subject.startswith(f"{AGREED}:")}
    return tuple(sorted(name for name in names if settled(decisions, subject=f"{AGREED}:{name}", choice=YES)))


def done_by(decisions: Iterable[Decision], plan: str) -> dict[str, Decision]:
    """Actions of a plan that somebody signed as carried out, by id; the last word counts."""
    found: dict[str, Decision] = {}
    for one in sorted(decisions, key=lambda one: one.at):
        verb, _, name = one.subject.partition(":")
        if verb == DONE and one.seen == plan:
            found.pop(name, None)
            if one.choice == YES:
                found[name] = one
    return found


def missing(action: Action, plan: str, decisions: Sequence[Decision], own: Own, at_us: int) -> tuple[str, ...]:
    """What must happen first, in words.

    Args:
        plan: SHA-256 of the plan, which every approval and consent must have had before it.
        decisions: those whose signatures hold and whose keys are known here.
        at_us: the time; what was signed too long before it, or after it, counts no more.
    """
    signed = [one for one in decisions if one.seen == plan]
    of_plan = [one for one in signed if one.choice != YES or _counts(one, at_us)]
    if why := forbidden(action, decisions, own):
        return (why,)
    found = tuple(_unsigned(action, of_plan))
    if found and len(of_plan) < len(signed):
        found = (f"{len(signed) - len(of_plan)} signatures {_TOO_OLD}", *found)
    unkept = not_kept(action, kept_by(decisions))
    return (
        *found,
        *(f"evidence of {name} must be collected first, or that be waived by name" for name in unkept),
    )


def forbidden(action: Action, decisions: Iterable[Decision], own: Own) -> str:
    """Why it is done by nobody, whoever signs: neither from here nor by people whom a playbook tells; '' if nothing."""
    agreed = (*agreed_by(decisions), *(name for name, _ in own.agreed))
    asked = (f"{name}, whose intelligence it rests on, must agree" for name in action.originators if name not in agreed)
    return action.advice or refusal(action.target, own) or _protected(action, own) or next(asked, "")


def _unsigned(action: Action, of_plan: Sequence[Decision]) -> Iterable[str]:
    if not settled(of_plan, subject=APPROVE, choice=YES, needs=action.approvals, roles=_MAY_APPROVE):
        people = "two people" if action.approvals > 1 else "somebody"
        yield f"{people} must approve it ({', '.join(_MAY_APPROVE)})"
    for authority in action.authorities:
        subject = f"{CONSENT}:{authority}"
        if not settled(of_plan, subject=subject, choice=YES, roles=_MAY_CONSENT):
            yield f"{_whose(authority)} must consent; until then it is advice to them"


def _protected(action: Action, own: Own) -> str:
    """What is on the list today, whatever it was when the plan was made."""
    name = action.target.host or (action.target.value if action.target.kind == "host" else "")
    named = any(asset.protected for asset in own.assets.named(name)) if name else False
    return f"{name} is protected: only its owner may decide on it" if named else ""


def _whose(authority: str) -> str:
    return "whoever it belongs to" if authority == NOBODY_KNOWS else authority


def _counts(one: Decision, at_us: int) -> bool:
    """A minute of grace, since two machines' clocks differ."""
    age = datetime.fromtimestamp(at_us / 1e6, UTC) - datetime.fromisoformat(one.at)
    return timedelta(minutes=-1) <= age <= timedelta(days=HOLDS_DAYS)


def waiting(
    actions: Iterable[Action], plan: str, decisions: Sequence[Decision], own: Own, at_us: int
) -> Mapping[str, tuple[str, ...]]:
    """By action id what is missing; an action that may be done is not there."""
    every = {action.id: missing(action, plan, decisions, own, at_us) for action in actions}
    return {name: why for name, why in every.items() if why}
