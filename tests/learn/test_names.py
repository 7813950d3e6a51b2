"""Names of groups as people and vendors write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.learn import knowledge, names, vendors
from tocsin.model.intrusion_set import IntrusionSet, Name
from tocsin.model.knowledge import Knowledge


@pytest.fixture(scope="module")
def known() -> Knowledge:
    return knowledge.of(knowledge.attack.shipped())


@pytest.fixture(scope="module")
def index(known: Knowledge) -> dict[str, tuple[names.Claim, ...]]:
    return names.index(known.groups)


@pytest.mark.parametrize(
    "word",
    ["APT40", "apt 40", "Apt-40", "Leviathan", "GINGHAM TYPHOON", "bronze_mohawk", "G0065", "g0065", "TEMP.Periscope",
     "Kryptonite Panda", "TA423", "ＡＰＴ４０"],
)  # fmt: skip
def test_one_group_by_many_names(word: str, index: dict[str, tuple[names.Claim, ...]]) -> None:
    assert names.resolve(word, index).ids == ("G0065",)


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("Thrip", {"G0030", "G0076"}),  # ATT&CK has it twice
        ("LuminousMoth", {"G0129", "G1014"}),
        ("UAC-0056", {"G1003", "G1031"}),
        ("Winnti", {"G0044", "G0096"}),  # the list has one entry for both
        ("Grizzly Steppe", {"G0007", "G0016"}),
    ],
)
def test_what_is_ambiguous_says_so(word: str, wanted: set[str], index: dict[str, tuple[names.Claim, ...]]) -> None:
    found = names.resolve(word, index)
    assert set(found.ids) == wanted
    assert found.is_ambiguous


@pytest.mark.parametrize(
    ("word", "group", "also"),
    [("APT38", "G0082", ("G0032",)), ("Cobalt Gypsy", "G0049", ("G0003",)), ("Andariel", "G0138", ("G0032",))],
)
def test_a_list_does_not_outweigh_attack(
    word: str, group: str, also: tuple[str, ...], index: dict[str, tuple[names.Claim, ...]]
) -> None:
    found = names.resolve(word, index)
    assert (found.ids, found.also) == ((group,), also)


@pytest.mark.parametrize(("word", "group"), [("G0057", "G0049"), ("APT34", "G0049"), ("UNC2452", "G0016")])
def test_what_was_revoked_is_what_it_became(word: str, group: str, index: dict[str, tuple[names.Claim, ...]]) -> None:
    assert names.resolve(word, index).ids == (group,)


@pytest.mark.parametrize(
    ("word", "near"), [("Lazarus", "Lazarus Group"), ("fancy bera", "Fancy Bear"), ("ATP40", "APT40")]
)
def test_an_unknown_name_has_near_ones(word: str, near: str, index: dict[str, tuple[names.Claim, ...]]) -> None:
    found = names.resolve(word, index)
    assert found.ids == ()
    assert near in found.near


@pytest.mark.parametrize("word", ["", " ", "-", "$$$", "\x00", "x" * 1_000_000, "\udcff", "no such name at all 12345"])
def test_what_is_no_name(word: str, index: dict[str, tuple[names.Claim, ...]]) -> None:
    assert names.resolve(word, index).ids == ()


def test_every_name_leads_to_its_group(known: Knowledge, index: dict[str, tuple[names.Claim, ...]]) -> None:
    for group in known.groups.values():
        for word in (group.id, group.name, *(one.text for one in group.aliases)):
            found = names.resolve(word, index)
            assert group.id in (*found.ids, *found.also), word
        assert names.resolve(group.id, index).ids == (group.id,)


words = st.text(st.sampled_from("aB1 -.é"), min_size=1, max_size=4)


@given(st.lists(st.tuples(words, st.lists(words, max_size=3)), max_size=6), words)
def test_resolving_is_what_a_plain_search_finds(sets: list[tuple[str, list[str]]], word: str) -> None:
    groups = {
        f"own:{place}": IntrusionSet(
            id=f"own:{place}", name=name, origin="own", aliases=tuple(Name(text=text) for text in more)
        )
        for place, (name, more) in enumerate(sets)
    }
    wanted = {
        f"own:{place}"
        for place, (name, more) in enumerate(sets)
        if names.plain(word) in map(names.plain, (name, *more))
    }
    assert set(names.resolve(word, names.index(groups)).ids) == wanted


@given(words)
def test_writing_it_otherwise_changes_nothing(word: str) -> None:
    if any(one.isalnum() for one in word):
        assert names.plain(word) == names.plain(word.upper().lower()) == names.plain(f" {word.replace(' ', '-')}_")


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("Gingham Typhoon", "Microsoft"),
        ("Storm-0558", "Microsoft"),
        ("KRYPTONITE PANDA", "CrowdStrike"),
        ("BRONZE MOHAWK", "Secureworks"),
        ("APT 40", "Mandiant"),
        ("UNC2452", "Mandiant"),
        ("TA423", "Proofpoint"),
        ("Stately Taurus", "Unit 42"),
        ("UAC-0056", "CERT-UA"),
        ("Leviathan", ""),
        ("Panda", ""),
        ("APT-C-36", "Qihoo 360"),
        ("Operation Typhoon", ""),
        ("Void Manticore", ""),
    ],
)
def test_the_form_of_a_name_tells_whose_it_is(name: str, vendor: str) -> None:
    assert vendors.by_form(name) == vendor
