"""One small drill for all tests of the room, and its records read by means that are not ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tocsin import rehearse


@dataclass(frozen=True)
class Drill:
    made: rehearse.Made

    def lines(self, pattern: str) -> Iterator[tuple[str, int, str]]:
        """Path, number and text of each line of the logs whose path matches."""
        for path in sorted(self.made.logs.glob(pattern)):
            with path.open(encoding="utf-8", newline="") as file:
                for number, line in enumerate(file, 1):
                    yield path.relative_to(self.made.logs).as_posix(), number, line.rstrip("\r\n")

    @cached_property
    def truth(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.made.truth.read_bytes())
        return told

    @cached_property
    def windows(self) -> list[tuple[tuple[str, int], dict[str, Any]]]:
        """Windows events, each once: what a collector sent again is there twice, word for word."""
        first: dict[str, tuple[str, int]] = {}
        for path, number, line in self.lines("windows/*/*.ndjson"):
            first.setdefault(line, (path, number))
        return [(place, json.loads(line)) for line, place in first.items()]

    @cached_property
    def attack(self) -> set[tuple[str, int]]:
        """Where records of attacks stand, those of the permitted test not among them."""
        return {
            (record["path"], record["line"])
            for incident in self.truth["incidents"]
            for step in incident["steps"]
            for record in step["records"]
        }

    @cached_property
    def permitted(self) -> set[tuple[str, int]]:
        return {(record["path"], record["line"]) for one in self.truth["permitted"] for record in one["records"]}

    def zeek(self, body: str, log: str) -> list[tuple[tuple[str, int], dict[str, Any]]]:
        """Zeek's log by its own head: JSON where there is none."""
        records, names = [], [""]
        for path, number, line in self.lines(f"zeek/{body}/{log}.*"):
            if line.startswith("#fields"):
                names = line.split("\t")[1:]
            elif line.startswith("{"):
                records.append(((path, number), json.loads(line)))
            elif not line.startswith("#"):
                cells = line.split("\t")
                assert len(cells) == len(names), line
                records.append(((path, number), dict(zip(names, cells, strict=True))))
        return records


@pytest.fixture(scope="session")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    folder: Path = tmp_path_factory.mktemp("drill") / "made"
    return Drill(rehearse.make(seed=11, events=80_000, folder=folder))
