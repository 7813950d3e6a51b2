"""A drill's third act, scored: what was sent is read as a stranger would, and each promise can be seen to be broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tocsin.rehearse import exchanged

PROMISED = {
    "names": ["host-vault-9"],
    "secrets": ["word-for-nobody"],
    "secrets_but_for": {"word-for-one": ["ps"]},
    "sightings": {"ps": True, "lc": False},
}
KNOWN = {"indicators": [{"id": "indicator--1", "shared": True}, {"id": "indicator--2", "shared": False}]}
TRUTH: dict[str, Any] = {
    "host_months": 1.0,
    "days": 1,
    "hosts": 1,
    "names": [],
    "permitted": [],
    "incidents": [
        {
            "id": "incident-1",
            "campaign": "campaign-1",
            "steps": [
                {"id": "s1", "observable": True, "records": [{"path": "a.log", "line": 1, "offset": 0, "bytes": 9}]}
            ],
        }
    ],
}
FOUND = [{"id": "indicator--1", "at": {"path": "a.log", "rec": 0}}]


@dataclass
class Act:
    """As it should be; `said` are bodies of messages, by nation and way."""

    found: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"ps": FOUND, "lc": FOUND})
    said: dict[str, dict[str, list[bytes]]] = field(
        default_factory=lambda: {
            "ps": {
                "sent": [
                    _objects({"type": "sighting", "id": "sighting--1"}, {"type": "incident", "id": "incident--1"})
                ],
                "came": [_objects({"type": "indicator", "id": "indicator--3", "name": "word-for-one"})],
            },
            "lc": {"sent": [_objects({"type": "incident", "id": "incident--2"})], "came": [b"{}"]},
        }
    )

    def score(self, folder: Path) -> dict[str, Any]:
        (folder / "ally").mkdir()
        facts = {"sightings": {"ps": {"indicator--1": 1}, "lc": {}}, "knows": ["lc", "ps"], "problems": []}
        (folder / "ally" / "facts.json").write_text(json.dumps(facts))
        for name in ("ps", "lc"):
            wire = folder / name / "wire"
            wire.mkdir(parents=True)
            (folder / name / "found.json").write_text(json.dumps(self.found[name]))
            (folder / name / "ours.json").write_text('{"objects": [{"name": "HOST-VAULT-9"}]}')
            for way, bodies in self.said[name].items():
                for number, body in enumerate(bodies):
                    (wire / f"{number:04}-{way}").write_bytes(b"POST objects/ {}\n" + body)
        return exchanged.score(TRUTH, KNOWN, folder, PROMISED)


def _objects(*told: dict[str, Any]) -> bytes:
    return json.dumps({"objects": told}).encode()


def test_as_it_should_be(tmp_path: Path) -> None:
    told = Act().score(tmp_path)
    assert told["found_themselves"] == 2
    assert told["indicators_met"] == {"ps": 1, "lc": 1}
    assert told["sightings_sent"] == {"ps": 1, "lc": 0}
    assert told["sightings_as_agreed"]
    assert told["reached_whom_it_may"]
    assert (told["left_though_forbidden"], told["what_left"]) == (0, [])
    assert told["looked_for"] == 3
    assert told["names_in_what_was_shared_from"] == 1
    assert told["never_here_but_seen"] == []


HIDING: dict[str, Callable[[str], bytes]] = {
    "as it stands": lambda word: _objects({"name": word}),
    "in capitals": lambda word: _objects({"name": word.upper()}),
    "within a text": lambda word: _objects({"description": f"on {word}, twice"}),
    "as the name of a property": lambda word: _objects({word: 1}),
    "escaped": lambda word: b'{"a": "' + "".join(f"\\u{ord(letter):04x}" for letter in word).encode() + b'"}',
    "JSON in JSON": lambda word: json.dumps({"text": json.dumps({"b": [word]})}).encode(),
    "escaped in JSON in JSON": lambda word: json.dumps(
        {"text": '["' + "".join(f"\\u{ord(letter):04x}" for letter in word) + '"]'}
    ).encode(),
    "no JSON": lambda word: b"\xff\x00" + word.encode(),
}


@pytest.mark.parametrize("how", HIDING)
@pytest.mark.parametrize("word", ["host-vault-9", "word-for-nobody"])
@pytest.mark.parametrize("way", ["sent", "came"])
def test_what_left_is_found_however_it_is_written(tmp_path: Path, how: str, word: str, way: str) -> None:
    act = Act()
    act.said["lc"][way].append(HIDING[how](word))
    told = act.score(tmp_path)
    assert (told["left_though_forbidden"], told["what_left"]) == (1, [word])


def test_what_goes_to_one_alone_is_missed_there_and_found_elsewhere(tmp_path: Path) -> None:
    act = Act()
    act.said["lc"]["came"], act.said["ps"]["came"] = act.said["ps"]["came"], [b"{}"]
    told = act.score(tmp_path)
    assert told["what_left"] == ["word-for-one at lc"]
    assert not told["reached_whom_it_may"]


@pytest.mark.parametrize(("name", "kinds"), [("lc", ["incident", "sighting"]), ("ps", ["incident"])])
def test_sightings_that_were_not_agreed_or_never_came(tmp_path: Path, name: str, kinds: list[str]) -> None:
    act = Act()
    act.said[name]["sent"] = [_objects(*({"type": kind, "id": f"{kind}--9"} for kind in kinds))]
    assert not act.score(tmp_path)["sightings_as_agreed"]


def test_who_found_only_what_is_no_step_has_not_found_itself(tmp_path: Path) -> None:
    act = Act()
    act.found["lc"] = [{"id": "indicator--2", "at": {"path": "a.log", "rec": 7}}]
    told = act.score(tmp_path)
    assert told["found_themselves"] == 1
    assert told["never_here_but_seen"] == ["indicator--2"]
