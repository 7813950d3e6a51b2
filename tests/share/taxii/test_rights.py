"""Every route, guest and marking: what policy does not give is not given, and looks as if it were not there."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from allies import FIVE, NOWHERE, OTHER, US, Ally, ally, identity, indicator, named, opened, relationship, written
from tocsin.border.markings import ID_OF
from tocsin.border.site import read_site
from tocsin.errors import ListError
from tocsin.model.tlp import TLP
from tocsin.share import journal
from tocsin.share.taxii import rights

CANARY = "canary-{}-zq7"  # no marking's is a part of another's
READERS = {"siem": "red", "au": "amber", "ca": "green"}
RIGHTS: dict[tuple[str, str], set[str]] = {
    ("siem", FIVE): {"read", "write", "delete"},
    ("siem", OTHER): {"read", "write"},
    ("au", FIVE): {"read", "write", "delete"},
    ("ca", FIVE): {"read"},
    ("ca", OTHER): {"write"},
}
GUESTS = ["siem", "au", "ca", "none", "ended"]


@dataclass
class World:
    folder: Path
    allies: dict[str, Ally]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One object of each marking, everywhere in it a word that must not get out; and one of each that refers to it."""
    folder = tmp_path_factory.mktemp("rights")
    patch = pytest.MonkeyPatch()
    patch.setattr(rights, "_STRANGERS_A_MINUTE", 10**6)
    here = opened(folder)
    allies = {name: ally(here, name) for name in GUESTS}
    made = [identity()]
    for number, tlp in enumerate(TLP):
        word = CANARY.format(tlp)
        more = {"name": word, "description": word, f"x_{word.replace('-', '_').replace('+', '_')}": {"a": [word]}}
        more["external_references"] = [{"source_name": word, "description": word}]
        made += [indicator(number, tlp=tlp, **more), relationship(number, US, named("indicator", number), tlp="clear")]
    assert allies["siem"].post(*made)["failure_count"] == 0
    assert allies["siem"].post(indicator(99), to=OTHER)["failure_count"] == 0
    yield World(folder, allies)
    patch.undo()
    here.engine.dispose()


def _routes(collection: str, one: str) -> list[tuple[str, str, str]]:
    held = f"/allies/collections/{collection}/"
    return [
        ("GET", held, "any"),
        ("GET", f"{held}objects/", "read"),
        ("GET", f"{held}manifest/", "read"),
        ("GET", f"{held}objects/{one}/", "read"),
        ("GET", f"{held}objects/{one}/versions/", "read"),
        ("DELETE", f"{held}objects/{one}/?match[version]=2000-01-01T00:00:00.000Z", "delete"),
        ("POST", f"{held}objects/", "write"),
    ]


@pytest.mark.parametrize(
    ("guest", "collection", "tlp"), list(itertools.product(GUESTS, [FIVE, OTHER, NOWHERE], range(len(TLP))))
)
def test_the_matrix(world: World, guest: str, collection: str, tlp: int) -> None:
    one = world.allies[guest]
    may = RIGHTS.get((guest, collection), set())
    sees = guest in READERS and collection == FIVE and tlp <= TLP.index(READERS[guest])
    for method, path, right in _routes(collection, named("indicator", tlp)):
        answer = one.ask(method, path, {"objects": []} if method == "POST" else None)
        of_one = named("indicator", tlp) in path
        if guest == "ended":
            expected = 401
        elif not may:
            expected = 404
        elif (right != "any" and right not in may) or (method == "DELETE" and "read" not in may):
            expected = 403
        elif method == "POST":
            expected = 202
        elif method == "DELETE":
            expected = 404  # there is no such version of anything
        else:
            expected = 200 if not of_one or sees else 404
        assert answer.status_code == expected, (method, path)


@pytest.mark.parametrize("guest", ["au", "ca", "none", "ended"])
def test_no_byte_of_what_is_not_theirs(world: World, guest: str) -> None:
    """Everything that can be asked for is asked for, and what came is read whole, with its headers."""
    one, told = world.allies[guest], b""
    asked = [
        path
        for collection in (FIVE, OTHER)
        for tlp in range(len(TLP))
        for path in _routes(collection, named("indicator", tlp))
    ]
    for method, path, _ in asked:
        if method != "GET":
            continue
        for filters in (
            "",
            "?match[version]=all",
            "?limit=1",
            "?match[type]=indicator",
            "?added_after=2020-01-01T00:00:00Z",
        ):
            answer = one.get(path + filters)
            told += answer.content + json.dumps(dict(answer.headers)).encode()
    most = TLP.index(READERS[guest]) if guest in READERS else -1
    words = [CANARY.format(tlp).encode() for tlp in TLP]
    assert [word in told for word in words] == [number <= most for number in range(len(TLP))]


