"""What changed between releases, and what only looks so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given

from learn.attack_files import bundle, stix_link, stix_object, write
from learn.test_knowledge import any_facts
from tocsin.learn import attack, attack_build
from tocsin.learn.compare import Difference, compare, only
from tocsin.model.attack import Facts


def built(folder: Path, name: str, *objects: Any) -> Facts:
    return attack_build.build([f"{name}={write(folder / f'{name}.json', bundle(*objects))}"]).facts


def difference(folder: Path, before: list[Any], after: list[Any]) -> Difference:
    return compare(built(folder, "1", *before), built(folder, "2", *after))


BASE = [
    stix_object("T1001", "stealth"),
    stix_object("T1002", "stealth"),
    stix_object("G0001", name="Alpha", aliases=["Alpha", "First", "Old"]),
    stix_object("G0002", name="Beta"),
    stix_link("uses", "G0001", "T1001"),
    stix_link("uses", "G0001", "T1002"),
]


def test_nothing_changed(tmp_path: Path) -> None:
    found = difference(tmp_path, BASE, BASE)
    assert (found.same, found.moved, found.added, found.removed, found.lost) == (2, 0, (), (), ())
    assert all(not (one.added or one.gone or one.moved or one.renamed or one.aliases) for one in found.entries.values())


def test_groups_that_came_went_and_are_called_otherwise(tmp_path: Path) -> None:
    after = [
        *BASE[:2],
        stix_object("G0001", name="First", aliases=["Alpha", "New"]),
        stix_object("G0002", name="Beta", revoked=True),
        stix_link("revoked-by", "G0002", "G0001"),
        stix_object("G0003", name="Gamma"),
        *BASE[4:],
    ]
    groups = difference(tmp_path, BASE, after).entries["group"]
    assert [one.id for one in groups.added] == ["G0003"]
    assert [(entry.id, to.to, to.grounds) for entry, to in groups.gone] == [("G0002", ("G0001",), "revoked-by")]
    assert [(one.before.name, one.after.name) for one in groups.renamed] == [("Alpha", "First")]
    assert [(entry.id, came, went) for entry, came, went in groups.aliases] == [("G0001", ("New",), ("Old",))]


def test_another_number_is_no_other_link(tmp_path: Path) -> None:
    after = [
        stix_object("T1001", "stealth"),
        stix_object("T1002", revoked=True),
        stix_object("T1009", "stealth"),
        stix_link("revoked-by", "T1002", "T1009"),
        *BASE[2:5],
        stix_link("uses", "G0001", "T1009"),
    ]
    found = difference(tmp_path, BASE, after)
    assert (found.same, found.moved, found.added, found.removed) == (1, 1, (), ())


def test_links_that_came_and_went(tmp_path: Path) -> None:
    found = difference(tmp_path, BASE, [*BASE[:5], stix_link("uses", "G0002", "T1002")])
    assert found.added == (("G0002", "T1002"),)
    assert found.removed == (("G0001", "T1002"),)


def test_a_link_to_what_was_withdrawn_is_told(tmp_path: Path) -> None:
    found = difference(tmp_path, BASE, [BASE[0], stix_object("T1002", x_mitre_deprecated=True), *BASE[2:5]])
    assert found.lost == (("G0001", "T1002"),)
    assert found.removed == ()


def test_a_kind_that_one_does_not_tell_of_is_not_compared(tmp_path: Path) -> None:
    campaign = [stix_object("C0001"), stix_link("uses", "C0001", "T1001")]
    found = difference(tmp_path, [*BASE, *campaign], BASE)
    assert found.untold == ("campaign",)
    assert found.removed == ()
    assert "campaign" not in found.entries


def test_18_and_19() -> None:
    facts = attack.shipped()
    old, new = only(facts, "18"), only(facts, "19")
    assert old is not None
    assert new is not None
    found = compare(old, new)
    assert (found.same, found.moved, len(found.added), len(found.removed), found.lost) == (15861, 225, 821, 16, ())
    assert [one.id for one in found.entries["group"].added] == ["G0097", "G1029", "G1054", "G1055"]
    assert found.untold == ("campaign",)
    back = compare(new, old)
    assert back.same == found.same
    assert only(facts, "17") is None


@given(any_facts())
def test_every_link_is_accounted_for(facts: Facts) -> None:
    old, new = only(facts, "18.1"), only(facts, "19")
    assert old is not None
    assert new is not None
    told = old.releases[0].kinds & new.releases[0].kinds

    def compared(one: Facts) -> int:
        entries = one.releases[0].entries
        return sum(
            {link.source, link.target} <= set(entries)
            and entries[link.source].kind in told
            and entries[link.target].kind in told
            for link in one.links
        )

    found = compare(old, new)
    assert found.same + found.moved + len(found.removed) + len(found.lost) == compared(old)
    assert len(found.added) <= compared(new)
    assert compare(old, old).added == compare(old, old).removed == ()
