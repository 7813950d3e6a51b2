"""What is known of groups, put together from releases that differ and a list that lumps."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learn.attack_files import bundle, cluster, stix_link, stix_object, uuid_of, value, write
from learn.test_actor_galaxy import actor
from tocsin.errors import TocsinError
from tocsin.learn import attack, attack_build, attack_dates, knowledge, profiles
from tocsin.learn.compare import only
from tocsin.model.actor import Actor
from tocsin.model.attack import Entry, Facts, Link, Release, translate
from tocsin.model.intrusion_set import AMBIGUOUS, IntrusionSet, Name
from tocsin.model.knowledge import Knowledge, Untranslated
from tocsin.model.use import Use

OLD = bundle(
    stix_object("TA0005", name="Defense Evasion"),
    stix_object("T1001", "defense-evasion", created="2019-01-01T00:00:00.000Z"),
    stix_object("T1002", "defense-evasion"),
    stix_object("T1003", "defense-evasion"),
    stix_object("G0001", name="Alpha", aliases=["Alpha", "First"], created="2017-05-31T21:31:46.000Z"),
    stix_object("G0002", name="Beta", aliases=["Second"], revoked=True),
    stix_object("G0003", name="Gamma", x_mitre_deprecated=True),
    stix_object("S0001", name="Tool"),
    stix_object("C0001", name="Raid", first_seen="2020-03-01T00:00:00.000Z", last_seen="2021-04-05T00:00:00.000Z"),
    stix_link("revoked-by", "G0002", "G0001"),
    stix_link("uses", "G0001", "T1001", "Report A", created="2020-02-01T00:00:00.000Z"),
    stix_link("uses", "G0001", "T1002", "Report A", created="2022-05-01T00:00:00.000Z"),
    stix_link("uses", "G0001", "T1003", "Report A"),
    stix_link("uses", "G0001", "S0001", "Report B", created="2030-01-01T00:00:00.000Z"),
    stix_link("uses", "C0001", "T1001", "Report C"),
    stix_link("attributed-to", "C0001", "G0001", "Report C"),
    version="18.1",
)
PATTERNS = cluster(
    "mitre-attack-pattern",
    value("T1001", "attack-Windows:stealth"),
    value("T1002", revoked=True, related=[("revoked-by", "T1009")]),
    value("T1003", "attack-Windows:stealth", revoked=True),
    value("T1009", "attack-Windows:stealth"),
)
GROUPS = cluster(
    "mitre-intrusion-set",
    value("G0001", value="Alpha Prime - G0001", related=[("uses", "T1009"), ("uses", "T1001")]),
    value("G0003", value="Gamma - G0003"),
    value("G0004", value="Delta - G0004", related=[("uses", "T1001")]),
)


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    old = write(tmp_path / "old.json", OLD)
    new = [f"19={write(tmp_path / f'{name}.json', one)}" for name, one in (("a", PATTERNS), ("b", GROUPS))]
    return attack_build.build([old, *new]).facts


def test_a_group_of_two_releases(facts: Facts) -> None:
    alpha = knowledge.of(facts).groups["G0001"]
    assert (alpha.name, alpha.state, alpha.since) == ("Alpha Prime", "live", "1")
    assert [one.text for one in alpha.aliases] == ["Alpha", "Beta", "First", "G0002", "Second"]
    assert alpha.techniques == {
        "T1001": Use(id="T1001", citations=("Report A",), releases=("18.1", "19"), since="7"),
        "T1009": Use(id="T1009", citations=("Report A",), releases=("18.1", "19"), since="12", told_as=("T1002",)),
    }
    assert alpha.software["S0001"].since == "18", "never after the release that it was read in"
    assert alpha.campaigns == ("C0001",)


def test_what_cannot_be_translated_is_kept_apart(facts: Facts) -> None:
    lost = Untranslated(id="T1003", release="18.1", grounds="lost", candidates=(), users=("G0001",))
    assert knowledge.of(facts).untranslated == (lost,)


def test_the_older_release_can_be_asked_for(facts: Facts) -> None:
    known = knowledge.of(facts, release="18")
    assert known.release == "18.1"
    assert set(known.groups["G0001"].techniques) == {"T1001", "T1002", "T1003"}
    assert known.groups["G0001"].name == "Alpha Prime", "who a group is does not go back"
    assert known.groups["G0004"].techniques["T1001"].since == "19"


def test_withdrawn_groups(facts: Facts) -> None:
    known = knowledge.of(facts)
    assert set(known.groups) == {"G0001", "G0003", "G0004"}
    assert known.groups["G0003"].state == "deprecated"
    assert "G0003" not in profiles.profiles(known)["groups"]


def test_a_campaign(facts: Facts) -> None:
    raid = knowledge.of(facts).campaigns["C0001"]
    assert (raid.name, raid.first_seen, raid.last_seen) == ("Raid", "2020-03-01", "2021-04-05")
    assert set(raid.groups) == {"G0001"}
    assert set(raid.techniques) == {"T1001"}
    assert "T1001" in knowledge.of(facts).groups["G0001"].techniques, "by its own link, not by the campaign's"


def test_software_knows_its_users(facts: Facts) -> None:
    assert knowledge.of(facts).software["S0001"].users == ("G0001",)


def test_a_release_that_is_not_there(facts: Facts) -> None:
    with pytest.raises(TocsinError, match=r"release 17 of ATT&CK is not known") as caught:
        knowledge.of(facts, release="17")
    assert caught.value.hint == "There are 18.1, 19."


def test_nothing_is_known_of_nothing() -> None:
    assert knowledge.of(Facts()) == Knowledge()
    assert profiles.profiles(Knowledge())["groups"] == {}


@pytest.mark.parametrize(
    ("day", "within", "first"),
    [
        ("2010-01-01", "18.1", "1"),
        ("2018-01-16", "18.1", "1"),
        ("2018-01-17", "18.1", "2"),
        ("2025-10-28", "18.1", "18"),
        ("2025-10-29", "18.1", "18"),
        ("2025-10-29", "20.0", "20"),
        ("2024-01-01", "14", "14"),
    ],
)
def test_since(day: str, within: str, first: str) -> None:
    assert attack_dates.first(day, within) == first


@pytest.mark.parametrize("odd", [None, 5, "", "2020", "2020-1-1", "2020-13", "2020-01-01x", "99999-01-01"])
def test_what_is_no_day(odd: object) -> None:
    assert attack_dates.day(odd) == ""


# ---------------------------------------------------------------------------------------- a list of threat actors


def known_with(facts: Facts, *actors: dict[str, Any], folder: Path) -> Knowledge:
    told = attack_build.build([write(folder / "threat-actor.json", cluster("threat-actor", *actors))]).facts
    return knowledge.of(attack_build.added(facts, told))


def test_an_entry_tells_of_the_group_it_names(facts: Facts, tmp_path: Path) -> None:
    entry = actor("alpha-prime", "Kappa", country="CN", **{"cfr-suspected-victims": ["Japan"]})
    group = known_with(facts, entry, folder=tmp_path).groups["G0001"]
    assert (group.country, group.victims) == ("CN", ("JP",))
    [kappa] = [one for one in group.aliases if one.text == "Kappa"]
    assert kappa == Name(text="Kappa", sources=("MISP threat actors",), is_sure=False)
    assert group.told_by == ("ATT&CK 18.1", "ATT&CK 19", "MISP threat actors: alpha-prime")


def test_an_entry_that_names_nobody_is_a_group_known_by_name(facts: Facts, tmp_path: Path) -> None:
    group = known_with(facts, actor("Omega", country="XX"), folder=tmp_path).groups[f"misp:{uuid_of('Omega')}"]
    assert (group.name, group.origin, group.country) == ("Omega", "galaxy", "")


def test_a_closer_entry_tells_what_is_suspected(facts: Facts, tmp_path: Path) -> None:
    """Two companies call two groups by one name: the entry that goes by the group's own name is the surer."""
    entries = (actor("Alpha Prime", country="RU"), actor("First", country="IR"))
    group = known_with(facts, *entries, folder=tmp_path).groups["G0001"]
    assert group.country == "RU"
    assert group.doubts == (
        "the entries of the list that may be this group disagree about its country: Russia (Alpha Prime); Iran (First)",
    )


