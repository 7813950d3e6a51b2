"""What may be done with intelligence: the strictest word counts, and what cannot be read forbids."""

from __future__ import annotations

import pytest

from tocsin.model.pap import asks_first, binding, forbids, pap_of


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


@pytest.mark.parametrize(
    ("terms", "word"),
    [
        ((), "without a marking"),
        (("tlp:amber",), "TLP:AMBER"),
        (("tlp:green", "tlp:amber+strict"), "TLP:AMBER+STRICT"),
        (("tlp:green",), ""),
        (("tlp:white",), ""),
        (("pap:green",), ""),
        (("pap:clear", "tlp:red"), ""),
    ],
)
def test_where_nobody_says_what_may_be_done_the_marking_decides_who_is_asked(terms: tuple[str, ...], word: str) -> None:
    why = forbids((*terms, "source:an ally"))
    assert (word in why and "must agree first" in why) if word else why == ""
    assert forbids((*terms, "source:an ally"), ["an ally"]) == ""


def test_agreement_does_not_lift_what_pap_forbids() -> None:
    assert "allows no block" in forbids(("pap:amber", "source:an ally"), ["an ally"])


@pytest.mark.parametrize(
    ("label", "asks"),
    [
        ("ORCON", True),
        ("orcon-usgov", True),
        ('dissem:"ORCON"', True),
        ('dni-ism:dissem="OC"', True),
        ('x:control="originator-controlled"', True),
        ("Originator Control", True),
        ("oc", False),
        ("tlp:amber", False),
        ("falconry", False),
    ],
)
def test_labels_of_originator_control(label: str, asks: bool) -> None:
    assert asks_first(label) is asks


def test_the_marking_of_an_indicator_is_kept_with_it() -> None:
    assert binding(("x",), "", "amber") == ("tlp:amber",)
