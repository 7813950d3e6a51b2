"""What is said of a containment: what was seen, since when and where, and what nobody could have seen."""

from __future__ import annotations

from collections.abc import Sequence

from containing.making import BAD, OWN, START, cited, incident, seen
from tocsin.contain.plan import plan
from tocsin.contain.verify import verification
from tocsin.model.action import Probed, Target
from tocsin.model.containment import Heard, Sign, Verification

OF = incident(cited(0, "T1505.003", TargetFilename="C:\\x"), addresses=(seen(BAD, "web01.agency.example"),))
CHOSEN = plan(OF, of="inc1", digest="", own=OWN).way("least disruptive")
BLOCK = Target(kind="address", value=BAD)


def _told(
    *, looked: bool = True, signs: Sequence[Sign] = (), heard: Sequence[Heard] = (), since_us: int | None = START
) -> Verification:
    return verification(
        of="inc1",
        plan="ab" * 32,
        chosen=CHOSEN,
        since_us=since_us,
        blocks=[Probed(target=BLOCK, stands=True, stopped=14)],
        looked=looked,
        signs=signs,
        heard=heard,
        by_people=["remove persistence web shell"],
    )


LIT = Heard(host="web01.agency.example", sources=("Security",), until_us=START + 3_600_000_000)
DARK = Heard(host="ws017", sources=(), until_us=None)


def test_no_sign_is_said_with_since_when_in_which_logs_and_up_to_when() -> None:
    told = _told(heard=[LIT, DARK]).statement
    assert f"address {BAD}: in place; it stopped 14 packets" in told
    assert any(
        one == "no sign seen since 2023-11-14 22:13:20 UTC in the logs of: "
        "web01.agency.example (Security) up to 2023-11-14 23:13:20 UTC"
        for one in told
    )
    assert "not visible: ws017: no log of it after 2023-11-14 22:13:20 UTC" in told
    assert any("whether it was done is not seen from here" in one for one in told)


def test_a_sign_is_told_and_nothing_else_is_said_of_silence() -> None:
    told = _told(signs=[Sign(ts_us=START + 1, host="web01", what="Web Shell")], heard=[LIT]).statement
    assert any(one.startswith("still active: 1 signs") for one in told)
    assert not any("no sign seen" in one for one in told)


def test_without_logs_nothing_is_said_of_the_intruder() -> None:
    assert any("not known" in one for one in _told(looked=False, heard=[DARK]).statement)
    assert any("nothing can be said" in one for one in _told(heard=[DARK]).statement)
    assert any("nothing was done from here" in one for one in _told(since_us=None).statement)


def test_no_sentence_says_that_it_is_contained_or_clean() -> None:
    for told in (_told(heard=[LIT]), _told(looked=False), _told(since_us=None), _told(heard=[DARK])):
        assert not [one for one in told.statement if "contained" in one or "clean" in one]


def test_a_block_that_is_not_there_is_told_in_capitals() -> None:
    found = verification(
        of="inc1",
        plan="",
        chosen=CHOSEN,
        since_us=START,
        blocks=[Probed(target=BLOCK, stands=False)],
        looked=False,
        signs=(),
        heard=(),
        by_people=(),
    )
    assert any("NOT IN PLACE" in one for one in found.statement)