def test_entries_that_disagree_are_ambiguous(facts: Facts, tmp_path: Path) -> None:
    entries = (actor("Second", country="RU"), actor("First", country="IR"))
    group = known_with(facts, *entries, folder=tmp_path).groups["G0001"]
    assert (group.country, group.countries) == (AMBIGUOUS, ("IR", "RU"))
    assert len(group.doubts) == 1


def test_an_entry_that_lumps_two_groups(facts: Facts, tmp_path: Path) -> None:
    entry = actor("Alpha Prime", "Kappa", "Delta", "G0004", country="CN")
    known = known_with(facts, entry, folder=tmp_path)
    group = known.groups["G0001"]
    assert [one.perhaps for one in group.aliases if one.text == "Kappa"] == [("G0004",)]
    assert [one.text for one in group.disputed] == ["Delta"]
    assert group.doubts == ("the list's entry Alpha Prime also has the names of G0004",)
    assert known.groups["G0004"].countries == (), "nobody told it of that one"


def test_an_entry_that_could_be_two_joins_none(facts: Facts, tmp_path: Path) -> None:
    known = known_with(facts, actor("Both", "First", "Delta", country="CN"), folder=tmp_path)
    assert known.groups["G0001"].countries == known.groups["G0004"].countries == ()
    assert known.groups[f"misp:{uuid_of('Both')}"].countries == ("CN",)


