"""The drill's attribution in its short form: one seed of a known group."""

from __future__ import annotations

import attribution_drill as drill
import pytest

from tocsin import attribution, pipeline
from tocsin.attribution import Known
from tocsin.learn import packs
from tocsin.model.rule import RuleSet
from tocsin.rehearse.stories.profile import built_in

EVENTS = 20_000


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
