"""One form for what is compared letter by letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.observe.infrastructure import normal


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("address:203.0.113.7", "address:203.0.113.7"),
        ("203.0.113[.]7", "address:203.0.113.7"),
        ("Address: 2001:DB8::0001", "address:2001:db8::1"),
        ("2001:db8::1", "address:2001:db8::1"),
        ("domain:C2.Example.", "domain:c2.example"),
        ("c2[.]example", "domain:c2.example"),
        ("domain:c2(dot)example", "domain:c2.example"),
        ("certificate:AB:CD:" + "00:" * 18, "certificate:abcd" + "00" * 18),
        ("asn:AS64500", "asn:64500"),
        ("asn:64500", "asn:64500"),
        ("asn:a name", "asn:a name"),
        ("kind:Residential", "kind:residential"),
        ("something else", "something else"),
    ],
)
def test_forms(text: str, form: str) -> None:
    assert normal(text) == form


@given(st.text(max_size=60))
def test_any_text_has_a_form_and_keeps_it(text: str) -> None:
    assert normal(normal(text)) == normal(text)