# ---------------------------------------------------------------------------------------- what is shipped


@pytest.fixture(scope="module")
def shipped() -> Knowledge:
    return knowledge.of(attack.shipped())


def test_apt40(shipped: Knowledge) -> None:
    group = shipped.groups["G0065"]
    assert (group.name, group.country, group.sponsor) == ("Leviathan", "CN", "CN")
    assert group.motives == ("espionage",)
    assert {"US", "MY", "KH"} <= set(group.victims)
    assert group.software["S0233"].citations == ("CISA AA21-200A APT40 July 2021", "FireEye Periscope March 2018")
    assert shipped.software["S0233"].users == ("G0065",)
    assert group.campaigns == ("C0049",)
    assert group.since == "3"


def test_every_link_of_18_has_a_place_in_19(shipped: Knowledge) -> None:
    assert shipped.untranslated == ()
    assert [
        (one.id, one.release, len(one.users)) for one in knowledge.of(attack.shipped(), release="18.1").untranslated
    ] == [
        ("T1682", "19", 2),
        ("T1683.001", "19", 2),
        ("T1683.002", "19", 2),
    ]


def test_no_group_is_told_a_country_by_an_entry_of_another_name(shipped: Knowledge) -> None:
    """Turla is what the list calls similar to a Chinese group."""
    assert shipped.groups["G0010"].countries == ("RU",)
    unclear = {one.id: one.countries for one in shipped.groups.values() if one.country == AMBIGUOUS}
    assert unclear == {"G0034": ("IR", "RU")}
    assert shipped.groups["G0034"].doubts


def test_knowledge_is_there_soon() -> None:
    began = time.process_time()
    knowledge.of(attack.shipped())
    assert time.process_time() - began < 3  # some 0.25 s; this only sees that it did not get ten times worse


def test_profiles_are_those_of_the_benchmark(shared: Path) -> None:
    """But for domains that we do not keep; and of two names of one report it may have taken the other."""
    theirs = json.loads((shared / "corpus" / "attribution" / "profiles.json").read_bytes())
    facts = only(attack.shipped(), "18.1")
    assert facts is not None
    ours = profiles.profiles(knowledge.of(replace(facts, actors=())))
    enterprise = facts.releases[0].entries
    assert ours["attack_version"] == theirs["attack_version"]
    for number, one in theirs["groups"].items():
        mine = ours["groups"].get(
            number, {"techniques": {}, "software": {}, "name": one["name"], "aliases": one["aliases"]}
        )
        assert mine["name"] == one["name"]
        assert set(one["aliases"]) <= set(mine["aliases"]), "and the names of what was revoked in its favour"
        for part in ("techniques", "software"):
            wanted = {name: len(set(told)) for name, told in one[part].items() if name in enterprise}
            assert {name: len(told) for name, told in mine[part].items()} == wanted
    for number, one in ours["software"].items():
        wanted = {name for name in theirs["software"][number]["techniques"] if name in enterprise}
        assert set(one["techniques"]) == wanted


