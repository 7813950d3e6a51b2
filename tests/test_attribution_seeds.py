"""Twenty seeds each of a known group's profile, a group that nobody knows, a planted tool, and two campaigns.

Profiles are public knowledge, compared with itself: it says nothing of accuracy, only that sums know whom they were
told. How often attribution is right is measured by bench/attribution.py, out of fold.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from tocsin import attribution
from tocsin.attribute.profiles import Profile
from tocsin.attribution import Known
from tocsin.model.attribution import Attribution
from tocsin.model.observation import Observation, Trait

SEEDS = range(20)
# What ordinary administrators do all day, and rules find.
BENIGN = "T1059.001 T1059.003 T1047 T1021.001 T1021.002 T1018 T1082 T1016 T1033 T1057 T1105 T1053.005".split()


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        return attribution.known()


def seen(techniques: Iterable[str], software: Iterable[str], year: str) -> Observation:
    traits = [Trait(kind="technique", value=name, sources=("rules",), grade="B2") for name in techniques]
    traits += [Trait(kind="software", value=name, sources=("sandbox",), grade="B2") for name in software]
    return Observation(id="x", traits=tuple(traits), last_seen=year)


def own(profile: Profile, known: Known) -> list[str]:
    return sorted(name for name in profile.software if known.profiles.holders[name] == 1)


def whole(known: Known) -> list[Profile]:
    """Groups with fifteen techniques and software of their own."""
    return [one for one in known.profiles.groups if len(one.techniques) >= 15 and own(one, known)]


def rehearsed(profile: Profile, known: Known, chosen: random.Random, *planted: str) -> Observation:
    """Half of what they are told to do, one of their own tools, and ordinary work that rules took for theirs."""
    techniques = chosen.sample(sorted(profile.techniques), max(8, len(profile.techniques) // 2))
    tools = [chosen.choice(own(profile, known))] if own(profile, known) else []
    year = str(profile.years[-1]) if profile.years else ""
    return seen({*techniques, *chosen.sample(BENIGN, 4)}, {*tools, *planted}, year)


def named(found: Attribution) -> tuple[str, ...]:
    return found.answer.hypotheses if found.answer.level == "group" else ()


def first_three(found: Attribution) -> list[str]:
    return [one.id for one in found.hypotheses if one.kind == "group"][:3]


def test_a_known_group_is_among_the_first_three_and_no_other_is_named(known: Known) -> None:
    there = wrong = 0
    for seed in SEEDS:
        chosen = random.Random(seed)
        profile = chosen.choice(whole(known))
        found = attribution.weigh(rehearsed(profile, known, chosen), known)
        there += profile.id in first_three(found)
        wrong += bool(named(found)) and profile.id not in named(found)
    assert there >= 14
    assert wrong <= 1


def test_a_group_that_nobody_knows_is_not_called_by_another_s_name(known: Known) -> None:
    usual = sorted(known.profiles.share)
    wrong = 0
    for seed in SEEDS:
        chosen = random.Random(seed)
        weights = [known.profiles.share[name] for name in usual]
        techniques = {*chosen.choices(usual, weights, k=25), *chosen.sample(BENIGN, 4)}
        found = attribution.weigh(seen(techniques, [f"own:tool-{seed}"], "2024"), known)
        wrong += bool(named(found))
    assert wrong <= 1


def test_whose_tool_was_planted_is_never_named(known: Known) -> None:
    for seed in SEEDS:
        chosen = random.Random(seed)
        profile, decoy = chosen.sample(whole(known), 2)
        tools = chosen.sample(own(decoy, known), min(2, len(own(decoy, known))))
        found = attribution.weigh(rehearsed(profile, known, chosen, *tools), known)
        assert decoy.id not in named(found), f"seed {seed}: {decoy.name} for {profile.name}"


def test_two_campaigns_get_two_answers(known: Known) -> None:
    by_id = {one.id: one for one in known.profiles.groups}
    for seed in SEEDS:
        chosen = random.Random(seed)
        one, other = (attribution.weigh(rehearsed(by_id[name], known, chosen), known) for name in ("G0065", "G0128"))
        assert first_three(one)[0] != first_three(other)[0]
        assert not (set(named(one)) & set(named(other)))
