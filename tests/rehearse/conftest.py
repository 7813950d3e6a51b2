"""One small drill for all tests of the room, and its records read by means that are not ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tocsin import rehearse


@dataclass(frozen=True)
class Drill:
    made: rehearse.Made

    def lines(self, pattern: str) -> Iterator[tuple[str, int, str]]:
        """Path, number and text of each line of the logs whose path matches, but for torn ones."""
        for path in sorted(self.made.logs.glob(pattern)):
            name = path.relative_to(self.made.logs).as_posix()
            # A line may be torn within a letter.
            with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                for number, line in enumerate(file, 1):
                    if (name, number) not in self.torn:
                        yield name, number, line.rstrip("\r\n")

    @cached_property
    def torn(self) -> set[tuple[str, int]]:
        return {(record["path"], record["line"]) for record in self.truth["torn"]}

    def true_time(self, record: dict[str, Any], shown: str) -> datetime:
        """When it was that the clock of a machine showed this, which wrote it into a record of Windows."""
        at = datetime.fromisoformat(shown.removesuffix("Z")).replace(tzinfo=UTC)
        host = record["host"]["name"]
        ahead, until = self._clocks.get(host.partition(".")[0], (timedelta(0), None))
        return at if until and self._set_right.get(host, len(self.windows)) <= self._order[id(record)] else at - ahead

    @cached_property
    def _clocks(self) -> dict[str, tuple[timedelta, str | None]]:
        return {
            one["host"].partition(".")[0]: (timedelta(seconds=one["ahead_s"]), one["until"])
            for one in self.truth["clocks"]
        }

    @cached_property
    def _order(self) -> dict[int, int]:
        """Of records of Windows: lines stand in the order of what happened, whatever clocks show."""
        return {id(record): number for number, (_, record) in enumerate(self.windows)}

    @cached_property
    def _set_right(self) -> dict[str, int]:
        """Hosts whose clock was changed by more than a minute, and which record says so."""
        found = {}
        for number, (_, record) in enumerate(self.windows):
            if record["winlog"]["provider_name"] == "Microsoft-Windows-Kernel-General":
                told = record["winlog"]["event_data"]
                new, old = (datetime.fromisoformat(told[name]) for name in ("NewTime", "OldTime"))
                if abs(new - old) > timedelta(minutes=1):
                    found[record["host"]["name"]] = number
        return found

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