@pytest.mark.parametrize("guest", ["au", "ca"])
def test_absent_and_not_theirs_are_one_answer(world: World, guest: str) -> None:
    one = world.allies[guest]
    for method, hidden, absent in (
        ("GET", named("indicator", 4), named("indicator", 1234)),
        ("GET", f"{named('indicator', 4)}/versions", f"{named('indicator', 1234)}/versions"),
        ("DELETE", named("indicator", 4), named("indicator", 1234)),
    ):
        answers = [one.ask(method, f"/allies/collections/{FIVE}/objects/{which}/") for which in (hidden, absent)]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].content == answers[1].content
        assert dict(answers[0].headers) == dict(answers[1].headers)
    closed, nowhere = (one.get(f"/allies/collections/{named}/objects/") for named in (OTHER, NOWHERE))
    if guest == "au":
        assert (closed.status_code, closed.content) == (nowhere.status_code, nowhere.content)
    listed = [each["id"] for each in one.get("/allies/collections/").json()["collections"]]
    assert listed == [each for each in (FIVE, OTHER) if (guest, each) in RIGHTS]


def test_places_in_time_do_not_count_what_others_have(world: World) -> None:
    """Were they given out to all together, gaps would tell how much stays here."""
    added = [one["date_added"] for one in world.allies["ca"].every("manifest")]
    micros = [int(text[20:26]) for text in added]
    assert [after - before for before, after in itertools.pairwise(micros)] == [1] * (len(micros) - 1)


def test_posting_tells_nothing_of_what_is_hidden(tmp_path: Path) -> None:
    here = opened(tmp_path)
    siem, au = ally(here, "siem"), ally(here, "au")
    hidden = indicator(1, tlp="red", name="ours")
    siem.post(hidden)
    same, other, fresh = (
        au.post(indicator(number, tlp="red", by=named("identity", 7), name=name))
        for number, name in ((1, "ours"), (1, "theirs"), (2, "theirs"))
    )
    # What they posted first under this id is what they know; the second of theirs is a conflict with that alone.
    assert (same["success_count"], other["failure_count"], fresh["success_count"]) == (1, 1, 1)
    assert {one["name"] for one in au.every()} == {"ours", "theirs"}
    assert siem.get(f"/allies/collections/{FIVE}/objects/{hidden['id']}/").json()["objects"] == [hidden]
    here.engine.dispose()


def test_nobody_finds_out_what_is_here_by_speaking_of_it(tmp_path: Path) -> None:
    """The id of an observable is a digest of what it says, so that it can be tried."""
    here = opened(tmp_path)
    siem, au, ca = (ally(here, name) for name in ("siem", "au", "ca"))
    seen = {
        "type": "domain-name",
        "spec_version": "2.1",
        "id": named("domain-name", 1),
        "value": "c1.example",
        "object_marking_refs": [ID_OF["clear"]],
    }
    report = {**indicator(5, by=named("identity", 7)), "type": "report", "id": named("report", 5), "name": "r"}
    report = {key: value for key, value in report.items() if not key.startswith(("pattern", "valid"))}
    report |= {"published": "2026-03-01T00:00:00Z", "object_refs": [seen["id"]]}
    siem.post(seen)
    au.post(report)
    assert [one["id"] for one in au.every()] == [report["id"]]
    ours = {**report, "id": named("report", 6), "created_by_ref": US}
    siem.post(identity(), ours)
    assert seen in au.every()
    assert seen in ca.every()
    here.engine.dispose()


def test_a_peer_deletes_what_they_posted_and_nothing_else(tmp_path: Path) -> None:
    here = opened(tmp_path)
    siem, au = ally(here, "siem"), ally(here, "au")
    siem.post(identity(), indicator(1))
    au.post(indicator(2, by=named("identity", 7)))
    assert au.ask("DELETE", f"/allies/collections/{FIVE}/objects/{named('indicator', 1)}/").status_code == 403
    assert au.ask("DELETE", f"/allies/collections/{FIVE}/objects/{named('indicator', 2)}/").status_code == 200
    assert [one["id"] for one in siem.every()] == [US, named("indicator", 1)]
    here.engine.dispose()


