"""The drill's third act: an ally tells, two nations find themselves in it, what comes back is what was agreed, no more.

Three processes that share nothing but a folder of messages. Held against the drill's truth, and its lists of names.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nodes.nation import ALLY, NATIONS, PATIENCE_S, TOGETHER
from tocsin import rehearse
from tocsin.share.nodes import folder as kept
from tocsin.share.nodes import received

EVENTS = 20_000


@dataclass(frozen=True)
class Played:
    root: Path
    known: dict[str, Any]

    def told_to_ally(self, by: str) -> list[dict[str, Any]]:
        found = list((self.root / ALLY / "data/tocsin/node/received").glob(f"{by}-*.json"))
        return json.loads(found[0].read_bytes())["objects"] if found else []

    def wire(self) -> bytes:
        """Every byte that left any of them, once as it stands and once with the text of payloads read."""
        found = b""
        for path in sorted((self.root / "spool").iterdir()):
            content = path.read_bytes()
            found += content
            if content.startswith(b"{"):
                for one in json.loads(content)["payloads"]:  # and without escapes
                    found += json.dumps(json.loads(one["text"]), ensure_ascii=False).encode()
        return found

    def names(self) -> set[str]:
        """Machines, their addresses, accounts and people of both nations."""
        found: set[str] = set()
        columns = {"assets.csv": ("name", "also", "addresses"), "people.csv": ("name", "accounts", "mailboxes")}
        for file, wanted in columns.items():
            with (self.root / "evidence" / file).open(newline="", encoding="utf-8") as lines:
                for row in csv.DictReader(lines):
                    words = re.split(r"[|;]", "|".join(row[column] for column in wanted))
                    found |= {part for word in words for part in (word.strip(), word.strip().rpartition("\\")[2])}
        return {name for name in found if len(name) > 5}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    root = tmp_path_factory.mktemp("third-act")
    made = rehearse.make(seed=4, events=EVENTS, folder=root / "evidence")
    (root / "spool").mkdir()
    (root / ALLY).mkdir()
    for name in NATIONS:
        (root / name).mkdir()
        for path in made.logs.rglob("*"):
            # A nation has the logs of its own machines: their folders or files end with its letters.
            if path.is_file() and any(name in part.lower().replace(".", "-").split("-") for part in path.parts[-4:]):
                goal = root / name / "logs" / path.relative_to(made.logs)
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, goal)
        for path in (made.assets, made.people):
            shutil.copy(path, root / name)
    environment = os.environ | {"PYTHONPATH": f"{Path(__file__).parent}:{os.environ.get('PYTHONPATH', '')}"}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "nodes.nation", name, str(root)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for name in TOGETHER
    ]
    for one in running:
        told, _ = one.communicate(timeout=PATIENCE_S)
        assert one.returncode == 0, told[-3000:]
    return Played(root=root, known=json.loads((made.partner / "known.json").read_bytes()))


@pytest.mark.timeout(PATIENCE_S)
def test_two_find_themselves_in_what_one_told(played: Played) -> None:
    shared = {one["value"] for one in played.known["indicators"] if one["shared"] and not one["revoked"]}
    never = {one["value"] for one in played.known["indicators"] if not one["shared"]}
    for name in NATIONS:
        told = json.loads((played.root / name / "told first.json").read_bytes())["objects"]
        value = {one["id"]: one["pattern"].split("'")[-2] for one in told if one["type"] == "indicator"}
        seen = set()
        for bundle in (played.root / name / "out").rglob("*.stix.json"):
            objects = json.loads(bundle.read_bytes())["objects"]
            seen |= {value.get(one["sighting_of_ref"]) for one in objects if one["type"] == "sighting"}
        assert seen & shared, name
        assert not seen & never, name


@pytest.mark.timeout(PATIENCE_S)
def test_sightings_come_back_as_each_agreed(played: Played) -> None:
    kinds = {name: {one["type"] for one in played.told_to_ally(name)} for name in NATIONS}
    assert "sighting" in kinds["ps"]
    assert "incident" in kinds["lc"]
    assert not {"sighting", "observed-data"} & kinds["lc"]
    # Who was told knows an indicator by another id; the ally knows which of its own it is.
    with kept.held(played.root / ALLY / "data/tocsin/node") as folder:
        seen = {
            one.name: received.seen_of_ours(folder, received.in_force(folder, one.node))
            for one in folder.trusted.values()
        }
    ours = {one["id"]: one["shared"] for one in played.known["indicators"]}
    assert seen["ps"]
    assert all(ours[named] for named in seen["ps"])
    assert not seen["lc"]


@pytest.mark.timeout(PATIENCE_S)
def test_nothing_that_must_stay_has_left(played: Played) -> None:
    names, wire = played.names(), played.wire().lower()
    assert len(names) > 100
    assert not [name for name in names if name.lower().encode() in wire]
    # They are in what was shared from, or this would show nothing.
    kept_here = b"".join(path.read_bytes() for path in played.root.rglob("out/*.stix.json")).lower()
    assert sum(name.lower().encode() in kept_here for name in names) > 5


@pytest.mark.timeout(PATIENCE_S)
def test_what_was_taken_back_is_known_to_both(played: Played) -> None:
    wrong = (played.root / "spool" / "taken-back").read_text()
    for name in NATIONS:
        (told,) = (played.root / name / "data/tocsin/node/received").glob(f"{ALLY}-*.json")
        objects = {one["id"]: one for one in json.loads(told.read_bytes())["objects"]}
        before = {
            one["id"]: one for one in json.loads((played.root / name / "told first.json").read_bytes())["objects"]
        }
        assert objects[wrong]["revoked"] is True
        assert not before[wrong].get("revoked")
    environment = os.environ | {
        "XDG_DATA_HOME": str(played.root / ALLY / "data"),
        "XDG_STATE_HOME": str(played.root / ALLY / "state"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "tocsin", "peers", "--json"], capture_output=True, text=True, check=True, env=environment
    )
    (one,) = json.loads(done.stdout)["revocations"]
    assert sorted(one["knows"]) == sorted(NATIONS)
    assert not one["does_not_yet"]
