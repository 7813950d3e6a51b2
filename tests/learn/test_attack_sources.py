"""Where releases are read from: files, folders and addresses; and what of them is refused."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learn.attack_files import bundle, cluster, stix_link, stix_object, value, write
from learn.test_fetch import Server, body, redirect
from tocsin.errors import TocsinError
from tocsin.learn import attack_build, attack_sources, attack_table, knowledge
from tocsin.model.attack import Facts

OBJECTS = (
    stix_object("T1001", "stealth"),
    stix_object("G0001"),
    stix_link("uses", "G0001", "T1001", "Report", created="2020-01-01T00:00:00.000Z"),
)
STIX = bundle(*OBJECTS, version="18.1")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("packed", [False, True])
def test_an_address(server: Server, tmp_path: Path, packed: bool) -> None:
    content = json.dumps(STIX).encode()
    name = "/enterprise-attack.json" + ".gz" * packed
    address = server.serve(name, body(gzip.compress(content, mtime=0) if packed else content, kind="text/plain"))
    fetched = attack_build.build([f"{address}?token=secret"]).facts
    read = attack_build.build([write(tmp_path / "enterprise-attack.json", STIX)]).facts
    assert attack_table.encoded(fetched) == attack_table.encoded(read)
    assert b"secret" not in attack_table.encoded(fetched)


def test_an_address_of_a_cluster(server: Server) -> None:
    document = cluster("mitre-attack-pattern", value("T1001", "attack-Windows:stealth"))
    address = server.serve("/mitre-attack-pattern.json", body(json.dumps(document).encode()))
    assert [one.name for one in attack_build.build([f"19={address}"]).facts.releases] == ["19"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"<html>" + b" " * 1000, "no JSON file"),
        (b"", "cut short"),
        (b'{"type": "bundle", ', "not JSON"),
        (b'{"type": "bundle"}', "neither a STIX bundle"),
        (b"\x1f\x8bnonsense", "Was it|invalid|incorrect|unknown"),
    ],
)
def test_an_address_of_something_else(server: Server, content: bytes, word: str) -> None:
    address = server.serve("/a.json", body(content, kind="text/html"))
    with pytest.raises(TocsinError, match=word) as caught:
        attack_build.build([address])
    assert type(caught.value) is TocsinError
    assert caught.value.hint


def test_an_address_that_leads_elsewhere(server: Server) -> None:
    address = server.serve("/a.json", redirect("file:///etc/passwd"))
    with pytest.raises(TocsinError, match="not allowed"):
        attack_build.build([address])
    with pytest.raises(TocsinError, match="404"):
        attack_build.build([server.at("/none.json")])


def test_more_values_than_memory_is_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attack_sources, "MOST_VALUES", 1000)
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + b"[]," * 1000 + b"[]]")
    with pytest.raises(TocsinError, match="more than 1,000 values"):
        attack_build.build([str(path)])


def test_more_files_than_anybody_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attack_sources, "MOST_FILES", 2)
    for name in "abc":
        write(tmp_path / f"{name}.json", {})
    with pytest.raises(TocsinError, match="more than 2 files"):
        attack_build.build([str(tmp_path)])


def test_more_than_fits_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attack_build, "MOST_BYTES", 2000)
    paths = [f"{one}={write(tmp_path / f'{one}.json', STIX)}" for one in (17, 18, 19)]
    with pytest.raises(TocsinError, match="with it more than"):
        attack_build.build(paths)


def test_nested_too_deep(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a":' * 200_000 + b"1" + b"}" * 200_000)
    with pytest.raises(TocsinError, match="not JSON"):
        attack_build.build([str(path)])


def _facts(path: str) -> Facts:
    return attack_build.build([path]).facts


def test_stix_20_and_21_tell_the_same(tmp_path: Path) -> None:
    """2.0 says its version once and not which release it is; 2.1 says both in each object and as a collection."""
    old = {"spec_version": "2.0", **bundle(*OBJECTS)}
    new = bundle(*({**one, "spec_version": "2.1"} for one in OBJECTS), version="18.1")
    first, second = (_facts(f"18.1={write(tmp_path / f'{name}.json', one)}") for name, one in (("a", old), ("b", new)))
    assert first.releases[0].entries == second.releases[0].entries
    assert (first.links, first.since, first.reports) == (second.links, second.since, second.reports)


def test_what_revokes_itself_in_circles(tmp_path: Path) -> None:
    numbers = [f"G{one:04}" for one in range(1, 200)]
    circle = [
        *(stix_object(one, revoked=True) for one in numbers),
        *(stix_link("revoked-by", one, after) for one, after in zip(numbers, [*numbers[1:], numbers[0]], strict=True)),
        stix_object("T1001", "stealth", revoked=True),
        stix_link("revoked-by", "T1001", "T1001"),
        *(stix_link("uses", one, "T1001", "Report") for one in numbers),
    ]
    facts = _facts(write(tmp_path / "a.json", bundle(*circle, version="18.1")))
    known = knowledge.of(facts)
    assert [(one.id, len(one.users)) for one in known.untranslated] == [("T1001", len(numbers))]


@pytest.mark.parametrize(("length", "is_followed"), [(500, True), (9000, False)])
def test_a_long_chain_of_revocations(tmp_path: Path, length: int, is_followed: bool) -> None:
    numbers = [f"G{one:04}" for one in range(1, length)]
    chain = [
        *(stix_object(one, revoked=True) for one in numbers[:-1]),
        stix_object(numbers[-1]),
        *(stix_link("revoked-by", one, after) for one, after in pairwise(numbers)),
    ]
    facts = _facts(write(tmp_path / "a.json", bundle(*chain, version="18.1")))
    groups = set(knowledge.of(facts).groups)
    assert numbers[-1] in groups
    assert (len(groups) == 1) == is_followed, "what is too far away to follow stays by itself"


def test_more_of_a_kind_than_there_can_be(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", bundle(*(stix_object(f"TA{one:04}") for one in range(201)), version="18.1"))
    with pytest.raises(TocsinError, match="more than 200 of the kind tactic"):
        _facts(path)


def test_duplicates(tmp_path: Path) -> None:
    """Of objects with one number the one that is more alive; of versions of one object the newest."""
    twice = [
        *OBJECTS,
        {**stix_object("G0001", name="Later"), "modified": "2026-01-01T00:00:00.000Z"},
        {**stix_object("G0002", name="Impostor"), "external_references": OBJECTS[1]["external_references"]},
    ]
    learned = attack_build.build([write(tmp_path / "a.json", bundle(*twice, version="18.1"))])
    assert knowledge.of(learned.facts).groups["G0001"].name in ("Later", "Impostor")
    assert learned.left_out["18.1"]["an object with the id of another"] == 1


def test_more_names_than_anybody_has(tmp_path: Path) -> None:
    many = stix_object("G0002", aliases=[f"name {one}" for one in range(501)])
    learned = attack_build.build([write(tmp_path / "a.json", bundle(*OBJECTS, many, version="18.1"))])
    assert "G0002" not in learned.facts.releases[0].entries
    assert learned.left_out["18.1"] == {"a group with more than 500 aliases": 1}


odd: Any = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from([*OBJECTS[2], "created", "first_seen"]), odd), odd)
def test_values_of_any_type(tmp_path_factory: pytest.TempPathFactory, more: dict[str, Any], beside: Any) -> None:
    folder = tmp_path_factory.mktemp("odd")
    document = bundle(*OBJECTS[:2], {**OBJECTS[2], **more}, {**OBJECTS[1], **more}, beside, version="18.1")
    try:
        facts = _facts(write(folder / "a.json", document))
    except TocsinError:
        return
    content = attack_table.encoded(facts)
    assert attack_table.decoded(content, "x", with_links=True) == facts
    knowledge.of(facts)
