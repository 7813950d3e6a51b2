"""A ledger in, the deepest answer that may be given out: a group, a sponsor's groups, a cluster, or unknown.

Four things are asked before a group is named: that it is likelier than the threshold which wrong names were counted
for; that two classes of grounds speak for it which cannot come from one hand; that one thing is hard to forge; and that
it still leads without any one trait and without any one class. docs/decisions/0021 says where the threshold is from.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from tocsin.attribute.ledger import Ledger
from tocsin.attribute.survival import Survival
from tocsin.model.attribution import CERTAIN, Answer
from tocsin.model.likelihood import word

AMBIGUOUS: Final = "ambiguous"


def refusals(ledger: Ledger, leader: int, survival: Survival) -> tuple[str, ...]:
    """Why the leading group may not be named, as sentences; empty if it may."""
    name, chance = ledger.scene.profiles.groups[leader].name, ledger.billionths[leader]
    needed = ledger.scene.weights.rule.name
    found = []
    if not survival.speaking:
        found.append(f"Nothing that was seen speaks for {name}: it leads by how much is told of it.")
    elif len(survival.speaking) < 2:
        found.append(f"Only one independent class of grounds speaks for {name}; a name needs two.")
    if not survival.hard:
        found.append(f"Nothing that is hard to forge speaks for {name}.")
    found += [
        f"Without what comes from the {independence}, {name} would be in place {rank}: fragile, possibly a false flag."
        for independence, rank in sorted(survival.ranks.items())
        if rank > 1
    ]
    if survival.traits:
        trait = ledger.traits[survival.traits[0]].trait
        what = f"{trait.kind} {ledger.scene.profiles.called(trait.value)}"
        found.append(f"Without {what} alone, another group would lead: fragile.")
    if chance <= ledger.unknown:
        found.append("That it was nobody known is at least as likely.")
    if chance * 1000 < needed * CERTAIN:
        found.append(_below(needed))
    return tuple(found)


def _below(needed: int) -> str:
    if needed > 1000:
        return "No threshold has earned it yet to name groups."
    return f"Below {needed / 10:.0f} %, too many names would be wrong."


def answer(ledger: Ledger, leader: int | None, survival: Survival | None) -> Answer:
    if leader is None or survival is None:
        return Answer(
            level="unknown",
            hypotheses=(),
            text="Nothing is known that this could be compared with.",
            billionths=CERTAIN,
            word=word(CERTAIN),
        )
    group = ledger.scene.profiles.groups[leader]
    against = refusals(ledger, leader, survival)
    if not against:
        chance = ledger.billionths[leader]
        return Answer(
            level="group",
            hypotheses=(group.id,),
            text=f"It is {word(chance)} that this was done in the way and with the tools of {group.name}.",
            billionths=chance,
            word=word(chance),
        )
    return _of_sponsor(ledger, survival, against) or _shallow(ledger, against)


def _of_sponsor(ledger: Ledger, survival: Survival, against: tuple[str, ...]) -> Answer | None:
    """Groups that public lists tie to one sponsor, together; never the sponsor's name."""
    if not survival.is_broad:
        return None
    together: dict[str, list[int]] = defaultdict(list)
    for number, profile in enumerate(ledger.scene.profiles.groups):
        sponsor = str(profile.facts.get("sponsor") or "")
        if sponsor and sponsor != AMBIGUOUS:
            together[sponsor].append(number)
    best = max(together.values(), key=lambda some: sum(ledger.billionths[one] for one in some), default=[])
    chance = sum(ledger.billionths[one] for one in best)
    if len(best) < 2 or chance * 1000 < ledger.scene.weights.rule.sponsor * CERTAIN:
        return None
    likeliest = sorted(best, key=lambda one: -ledger.billionths[one])[:5]
    names = ", ".join(ledger.scene.profiles.groups[one].name for one in likeliest)
    return Answer(
        level="sponsor",
        hypotheses=tuple(ledger.scene.profiles.groups[one].id for one in likeliest),
        text=f"It is {word(chance)} that this was one of {len(best)} groups that public lists suspect of one sponsor, "
        f"such as {names}. Which of them cannot be told, nor for whom they work.",
        billionths=chance,
        word=word(chance),
        because=against,
    )


def _shallow(ledger: Ledger, against: tuple[str, ...]) -> Answer:
    """What is left: keep it as a cluster if there is something to tell it by, else say that nothing is known."""
    rare = [one for one in ledger.traits if one.forgeability != "cheap"]
    if rare or len(ledger.scene.techniques) >= 3:
        text = "No group can be named. Keep it as a cluster of your own, and compare it with your other incidents."
        return Answer(
            level="cluster",
            hypotheses=(),
            text=text,
            billionths=ledger.unknown,
            word=word(ledger.unknown),
            because=against,
        )
    return Answer(
        level="unknown",
        hypotheses=(),
        text="Too little was seen to say anything.",
        billionths=ledger.unknown,
        word=word(ledger.unknown),
        because=against,
    )
