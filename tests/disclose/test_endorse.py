"""Joint statements: any change is found, dissent survives every merge, and k of n counts nations."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclose.nations import key, nation
from tocsin.disclose import endorse
from tocsin.errors import SealError
from tocsin.model.endorsement import Act, Claim, Endorsement, JointStatement, Nation, OfClaim, Stance
from tocsin.seal import keys

NATIONS = [nation("au"), nation("nz", 2), nation("uk"), nation("us")]
STATEMENT = JointStatement(
    title="A pattern against parliaments",
    claims=(
        Claim(id="c1", text="In 2021 somebody broke into the systems of a parliament.", evidence=("finding--1",)),
        Claim(id="c2", text="It is likely (0.72) that the same group did it elsewhere."),
    ),
    asked=("au", "nz", "uk"),
    threshold=2,
    words="Parliaments were attacked, and we say so together.",
    marking="amber",
    at="2024-03-26T00:00:00.000000Z",
)


def entry(
    who: str,
    *stances: Stance,
    act: Act = "seal",
    after: str = "",
    number: int = 0,
    statement: JointStatement = STATEMENT,
    **more: Any,
) -> Endorsement:
    said = tuple(
        OfClaim(
            claim=endorse.of_claim(claim),
            stance=stance,
            confidence="moderate",
            words="We saw less." if stance in ("reserve", "dissent") else "",
        )
        for claim, stance in zip(statement.claims, stances, strict=act == "seal")
    )
    return Endorsement(
        statement=endorse.digest(statement),
        nation=who,
        act=act,
        key=keys.fingerprint(key(who, number)),
        at="2024-03-27T00:00:00.000000Z",
        after=after,
        claims=said,
        **more,
    )


def sealed(one: Endorsement, number: int = 0, statement: JointStatement = STATEMENT) -> dict[str, Any]:
    return endorse.sealed(one, statement, key(one.nation, number))


def test_k_of_n_counts_those_asked() -> None:
    found = endorse.weigh(
        STATEMENT,
        [sealed(entry("nz", "endorse", "endorse")), sealed(entry("us", "endorse", "endorse"))],
        NATIONS,
    )
    assert not found.stands, "who was not asked may join, and is told, and does not make the number"
    assert [(one.nation, one.asked, one.state) for one in found.voices] == [
        ("au", True, "silent"),
        ("nz", True, "sealed"),
        ("uk", True, "silent"),
        ("us", False, "sealed"),
    ]
    assert found.tallies[0].endorse == ("nz", "us")


def test_a_reservation_endorses_and_a_dissent_does_not() -> None:
    found = endorse.weigh(
        STATEMENT,
        [sealed(entry("nz", "endorse", "endorse")), sealed(entry("uk", "reserve", "dissent"))],
        NATIONS,
    )
    assert [one.stands for one in found.tallies] == [True, False]
    assert found.tallies[1].dissent == ("uk",)


def test_two_keys_of_one_nation_are_one_voice() -> None:
    first = entry("nz", "endorse", "endorse")
    second = entry("nz", "endorse", "endorse", number=1, after=endorse.entry_digest(first))
    found = endorse.weigh(STATEMENT, [sealed(first), sealed(second, 1)], NATIONS)
    assert found.tallies[0].endorse == ("nz",)
    assert not found.stands


def test_a_withdrawal_is_a_new_entry() -> None:
    first = entry("nz", "endorse", "endorse", named=True)
    later = entry("nz", act="withdraw", after=endorse.entry_digest(first), reason="New facts.")
    other = sealed(entry("uk", "endorse", "endorse"))
    assert endorse.weigh(STATEMENT, [sealed(first), other], NATIONS).stands
    found = endorse.weigh(STATEMENT, [sealed(later), other, sealed(first)], NATIONS)
    assert not found.stands
    voice = found.voices[1]
    assert (voice.state, len(voice.entries)) == ("withdrawn", 2)


def test_two_entries_after_the_same_one_endorse_nothing() -> None:
    both = [sealed(entry("nz", "endorse", "endorse")), sealed(entry("nz", "endorse", "dissent"))]
    found = endorse.weigh(STATEMENT, [*both, sealed(entry("uk", "endorse", "endorse"))], NATIONS)
    assert found.voices[1].state == "contradicts itself"
    assert [(one.endorse, one.dissent) for one in found.tallies] == [(("uk",), ()), (("uk",), ("nz",))]


def test_a_missing_entry_accuses_nobody() -> None:
    first = entry("nz", "endorse", "endorse")
    second = entry("nz", act="withdraw", after=endorse.entry_digest(first))
    third = entry("nz", "endorse", "dissent", after=endorse.entry_digest(second))
    assert endorse.weigh(STATEMENT, [sealed(first), sealed(third)], NATIONS).voices[1].state == "incomplete"
    alone = endorse.weigh(STATEMENT, [sealed(third)], NATIONS).voices[1]
    assert (alone.state, alone.doubts) == ("sealed", ("an entry of it that others follow is not here",))


stances = st.sampled_from(["endorse", "reserve", "dissent", "abstain"])
acts = st.lists(st.one_of(st.tuples(stances, stances), st.just(None)), max_size=3)


@given(st.dictionaries(st.sampled_from(["au", "nz", "uk", "us"]), acts), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing_and_the_last_word_counts(
    said: dict[str, list[tuple[Stance, Stance] | None]], chance: random.Random
) -> None:
    envelopes, last = [], {}
    for who, entries in said.items():
        after = ""
        for one in entries:
            made = entry(who, after=after, act="withdraw") if one is None else entry(who, *one, after=after)
            envelopes.append(sealed(made))
            last[who], after = one, endorse.entry_digest(made)
    found = endorse.weigh(STATEMENT, envelopes, NATIONS)
    shuffled = [*envelopes, *chance.choices(envelopes, k=3)] if envelopes else []
    chance.shuffle(shuffled)
    assert endorse.weigh(STATEMENT, shuffled, NATIONS) == found
    for place, tally in enumerate(found.tallies):
        heard = {who: one[place] for who, one in last.items() if one is not None}
        assert set(tally.dissent) == {who for who, stance in heard.items() if stance == "dissent"}
        behind = [who for who, one in heard.items() if one in ("endorse", "reserve") and who in STATEMENT.asked]
        assert tally.stands == (len(behind) >= 2)


@given(st.data())
def test_any_change_to_what_was_sealed_is_found(data: st.DataObject) -> None:
    envelope = sealed(entry("nz", "endorse", "endorse", named=True))
    payload = json.loads(base64.b64decode(envelope["payload"]))
    name = data.draw(st.sampled_from([*payload, "extra"]))
    changed = {**payload, name: data.draw(st.sampled_from(["", "au", "withdraw", [], False, 7, "0" * 64]))}
    if changed == payload:
        return
    forged = {**envelope, "payload": base64.b64encode(json.dumps(changed).encode()).decode()}
    found = endorse.weigh(STATEMENT, [forged], NATIONS)
    assert found.refused
    assert all(one.state == "silent" for one in found.voices)


@pytest.mark.parametrize(
    "changed",
    [
        replace(STATEMENT, threshold=1),
        replace(STATEMENT, asked=("au", "nz")),
        replace(STATEMENT, at="2024-03-26T00:00:01.000000Z"),
        replace(STATEMENT, words="Another thing."),
        replace(STATEMENT, marking="clear"),
        replace(STATEMENT, claims=(replace(STATEMENT.claims[0], text="Nobody broke in."), STATEMENT.claims[1])),
        replace(STATEMENT, claims=(replace(STATEMENT.claims[0], evidence=()), STATEMENT.claims[1])),
    ],
)
def test_any_change_to_the_statement_leaves_nobody_behind_it(changed: JointStatement) -> None:
    envelopes = [sealed(entry(who, "endorse", "endorse")) for who in ("nz", "uk")]
    found = endorse.weigh(changed, envelopes, NATIONS)
    assert not found.stands
    assert [one.state for one in found.voices if one.asked] == ["silent"] * len(changed.asked)


def test_a_key_of_another_nation_says_nothing() -> None:
    lie = replace(entry("uk", "endorse", "endorse"), nation="nz")
    forged = endorse.sealed(lie, STATEMENT, key("uk"))
    found = endorse.weigh(STATEMENT, [forged], NATIONS)
    assert found.refused == ("the entry is in the name of nz under a key of uk",)
    strangers: list[Nation] = [nation("au")]
    assert endorse.weigh(STATEMENT, [sealed(entry("nz", "endorse", "endorse"))], strangers).refused


def test_a_name_of_a_key_that_nobody_signed_changes_nothing() -> None:
    envelope = sealed(entry("nz", "endorse", "endorse"))
    for name in (keys.fingerprint(key("uk")), "", "SHA256:nobody"):
        other = {**envelope, "signatures": [{**envelope["signatures"][0], "keyid": name}]}
        assert endorse.weigh(STATEMENT, [other], NATIONS) == endorse.weigh(STATEMENT, [envelope], NATIONS)


def test_public_words_name_only_who_approved_them() -> None:
    envelopes = [
        sealed(entry("nz", "endorse", "endorse", named=True)),
        sealed(entry("uk", "endorse", "reserve")),
        sealed(entry("us", "endorse", "endorse", named=True)),
        sealed(entry("au", "dissent", "dissent", named=True)),
    ]
    told = endorse.public(endorse.weigh(STATEMENT, envelopes, NATIONS), NATIONS)
    assert told == "Parliaments were attacked, and we say so together.\n\nNation NZ and Nation US\n"


def test_nothing_is_said_in_public_before_every_claim_stands() -> None:
    one = sealed(entry("nz", "endorse", "dissent", named=True))
    with pytest.raises(SealError, match="too few stand behind c1, c2"):
        endorse.public(endorse.weigh(STATEMENT, [one], NATIONS), NATIONS)
    unnamed = [sealed(entry(who, "endorse", "endorse")) for who in ("nz", "uk")]
    with pytest.raises(SealError, match="no nation approved"):
        endorse.public(endorse.weigh(STATEMENT, unnamed, NATIONS), NATIONS)


@pytest.mark.parametrize(
    "broken",
    [
        replace(STATEMENT, title=" "),
        replace(STATEMENT, claims=()),
        replace(STATEMENT, claims=(STATEMENT.claims[0], STATEMENT.claims[0])),
        replace(STATEMENT, asked=("nz", "au")),
        replace(STATEMENT, threshold=4),
        replace(STATEMENT, threshold=0),
        replace(STATEMENT, marking="purple"),
        replace(STATEMENT, words="x" * 30_000),
    ],
)
def test_what_nobody_could_seal(broken: JointStatement) -> None:
    with pytest.raises(SealError):
        endorse.written(broken)


def test_a_statement_reads_back_and_in_no_other_form() -> None:
    content = endorse.written(STATEMENT)
    assert endorse.read(content) == STATEMENT
    for other in (content + b"\n", content.replace(b'"threshold":2', b'"threshold":2.0'), b"{}", b"[" * 100_000):
        with pytest.raises(SealError):
            endorse.read(other)


def test_a_seal_speaks_of_every_claim_and_says_why_it_dissents() -> None:
    whole = entry("nz", "endorse", "dissent")
    for broken in (
        replace(whole, claims=whole.claims[:1]),
        replace(whole, claims=(whole.claims[0], replace(whole.claims[1], words=" "))),
        replace(whole, act="withdraw"),
        replace(whole, at=""),
    ):
        with pytest.raises(SealError):
            sealed(broken)


def test_nations_do_not_share_a_key() -> None:
    shared = replace(nation("uk"), keys=nation("nz").keys)
    with pytest.raises(SealError, match="nz and uk have one key"):
        endorse.weigh(STATEMENT, [], [nation("nz"), shared])


def test_claims_are_digested_once_however_many_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a statement of many long claims with many entries takes minutes."""
    count, one = 0, endorse.of_claim

    def counted(claim: Claim) -> str:
        nonlocal count
        count += 1
        return one(claim)

    envelopes = [sealed(entry("nz", "endorse", "dissent", reason=str(number))) for number in range(20)]
    monkeypatch.setattr(endorse, "of_claim", counted)
    endorse.weigh(STATEMENT, envelopes[:1], NATIONS)
    first, count = count, 0
    endorse.weigh(STATEMENT, envelopes, NATIONS)
    assert count == first
