"""The page on better defences: what is feared, what could be seen and what is in place in, what to mend first out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from tocsin import attribution, harden
from tocsin.errors import SettingsError
from tocsin.learn import names
from tocsin.model.attack import Release, in_release
from tocsin.model.hardening import Aim, Hardening, Posture
from tocsin.model.rule import LEVELS, Rule
from tocsin.model.run import Run

NOTHING_TOLD = Posture()
SEEN = "seen"  # the aim that the evidence itself gives
_LOWEST = LEVELS.index("high")


def against_groups(words: Iterable[str], known: attribution.Known) -> tuple[Aim, ...]:
    """Groups by any name, with what is publicly told of them."""
    index = names.index(known.knowledge.groups)
    found: dict[str, Aim] = {}
    for word in words:
        group = known.knowledge.groups[names.one(word, index)]
        found[group.id] = Aim(id=group.id, name=group.name, techniques=frozenset(group.techniques))
    return tuple(found.values())


def against_case(word: str, root: Path, known: attribution.Known) -> Aim:
    """What was seen in a case."""
    seen = attribution.in_one_release(attribution.observed(word, root), known)
    techniques = frozenset(one.value for one in seen.traits if one.kind == "technique")
    return Aim(id=seen.id, name=seen.name or seen.id, techniques=techniques)


def against_seen(run: Run, known: attribution.Known) -> Aim:
    """What rules of level high and above found in this evidence."""
    release = _release(known)
    fired = [run.rules.rules[one.rule] for one in run.coverage.rules if one.findings]
    tags = [(tag, one.attack_release) for one in fired if LEVELS.index(one.level) >= _LOWEST for tag in one.techniques]
    told = (in_release(tag, dated, known.facts, release).within for tag, dated in tags)
    return Aim(id=SEEN, name="what was found in this evidence", techniques=frozenset(one for one in told if one))


def weigh(
    aims: Sequence[Aim], known: attribution.Known, rules: Sequence[Rule], run: Run | None, posture: Posture
) -> Hardening:
    """How one stands to the aims, and what to mend first.

    Args:
        rules: that one has; those of the run, where there is one.
    """
    release = _release(known)
    seen = run.coverage.rules if run else None
    watched = harden.watching(run.rules.rules if run else rules, seen, known.facts, release)
    mitigations = [one for one in known.facts.mitigations if one.release == release.name]
    return harden.weigh(aims, release, mitigations, watched, posture)


def _release(known: attribution.Known) -> Release:
    release = known.facts.release(known.knowledge.release)
    if release is None:
        raise SettingsError("nothing is known of ATT&CK", hint="`tocsin learn attack FILE` reads a release.")
    return release
