"""Messages of nodes over the server: what is served can be taken back, and what was left out or said twice is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from allies import TAXII, Ally, ally, identity, indicator, named, opened, written
from tocsin.border.site import read_site
from tocsin.errors import ShareError
from tocsin.model.node import Objects, Trusted
from tocsin.seal import decisions
from tocsin.share.nodes import acting, known, messages, received, receiving, statements, telling
from tocsin.share.nodes import folder as kept
from tocsin.share.taxii import exchange, feeds, handing, media, place, store, tables
from tocsin.share.taxii.asking import Answered
from tocsin.share.taxii.place import Ours, Place
from tocsin.share.taxii.store import address

NODE = "/allies/node/"
MESSAGE = {"Content-Type": media.NODE, "Accept": media.NODE}


def no_passphrase(question: str) -> bytes:
    raise AssertionError(question)


@dataclass
class Two:
    """Our server with its node, and the node of au, who is its guest."""

    root: Path
    here: Place
    us: Ours
    au: Ours
    names: dict[str, str]

    def guest(self, name: str = "au") -> Ally:
        return ally(self.here, name)

    def ask(self, method: str, resource: str, asked: Mapping[str, str], body: bytes | None) -> Answered:
        with kept.held(self.au.root, wait_s=0):  # or two who ask each other would wait for each other
            pass
        answer = self.guest().ask(method, f"/allies/{resource}", body, MESSAGE)
        return Answered(answer.status_code, answer.content, dict(answer.headers))

    def exchange(self) -> list[receiving.Received]:
        found = []
        for here, one, _ in handing.hand_over(self.ask, "http://here", self.au, self.names["us"]):
            received.keep(here)
            found.append(one)
        return found

    def told(self) -> dict[str, Any]:
        with kept.held(self.au.root) as here:
            return {one["id"]: one for one in received.in_force(here, self.names["us"]).objects}

    def message(self, of: Ours | None = None) -> messages.Message:
        one = of or self.au
        with kept.held(one.root) as here:
            key = acting.speaking(here, no_passphrase)
            return receiving.answer(here, key, self.names["us"], at=decisions.now(), mark=one.mark)

    def put(self, content: bytes, name: str = "au") -> Any:
        return self.guest(name).ask("POST", NODE, content, MESSAGE)


def made(root: Path, name: str) -> Ours:
    acting.begin(root / name, name, at=decisions.now())
    return Ours(root=root / name, mark=root / f"{name}.mark", ask=no_passphrase)


def trusts(one: Ours, node: str, name: str) -> None:
    kept.trust(one.root, Trusted(node=node, name=name, by="t", added_at=decisions.now()))


def names_of(*all_of_them: Ours) -> dict[str, str]:
    found = {}
    for one in all_of_them:
        with kept.held(one.root) as here:
            found[one.root.name] = here.node
    return found


@pytest.fixture
def two(tmp_path: Path) -> Two:
    us, au = made(tmp_path, "us"), made(tmp_path, "au")
    names = names_of(us, au)
    trusts(us, names["au"], "Australia")
    trusts(au, names["us"], "Us")
    site = written(tmp_path)
    (tmp_path / "au.toml").write_text((tmp_path / "au.toml").read_text() + f'node = "{names["au"]}"\n')
    here = place.opened(read_site(site), tmp_path, address(tmp_path / "taxii.db"), us)
    feeds.settle(here)
    return Two(tmp_path, here, us, au, names)


def test_what_is_served_is_in_the_log_and_can_be_taken_back(two: Two) -> None:
    posted = [identity(), indicator(1), indicator(2, tlp="amber"), indicator(3, tlp="red")]
    assert two.guest("siem").post(*posted)["failure_count"] == 0
    assert sum(one.payloads for one in two.exchange()) == 3
    assert two.told() == {one["id"]: one for one in posted[:3]}
    assert [one.payloads for one in two.exchange()] == [0]  # nothing is told twice
    with kept.held(two.us.root) as here:
        key = acting.signing(here, no_passphrase)
        telling.take_back(here, key, [named("indicator", 1)], "wrong", by="t", at=decisions.now(), mark=two.us.mark)
    two.exchange()
    assert two.told()[named("indicator", 1)]["revoked"] is True
    with kept.held(two.us.root, verify=True) as here:
        (gone,) = telling.taken_back(here)
        assert gone.knows == (two.names["au"],)  # the receipt came back in the same exchange
    # What a guest posted is theirs: it is served to others, and is not ours to tell or to take back.
    two.guest().post(indicator(9, by=named("identity", 7)))
    two.exchange()
    assert named("indicator", 9) not in two.told()


def test_what_one_was_told_is_told_to_the_next_as_well(two: Two) -> None:
    """Under one id the same bytes go to both: that one has them says nothing of the other."""
    ca = made(two.root, "ca-node")
    node = names_of(ca)["ca-node"]
    trusts(two.us, node, "Canada")
    trusts(ca, two.names["us"], "Us")
    (two.root / "ca.toml").write_text((two.root / "ca.toml").read_text() + f'node = "{node}"\n')
    two.here = place.opened(read_site(two.root / "site.toml"), two.root, address(two.root / "taxii.db"), two.us)
    feeds.settle(two.here)
    two.guest("siem").post(identity(), indicator(1))
    assert sum(one.payloads for one in two.exchange()) == 2
    answer = messages.read(two.put(messages.written(two.message(ca)), "ca").content)
    assert len(answer.payloads) == 2


def test_what_was_told_as_a_file_goes_over_the_server_too(two: Two) -> None:
    content = json.dumps(indicator(5)).encode()
    with kept.held(two.us.root) as here:
        key = acting.signing(here, no_passphrase)
        objects = [(indicator(5)["id"], indicator(5)["id"], content)]
        telling.tell(here, key, objects, peer="au", node=two.names["au"], at=decisions.now(), mark=two.us.mark)
    two.exchange()
    assert two.told() == {indicator(5)["id"]: indicator(5)}


def test_many_and_large_go_in_several_messages(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "ROOM", 1500)
    monkeypatch.setattr(handing, "ROOM", 1500)
    monkeypatch.setattr(exchange, "MOST_PAYLOADS", 2)
    two.guest("siem").post(identity(), *(indicator(number) for number in range(10)))
    rounds = two.exchange()
    assert len(rounds) > 5
    assert len(two.told()) == 11


def test_what_follows_much_that_was_told_already_is_told_at_once(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as one entry names had come as a file: the exchange ended there, and what was behind waited."""
    monkeypatch.setattr(exchange, "MOST_PAYLOADS", 2)
    posted = [identity(), *(indicator(number) for number in range(12))]
    two.guest("siem").post(*posted)
    with store.reading(two.here.engine) as connection:
        rows = connection.execute(select(tables.objects.c.object_id, tables.objects.c.content)).all()
    with kept.held(two.us.root) as here:
        key = acting.signing(here, no_passphrase)
        objects = [(row.object_id, row.object_id, bytes(row.content)) for row in rows[:12]]
        telling.tell(here, key, objects, peer="au", node=two.names["au"], at=decisions.now(), mark=two.us.mark)
    two.exchange()
    assert len(two.told()) == 13


