"""The drill's attribution in its short form: one seed of a known group, and of one that is made up."""

from __future__ import annotations

from pathlib import Path

import attribution_drill as drill
import pytest

from tocsin import attribution, pipeline
from tocsin.attribution import Known
from tocsin.learn import packs
from tocsin.model.rule import RuleSet
from tocsin.rehearse.stories.profile import built_in, read_profile

EVENTS = 20_000
NOBODY = Path(drill.__file__).with_name("profiles") / "grey-petrel.toml"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        return attribution.known()


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return pipeline.compile_rules(packs.resolve([packs.OWN]))


def test_a_known_group_is_among_the_first_three_and_the_planted_tool_names_nobody(known: Known, rules: RuleSet) -> None:
    profile = built_in()
    row = drill.one(1, EVENTS, profile, rules, known)
    assert row["lab"].rank <= 3
    for seen in (row["breach"], row["lab"]):
        assert set(seen.named) <= {profile.id}
    assert row["differ"]
    assert row["apart"]


def test_nobody_is_named_for_a_group_that_nobody_knows(known: Known, rules: RuleSet) -> None:
    row = drill.one(1, EVENTS, read_profile(NOBODY), rules, known)
    assert not row["breach"].named
    assert not row["lab"].named
