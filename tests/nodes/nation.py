"""One nation of the drill's third act, a process of its own: it says what people would, and waits for others' files.

    python -m nodes.nation NAME ROOT

ROOT has `evidence/` (of a drill), `spool/` (which all of them see, as a stick that goes around) and `NAME/` (its own).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

from tocsin.cli.main import main

NATIONS = ("ps", "lc")
ALLY = "ally"
TOGETHER = (ALLY, *NATIONS)
SIGHTINGS = {"ps": "as marked", "lc": "never"}
PATIENCE_S = 900.0


class Nation:
    def __init__(self, name: str, root: Path) -> None:
        self.name, self.root, self.spool, self.home = name, root, root / "spool", root / name
        os.environ |= {
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_STATE_HOME": str(self.home / "state"),
            "XDG_CACHE_HOME": str(root / "cache" / name),
            "TOCSIN_PERSON": "Aroha",
        }

    def say(self, *words: str) -> None:
        code = main(list(words))
        if code:
            raise SystemExit(f"{self.name}: {' '.join(words)} ended with {code}")

    def put(self, name: str, content: bytes) -> None:
        """Whole or not there: others wait for the name."""
        beside = self.spool / f".{name}"
        beside.write_bytes(content)
        beside.rename(self.spool / name)

    def wait(self, name: str) -> Path:
        ends = time.monotonic() + PATIENCE_S
        while not (self.spool / name).exists():
            if time.monotonic() > ends:
                raise SystemExit(f"{self.name}: {name} never came")
            time.sleep(0.05)
        return self.spool / name

    def begin(self) -> None:
        """Fingerprints go by telephone."""
        self.say("node", "init", self.name)
        node = json.loads((self.home / "data/tocsin/node/node.json").read_bytes())["node"]
        self.put(f"{self.name}.fingerprint", node.encode())
        for other in TOGETHER:
            if other != self.name:
                self.say("node", "trust", other, self.wait(f"{other}.fingerprint").read_text())

    def agreement(self, peer: str, sightings: str) -> str:
        path = self.home / f"{peer}.toml"
        node = self.wait(f"{peer}.fingerprint").read_text()
        lines = ("version = 1", f'id = "{peer}"', f'name = "{peer}"', 'tlp = "amber+strict"', 'pap = "red"')
        path.write_text("\n".join((*lines, f'node = "{node}"', f'sightings = "{sightings}"', "")))
        return str(path)

    def hand(self, to: str, number: int) -> None:
        path = self.home / f"{to}.{number}.json"
        self.say("share", "give", to, "--out", str(path))
        self.put(f"{self.name}-{to}.{number}", path.read_bytes())

    def take(self, of: str, number: int) -> None:
        self.say("share", "take", str(self.wait(f"{of}-{self.name}.{number}")))

    def received(self, of: str) -> Path:
        (found,) = (self.home / "data/tocsin/node/received").glob(f"{of}-*.json")
        return found


def ally(nation: Nation) -> None:
    partner = nation.root / "evidence" / "partner"
    objects = json.loads((partner / "bundle.json").read_bytes())["objects"]
    us = next(one["id"] for one in objects if one["type"] == "identity")
    for peer in NATIONS:
        words = ("--to", nation.agreement(peer, "as marked"), "--own", us)
        nation.say("share", "bundle", str(partner / "bundle.json"), *words, "--out", str(nation.home / f"{peer}.json"))
        nation.put(f"{ALLY}-{peer}.1", (nation.home / f"{peer}.node.json").read_bytes())
    for peer in NATIONS:
        nation.take(peer, 1)
    wrong = next(one["id"] for one in objects if one["type"] == "indicator" and "domain-name" in one["pattern"])
    nation.say("share", "revoke", wrong, "--reason", "It is a site that many use.")
    for peer in NATIONS:
        nation.hand(peer, 2)
    for peer in NATIONS:
        nation.take(peer, 2)
    nation.put("taken-back", wrong.encode())


def looks(nation: Nation) -> None:
    """Take what the ally told, look for it in one's own logs, tell what was agreed, heed what is taken back."""
    nation.take(ALLY, 1)
    told = nation.received(ALLY)
    shutil.copy(told, nation.home / "told first.json")
    out, lists = (
        nation.home / "out",
        ("--assets", str(nation.home / "assets.csv"), "--people", str(nation.home / "people.csv")),
    )
    nation.say("respond", str(nation.home / "logs"), "--indicators", str(told), *lists, "--out", str(out), "--quiet")
    agreement = nation.agreement(ALLY, SIGHTINGS[nation.name])
    for bundle in sorted(out.rglob("*.stix.json")):
        objects = json.loads(bundle.read_bytes())["objects"]
        us = next(one["created_by_ref"] for one in objects if one["type"] == "incident")
        words = ("--to", agreement, "--own", us, *lists, "--out", str(nation.home / f"for-{bundle.name}"))
        main(["share", "bundle", str(bundle), *words])  # where nothing of it may go it says so
    nation.hand(ALLY, 1)
    nation.take(ALLY, 2)
    nation.hand(ALLY, 2)


if __name__ == "__main__":
    here = Nation(sys.argv[1], Path(sys.argv[2]))
    here.begin()
    (ally if here.name == ALLY else looks)(here)