def test_an_entry_names_no_more_than_a_message_has_room_for(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one entry names stays together: thousands of long reports made a message that nobody takes, for good."""
    monkeypatch.setattr(exchange, "ROOM", 3000)
    monkeypatch.setattr(telling, "MOST_ENTRY_BYTES", 3000)
    two.guest("siem").post(identity(), *(indicator(number) | {"description": "x" * 2000} for number in range(6)))
    sizes = list[int]()

    def asked(method: str, resource: str, said: Mapping[str, str], body: bytes | None) -> Answered:
        found = two.ask(method, resource, said, body)
        sizes.append(sum(len(content) for _, _, content in messages.read(found.body).payloads))
        return found

    for here, _, _ in handing.hand_over(asked, "http://here", two.au, two.names["us"]):
        received.keep(here)
    assert len(two.told()) == 7
    assert 2000 < max(sizes) <= 3000


def test_two_logs_under_one_key_are_found_on_the_way(two: Two) -> None:
    """A third node told us one thing and Australia another: who exchanges has the proof."""
    liar = made(two.root, "liar")
    node = names_of(liar)["liar"]
    for one in (two.us, two.au):
        trusts(one, node, "Liar")
    shutil.copytree(liar.root, two.root / "other")
    for number, (self, victim) in enumerate(((liar.root, two.us), (two.root / "other", two.au))):
        with kept.held(self) as here:
            last, key = here.own[-1], acting.signing(here, no_passphrase)
            body = Objects(payloads=(f"{number:064x}",))
            at = {"node": node, "branch": "", "sequence": last.sequence + 1, "prev": last.digest}
            here.add_own([statements.entry(body, at=decisions.now(), key=key, **at)])
        with kept.held(self) as here:
            for_them = known.message(
                here.known,
                acting.tip(here),
                acting.signing(here, no_passphrase),
                to=names_of(victim).popitem()[1],
                has=[known.nothing_of(node)],
                at=decisions.now(),
            )
        with kept.held(victim.root) as here:
            assert not receiving.receive(here, for_them, at=decisions.now()).forks
    assert any(one.forks for one in two.exchange())
    for one in (two.us, two.au):
        with kept.held(one.root) as here:
            assert here.known.books[node].fork is not None
            assert here.known.books[two.names["us"]].fork is None
            assert here.known.books[two.names["au"]].fork is None


def test_a_message_that_comes_again_is_answered_without_what_is_for_its_sender(two: Two) -> None:
    two.guest("siem").post(identity(), indicator(1))
    content = messages.written(two.message())
    first, again = (messages.read(two.put(content).content) for _ in range(2))
    assert len(first.payloads) == 2
    assert again.payloads == ()  # whoever has the token and an old message learns no more than who follows the log
    assert sum(one.payloads for one in two.exchange()) == 2


def test_what_was_taken_out_on_its_way_is_missed(two: Two) -> None:
    told = json.loads(messages.written(two.message()))
    del told["entries"][0]
    answer = two.put(json.dumps(told).encode())
    assert answer.status_code == 400
    assert "not as its sender signed it" in answer.text
    with kept.held(two.us.root) as here:
        assert not here.known.books[two.names["au"]].entries


def test_a_token_is_no_key(two: Two) -> None:
    two.guest("siem").post(identity(), indicator(1))
    other = made(two.root, "other")
    trusts(other, two.names["us"], "Us")
    told = messages.written(two.message(other))
    assert two.put(told).status_code == 403  # the agreement names another node
    # Under the name of the right one, and signed by the wrong key.
    with kept.held(two.au.root) as here, kept.held(other.root) as foreign:
        key = acting.signing(foreign, no_passphrase)
        forged = known.message(
            here.known, acting.tip(here), key, to=two.names["us"], has=[], at=decisions.now(), payloads=()
        )
    answer = two.put(messages.written(forged))
    assert answer.status_code in (200, 400)
    assert b"payloads" not in answer.content or messages.read(answer.content).payloads == ()


@pytest.mark.parametrize("name", ["ca", "siem", "none"])
def test_who_has_no_node_is_told_that_there_is_nothing(two: Two, name: str) -> None:
    absent = two.guest(name).ask("POST", "/allies/nowhere/", b"{}", MESSAGE | {"Accept": TAXII})
    answer = two.put(messages.written(two.message()), name)
    assert (answer.status_code, answer.content) == (404, absent.content)


def test_without_a_node_of_ours_there_is_nothing(tmp_path: Path) -> None:
    here = opened(tmp_path)
    answer = ally(here, "au").ask("POST", NODE, b"{}", MESSAGE)
    assert answer.status_code == 404
    here.engine.dispose()


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", MESSAGE, 400),
        (b"\xff" * 100, MESSAGE, 400),
        (b"[" * 100_000, MESSAGE, 400),
        (b"{}", {"Content-Type": media.TAXII, "Accept": media.NODE}, 415),
        (b"{}", {"Content-Type": media.NODE, "Accept": "text/html"}, 406),
    ],
)
def test_what_is_no_message(two: Two, content: bytes, headers: dict[str, str], status: int) -> None:
    answer = two.guest().ask("POST", NODE, content, headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == media.TAXII
    assert answer.json()["http_status"] == str(status)


def test_a_node_that_nobody_trusts_any_more(two: Two) -> None:
    kept.distrust(two.us.root, two.names["au"])
    with pytest.raises(ShareError, match="403"):
        two.exchange()


def test_a_node_that_is_held_is_busy_and_says_when_to_come_again(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_WAIT_S", 0.05)
    content = messages.written(two.message())
    with kept.held(two.us.root):
        answer = two.put(content)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert two.put(content).status_code == 200


def test_an_address_that_answers_for_another_node(two: Two) -> None:
    """Somebody else's server, or one in between: it is left before anything of it is kept."""
    other = made(two.root, "other")
    trusts(two.au, names_of(other)["other"], "Other")
    with pytest.raises(ShareError, match=r"400: .* is for SHA256"):  # ours does not take what is for another
        list(handing.hand_over(two.ask, "http://here", two.au, names_of(other)["other"]))
    answered = two.put(messages.written(two.message())).content
    with pytest.raises(ShareError, match="answers for another node"):
        list(
            handing.hand_over(
                lambda method, resource, asked, body: Answered(200, answered, {}),
                "http://here",
                two.au,
                names_of(other)["other"],
            )
        )
    with kept.held(two.au.root) as here:
        assert not here.known.books[two.names["us"]].entries


def test_a_node_from_a_backup_is_given_its_log_back(two: Two) -> None:
    two.guest("siem").post(identity(), indicator(1))
    shutil.copytree(two.au.root, two.root / "backup")
    with kept.held(two.au.root) as here:
        key = acting.signing(here, no_passphrase)
        objects = [("x--1", "x--1", b'{"type": "x"}')]
        telling.tell(here, key, objects, peer="us", node=two.names["us"], at=decisions.now(), mark=two.au.mark)
    two.exchange()
    with kept.held(two.au.root) as here:
        last = here.own[-1].digest
    shutil.rmtree(two.au.root)
    (two.root / "backup").rename(two.au.root)
    assert sum(one.given_back for one in two.exchange()) > 0
    with kept.held(two.au.root) as here:
        assert last in {one.digest for one in here.own}
        assert here.known.books[here.node].fork is None
