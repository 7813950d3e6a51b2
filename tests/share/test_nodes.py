"""What stands of a node's log: in any order the same; two logs are proven, and a restoration is not one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.made import AT, BRANCH, first, handed_on, head, key, name, objects, restored, said
from tocsin.errors import ShareError
from tocsin.model.node import Entry, Fork, Head, Heads, Objects, Receipt, Restored, Revocation
from tocsin.seal import keys
from tocsin.share.nodes import forks, known, messages, statements
from tocsin.share.nodes.book import MOST_WAITING, Book
from tocsin.share.nodes.known import Known

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"

ONE = first()
TWO = objects(ONE, 2)
THREE = objects(TWO, 3)
FOUR = objects(THREE, 4)
OTHER_TWO = objects(ONE, 12)
OTHER_THREE = objects(OTHER_TWO, 13)
THIRD_TWO = objects(ONE, 22)
THIRD_THREE = objects(TWO, 23)


def book(*said: Entry | Head | Fork) -> Book:
    found = Book(ONE.node)
    for one in said:
        found.take(one)
    return found


def stands(found: Book) -> list[str]:
    return [one.digest for one in found.standing()]


def agreed(said: list[Entry | Head]) -> bytes:
    all_of = Known({ONE.node: book(*said)})
    return all_of.agreed()


def test_a_log_stands_as_it_was_written() -> None:
    found = book(ONE, TWO, THREE)
    assert stands(found) == [ONE.digest, TWO.digest, THREE.digest]
    assert [one.sequence for one in found.tips()] == [2]
    assert found.name() == "node 1"


# Statements of a node that lies, was restored, and took a new key: all that can meet.
ROTATED = said(handed_on(2, FOUR, 1), FOUR, 1)
AFTER = objects(ROTATED, 6, 2)
BRANCHED = restored(TWO)
BRANCHED_ON = objects(BRANCHED, 31)
STATEMENTS: list[Entry | Head] = [
    *(ONE, TWO, THREE, FOUR, ROTATED, AFTER, BRANCHED, BRANCHED_ON),
    *(OTHER_TWO, OTHER_THREE, THIRD_TWO, THIRD_THREE),
    *(head(FOUR), head(AFTER, 2), head(OTHER_THREE), head(BRANCHED_ON)),
]


@settings(max_examples=400, deadline=None)
@given(st.sets(st.integers(0, len(STATEMENTS) - 1), min_size=1), st.randoms(use_true_random=False))
def test_any_order_leads_to_the_same(chosen: set[int], chance) -> None:
    several = [STATEMENTS[number] for number in sorted(chosen)]
    one = agreed(several)
    again = several + chance.sample(several, chance.randrange(len(several)))
    chance.shuffle(again)
    assert agreed(again) == one


@settings(max_examples=200, deadline=None)
@given(
    st.sets(st.integers(0, len(STATEMENTS) - 1)),
    st.sets(st.integers(0, len(STATEMENTS) - 1)),
)
def test_two_who_hand_each_other_all_they_know_agree(here: set[int], there: set[int]) -> None:
    # Not only the same set at once: what one dropped or cut off behind a proof the other must not miss.
    sides = [Known({ONE.node: book(ONE, *(STATEMENTS[number] for number in chosen))}) for chosen in (here, there)]
    for _ in range(3):
        for me, other in (sides, sides[::-1]):
            entries, heads, proofs = me.news(other.has())
            other.take([*entries, *heads, *proofs])
    assert sides[0].agreed() == sides[1].agreed()


def test_two_logs_are_proven_by_any_two_statements() -> None:
    for second in (OTHER_TWO, OTHER_THREE, head(OTHER_TWO)):
        found = book(ONE, TWO, THREE, second)
        assert found.fork is not None, second
        assert (found.fork.branch, found.fork.sequence) == ("", 1)
        assert stands(found) == [ONE.digest]
        assert forks.of_file(forks.written(found.fork)) == found.fork
        # Somebody who has seen neither log takes it from the proof alone.
        assert stands(book(ONE, found.fork, TWO)) == [ONE.digest]


def test_two_heads_alone_prove_it() -> None:
    found = book(ONE, head(TWO), head(OTHER_TWO))
    assert found.fork is not None
    assert found.fork.sequence == 1


def test_the_earliest_fork_counts() -> None:
    late = book(ONE, TWO, THREE, THIRD_THREE)
    assert late.fork is not None
    assert late.fork.sequence == 2
    late.take(OTHER_TWO)
    assert late.fork.sequence == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda fork: replace(fork, sequence=fork.sequence + 1),
        lambda fork: replace(fork, branch=BRANCH),
        lambda fork: replace(fork, node=name(2)),
        lambda fork: replace(fork, key=keys.public_text(key(2))),
        lambda fork: replace(fork, statements=(fork.statements[0], fork.statements[0])),
        lambda fork: replace(fork, statements=fork.statements[::-1]),
        lambda fork: replace(fork, statements=(fork.statements[0], FOUR.sealed)),
        lambda fork: replace(fork, statements=(fork.statements[0], objects(ONE, 5, 2).sealed)),
        lambda fork: replace(fork, statements=(fork.statements[0], b"{}")),
    ],
)
def test_what_proves_nothing(change) -> None:
    found = book(ONE, TWO, OTHER_TWO)
    assert found.fork is not None
    with pytest.raises(ShareError, match="proves no fork"):
        forks.of_file(forks.written(change(found.fork)))


def test_nobody_can_prove_a_fork_of_somebody_elses_log() -> None:
    # Under a key of their own, that names our node: the file holds together, and says nothing of us.
    theirs = [said(Objects(payloads=(f"{what:064x}",)), ONE, 9) for what in (1, 2)]
    fork = forks.proven(ONE.node, "", 1, keys.public_text(key(9)), theirs)
    assert fork is not None
    forks.check(fork)
    found = book(ONE, TWO, fork)
    assert found.fork is None
    assert found.take(fork) == "refused"


def test_a_key_is_handed_on() -> None:
    found = book(ONE, TWO, THREE, FOUR, ROTATED, AFTER)
    assert stands(found)[-1] == AFTER.digest
    assert found.take(objects(AFTER, 9, 1)) == "refused"  # by the old key
    assert "this place" in found.why


def test_a_key_is_not_taken_over_without_its_word() -> None:
    stolen = replace(handed_on(2, TWO, 1), proof=handed_on(3, TWO, 1).proof)
    assert book(ONE, TWO).take(said(stolen, TWO, 1)) == "refused"


def test_a_rotation_ends_a_node_or_hands_it_on() -> None:
    whole = handed_on(2, TWO, 1)
    for wrong in (replace(whole, to="", proof=""), replace(whole, why="ended"), replace(whole, why="first")):
        assert book(ONE, TWO).take(said(wrong, TWO, 1)) == "refused"


def test_a_node_that_ended_says_nothing_more() -> None:
    ends = said(replace(handed_on(2, TWO, 1, "ended"), to="", proof=""), TWO, 1)
    found = book(ONE, TWO, ends)
    assert found.take(objects(ends, 5)) == "refused"
    assert found.take(head(ends)) in ("new", "known")


def test_a_restored_node_is_no_liar() -> None:
    # 3 and 4 were written after the backup; the branch begins at 2. Both stand, and nothing is a fork.
    found = book(ONE, TWO, THREE, FOUR, BRANCHED, BRANCHED_ON)
    assert found.fork is None
    assert len(found.standing()) == 6
    assert [one.body for one in found.restorations()] == [Restored(remembers=1)]
    assert found.take(objects(BRANCHED, 99)) == "fork"  # but two entries of one number in that branch are one


def test_undeclared_it_is_taken_for_one() -> None:
    assert book(ONE, TWO, THREE, objects(TWO, 30)).fork is not None


def test_a_restored_branch_says_what_it_remembers() -> None:
    wrong = said(Restored(remembers=0), TWO, 1, branch=BRANCH)
    assert book(ONE, TWO).take(wrong) == "refused"
    assert book(ONE, TWO).take(said(Objects(payloads=()), TWO, 1, branch=BRANCH)) == "refused"


def test_a_thief_of_an_old_key_opens_no_branch() -> None:
    # The key was handed on because it was stolen; whoever has it says that the node was restored to before that.
    for order in ([ROTATED, AFTER, BRANCHED, BRANCHED_ON], [BRANCHED, BRANCHED_ON, ROTATED, AFTER]):
        found = book(ONE, TWO, THREE, FOUR, *order)
        assert stands(found) == [one.digest for one in (ONE, TWO, THREE, FOUR, ROTATED, AFTER)]
        assert found.aside() == {BRANCH}
        assert not found.speaks(head(BRANCHED_ON))


def test_what_comes_early_waits_within_bounds() -> None:
    found = book(THREE, TWO)
    assert not found.entries
    found.take(ONE)
    assert len(found.standing()) == 3
    found = Book(ONE.node)
    last = objects(ONE, 0)
    for number in range(MOST_WAITING + 50):
        last = objects(last, number)
        found.take(last)
    assert len(found.waiting) == MOST_WAITING


def test_of_two_signatures_over_one_text_all_keep_the_same() -> None:
    envelope = json.loads(TWO.sealed)
    # Another signature that holds cannot be made without the key; what is not one must not take its place.
    envelope["signatures"][0]["sig"] = "A" * 86 + "=="
    false = statements.read_entry(json.dumps(envelope, separators=(",", ":")).encode())
    found = book(ONE, TWO)
    assert found.take(false) == "known"
    assert found.entries[TWO.digest].sealed == TWO.sealed


def test_of_logs_that_somebody_does_not_follow_nothing_is_said() -> None:
    other = first(5)
    everything = Known({ONE.node: book(ONE, TWO), other.node: Book(other.node)})
    everything.books[other.node].take(other)
    entries, heads, _ = everything.news([known.nothing_of(ONE.node)])
    assert {one.node for one in entries} == {ONE.node}
    assert not heads


def _message() -> known.Message:
    mine = Known({ONE.node: book(ONE, TWO, BRANCHED, OTHER_TWO), name(5): Book(name(5))})
    from tocsin.share.nodes.book import place_of

    text = b'{"type":"indicator","id":"indicator--x"}'
    from tocsin.share.nodes.payloads import digest_of

    salt = bytes(32)
    payload = (digest_of(salt, text), salt, text)
    has = [known.nothing_of(ONE.node)]
    return known.message(mine, place_of(ONE), key(1), to=name(5), has=has, at=AT, got=["a" * 64], payloads=[payload])


def test_forms_are_as_they_were(request: pytest.FixtureRequest) -> None:
    """Whoever keeps logs for years reads what was written first. A change of form is a new version."""
    fork = book(ONE, TWO, OTHER_TWO).fork
    assert fork is not None
    bodies = [
        ONE,
        TWO,
        said(Revocation(takes_back=("a" * 64,), letters=("b" * 64,)), TWO, 1),
        said(Receipt(of=("c" * 64,)), TWO, 1),
        said(Heads(known=("d" * 64,)), TWO, 1),
        ROTATED,
        BRANCHED,
    ]
    made = {
        "entries.jsonl": b"".join(one.sealed + b"\n" for one in bodies),
        "texts.jsonl": b"".join(one.text + b"\n" for one in (*bodies, head(TWO))),
        "head.json": head(TWO).sealed + b"\n",
        "fork.json": forks.written(fork),
        "message.json": messages.written(_message()),
    }
    for file, content in made.items():
        assert (GOLDEN / file).read_bytes() == content, file
    assert messages.read(made["message.json"]) == _message()


@pytest.mark.parametrize(
    ("schema", "file"),
    [("node-entry-1", "texts.jsonl"), ("node-fork-1", "fork.json"), ("node-message-1", "message.json")],
)
def test_forms_are_as_their_schemas_say(schema: str, file: str) -> None:
    checker = jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{schema}.schema.json").read_text()))
    content = (GOLDEN / file).read_text()
    several = [json.loads(line) for line in content.splitlines()] if file.endswith("l") else [json.loads(content)]
    for one in several:
        checker.validate(one)
        with pytest.raises(jsonschema.ValidationError):
            checker.validate(one | {"more": 1})
