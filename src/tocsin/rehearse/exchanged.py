"""What nations sent each other and what was agreed in, how well they kept to it out. Standard library only.

As `score.py`, it knows nothing of Tocsin: messages are bytes in files, in which names and words are looked for, as they
stand and with all escapes undone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tocsin.rehearse.score import Places

_MOST_NAMED: Final = 20


def score(
    truth: Mapping[str, Any], known: Mapping[str, Any], folder: Path, promised: Mapping[str, Any]
) -> dict[str, Any]:
    """All figures; each is explained in docs/drill.md.

    Args:
        folder: of the act: `ally/facts.json`, and of each other nation `found.json`, `ours.json` and `wire/`.
        promised: `names` and `secrets` that nobody may be sent, `secrets_but_for` whom, `sightings` by nation whether
            they go.
    """
    places = Places(dict(truth))
    facts = json.loads((folder / "ally" / "facts.json").read_bytes())
    shared = {one["id"] for one in known["indicators"] if one["shared"]}
    nations = sorted(promised["sightings"])
    found = {name: json.loads((folder / name / "found.json").read_bytes()) for name in nations}
    wires = {name: _Wire(folder / name / "wire") for name in nations}
    itself = {name: {one["id"] for one in found[name] if places.find(one["at"]) in places.owner} for name in nations}
    sightings = {name: len(wires[name].sent.get("sighting", ())) for name in nations}
    # Who may tell and has nothing to tell breaks nothing.
    told = {name: wires[name].sent.keys() & {"incident"} for name in nations}
    kept = all(bool(sightings[name]) == (may and bool(told[name])) for name, may in promised["sightings"].items())
    here = b"".join((folder / name / "ours.json").read_bytes() for name in nations).lower()
    left = _left(wires, promised)
    return {
        "nations": 1 + len(nations),
        "found_themselves": sum(bool(each) for each in itself.values()),
        "indicators_met": {name: len(each) for name, each in itself.items()},
        "never_here_but_seen": sorted({one["id"] for each in found.values() for one in each} - shared),
        "sightings_sent": sightings,
        "sightings_as_agreed": kept,
        "sightings_understood": {name: len(facts["sightings"].get(name, {})) for name in nations},
        "looked_for": len(promised["names"]) + len(promised["secrets"]) + len(promised["secrets_but_for"]),
        "names_in_what_was_shared_from": sum(name.lower().encode() in here for name in promised["names"]),
        "left_though_forbidden": len(left),
        "what_left": left[:_MOST_NAMED],
        "reached_whom_it_may": _reached(wires, promised),
        "revocation_known_to": facts["knows"],
        "problems": facts["problems"],
        "messages": sum(one.messages for one in wires.values()),
        "bytes": sum(len(one.raw) for one in wires.values()),
    }


class _Wire:
    """What one nation sent and was sent: `raw` as it went, `read` with escapes undone; `sent` are ids told, by kind."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.iterdir())
        contents = [path.read_bytes() for path in files]
        self.messages = len(files)
        self.raw = b"\n".join(contents)
        self.sent: dict[str, set[str]] = {}
        texts: list[str] = []
        for path, content in zip(files, contents, strict=True):
            body = content.partition(b"\n")[2]
            for one in _inside(body):
                if isinstance(one, str):
                    texts.append(one)
                elif path.name.endswith("-sent") and "type" in one and "id" in one:
                    self.sent.setdefault(str(one["type"]), set()).add(str(one["id"]))
        self.read = "\n".join(texts).lower()

    def has(self, word: str) -> bool:
        return word.lower() in self.read or word.lower().encode() in self.raw.lower()


def _inside(body: bytes | str) -> Iterator[Any]:
    """Every text and every object of a message, also of JSON that is a text within it."""
    try:
        waiting = [json.loads(body)]
    except ValueError:
        return
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            yield one
            if one.startswith(("{", "[")):
                yield from _inside(one)


def _left(wires: Mapping[str, _Wire], promised: Mapping[str, Any]) -> list[str]:
    found = [
        word for word in (*promised["secrets"], *promised["names"]) if any(one.has(word) for one in wires.values())
    ]
    for word, may in promised["secrets_but_for"].items():
        found += [f"{word} at {name}" for name, one in wires.items() if name not in may and one.has(word)]
    return found


def _reached(wires: Mapping[str, _Wire], promised: Mapping[str, Any]) -> bool:
    """That what may go to somebody did: where nothing goes nothing leaks, and nothing is shown."""
    return all(wires[name].has(word) for word, may in promised["secrets_but_for"].items() for name in may)
