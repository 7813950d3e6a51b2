"""Messages that an enemy made or changed: nothing is kept of them, nobody is accused by them, and they cost little."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodes.made import AT, first, key, name, objects, said
from nodes.world import no_passphrase
from tocsin.errors import ShareError
from tocsin.model.node import Objects, Revocation, Trusted
from tocsin.share.nodes import acting, known, messages, payloads, received, receiving, statements, telling
from tocsin.share.nodes import folder as kept
from tocsin.share.nodes.book import place_of

GOLDEN = Path(__file__).parent / "golden"
OBJECT = b'{"type":"indicator","id":"indicator--00000001-0000-4000-8000-000000000000"}'


def entry_text(**changes: Any) -> bytes:
    told = json.loads((GOLDEN / "texts.jsonl").read_text().splitlines()[1]) | changes
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def enveloped(text: bytes) -> bytes:
    from tocsin.seal import dsse
    from tocsin.seal.canonical import canonical

    return canonical(dsse.sealed(statements.ENTRY, text, [key(1)]))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        entry_text(more=1),
        entry_text(sequence=-1),
        entry_text(sequence=2**53),
        entry_text(sequence=True),
        entry_text(sequence=1.0),
        entry_text(sequence=0),  # not before anything, and yet after something
        entry_text(prev="0" * 64),  # after something, and yet the first
        entry_text(at="2026-11-28"),
        entry_text(at="2026-11-28T19:00:00.000000+00:00"),
        entry_text(branch="x"),
        entry_text(branch="A" * 32),
        entry_text(kind="rotation"),
        entry_text(kind="anything"),
        entry_text(version=2),
        entry_text(node="SHA256:" + "A" * 44),
        entry_text(key=name(2)),  # the envelope says another
        entry_text(told={"payloads": ["A" * 64]}),
        entry_text(told={"payloads": ["a" * 64] * 5001}),
        entry_text(told={"payloads": [], "more": 1}),
        entry_text(told={"payloads": [["a" * 64]]}),
        entry_text().replace(b'"branch":""', b'"branch":"","branch":""'),
        entry_text().replace(b'{"payloads"', b'{"payloads":[],"payloads"'),
        entry_text().replace(b":", b": ", 1),
        entry_text() + b"\n",
        entry_text().replace(b'"sequence":1', b'"sequence":1e0'),
        b"\xef\xbb\xbf" + entry_text(),
        entry_text().replace(b"SHA256", b"\xff\xfe", 1),
    ],
)
def test_what_is_no_entry(text: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(ShareError):
        statements.read_entry(enveloped(text))
    assert time.monotonic() - began < 20  # a hang, not a measurement


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one | {"more": 1},
        lambda one: one | {"payloadType": statements.HEAD},
        lambda one: one | {"payloadType": "text/plain"},
        lambda one: one | {"signatures": []},
        lambda one: one | {"signatures": one["signatures"] * 2},
        lambda one: one | {"payload": one["payload"] + "="},
        lambda one: one | {"payload": one["payload"][:-1] + "\n"},
        lambda one: one | {"signatures": [one["signatures"][0] | {"sig": "A" * 87}]},
        lambda one: one | {"signatures": [one["signatures"][0] | {"keyid": name(2)}]},
    ],
)
def test_an_envelope_has_one_form(change: Any) -> None:
    envelope = json.loads((GOLDEN / "entries.jsonl").read_text().splitlines()[1])
    with pytest.raises(ShareError):
        statements.read_entry(json.dumps(change(envelope), separators=(",", ":")).encode())


def test_an_envelope_is_written_in_one_order() -> None:
    line = (GOLDEN / "entries.jsonl").read_bytes().splitlines()[1]
    envelope = json.loads(line)
    turned = json.dumps(dict(reversed(envelope.items())), separators=(",", ":")).encode()
    assert json.loads(turned) == envelope
    with pytest.raises(ShareError):
        statements.read_entry(turned)
    assert statements.read_entry(line).sequence == 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode), st.randoms(use_true_random=False))
def test_no_bytes_do_worse_than_an_error(content: bytes, chance: Any) -> None:
    whole = bytearray((GOLDEN / "message.json").read_bytes())
    at = chance.randrange(len(whole))
    whole[at : at + chance.randrange(4)] = content[:4]
    for text in (content, bytes(whole)):
        for read in (messages.read, statements.read_entry, statements.read_head):
            try:
                read(text)
            except ShareError:
                continue


class Pair:
    """Two nodes on the disk; `here` trusts `there`, which is node 1 of the made ones."""

    def __init__(self, root: Path) -> None:
        self.root = root / "here"
        self.node = acting.begin(self.root, "here", at=AT).node
        kept.trust(self.root, Trusted(node=name(1), name="there", by="t", added_at=AT))
        self.has = [known.nothing_of(name(1))]

    def message(self, *entries: Any, signer: int = 1, to: str = "", given: Any = (), at: str = AT) -> known.Message:
        theirs = known.Known()
        theirs.follow(name(1))
        theirs.take(entries)
        last = theirs.books[name(1)].standing()[-1]
        return known.message(
            theirs, place_of(last), key(signer), to=to or self.node, has=self.has, at=at, payloads=given
        )

    def receive(self, told: known.Message, at: str = AT) -> receiving.Received:
        with kept.held(self.root) as folder:
            return receiving.receive(folder, messages.read(messages.written(told)), at=at)

    def stands(self) -> list[int]:
        with kept.held(self.root, verify=True) as folder:
            return [one.sequence for one in folder.known.books[name(1)].standing()]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


ONE = first()
SALTED = payloads.salted(OBJECT)
TWO = said(Objects(payloads=(SALTED[0],)), ONE, 1)
THREE = objects(TWO, 3)


def test_a_message_for_somebody_else(pair: Pair) -> None:
    with pytest.raises(ShareError, match="is for"):
        pair.receive(pair.message(ONE, to=name(7)))


def test_a_message_of_a_node_that_nobody_trusts(pair: Pair) -> None:
    kept.distrust(pair.root, name(1))
    with pytest.raises(ShareError, match="nobody here trusts"):
        pair.receive(pair.message(ONE))


def test_a_message_signed_by_somebody_else(pair: Pair) -> None:
    found = pair.receive(pair.message(ONE, TWO, signer=9, given=[SALTED]))
    # What node 1 itself signed holds, whoever brings it; nothing else of the message does.
    assert not found.signed
    assert pair.stands() == [0, 1]
    assert not found.payloads
    with kept.held(pair.root) as folder:
        assert not folder.peers


@pytest.mark.parametrize("what", ["entries", "has", "got", "payloads", "heads"])
def test_whatever_was_taken_out_on_its_way_is_missed(pair: Pair, what: str) -> None:
    whole = pair.message(ONE, TWO, THREE, given=[SALTED])
    plain = json.loads(messages.written(whole))
    if what == "entries":
        plain["entries"] = plain["entries"][:-1]
    elif what in ("got", "heads"):
        plain[what] = [*plain[what], *(["a" * 64] if what == "got" else [plain["head"]])]
    else:
        plain[what] = []
    changed = messages.read(json.dumps(plain).encode())
    with pytest.raises(ShareError, match="not as its sender signed it"):
        pair.receive(changed)
    assert pair.stands() == []


def test_entries_that_changed_places(pair: Pair) -> None:
    plain = json.loads(messages.written(pair.message(ONE, TWO, THREE)))
    plain["entries"] = plain["entries"][::-1]
    with pytest.raises(ShareError, match="not as its sender signed it"):
        pair.receive(messages.read(json.dumps(plain).encode()))


def test_a_payload_that_is_another(pair: Pair) -> None:
    plain = json.loads(messages.written(pair.message(ONE, TWO, given=[SALTED])))
    plain["payloads"][0]["text"] = OBJECT.decode().replace("1-0000", "2-0000")
    with pytest.raises(ShareError, match="its digest is another one"):
        messages.read(json.dumps(plain).encode())


def test_a_payload_that_no_entry_names(pair: Pair) -> None:
    found = pair.receive(pair.message(ONE, TWO, given=[SALTED, payloads.salted(b"{}")]))
    assert (found.payloads, found.foreign) == (1, 1)


def test_what_its_sender_signs_may_still_be_no_object(pair: Pair) -> None:
    hostile = [b"[" * 100_000, b'{"id":"a","id":"b","type":"x"}', b"\x00", b"{}", b'{"id":1,"type":"x"}', b"NaN"]
    salted = [payloads.salted(one) for one in hostile]
    entry = said(Objects(payloads=tuple(digest for digest, _, _ in salted)), ONE, 1)
    pair.receive(pair.message(ONE, entry, given=salted))
    with kept.held(pair.root) as folder:
        found = received.in_force(folder, name(1))
        assert found.unread == len(hostile)
        assert not found.objects


def test_names_are_no_paths(pair: Pair) -> None:
    kept.trust(pair.root, Trusted(node=name(1), name="../../\x1b[31m there/..", by="t", added_at=AT))
    pair.receive(pair.message(ONE, TWO, given=[SALTED]))
    with kept.held(pair.root) as folder:
        received.keep(folder)
        assert received.place(folder, name(1)).parent == folder.root / "received"
        assert received.place(folder, name(1)).exists()


def test_a_time_in_the_future_is_told_and_orders_nothing(pair: Pair) -> None:
    assert not pair.receive(pair.message(ONE)).ahead
    assert pair.receive(pair.message(ONE, TWO, at="2036-01-01T00:00:00.000000Z")).ahead
    # What comes afterwards with the right time is not held for old.
    assert not pair.receive(pair.message(ONE, TWO, THREE, at="2026-11-28T20:00:00.000000Z")).old
    assert pair.stands() == [0, 1, 2]


def test_a_message_that_is_sent_twice_changes_nothing(pair: Pair) -> None:
    old, new = pair.message(ONE, TWO), pair.message(ONE, TWO, THREE, at="2026-11-28T20:00:00.000000Z")
    pair.receive(old)
    pair.receive(new)
    again = pair.receive(old)
    assert again.old
    assert not again.new
    with kept.held(pair.root) as folder:
        assert folder.peers[name(1)].sequence == 2
        assert not folder.peers[name(1)].behind_since


def test_who_keeps_back_is_behind_since(pair: Pair) -> None:
    """Another node hands on an entry of theirs that they themselves do not show."""
    pair.receive(pair.message(ONE, TWO))
    kept.trust(pair.root, Trusted(node=name(2), name="third", by="t", added_at=AT))
    third = known.Known()
    for number in (1, 2):
        third.follow(name(number))
    third.take([ONE, TWO, THREE, first(2)])
    told = known.message(
        third,
        place_of(first(2)),
        key(2),
        to=pair.node,
        has=[*pair.has, known.nothing_of(name(2))],
        at=AT,
    )
    pair.receive(told, at="2026-11-28T21:00:00.000000Z")
    later = "2026-11-28T22:00:00.000000Z"
    pair.receive(pair.message(ONE, TWO, at=later), at=later)
    with kept.held(pair.root) as folder:
        assert folder.peers[name(1)].behind_since == "2026-11-28T21:00:00.000000Z"
        assert folder.known.books[name(1)].fork is None
    pair.receive(pair.message(ONE, TWO, THREE, at="2026-11-28T23:00:00.000000Z"))
    with kept.held(pair.root) as folder:
        assert not folder.peers[name(1)].behind_since


def test_a_head_without_its_entries_is_told(pair: Pair) -> None:
    whole = pair.message(ONE, TWO, THREE)
    short = pair.message(ONE)
    head = statements.head(
        place_of(THREE),
        at=AT,
        carries=known._carries(
            to=short.to, has=short.has, got=(), entries=short.entries, heads=(), proofs=(), payloads=()
        ),
        key=key(1),
    )
    found = pair.receive(known.Message(head=head, to=short.to, has=short.has, entries=short.entries))
    assert found.withholds
    assert not pair.receive(whole).withholds


def test_our_own_log_cannot_be_written_by_a_peer(pair: Pair) -> None:
    with kept.held(pair.root) as folder:
        ours = folder.own[0]
    forged = said(Objects(payloads=()), ours, 1)
    theirs = known.Known()
    theirs.follow(name(1)).take(ONE)
    told = pair.message(ONE)
    head = statements.head(
        place_of(ONE),
        at=AT,
        carries=known._carries(
            to=told.to, has=told.has, got=(), entries=(ONE, forged), heads=(), proofs=(), payloads=()
        ),
        key=key(1),
    )
    found = pair.receive(known.Message(head=head, to=told.to, has=told.has, entries=(ONE, forged)))
    assert [one.node for one in found.refused] == [pair.node]
    with kept.held(pair.root) as folder:
        assert len(folder.own) == 1


def test_a_backup_that_writes_on_unsaid_is_stopped(tmp_path: Path) -> None:
    root, mark = tmp_path / "n", tmp_path / "state" / "head.json"
    acting.begin(root, "n", at=AT)
    with kept.held(root) as folder:
        acting.remember(folder, mark)
        before = (root / kept.OWN).read_bytes()
        signing = acting.signing(folder, no_passphrase)
        acting.say(folder, signing, [Objects(payloads=())], at=AT, mark=mark)
    (root / kept.OWN).write_bytes(before)
    with kept.held(root) as folder, pytest.raises(ShareError, match="has written up to 1"):
        acting.say(folder, signing, [Objects(payloads=("a" * 64,))], at=AT, mark=mark)
    with kept.held(root) as folder:
        entry = acting.restored(folder, signing, at=AT, mark=mark)
        assert entry.branch
        acting.say(folder, signing, [Objects(payloads=("a" * 64,))], at=AT, mark=mark)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=40), st.integers(0, 10_000))
def test_a_folder_that_was_changed_is_told(tmp_path_factory: Any, junk: bytes, at: int) -> None:
    root = tmp_path_factory.mktemp("n")
    acting.begin(root, "n", at=AT)
    with kept.held(root) as folder:
        signing = acting.signing(folder, no_passphrase)
        telling.tell(folder, signing, [("a", "a", OBJECT)], peer="p", node="", at=AT)
    whole = (root / kept.OWN).read_bytes()
    at %= len(whole) - 1
    changed = whole[:at] + junk + whole[at + len(junk) :]
    (root / kept.OWN).write_bytes(changed)
    try:
        with kept.held(root, verify=True) as folder:
            told = [one.sealed for one in folder.own]
    except ShareError:
        return
    # What is read is what was written, or the beginning of it: the end may be cut off, as by a kill.
    assert whole.splitlines()[: len(told)] == told


def test_a_receipt_is_no_answer_to_who_was_told(pair: Pair) -> None:
    """Node 2 sees digests in the log of node 1, names them in its own, and takes them back: it learns nothing by it."""
    pair.receive(pair.message(ONE, TWO, given=[SALTED]))
    kept.trust(pair.root, Trusted(node=name(2), name="second", by="t", added_at=AT))
    begins = first(2)
    copied = said(Objects(payloads=(SALTED[0],)), begins, 2)
    takes_back = said(Revocation(takes_back=(SALTED[0],), letters=(SALTED[0],)), copied, 2)
    theirs = known.Known()
    theirs.follow(name(2))
    theirs.take([begins, copied, takes_back])
    has = [known.nothing_of(name(2))]
    told = known.message(theirs, place_of(takes_back), key(2), to=pair.node, has=has, at=AT)
    pair.receive(told)
    with kept.held(pair.root) as folder:
        assert not telling.unconfirmed(folder)
        assert not telling.came_from(folder, name(2))
        assert not received.in_force(folder, name(1)).revoked  # nor can it take back what another told
    both = said(Revocation(takes_back=(SALTED[0],), letters=()), TWO, 1)
    pair.receive(pair.message(ONE, TWO, both, at="2026-11-28T20:00:00.000000Z"))
    with kept.held(pair.root) as folder:
        assert telling.unconfirmed(folder) == [both.digest]
        assert received.in_force(folder, name(1)).revoked
