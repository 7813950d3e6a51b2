"""The benchmark of reading runs on few lines, and every format that has a reader is read by it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

import log_lines
import pytest

from tocsin.collect.formats import READERS

BENCH = Path(__file__).resolve().parents[2] / "bench"


def test_figures_of_a_small_run() -> None:
    command = [sys.executable, BENCH / "collect.py", "--events", "3000", "--repeat", "1"]
    command += ["--only", "access_log", "zeek_conn", "bind"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert json.loads(told[-1]).keys() == {f"{name}_events_per_s" for name in ("access_log", "zeek_conn", "bind")}


@pytest.mark.parametrize("name", log_lines.VOLUME)
def test_made_lines_are_known_to_their_reader(name: str) -> None:
    wanted, make = log_lines.VOLUME[name]
    head = log_lines.lines(make, 100)
    assert next(reader.NAME for reader in READERS if reader.sniff(head)) == wanted
    assert head == log_lines.lines(make, 100) != log_lines.lines(make, 100, seed=2)


def test_made_records_of_suricata_are_json() -> None:
    for line in islice(log_lines.suricata(random.Random(1)), 100):
        assert json.loads(line)["event_type"] in ("dns", "http", "flow")
