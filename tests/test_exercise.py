"""A drill's cases are planned, and one is really blocked in namespaces; elsewhere it says why nothing was."""

from __future__ import annotations

from pathlib import Path

import pytest

from containing.making import ASSETS, case, cited, incident, talking
from containing.nets import needs
from tocsin import cases, exercise, planning
from tocsin.act import trial
from tocsin.errors import ActError
from tocsin.model.asset import Assets


def test_it_really_blocks_and_proves_it(tmp_path: Path) -> None:
    needs("ip", "nft", "ping", "unshare")
    folder = case(tmp_path, talking())
    told = exercise.contain(tmp_path, ASSETS)
    assert (told.plans, told.tried, told.held, told.left_out) == (1, 1, 1, "")
    assert told.stopped >= 1
    assert told.lived
    assert told.undone
    assert planning.chosen(folder).way == "least disruptive"
    verdict = cases.verify(folder)
    assert verdict.faults == ()
    assert verdict.decisions == 0  # made-up people sign in a copy alone


def test_where_no_network_can_be_made_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case(tmp_path, talking())

    def unable(addresses: object) -> object:
        raise ActError("no network to try it in can be made: not allowed")

    monkeypatch.setattr(trial, "network", unable)
    told = exercise.contain(tmp_path, ASSETS)
    assert told.plans == 1
    assert "not allowed" in told.left_out


def test_a_case_without_an_address_or_without_an_incident_is_no_fault(tmp_path: Path) -> None:
    case(tmp_path, incident(cited(0, "T1059", host="WS017")))
    cases.new_case(tmp_path, "By hand", by="Ben")
    told = exercise.contain(tmp_path, Assets())
    assert (told.plans, told.tried) == (1, 0)
    assert told.left_out == "no plan has an address to block"
