"""What may be done with intelligence: the strictest word counts, and what cannot be read forbids."""

from __future__ import annotations

import pytest

from tocsin.model.pap import binding, forbids, pap_of


@pytest.mark.parametrize(
    ("labels", "pap"),
    [
        ((), ""),
        (("tlp:amber", "apt"), ""),
        (("PAP:GREEN",), "green"),
        (("PAP:WHITE",), "clear"),
        (("pap:green", "PAP:RED"), "red"),
        (('PAP:"amber"',), "amber"),
        (("pap:purple",), "red"),
    ],
)
def test_the_strictest_is_taken(labels: tuple[str, ...], pap: str) -> None:
    assert pap_of(labels) == pap


def test_only_what_binds_is_kept_with_a_finding() -> None:
    assert binding(("APT40", "PAP:AMBER", "tlp:green", "ORCON", "pap:amber"), "an ally") == (
        "pap:amber",
        "tlp:green",
        "orcon",
        "source:an ally",
    )


@pytest.mark.parametrize("pap", ["amber", "red", "unheard-of"])
def test_above_green_nothing_is_done_that_an_intruder_sees(pap: str) -> None:
    why = forbids((f"pap:{pap}", "source:an ally"))
    assert "an ally" in why
    assert "allows no block" in why


def test_an_originator_is_asked_first() -> None:
    terms = ("pap:green", "orcon", "source:an ally")
    assert "must agree" in forbids(terms)
    assert "must agree" in forbids(terms, ["somebody else"])
    assert forbids(terms, ["an ally"]) == ""


def test_what_says_nothing_holds_nothing_back() -> None:
    assert forbids(("tlp:green", "source:x")) == ""
    assert forbids(()) == ""
