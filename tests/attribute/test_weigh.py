"""What must hold of every attribution, whatever was seen: sums, order, repeats, grades, names."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import kb, seen, trait

from tocsin import attribute
from tocsin.attribute import caps
from tocsin.attribute.ledger import ahead
from tocsin.attribute.traits import TRAITS
from tocsin.attribute.weights import ForGroups, ForUnknown, Rule, Weights, shipped
from tocsin.model.attribution import CERTAIN, UNKNOWN, Attribution
from tocsin.model.observation import TRAIT_KINDS, Observation, Trait

PROFILES = {seed: attribute.prepare(kb(seed)) for seed in range(2)}
GRADES = [f"{letter}{number}" for letter in "ABCDEF" for number in "123456"]
VALUES = {
    "technique": [*(f"T{1000 + number}" for number in range(60)), "T1059.001", "T9999", "not one"],
    "software": [*(f"S{8000 + number}" for number in range(0, 500, 20)), "S9001", "S9002", "own:thing"],
    "infrastructure": ["domain:c2.example", "kind:residential"],
    "victim": ["country:DE", "sector:energy", "country:", "planet:mars"],
    "hours": ["UTC+8"],
    "language": ["zh"],
    "code": ["mutex:heron"],
    "vulnerability": ["CVE-2021-44228"],
}

anything = st.sampled_from(sorted(VALUES)).flatmap(
    lambda kind: st.builds(
        Trait,
        kind=st.just(kind),
        value=st.sampled_from(VALUES[kind]),
        grade=st.sampled_from([*GRADES, "Z9", ""]),
        sources=st.lists(st.sampled_from("abc"), max_size=2).map(tuple),
    )
)
observations = st.builds(
    Observation,
    id=st.just("x"),
    traits=st.lists(anything, max_size=25).map(tuple),
    first_seen=st.sampled_from(["", "2015", "2016-02-03", "yesterday"]),
    last_seen=st.sampled_from(["", "2018", "2014-01-01", "9999"]),
    watched=st.none() | st.frozensets(st.sampled_from(VALUES["technique"][:60]), max_size=30),
)
seeds = st.sampled_from(sorted(PROFILES))


FIXED = Weights(
    about="of these tests alone, so that what is learned anew does not change their sums",
    groups=ForGroups(
        likelihood=343,
        overlap=47285,
        software=334,
        exclusive=12243,
        reports=909,
        reports_by_length=-1179,
        years=1471,
        silence=1376,
    ),
    unknown=ForUnknown(
        constant=-26761,
        first=230,
        rival=-730,
        techniques=497,
        software=-495,
        new_software=-2178,
        new_techniques=-1724,
        sharpness=1041,
    ),
    rule=Rule(name=600, sponsor=800, largest=((900, 965),)),
)


def named(found: Attribution) -> tuple[str, ...]:
    return found.answer.hypotheses if found.answer.level == "group" else ()


@settings(max_examples=30)
@given(observations, seeds)
def test_probabilities_sum_to_one_and_unknown_is_among_them(observation: Observation, seed: int) -> None:
    found = attribute.weigh(observation, PROFILES[seed])
    assert sum(one.billionths for one in found.hypotheses) == CERTAIN
    assert all(one.billionths >= 0 for one in found.hypotheses)
    assert found.of(UNKNOWN) is not None


@settings(max_examples=30)
@given(observations, seeds)
def test_every_ledger_adds_up_exactly(observation: Observation, seed: int) -> None:
    found = attribute.weigh(observation, PROFILES[seed])
    reference = found.of(UNKNOWN)
    assert reference is not None
    for one in found.hypotheses:
        assert one.millidecibans == sum(line.millidecibans for line in one.lines)
        if one.kind == "group" and one.billionths > 10_000 and reference.billionths > 10_000:
            # and the sum is the answer: the odds against "unknown"
            assert abs(one.billionths / reference.billionths - 10 ** (one.millidecibans / 10_000)) <= 2e-3 * (
                one.billionths / reference.billionths
            )


@settings(max_examples=30)
@given(observations, seeds, st.randoms(use_true_random=False))
def test_the_order_of_evidence_and_of_knowledge_does_not_matter(
    observation: Observation, seed: int, chosen: random.Random
) -> None:
    traits = list(observation.traits)
    chosen.shuffle(traits)
    known = kb(seed)
    names = list(known)
    chosen.shuffle(names)
    other = attribute.prepare({name: dict(reversed(known[name].items())) for name in names})
    first = attribute.weigh(observation, PROFILES[seed])
    second = attribute.weigh(replace(observation, traits=tuple(traits)), other)
    assert msgspec.json.encode(replace(first, notes=())) == msgspec.json.encode(replace(second, notes=()))
    assert sorted(first.notes) == sorted(second.notes)


@settings(max_examples=30)
@given(observations, seeds)
def test_the_same_again_from_the_same_source_changes_nothing(observation: Observation, seed: int) -> None:
    first = attribute.weigh(observation, PROFILES[seed])
    again = attribute.weigh(replace(observation, traits=observation.traits * 2), PROFILES[seed])
    assert first.hypotheses == again.hypotheses
    assert first.answer == again.answer


@given(
    st.integers(-40_000, 40_000), st.sampled_from(TRAIT_KINDS), st.sampled_from(["cheap", "fair", "hard"]), st.data()
)
def test_a_stronger_grade_never_lowers_a_weight(weight: int, kind: str, cost: str, data: st.DataObject) -> None:
    better, worse = sorted(data.draw(st.tuples(st.sampled_from(GRADES), st.sampled_from(GRADES))), key=_strength)
    one = caps.cap(weight, kind=kind, grade=better, forgeability=cost)  # type: ignore[arg-type]
    other = caps.cap(weight, kind=kind, grade=worse, forgeability=cost)  # type: ignore[arg-type]
    assert abs(one) >= abs(other)
    assert one * other >= 0


def _strength(grade: str) -> tuple[int, str]:
    return -caps.worth(grade), grade


def test_grades_of_source_and_statement_are_in_order() -> None:
    for letters in ("A1 B1 C1 D1 E1", "A1 A2 A3 A4 A5"):
        worths = [caps.worth(grade) for grade in letters.split()]
        assert worths == sorted(worths, reverse=True)
    assert caps.worth("E1") < caps.worth("F1") < caps.worth("B1"), "not to be judged is not the same as bad"


@settings(max_examples=20)
@given(seeds, st.integers(0, 11), st.lists(st.sampled_from(VALUES["technique"][:60]), max_size=15))
def test_techniques_alone_never_name_a_group(seed: int, group: int, more: list[str]) -> None:
    everything = kb(seed)[f"G{group:04}"]["techniques"]
    found = attribute.weigh(seen([*everything, *more]), PROFILES[seed], weights=eager())
    assert not named(found)


@settings(max_examples=20)
@given(seeds, st.lists(anything, min_size=1, max_size=2))
def test_no_two_cheap_traits_name_a_group(seed: int, traits: list[Trait]) -> None:
    cheap = [one for one in traits if one.kind not in ("software", "infrastructure")]
    assert not named(attribute.weigh(seen(others=cheap), PROFILES[seed], weights=eager()))
    shared = [trait("software", "S9001"), trait("software", "S9002")]
    assert not named(attribute.weigh(seen(others=shared), PROFILES[seed], weights=eager()))


def test_two_tools_of_a_decoy_do_not_make_it_the_answer() -> None:
    for seed, profiles in PROFILES.items():
        known = kb(seed)
        for group in list(known)[::5]:
            decoy = next(name for name in known if name != group)
            own = [name for name in known[decoy]["software"] if name < "S9000"][:2]
            mine = [name for name in known[group]["software"] if name < "S9000"][:1]
            found = attribute.weigh(seen(known[group]["techniques"], [*mine, *own]), profiles, weights=eager())
            assert decoy not in named(found)


def test_what_is_left_in_programs_names_nobody_and_never_weighs_more_than_six_decibans() -> None:
    known = kb(0)
    known["G0003"] |= {"code": ["mutex:Heron", "pdb:d:\\heron.pdb"]}
    for number in (1, 2, 4, 5):
        known[f"G000{number}"] |= {"code": ["mutex:Other"]}
    others = [trait("code", "mutex:heron", "A1"), trait("code", "PDB:D:\\heron.pdb", "A1")]
    found = attribute.weigh(seen(["T1001"], others=others), attribute.prepare(known), against=["G0003"])
    weights = [one.millidecibans for one in found.of("G0003").grounds if one.kind == "code"]  # type: ignore[union-attr]
    assert len(weights) == 2
    assert all(weight > 0 for weight in weights)
    assert caps.cap(50_000, kind="code", grade="A1", forgeability="cheap") == 6000
    assert found.answer.level != "group"


def test_hours_and_language_never_weigh_more_than_three_decibans() -> None:
    known = kb(0)
    known["G0003"] |= {"hours": ["UTC+8"], "languages": ["zh"]}
    for group in ("G0001", "G0002"):
        known[group] |= {"hours": ["UTC+3"], "languages": ["ru"]}
    others = [trait("hours", "UTC+8", "A1"), trait("language", "zh", "A1")]
    found = attribute.weigh(seen(["T1001"], others=others), attribute.prepare(known), against=["G0003"])
    weights = [one for one in found.of("G0003").grounds if one.kind in ("hours", "language")]  # type: ignore[union-attr]
    assert {one.kind for one in weights} == {"hours", "language"}
    assert all(0 < one.millidecibans <= 3000 for one in weights)


def test_sums_are_integers_all_the_way() -> None:
    """A float anywhere would be another number on another machine."""

    def check(told: object, place: str = "") -> None:
        assert not isinstance(told, float), place
        if isinstance(told, dict):
            for name, inner in told.items():
                check(inner, f"{place}.{name}")
        elif isinstance(told, list | tuple):
            for inner in told:
                check(inner, place)

    known = kb(0)
    others = [trait(kind, VALUES[kind][0], "C3") for kind in VALUES if kind not in ("technique", "software")]  # type: ignore[arg-type]
    found = attribute.weigh(seen(known["G0003"]["techniques"], known["G0003"]["software"], others=others), PROFILES[0])
    check(msgspec.to_builtins(found))


def test_these_are_the_sums_on_every_machine() -> None:
    """The digest of every line of some ledgers: another processor, library or release of Python must give it too."""
    digest = hashlib.sha256()
    for seed, profiles in PROFILES.items():
        for known in list(kb(seed).values())[::9]:
            observation = seen(list(known["techniques"])[::2], list(known["software"])[:2], last="2016")
            digest.update(msgspec.json.encode(attribute.weigh(observation, profiles, weights=FIXED).hypotheses))
    assert digest.hexdigest() == "05bf6f7ba7d629e33b9fc6616ece8707d98d5d4c85cf519d24b7fe76d482126c"


def test_groups_that_too_little_speaks_for_stay_in_their_order() -> None:
    known = kb(0)
    found = attribute.weigh(seen(known["G0003"]["techniques"]), PROFILES[0], weights=eager())
    weights = [one.millidecibans for one in found.hypotheses if one.kind == "group"]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights[:10])) == 10
    assert found.of(UNKNOWN).billionths > max(one.billionths for one in found.hypotheses if one.kind == "group")  # type: ignore[union-attr]


def test_the_rival_is_the_second_and_who_is_alone_is_his_own() -> None:
    assert ahead([3, 9, 5]) == (9, 5)
    assert ahead([9, 9]) == (9, 9)
    assert ahead([9]) == (9, 9)


def test_what_speaks_for_a_group_never_makes_it_less_likely_than_nobody() -> None:
    """Also where it becomes the rival of the leader, by which all groups lose."""
    learned = shipped().unknown
    assert learned.sharpness + min(0, learned.first, learned.rival) > 0


def test_where_nothing_seen_speaks_for_anybody_that_is_said() -> None:
    """Somebody leads by how much is told of him: that is neither firm nor one class of grounds."""
    found = attribute.weigh(seen(["T9999"], ["S9999"]), PROFILES[0], weights=FIXED)
    assert any("Nothing that was seen speaks for" in text for text in found.answer.because)
    assert any("Nothing that was seen speaks for" in text for text in found.fragile)
    assert not any("Only one" in text for text in found.answer.because)


def test_absence_counts_only_where_a_sensor_would_have_shown_it() -> None:
    known = kb(1)
    habit = "T1900"
    known["G0005"]["sources"] = []
    sources = sorted({one for told in known["G0005"]["techniques"].values() for one in told})
    known["G0005"]["techniques"] |= {habit: [*sources, "One more 2018", "Another 2019", "A third 2019"]}
    profiles = attribute.prepare(known)
    blind = seen(["T1001", "T1002"])
    watching = replace(blind, watched=frozenset({habit}))
    elsewhere = replace(blind, watched=frozenset({"T1001"}))

    def weight(observation: Observation) -> int:
        told = attribute.weigh(observation, profiles, against=["G0005"]).of("G0005")
        assert told is not None
        return sum(one.millidecibans for one in told.grounds)

    assert weight(watching) < weight(blind) == weight(elsewhere)


def test_nothing_known_is_unknown_for_certain() -> None:
    for known in ({}, {"G1": {"name": "x", "techniques": {}, "software": {}}}):
        found = attribute.weigh(seen(["T1001"], ["S8000"]), attribute.prepare(known))
        assert [(one.id, one.billionths) for one in found.hypotheses] == [(UNKNOWN, CERTAIN)]
        assert found.answer.level == "unknown"


def test_nothing_seen_is_unknown() -> None:
    found = attribute.weigh(Observation(id="empty"), PROFILES[0])
    assert [one.id for one in found.hypotheses] == [UNKNOWN]
    assert "Nothing that can be weighed" in found.answer.text


def test_what_makes_no_sense_is_told_and_not_weighed() -> None:
    told = [trait("technique", "T1001"), trait("technique", "rm -rf"), trait("software", "S1", "G7")]
    observation = replace(seen(["T9998"], others=told), first_seen="2020-05-01", last_seen="2019-01-01")
    notes = " ".join(attribute.weigh(observation, PROFILES[0]).notes)
    assert "'rm -rf' is no id of a technique" in notes
    assert "'G7' is no grade" in notes
    assert "No group is told to use T9998" in notes
    assert "later than what was last seen" in notes


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("", "2999-01-01", "not one that can be read"),
        ("", "2026-13-01", "not one that can be read"),
        ("2026-02-32", "2026-03-01", "not one that can be read"),
        ("2026-03", "2026-02-28", "later than"),
        ("2026-02-28T23:00:00Z", "2026-02-28 09:00", ""),
        ("2026-02-03", "2026", ""),
    ],
)
def test_times_that_no_incident_has_are_told_and_not_weighed(first: str, last: str, said: str) -> None:
    observation = replace(seen(["T1001", "T1002"]), first_seen=first, last_seen=last)
    found = attribute.weigh(observation, PROFILES[0])
    assert any(one.kind == "tempo" for one in found.matrix) == (not said)
    assert [said in note for note in found.notes if "times were" in note] == ([True] if said else [])


def test_nobody_is_called_a_state() -> None:
    for seed, profiles in PROFILES.items():
        for group, known in list(kb(seed).items())[::7]:
            found = attribute.weigh(seen(known["techniques"], known["software"]), profiles, weights=eager())
            text = msgspec.json.encode(replace(found, columns=())).decode()
            assert "AA" not in text, group
            assert "BB" not in text, group


def test_every_kind_of_trait_has_a_file() -> None:
    assert sorted(kind.NAME for kind in TRAITS) == sorted(TRAIT_KINDS)


def eager() -> Weights:
    """The shipped weights with a threshold that names at once: what holds of these holds of stricter ones."""
    weights = shipped()
    learned = msgspec.structs.replace(weights.unknown, constant=weights.unknown.constant + 60_000)
    rule = msgspec.structs.replace(weights.rule, name=1, sponsor=1)
    return msgspec.structs.replace(weights, unknown=learned, rule=rule)


def test_an_eager_threshold_does_name_somebody() -> None:
    """Else the tests above would pass for nothing."""
    found = [
        named(attribute.weigh(seen(known["techniques"], known["software"]), PROFILES[0], weights=eager()))
        for known in list(kb(0).values())[::5]
    ]
    assert sum(bool(one) for one in found) >= 5
