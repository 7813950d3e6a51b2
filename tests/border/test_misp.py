"""MISP events, as files, answers of the API and feeds have them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tocsin.border import misp
from tocsin.model.indicator import Indicator, Intelligence


def attribute(kind: str, value: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "to_ids": True, "uuid": f"{kind}-{value}"[:36], **more}


def event(*attributes: Any, **more: Any) -> dict[str, Any]:
    return {"Event": {"info": "Campaign", "Orgc": {"name": "A CERT"}, "Attribute": list(attributes), **more}}


def read(content: Any) -> Intelligence:
    return misp.read(json.dumps(content).encode(), "e.json")


def observables(one: Indicator) -> list[str]:
    return [f"{each.type} {each.value}" for each in one.observables]


@pytest.mark.parametrize(
    ("kind", "value", "found"),
    [
        ("ip-dst", "192.0.2.1", ["address 192.0.2.1"]),
        ("ip-src", "192.0.2.0/24", ["network 192.0.2.0/24"]),
        ("hostname", "C2.Evil.Example", ["domain c2.evil.example"]),
        ("url", "hxxp://evil[.]example/x", ["url http://evil.example/x"]),
        ("domain|ip", "evil.example|192.0.2.1", ["domain evil.example", "address 192.0.2.1"]),
        ("filename|sha256", f"x.exe|{'A' * 64}", [f"sha256 {'a' * 64}"]),
        ("filename|imphash", f"x.exe|{'A' * 32}", [f"imphash {'a' * 32}"]),
        ("malware-sample", f"x.exe|{'b' * 32}", [f"md5 {'b' * 32}"]),
        ("filename", "x.exe", ["file x.exe"]),
        ("filename", r"C:\Temp\x.exe", [r"path c:\temp\x.exe"]),
        ("email-src", "anna@evil.example", ["mail anna@evil.example"]),
        ("mutex", "Global\\M", ["mutex Global\\M"]),
        ("user-agent", "Evil/1.0", ["agent Evil/1.0"]),
        ("regkey", "HKLM\\Software\\Evil", ["key hklm\\software\\evil"]),
    ],
)
def test_types(kind: str, value: str, found: list[str]) -> None:
    [one] = read(event(attribute(kind, value))).indicators
    assert observables(one) == found
    assert one.source == "A CERT"


@pytest.mark.parametrize(("kind", "side"), [("ip-dst|port", "dst"), ("ip-src|port", "src")])
def test_an_address_with_a_port_is_both(kind: str, side: str) -> None:
    [one] = read(event(attribute(kind, "192.0.2.1|443"))).indicators
    assert one.pattern == f"[network-traffic:{side}_ref.value = '192.0.2.1' AND network-traffic:{side}_port = 443]"


def test_objects_tags_and_techniques() -> None:
    told = read(
        event(
            attribute("ip-dst", "192.0.2.1", Tag=[{"name": "tlp:red"}]),
            Tag=[{"name": "tlp:green"}, {"name": 'misp-galaxy:mitre-attack-pattern="Web Protocols - T1071.001"'}],
            Object=[{"name": "file", "Attribute": [attribute("md5", "a" * 32)]}],
        )
    )
    first, second = told.indicators
    assert (first.tlp, second.tlp) == ("red", "green")
    assert second.techniques == ("T1071.001",)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (attribute("ip-dst", "192.0.2.1", to_ids=False), "not for detection"),
        (attribute("ip-dst", "192.0.2.1", deleted=True), "not for detection"),
        (attribute("comment", "x"), "cannot be used"),
        (attribute("ip-dst", "not an address"), "not an indicator"),
        (attribute("ip-dst|port", "192.0.2.1|http"), "not an indicator"),
    ],
)
def test_what_is_left_out(one: dict[str, Any], reason: str) -> None:
    told = read(event(one))
    assert told.indicators == ()
    assert [left.reason for left in told.left_out] == [reason]


def test_answers_of_the_api() -> None:
    one = attribute("ip-dst", "192.0.2.1")
    for content in (
        event(one),
        [event(one)],
        {"response": [event(one)]},
        {"response": {"Attribute": [one]}},
        event(Object=[{"Attribute": [one]}], Attribute=None),
    ):
        assert len(read(content).indicators) == 1


@pytest.mark.parametrize("content", [b"{", b'{"Event": 5}', b'{"Event": {"Attribute": 5}}', b"[" * 100_000])
def test_what_is_no_event_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="not a MISP event"):
        misp.read(content, "x")