def test_since_when_against_older_releases(shared: Path) -> None:
    prior = json.loads((shared / "corpus" / "attribution" / "profiles_prior.json").read_bytes())
    names = sorted(prior, key=lambda name: float(name[1:]))
    right = 0
    links = [link for link in attack.shipped().links if link.source.startswith("G") and link.since]
    for link in links:
        told = (name for name in names if _has(prior[name].get(link.source, {}), link.target))
        first = next(told, "v18.1").removeprefix("v").partition(".")[0]
        right += max(int(link.since), 11) == int(first)
    assert right / len(links) > 0.97


def _has(profile: Mapping[str, Any], number: str) -> bool:
    return any(number in profile.get(part, {}) for part in ("techniques", "software"))


# ---------------------------------------------------------------------------------------- any facts


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """Two releases of few objects, where anything may be revoked by anything, in circles too, and linked."""
    ids = ["T1001", "T1002", "T1002.001", "T1003", "G0001", "G0002", "S0001"]
    kinds = {"T": "technique", "G": "group", "S": "malware"}
    releases = []
    for name in ("18.1", "19"):
        entries = {}
        for number in draw(st.lists(st.sampled_from(ids), unique=True)):
            same = [one for one in ids if one[0] == number[0]]
            state = draw(st.sampled_from(["live", "live", "deprecated", "revoked"]))
            became = tuple(draw(st.lists(st.sampled_from(same), max_size=2))) if state == "revoked" else ()
            entries[number] = Entry(
                kind=kinds[number[0]],  # type: ignore[arg-type]
                id=number,
                uuid=uuid_of(number),
                name=f"Name of {number}",
                state=state,  # type: ignore[arg-type]
                became=became,
            )
        releases.append(Release(name=name, entries=entries))
    links = [
        Link(source=source, target=target, citations=("R",), releases=(release.name,))
        for release in releases
        for source in release.entries
        for target in release.entries
        if source[0] in "GS" and target[0] == "T" and draw(st.booleans())
    ]
    return Facts(releases=tuple(releases), links=tuple(links), reports={"R": ""})


@given(any_facts())
def test_every_link_is_told_or_counted(facts: Facts) -> None:
    known = knowledge.of(facts)
    target = facts.release(known.release)
    assert target is not None
    lost = {(one.id, one.release) for one in known.untranslated}
    uses = {(one.id, number) for one in (*known.groups.values(), *known.software.values()) for number in one.techniques}
    found = set()
    for link in facts.links:
        source = facts.release(link.releases[0])
        assert source is not None
        now = translate(link.target, source, target).within
        if not now:
            assert (link.target, source.name) in lost
        found |= {number for _, number in uses} & {now}
        assert not now or now in {number for _, number in uses}
    assert found == {number for _, number in uses}


@given(any_facts())
def test_profiles_name_live_groups_only(facts: Facts) -> None:
    known = knowledge.of(facts)
    for number, profile in profiles.profiles(known)["groups"].items():
        assert known.groups[number].state == "live"
        assert all(told for part in ("techniques", "software") for told in profile[part].values())


def test_the_order_of_actors_does_not_matter(facts: Facts) -> None:
    actors = [
        Actor(uuid=uuid_of(str(one)), name=name, countries=(code,))
        for one, (name, code) in enumerate((("Alpha", "CN"), ("First", "RU"), ("Second", "IR"), ("Omega", "KP")))
    ]
    there = knowledge.of(replace(facts, actors=tuple(actors)))
    back = knowledge.of(replace(facts, actors=tuple(reversed(actors))))
    assert {one.id: (one.countries, one.aliases, one.told_by) for one in there.groups.values()} == {
        one.id: (one.countries, one.aliases, one.told_by) for one in back.groups.values()
    }


def test_an_intrusion_set_is_empty_until_told() -> None:
    bare = IntrusionSet(id="G9999", name="Nobody")
    assert (bare.country, bare.sponsor, dict(bare.techniques)) == ("", "", {})
