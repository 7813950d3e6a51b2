"""The story on who it was: incidents become observations, releases are translated, clusters are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tocsin import attribution, cases
from tocsin.attribute import observing
from tocsin.attribution import Known
from tocsin.errors import SettingsError
from tocsin.model.attribution import CERTAIN, UNKNOWN
from tocsin.model.cluster import Clusters
from tocsin.model.incident import Citation, Cited, Incident
from tocsin.model.observation import Observation, Trait
from tocsin.seal import keys, signers


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        return attribution.known()


def finding(level: str, *techniques: str) -> Cited:
    at = Citation(src="evidence.evtx", path="", rec=1, chunk=0, ts_us=1_700_000_000_000_000)
    return Cited(
        rule_id="r",
        title="A rule",
        level=level,  # type: ignore[arg-type]
        techniques=techniques,
        tactics=(),
        host="WS1",
        kind="windows",
        at=at,
        fields={},
    )


def incident(*findings: Cited, first: int | None = 1_690_000_000_000_000) -> Incident:
    return Incident(
        id="i1",
        title="Somebody was here",
        rank="act now",
        score=1.0,
        because=(),
        level="high",
        first_us=first,
        last_us=1_700_000_000_000_000,
        findings=findings,
    )


def test_an_incident_is_seen_by_the_techniques_of_what_weighs(known: Known) -> None:
    found = observing.observe(
        incident(finding("high", "T1003.001"), finding("medium", "T1059.001"), finding("low", "T1082"))
    )
    assert [(one.value, one.grade) for one in found.traits] == [("T1003.001", "B2"), ("T1059.001", "B3")]
    assert (found.first_seen, found.last_seen) == ("2023-07-22", "2023-11-14")
    told = attribution.weigh(found, known)
    assert told.answer.level != "group", "techniques alone never name one"
    assert sum(one.billionths for one in told.hypotheses) == CERTAIN


def test_a_time_that_no_calendar_has_is_none() -> None:
    assert observing.observe(incident(first=10**20)).first_seen == ""


def test_a_case_is_attributed_by_its_incident(known: Known, tmp_path: Path) -> None:
    opened = cases.open_case(tmp_path, incident(finding("high", "T1003.001")), by="Anna")
    found = attribution.observed(opened.id, tmp_path)
    assert [one.value for one in found.traits] == ["T1003.001"]
    assert found.name == "Somebody was here"
    by_hand = cases.new_case(tmp_path, "By hand", by="Anna")
    with pytest.raises(SettingsError, match="no incident to compare"):
        attribution.observed(by_hand.id, tmp_path)


def test_ids_of_two_releases_are_brought_into_one(known: Known) -> None:
    mixed = Observation(
        id="x",
        traits=tuple(Trait(kind="technique", value=value) for value in ("T1562.001", "T1685", "T1003.001", "T9999")),
    )
    found = attribution.in_one_release(mixed, known)
    assert {one.value for one in found.traits} == {"T1685", "T1003.001", "T9999"}
    assert any("T1562.001, withdrawn, is T1685 in release" in doubt for doubt in found.doubts)
    assert any("T9999 is in no release" in doubt for doubt in found.doubts)
    told = attribution.weigh(mixed, known)
    assert told.of(UNKNOWN) is not None


def test_an_id_of_another_release_than_the_one_that_is_said_is_taken_as_what_it_is(known: Known) -> None:
    later = Observation(
        id="x",
        release="18.1",
        traits=tuple(Trait(kind="technique", value=value) for value in ("T1562.001", "T1685.001", "T1086", "T9999")),
    )
    found = attribution.in_one_release(later, known)
    assert {one.value for one in found.traits} == {"T1685", "T1685.001", "T1059.001", "T9999"}
    assert "T1685.001 is not in release 18.1; it was taken as of release 19." in found.doubts
    assert "T9999 is in no release of ATT&CK that is known." in found.doubts


def test_a_team_s_whole_profile_of_a_group_is_recognised_and_another_is_not_named(known: Known) -> None:
    """Public knowledge against itself: nothing about accuracy, but the sums must at least know whom they were told."""
    right = wrong = asked = 0
    for profile in known.profiles.groups[::6]:
        own = [name for name in profile.software if known.profiles.holders[name] == 1]
        if len(profile.techniques) < 15 or not own:
            continue
        traits = [Trait(kind="technique", value=name) for name in sorted(profile.techniques)[::2]]
        traits += [Trait(kind="software", value=name) for name in sorted(profile.software)]
        year = str(profile.years[-1]) if profile.years else ""
        found = attribution.weigh(Observation(id="x", traits=tuple(traits), last_seen=year), known)
        asked += 1
        right += profile.id in [one.id for one in found.hypotheses[:3]]
        wrong += found.answer.level == "group" and profile.id not in found.answer.hypotheses
    assert asked >= 8
    assert right >= 0.7 * asked
    assert wrong == 0


def test_changes_are_what_they_say(known: Known) -> None:
    seen = Observation(id="x", traits=(Trait(kind="software", value="S0002"), Trait(kind="technique", value="T1003")))
    changed = attribution.what_if(seen, ["-S0002", "+T1505.003", "+S0020"], known)
    assert [(one.kind, one.value) for one in changed.traits] == [
        ("technique", "T1003"),
        ("technique", "T1505.003"),
        ("software", "S0020"),
    ]


def test_clusters_are_kept_byte_for_byte(known: Known, tmp_path: Path) -> None:
    seen = Observation(
        id="x", traits=(Trait(kind="software", value="own:loader"),), watched=frozenset({"T1003", "T1059", "T1021"})
    )
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    kept = attribution.clustered([seen], attribution.clusters(first), known)
    attribution.keep(kept, first)
    assert attribution.clusters(first) == kept
    attribution.keep(attribution.clusters(first), second)
    assert first.read_bytes() == second.read_bytes()
    again = attribution.clustered([replace(seen, id="y")], attribution.clusters(first), known)
    assert again.of("x") == again.of("y")


def closed(folder: Path, *, close: bool = True) -> None:
    with cases.writing(folder) as log:
        if close:
            key = keys.make()
            cases.decide(
                log, signers.of("Anna", key), key, subject="close", choice="yes", role="lead", reason="all is done"
            )
            cases.close(log, by="Anna", reason="all is done")


def told(name: str, **more: object) -> bytes:
    traits = [
        {"kind": "software", "value": "own:heron-loader"},
        {"kind": "infrastructure", "value": "c2[.]example"},
    ]
    return json.dumps({"format": "tocsin-observations-1", "id": name, "traits": traits, **more}).encode()


@pytest.fixture
def two_cases(tmp_path: Path) -> Path:
    """Two cases in which one loader and one domain were seen; the first is closed."""
    for number in (1, 2):
        one = replace(incident(finding("high", "T1003.001"), finding("high", "T1505.003")), id=f"i{number}")
        documents = [("sandbox.observations.json", told(f"i{number}"))]
        opened = cases.open_case(tmp_path, one, by="Anna", documents=documents)
        closed(tmp_path / opened.id, close=number == 1)
    return tmp_path


def test_a_case_is_seen_with_what_people_found_out_besides(known: Known, two_cases: Path) -> None:
    found = attribution.observed("i2", two_cases)
    assert {(one.kind, one.value) for one in found.traits} == {
        ("technique", "T1003.001"),
        ("technique", "T1505.003"),
        ("software", "own:heron-loader"),
        ("infrastructure", "domain:c2.example"),
    }


def test_closed_cases_are_knowledge_and_open_ones_are_not(known: Known, two_cases: Path) -> None:
    pooled, notes = attribution.pooled(known, two_cases, without=["i2"])
    assert not notes
    ((own, name),) = pooled.ours.items()
    found = attribution.weigh(attribution.observed("i2", two_cases), pooled, against=[name.lower()])
    assert found.columns == (own,)
    leading = next(one for one in found.hypotheses if one.kind == "group")
    assert leading.id == own
    public = attribution.weigh(attribution.observed("i2", two_cases), known)
    assert public.of(UNKNOWN).billionths > found.of(UNKNOWN).billionths  # type: ignore[union-attr]


def test_a_case_does_not_find_itself(known: Known, two_cases: Path) -> None:
    pooled, _ = attribution.pooled(known, two_cases, without=["i1"])
    assert pooled is known


def test_a_closed_case_that_cannot_be_read_is_told(known: Known, two_cases: Path) -> None:
    for kept in (two_cases / "i1" / "kept").iterdir():
        kept.write_bytes(b"changed")
    pooled, notes = attribution.pooled(known, two_cases, without=["i2"])
    assert not pooled.ours
    assert any("i1" in note for note in notes)


def test_cases_of_one_activity_are_one_cluster(known: Known, two_cases: Path) -> None:
    seen = [attribution.observed(name, two_cases) for name in ("i1", "i2")]
    found = attribution.clustered(seen, Clusters(), known)
    assert found.of("i1") == found.of("i2") is not None
    assert attribution.clustered(seen, found, known) is found, "nothing is new, so nothing is written"


def test_what_sensors_could_show_is_translated_too(known: Known) -> None:
    seen = Observation(
        id="x",
        traits=(Trait(kind="technique", value="T1003"),),
        watched=frozenset({"T1562.001"}),
        sensors={"T1562.002": ("windows//security",)},
        release="18.1",
    )
    found = attribution.in_one_release(seen, known)
    assert found.watched == {"T1685"}
    assert list(found.sensors.values()) == [("windows//security",)]
    assert "T1562.002" not in found.sensors