def test_nobody_posts_in_our_name_or_opens_a_marking_of_anothers(tmp_path: Path) -> None:
    here = opened(tmp_path)
    siem, au, ca = (ally(here, name) for name in ("siem", "au", "ca"))
    assert au.post(indicator(1, by=US), identity(name="Not us"))["failure_count"] == 2
    closed = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": named("marking-definition", 1),
        "created": "2026-03-01T00:00:00.000Z",
        "name": "group:council",
        "definition_type": "statement",
        "definition": {"statement": "group:council"},
    }
    secret = indicator(3, name="secret") | {"object_marking_refs": [closed["id"]]}
    open_ = closed | {"name": "TLP:CLEAR", "definition": {"statement": "TLP:CLEAR"}}
    au.post(open_)
    siem.post(closed, secret)
    for one in (au, ca):
        assert secret["id"] not in {each["id"] for each in one.every()}
    here.engine.dispose()


def test_another_agreement_takes_back_and_gives(tmp_path: Path) -> None:
    here = opened(tmp_path)
    siem, ca = ally(here, "siem"), ally(here, "ca")
    siem.post(identity(), indicator(1, tlp="green"), indicator(2, tlp="amber"))
    assert [one["id"] for one in ca.every()] == [US, named("indicator", 1)]
    last = ca.get(f"/allies/collections/{FIVE}/objects/").headers["x-taxii-date-added-last"]
    here.engine.dispose()
    text = (tmp_path / "ca.toml").read_text()
    (tmp_path / "ca.toml").write_text(text.replace('"green"', '"amber"'))
    here = opened(tmp_path)
    ca = ally(here, "ca")
    assert [one["id"] for one in ca.every(asked=f"added_after={last}")] == [named("indicator", 2)]
    here.engine.dispose()
    (tmp_path / "ca.toml").write_text(text.replace('"green"', '"clear"'))
    here = opened(tmp_path)
    assert [one["id"] for one in ally(here, "ca").every()] == [US]
    here.engine.dispose()


def test_what_is_released_is_in_the_journal_and_nothing_is_without_it(tmp_path: Path) -> None:
    here = opened(tmp_path)
    siem = ally(here, "siem")
    siem.post(identity(), indicator(1), indicator(2, tlp="red"))
    entries = journal.entries(tmp_path)
    assert {(one["peer"], one["objects"]["shown"], one["objects"]["withheld"]) for one in entries} == {
        ("au", 2, 1),
        ("ca", 2, 1),
    }
    (tmp_path / journal.JOURNAL).write_text("changed\n")
    assert siem.ask("POST", f"/allies/collections/{FIVE}/objects/", {"objects": [indicator(3)]}).status_code == 500
    assert [one["id"] for one in ally(here, "ca").every()] == [US, named("indicator", 1)]
    here.engine.dispose()


def test_names_of_ours_go_as_pseudonyms(tmp_path: Path) -> None:
    (tmp_path / "assets.csv").write_text("name,kind\nhost-vault-9.parl.example,server\n")
    written(tmp_path, victims="pseudonyms", more='assets = "assets.csv"')
    here = opened(tmp_path)
    ally(here, "siem").post(indicator(1, description="seen on HOST-VAULT-9.parl.example"))
    told: list[Any] = ally(here, "ca").every()
    assert len(told) == 1
    assert "vault" not in json.dumps(told).lower()
    assert told[0]["id"] != named("indicator", 1)
    here.engine.dispose()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("colour = 1", "unknown field"),
        ('[[collection]]\nid = "five"\ntitle = "x"', "UUID"),
        ('[[guest]]\nours = "siem"\ntokens = []\nrights = {}', "without a token"),
        ('[[guest]]\ntokens = ["sha256:00"]\nrights = {}', "matching regex"),
        (f'[[guest]]\ntokens = ["sha256:{"0" * 64}"]\nrights = {{}}', "one of the two"),
        (f'[[guest]]\nours = "x"\ntokens = ["sha256:{"0" * 64}"]\nrights = {{ nine = ["read"] }}', "no collection"),
        (f'[[guest]]\nours = "siem"\ntokens = ["sha256:{"0" * 64}"]\nrights = {{}}', "are the same"),
    ],
)
def test_a_site_that_is_none(tmp_path: Path, wrong: str, says: str) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text() + "\n" + wrong if wrong.startswith("[[") else wrong + "\n" + path.read_text())
    with pytest.raises(ListError, match=says):
        read_site(path)
