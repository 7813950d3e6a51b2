"""Releases of ATT&CK as they come, and the table of facts about them."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from learn.attack_files import bundle, cluster, stix_link, stix_object, uuid_of, value, write
from tocsin.errors import TocsinError
from tocsin.learn import attack, attack_build, attack_sources, attack_table
from tocsin.model.attack import Entry, Facts, Link, Release, is_live, translate
from tocsin.model.mitigation import Mitigation

STIX = bundle(
    stix_object("TA0005", name="Defense Evasion"),
    stix_object("T1001", "defense-evasion", "persistence"),
    stix_object("T1002", "defense-evasion", revoked=True),
    stix_object("T1003", x_mitre_deprecated=True),
    stix_object("G0001", aliases=["Name of G0001", "Zeta", "Alpha"]),
    stix_object("S0001", x_mitre_aliases=["Tool"]),
    stix_object("C0001"),
    stix_link("revoked-by", "T1002", "T1001"),
    stix_link("uses", "G0001", "T1001", "Report B", "Report A"),
    stix_link("uses", "G0001", "S0001"),
    stix_link("uses", "S0001", "T1001", "Report A"),
    stix_link("attributed-to", "C0001", "G0001", "Report C"),
    stix_link("uses", "C0001", "T1001", revoked=True),
    stix_link("mitigates", "T1001", "T1003"),
    version="18.1",
)
PATTERNS = cluster(
    "mitre-attack-pattern",
    value("TA0005", value="Stealth - TA0005"),
    value("TA0030", value="Stealth - TA0030"),  # of Mobile
    value("T1001", "attack-Windows:stealth", "attack-macOS:stealth", "attack-PRE:persistence"),
    value("T1002", related=[("revoked-by", "T1001")], revoked=True),
    value("T1003", "attack-Linux:stealth"),
    value("T1400", "mobile-attack-Android:stealth"),
    value("T1401", related=[("revoked-by", "T1400")], revoked=True),
    value("T1300", "pre-attack:launch"),
)
GROUPS = cluster(
    "mitre-intrusion-set",
    value("G0001", meta={"synonyms": ["Zeta"]}, related=[("uses", "T1001"), ("similar", "T1003"), ("uses", "T1400")]),
)
SOFTWARE = cluster(
    "mitre-malware",
    value("S0001", related=[("uses", "T1001")]),
    value("S0002", related=[("uses", "T1400")]),
    value("S0003", meta={"mitre_platforms": ["Android"]}),
    value("S0004", meta={"mitre_platforms": ["Android", "Windows"]}),
)


def built(folder: Path, **documents: Any) -> attack_build.Learned:
    """Facts of documents; of `r19_name` it is said that they are of release 19."""
    sources = []
    for name, document in documents.items():
        release = name.partition("_")[0].removeprefix("r") if name.startswith("r") else ""
        sources.append(f"{release}=" * bool(release) + write(folder / f"{name}.json", document))
    return attack_build.build(sources)


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    return built(tmp_path, stix=STIX, r19_a=PATTERNS, r19_b=GROUPS, r19_c=SOFTWARE).facts


def test_stix(facts: Facts) -> None:
    release = facts.release("18.1")
    assert release is not None
    assert release.entries["T1001"] == Entry(
        kind="technique",
        id="T1001",
        uuid=uuid_of("T1001"),
        name="Name of T1001",
        tactics=("defense-evasion", "persistence"),
    )
    assert {one.id: (one.state, one.became) for one in release.entries.values() if not is_live(one)} == {
        "T1002": ("revoked", ("T1001",)),
        "T1003": ("deprecated", ()),
    }
    assert release.entries["G0001"].aliases == ("Alpha", "Zeta")
    assert release.entries["S0001"].aliases == ("Tool",)
    assert set(release.tactics) == {"defense-evasion"}
    assert [name for name, _ in release.sources] == ["stix.json"]


def test_galaxy(facts: Facts) -> None:
    release = facts.release("19")
    assert release is not None
    assert set(release.entries) == {"TA0005", "T1001", "T1002", "T1003", "G0001", "S0001", "S0004"}
    assert release.entries["T1001"].tactics == ("persistence", "stealth")
    assert release.entries["T1001"].name == "Name of T1001"
    assert release.entries["T1002"].became == ("T1001",)
    assert release.entries["T1003"].state == "deprecated", "clusters do not tell, the release before did"
    assert release.tactics["stealth"].id == "TA0005"


def test_links(facts: Facts) -> None:
    both = ("18.1", "19")
    assert facts.links == (
        Link(source="C0001", target="G0001", citations=("Report C",), releases=("18.1",)),
        Link(source="G0001", target="S0001", citations=(), releases=("18.1",)),
        Link(source="G0001", target="T1001", citations=("Report A", "Report B"), releases=both),
        Link(source="S0001", target="T1001", citations=("Report A",), releases=both),
    )
    assert facts.reports == {f"Report {name}": f"https://example.org/Report {name}" for name in "ABC"}


def test_mitigations(tmp_path: Path) -> None:
    stix = bundle(
        stix_object("T1001", "persistence"),
        stix_object("T1002", "persistence", revoked=True),
        stix_object("M1031"),
        stix_object("M1032", x_mitre_deprecated=True),
        stix_object("M1033", x_mitre_domains=["mobile-attack"]),
        stix_link("mitigates", "M1031", "T1001"),
        stix_link("mitigates", "M1031", "T1002"),
        stix_link("mitigates", "M1032", "T1001"),
        stix_link("mitigates", "M1033", "T1001"),
        stix_link("mitigates", "G0001", "T1001"),
        version="18.1",
    )
    courses = cluster(
        "mitre-course-of-action",
        value("M1031", value="Network Intrusion Prevention - M1031", related=[("mitigates", "T1001")]),
        value("M1041", related=[("mitigates", "T1400")]),  # of Mobile
        value("T1001", related=[("mitigates", "T1001")]),  # as releases before 2019 had them
    )
    facts = built(tmp_path, stix=stix, r19_a=PATTERNS, r19_b=courses).facts
    assert facts.mitigations == (
        Mitigation(id="M1031", name="Name of M1031", release="18.1", techniques=("T1001",)),
        Mitigation(id="M1031", name="Network Intrusion Prevention", release="19", techniques=("T1001",)),
    )
    assert attack_table.decoded(attack_table.encoded(facts), "", with_links=True) == facts
    assert not any(link.source.startswith("M") for link in facts.links), "a mitigation is no user"


def test_no_description_is_kept(facts: Facts) -> None:
    assert b"DESCRIPTION" not in attack_table.encoded(facts)


def test_a_table_and_back(facts: Facts) -> None:
    content = attack_table.encoded(facts)
    assert attack_table.decoded(content, "x", with_links=True) == facts
    without = attack_table.decoded(content, "x", with_links=False)
    assert without.releases == facts.releases
    assert not without.links
    assert attack_table.encoded(attack_table.decoded(content, "x", with_links=True)) == content
    bare = attack_table.encoded(attack_build.added(facts, Facts()))
    assert bare == content


def test_links_without_a_report_are_not_read_as_entries(tmp_path: Path) -> None:
    document = bundle(stix_object("T1001"), stix_object("G0001"), stix_link("uses", "G0001", "T1001"), version="18.1")
    content = attack_table.encoded(built(tmp_path, stix=document).facts)
    assert b'["report"' not in content
    assert len(attack_table.decoded(content, "x", with_links=True).links) == 1
    assert attack_table.decoded(content, "x", with_links=False).links == ()


def test_the_order_of_files_and_objects_does_not_matter(tmp_path: Path, facts: Facts) -> None:
    shuffled = [*STIX["objects"]]
    random.Random(7).shuffle(shuffled)
    for name, document in (("b", GROUPS), ("c", SOFTWARE), ("a", PATTERNS)):
        write(tmp_path / f"r19_{name}.json", document)
    write(tmp_path / "stix.json", {**STIX, "objects": shuffled})
    named = [f"19={tmp_path / f'r19_{name}.json'}" for name in "cab"]
    again = attack_build.build([*named[:2], str(tmp_path / "stix.json"), named[2]]).facts
    assert [one.entries for one in again.releases] == [one.entries for one in facts.releases]
    assert again.links == facts.links


def test_gzip_and_folders(tmp_path: Path, facts: Facts) -> None:
    folder = tmp_path / "galaxy"
    folder.mkdir()
    for name, document in (("a", PATTERNS), ("b", GROUPS), ("c", SOFTWARE)):
        write(folder / f"r19_{name}.json.gz", document)
    write(folder / "mitre-data-source.json", cluster("mitre-data-source", value("DS0009")))
    (folder / "README.md").write_text("not a cluster")
    write(tmp_path / "stix.json", STIX)
    again = attack_build.build([str(tmp_path / "stix.json"), f"19={folder}"]).facts
    assert attack_table.encoded(again) == attack_table.encoded(facts), "packed or not, in a folder or not"


@pytest.mark.parametrize(
    ("name", "version", "told", "wanted"),
    [
        ("enterprise-attack-17.1.json", "", "", "17.1"),
        ("enterprise-attack-v16.0-2.json", "", "", "16.0"),
        ("enterprise-attack-17.1.json", "18.1", "", "18.1"),
        ("enterprise-attack-17.1.json", "18.1", "18.0=", "18.0"),
        ("a.json", "", "19=", "19"),
    ],
)
def test_which_release_it_is(tmp_path: Path, name: str, version: str, told: str, wanted: str) -> None:
    path = write(tmp_path / name, bundle(stix_object("T1001"), version=version))
    assert [one.name for one in attack_build.build([f"{told}{path}"]).facts.releases] == [wanted]


def test_releases_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    document = bundle(stix_object("T1001"))
    learned = built(tmp_path, r100=document, r9_x=document, **{"r9.1": document, "r10": document})
    assert [one.name for one in learned.facts.releases] == ["9", "9.1", "10", "100"]


# ---------------------------------------------------------------------------------------- added to what is known


def test_a_release_is_added(tmp_path: Path, facts: Facts) -> None:
    twenty = bundle(
        stix_object("T1001", "stealth"),
        stix_object("T1009", "stealth"),
        stix_object("G0001"),
        stix_link("uses", "G0001", "T1001", "Report D"),
    )
    both = attack_build.added(facts, built(tmp_path, r20=twenty).facts)
    assert [one.name for one in both.releases] == ["18.1", "19", "20"]
    [link] = [one for one in both.links if (one.source, one.target) == ("G0001", "T1001")]
    assert link.releases == ("18.1", "19", "20")
    assert link.citations == ("Report A", "Report B", "Report D")


def test_a_galaxy_that_is_added_keeps_what_was_withdrawn(tmp_path: Path, facts: Facts) -> None:
    clusters = cluster(
        "mitre-attack-pattern", value("T1001", "attack-Linux:stealth"), value("T1003", "attack-Linux:stealth")
    )
    both = attack_build.added(facts, built(tmp_path, r20_a=clusters).facts)
    assert both.releases[-1].entries["T1003"].state == "deprecated"
    assert both.releases[-1].entries["T1001"].state == "live"


def test_a_release_is_replaced(tmp_path: Path, facts: Facts) -> None:
    other = bundle(stix_object("T1001"), stix_object("G0001"), stix_link("uses", "G0001", "T1001", "Report D"))
    mended = attack_build.added(facts, built(tmp_path, **{"r18.1": other}).facts)
    assert [one.name for one in mended.releases] == ["18.1", "19"]
    assert set(mended.releases[0].entries) == {"T1001", "G0001"}
    assert {(one.source, one.target): one.releases for one in mended.links} == {
        ("G0001", "T1001"): ("18.1", "19"),
        ("S0001", "T1001"): ("19",),
    }


def test_what_a_user_learned_goes_before_what_is_shipped(
    tmp_path: Path, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    before = attack.digest()
    assert attack.known().releases == attack.shipped().releases
    attack.place().parent.mkdir()
    attack.place().write_bytes(attack_table.encoded(facts))
    assert attack.known(with_links=True) == facts
    assert attack.digest() == hashlib.sha256(attack_table.encoded(facts)).hexdigest() != before


# ---------------------------------------------------------------------------------------- what is shipped


def _shipped_bytes() -> bytes:
    return attack.SHIPPED.read_bytes()


def test_the_shipped_table_is_what_the_command_makes(shared: Path) -> None:
    corpus = shared / "corpus" / "attack"
    learned = attack_build.build(
        [str(corpus / "enterprise-attack-18.1.stix20.json.gz"), f"19={corpus / 'misp-galaxy-2026-08'}"]
    )
    assert attack_table.encoded(learned.facts) == _shipped_bytes()
    assert learned.left_out == {"18.1": {}, "19": {"an object of another domain": 515}, "": {}}


def test_the_shipped_table_is_small_and_quick() -> None:
    content = _shipped_bytes()
    assert len(content) < 2_000_000
    began = time.perf_counter()
    attack.known()
    assert time.perf_counter() - began < 0.3  # some 10 ms; a busy machine takes longer


def test_mitres_notice_is_beside_the_table() -> None:
    first = _shipped_bytes().splitlines()[0].decode()
    licence = attack.SHIPPED.with_name("attack_facts.LICENSE.txt").read_text(encoding="utf-8")
    notice = (Path(__file__).resolve().parents[2] / "NOTICE").read_text(encoding="utf-8")
    designation = "The MITRE Corporation. This work is reproduced and distributed with the permission of"
    condition = "provided that you reproduce MITRE's copyright designation and this license in any such copy"
    for text, words in (
        (first, [designation]),
        (licence, [designation, condition]),
        (notice, [designation, condition]),
    ):
        assert [one for one in words if one not in " ".join(text.split())] == []


def _counts(release: Release) -> dict[str, int]:
    return dict(sorted(Counter(f"{one.kind} {one.state}" for one in release.entries.values()).items()))


def test_what_the_shipped_releases_hold() -> None:
    facts = attack.shipped()
    assert {one.name: _counts(one) for one in facts.releases} == {
        "18.1": {
            "campaign live": 33,
            "group deprecated": 9,
            "group live": 172,
            "group revoked": 6,
            "malware deprecated": 1,
            "malware live": 693,
            "malware revoked": 2,
            "tactic live": 14,
            "technique deprecated": 12,
            "technique live": 691,
            "technique revoked": 132,
            "tool live": 91,
        },
        "19": {
            "group deprecated": 9,
            "group live": 176,
            "group revoked": 6,
            "malware deprecated": 1,
            "malware live": 727,
            "malware revoked": 2,
            "tactic live": 15,
            "technique deprecated": 12,
            "technique live": 697,
            "technique revoked": 149,
            "tool live": 95,
        },
    }
    assert Counter(one.releases for one in facts.links) == {("18.1", "19"): 15861, ("19",): 1042, ("18.1",): 856}
    assert sum(bool(one.citations) for one in facts.links) == 16697
    ends = {(end, name) for link in facts.links for end in (link.source, link.target) for name in link.releases}
    assert all(end in release.entries for end, name in ends if (release := facts.release(name)))
    old, new = ({one.id for one in release.tactics.values()} for release in facts.releases)
    assert new - old == {"TA0112"}
    assert old < new


# What ATT&CK says took the place of each technique of 18.1 that 19 withdrew.
MOVED = {
    "T1070.001": "T1685.005",
    "T1070.002": "T1685.006",
    "T1562": "T1685",
    "T1562.001": "T1685",
    "T1562.002": "T1685.001",
    "T1562.003": "T1690",
    "T1562.004": "T1686",
    "T1562.006": "T1685",
    "T1562.007": "T1686.001",
    "T1562.008": "T1685.002",
    "T1562.009": "T1688",
    "T1562.010": "T1689",
    "T1562.011": "T1685.003",
    "T1562.012": "T1685.004",
    "T1562.013": "T1686.002",
    "T1656": "T1684.001",
    "T1672": "T1684.002",
}


def test_every_technique_of_18_in_19() -> None:
    old, new = attack.shipped().releases
    for entry in old.entries.values():
        if entry.kind != "technique":
            continue
        found = translate(entry.id, old, new)
        if entry.id in MOVED:
            assert (found.to, found.grounds) == ((MOVED[entry.id],), "revoked-by")
        elif is_live(entry):
            assert (found.to, found.grounds) == ((entry.id,), "same object")
        else:
            assert found.grounds == ("deprecated" if entry.state == "deprecated" else "revoked-by")
            assert len(found.to) == (entry.state == "revoked")


def test_every_technique_of_19_in_18() -> None:
    old, new = attack.shipped().releases
    back: dict[str, list[str]] = {}
    for before, after in MOVED.items():
        back.setdefault(after, []).append(before)
    rest = {}
    for entry in new.entries.values():
        if entry.kind != "technique" or not is_live(entry):
            continue
        found = translate(entry.id, new, old)
        if entry.id in back:
            assert (list(found.to), found.grounds) == (back[entry.id], "became it")
        elif found.grounds != "same object":
            rest[entry.id] = (found.to, found.grounds)
        else:
            assert found.to == (entry.id,)
    assert rest == {
        "T1027.018": (("T1027",), "parent"),
        "T1682": ((), "none"),
        "T1683": ((), "none"),
        "T1683.001": ((), "none"),
        "T1683.002": ((), "none"),
        "T1684": ((), "none"),
        "T1686.003": (("T1562.004",), "parent"),
        "T1687": ((), "none"),
    }
    merged = translate("T1685", new, old)
    assert (merged.within, merged.is_certain) == ("T1562", False)


def test_the_tactic_that_19_divided() -> None:
    old, new = attack.shipped().releases
    assert translate("TA0005", old, new).to == ("TA0005", "TA0112")
    assert translate("TA0112", new, old).to == ("TA0005",)
    assert [new.entries[one].name for one in ("TA0005", "TA0112")] == ["Stealth", "Defense Impairment"]
    kept = [name for name in old.tactics if translate(old.tactics[name].id, old, new).is_certain]
    assert len(kept) == 13


def test_the_links_are_those_of_the_benchmark(shared: Path) -> None:
    """Another reading of all domains of 18.1: what each group uses itself."""
    profiles = json.loads((shared / "corpus" / "attribution" / "profiles.json").read_bytes())["groups"]
    facts = attack.shipped()
    enterprise = facts.releases[0].entries
    ours: dict[str, set[str]] = {}
    for link in facts.links:
        if "18.1" in link.releases and link.source.startswith("G"):
            ours.setdefault(link.source, set()).add(link.target)
    theirs = {name: {*one["techniques"], *one["software"]} & set(enterprise) for name, one in profiles.items()}
    assert len(theirs) > 150
    assert {name: used for name, used in theirs.items() if used != ours.get(name, set())} == {}


# ---------------------------------------------------------------------------------------- hostile files


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "neither a STIX bundle"),
        (b'{"type": "bundle", "objects": {}}', "neither a STIX bundle"),
        (b'{"type": ["bundle"], "values": []}', "neither a STIX bundle"),
        (b'{"type": "threat-actor", "values": []}', "no threat actor"),
        (b'{"type": "threat-actor", "values": [1, null, {}, {"uuid": 5, "value": []}]}', "no threat actor"),
        (b'{"type": "bundle", "objects": ["\xff\xfe"]}', "not JSON"),
        (b'{"type": "bundle", "objects": ["\\ud800"]}', "not JSON"),
        (b'{"type": "bundle", "objects": []}', "nothing of Enterprise"),
        (b'{"type": "mitre-malware", "values": [1, null, {}, {"meta": 5, "related": 1}]}', "nothing of Enterprise"),
        (gzip.compress(b'{"type": "bundle"', mtime=0)[:-9], "ends too early"),
        (b"\x1f\x8bnonsense", "decompressing"),
    ],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(TocsinError, match=word) as caught:
        attack_build.build([f"19={path}"])
    assert caught.value.message.startswith(str(path))
    assert caught.value.hint


def test_files_that_are_not_there_or_not_named(tmp_path: Path) -> None:
    with pytest.raises(TocsinError, match="No such file"):
        attack_build.build([str(tmp_path / "none.json")])
    with pytest.raises(TocsinError, match="no file of ATT&CK"):
        attack_build.build([str(tmp_path)])
    with pytest.raises(TocsinError, match="nothing says which release"):
        built(tmp_path, stix=bundle(stix_object("T1001"), version="nineteen"))
    with pytest.raises(TocsinError, match="nothing says which release"):
        built(tmp_path, cluster=PATTERNS)


def test_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attack_sources, "MOST_BYTES", 1 << 20)
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(b" " * (64 << 20), mtime=0))
    with pytest.raises(TocsinError, match="more than 1 MiB"):
        attack_build.build([f"19={path}"])


ODD: tuple[Any, ...] = (None, 5, True, "text", [], ["a", 1, None, {}], {}, {"a": 1}, [[]], [{"source_name": 5}])


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_values_stand_for_nothing(tmp_path: Path, odd: Any) -> None:
    good = [stix_object("T1001"), stix_object("G0001"), stix_link("uses", "G0001", "T1001", "A")]
    broken: list[Any] = [odd, {"type": "x-mitre-collection", "id": "x", "name": odd, "x_mitre_version": odd}]
    for place, name in enumerate([*good[0], "aliases", "revoked", "x_mitre_deprecated"]):
        broken.append({**stix_object(f"T{2000 + place}"), name: odd})
    for place, name in enumerate(good[2]):
        broken.append({**stix_link("uses", "G0001", f"T{2000 + place}", "B"), name: odd})
    for place, name in enumerate(("kill_chain_name", "phase_name")):
        phase = {"kill_chain_name": "mitre-attack", "phase_name": "stealth", name: odd}
        broken.append(stix_object(f"T{3000 + place}", kill_chain_phases=[phase]))
    for place, name in enumerate(("source_name", "external_id", "url")):
        refs = [{"source_name": "mitre-attack", "external_id": f"T{3100 + place}", "url": "", name: odd}]
        broken.append(stix_object(f"T{3100 + place}", external_references=refs))
        broken.append(stix_link("uses", "G0001", f"T{3100 + place}", external_references=refs))
    learned = built(tmp_path, r18=bundle(*good, *broken))
    entries = learned.facts.releases[0].entries
    assert {"T1001", "G0001"} <= set(entries)
    assert all(isinstance(one.name, str) and one.name for one in entries.values())
    assert ("G0001", "T1001") in {(one.source, one.target) for one in learned.facts.links}
    table = attack_table.encoded(learned.facts)
    assert attack_table.decoded(table, "x", with_links=True) == learned.facts

    values = [value("T1001", "attack-Windows:stealth"), value("T1002", related=[("revoked-by", "T1001")])]
    values += [{**values[0], "uuid": uuid_of(str(place)), name: odd} for place, name in enumerate(values[0])]
    learned = built(tmp_path, r19=cluster("mitre-attack-pattern", *values, odd, {"meta": {"kill_chain": odd}}))
    assert "T1001" in learned.facts.releases[0].entries


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    objects = [
        stix_object("T1001"),
        stix_object("T1002", name=" "),
        stix_object("T1003", external_references=[]),
        {**stix_object("T1004"), "id": "attack-pattern--not-a-uuid"},
        stix_object("T1005", x_mitre_domains=["ics-attack"]),
        {**stix_object("T1001", revoked=True), "id": f"attack-pattern--{uuid_of('other')}"},
        stix_link("revoked-by", "T1009", "T1001"),
        stix_link("uses", "G0009", "T1001"),
    ]
    learned = built(tmp_path, r18=bundle(*objects))
    assert learned.left_out["18"] == {
        "a link with an end that is not there": 1,
        "a revoked-by link with an end that is not there": 1,
        "a technique without a UUID": 1,
        "a technique without a name": 1,
        "a technique without an id of ATT&CK": 1,
        "an object of another domain": 1,
        "an object with the id of another": 1,
    }
    assert set(learned.facts.releases[0].entries) == {"T1001"}
    assert is_live(learned.facts.releases[0].entries["T1001"]), "of two with one id, the one that is more alive"


def test_the_last_version_of_an_object_holds(tmp_path: Path) -> None:
    first, last = (stix_object("T1001", name=name, modified=f"202{name}-01-01T00:00:00Z") for name in "15")
    for objects in ((first, last), (last, first)):
        facts = built(tmp_path, r18=bundle(*objects)).facts
        assert facts.releases[0].entries["T1001"].name == "5"


def test_circles_long_chains_and_long_names(tmp_path: Path) -> None:
    chain = [f"T{number}" for number in range(1000, 9000)]
    objects = [stix_object(one, revoked=True) for one in chain]
    objects += [stix_link("revoked-by", old, new) for old, new in zip(chain, chain[1:] + chain[:1], strict=True)]
    objects += [stix_object("T9999", "stealth", name="n" * 10_000)]
    began = time.perf_counter()
    facts = built(tmp_path, r18=bundle(*objects[:600], *objects[8000:8600], objects[-1])).facts
    assert time.perf_counter() - began < 5
    [release] = facts.releases
    assert translate("T1000", release, release).grounds == "lost"
    assert len(release.entries["T9999"].name) == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a table",
        b'["ATT&CK facts",2,[],""]\n',
        b'["entry","T1001","technique",[0],"","",[],"live",[]]\n',
        b'["ATT&CK facts",1,[["18",[]]],""]\n["entry","T1001","technique",[7],"","",[],"live",[]]\n',
        b'["ATT&CK facts",1,[["18",[]]],""]\n["entry","T1001","odd",[0],"","",[],"live",[]]\n',
        b'["ATT&CK facts",1,[["18",[]]],""]\n["links","G0001",[["T1001",[0],[3]]]]\n',
        b'["ATT&CK facts",1,[["18",[]]],""]\n["ATT&CK facts",1,[["18",[]]],""',
        b"\xff\xfe",
    ],
)
def test_tables_that_are_none(content: bytes) -> None:
    with pytest.raises(TocsinError, match=r"^x: not a table of facts") as caught:
        attack_table.decoded(content, "x", with_links=True)
    assert "tocsin learn attack" in caught.value.hint
