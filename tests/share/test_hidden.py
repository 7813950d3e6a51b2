"""Names of ours are found however they are written, nothing else is, and no two peers can compare what they get."""

from __future__ import annotations

import base64
import ipaddress
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.share.hidden import ENCODED, Hidden, Name

NAMES = (
    Name(kind="host", text="WEB-01", of="web"),
    Name(kind="host", text="web-01.parl.example", of="web"),
    Name(kind="person", text="Mere Tāne"),
    Name(kind="person", text="Tāne"),
    Name(kind="account", text="PARL\\m.tane", of="m"),
    Name(kind="account", text="m.tane", of="m"),
    Name(kind="domain", text="parl.example"),
    Name(kind="host", text="ab"),
)


def hidden(key: bytes = b"k" * 32) -> Hidden:
    return Hidden(NAMES, key, [ipaddress.ip_network("203.0.113.0/24")])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("to WEB-01, twice: web-01", "to {host web}, twice: {host web}"),
        ("\\\\web-01\\c$", "\\\\{host web}\\c$"),
        ("WEB-01_backup.zip", "{host web}_backup.zip"),
        ("written by Mere Tane", "written by {person mere tane}"),
        ("TA\u0304NE", "{person tane}"),
        ("C:\\Users\\m.tane\\x", "C:\\Users\\{account m}\\x"),
        ("parl\\M.Tane", "{account m}"),
        ("https://mail.parl.example/x", "https://{domain mail.parl.example}/x"),
        ("to a.b@parl.example.", "to {domain a.b@parl.example}."),
        ("a 10.1.2.3:443 b", "a {address 10.1.2.3}:443 b"),
        ("from ::ffff:10.1.2.3", "from ::ffff:{address 10.1.2.3}"),
        ("203.0.113.9", "{address 203.0.113.9}"),
        ("fe80::1%eth0", "{address fe80::1}%eth0"),
        ("S-1-5-21-1-2-3-1105", "{sid S-1-5-21-1-2-3-1105}"),
        ("x%57EB-01y web", "x%57EB-01y web"),
        ("x=%57EB-01&y", ENCODED),
        ("\\u0057EB-01", ENCODED),
        ("&#87;EB-01", ENCODED),
    ],
)
def test_names_and_what_stands_for_them(text: str, told: str) -> None:
    keys = hidden()
    for kind, of in [
        ("host", "web"),
        ("person", "mere tane"),
        ("person", "tane"),
        ("account", "m"),
        ("domain", "mail.parl.example"),
        ("domain", "a.b@parl.example"),
        ("address", "10.1.2.3"),
        ("address", "203.0.113.9"),
        ("address", "fe80::1"),
        ("sid", "S-1-5-21-1-2-3-1105"),
    ]:
        told = told.replace(f"{{{kind} {of}}}", keys.pseudonym(kind, of))  # type: ignore[arg-type]
    assert keys.replaced(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "xweb-01",
        "web-012",
        "ab",
        "notparl.example",
        "8.8.8.8",
        "1.10.1.2.3",
        "10.1.2",
        "T1059.001",
        "00:11:22:33:44:55",
        "12:30:01",
        "d41d8cd98f00b204e9800998ecf8427e",
        "tanezrouft",
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert hidden().replaced(text) == text


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("shift", range(4))
@pytest.mark.parametrize("web_safe", [False, True])
def test_base64_is_looked_into(coding: str, shift: int, web_safe: bool) -> None:
    content = b"\x00" * (shift % 2) + ("?>~" * 3 + "net use \\\\WEB-01\\c$ >>>???").encode(coding)
    encode = base64.urlsafe_b64encode if web_safe else base64.b64encode
    text = "x" * shift + encode(content).decode()
    told = hidden().replaced(f"powershell -enc {text} end")
    assert told == f"powershell -enc {ENCODED} end"
    twice = encode(f"cmd {text}".encode()).decode()
    assert hidden().replaced(twice) == ENCODED
    assert hidden().replaced(content.hex()) == ENCODED
    assert hidden().replaced("a" + content.hex()) == ENCODED
    other = base64.b64encode(b"nothing that is ours stands in here").decode()
    assert hidden().replaced(other) == other


@settings(max_examples=300)
@given(
    before=st.text(st.characters(exclude_categories=("L", "N", "Cs", "M")), max_size=8),
    after=st.text(st.characters(exclude_categories=("L", "N", "Cs", "M")), max_size=8),
    way=st.sampled_from([str, str.upper, str.title, lambda text: quote(text, safe=""), lambda text: f"{text}%20x"]),
)
def test_no_name_is_left_whatever_stands_around_it(before: str, after: str, way: object) -> None:
    told = hidden().replaced(before + way("Tane") + after)  # type: ignore[operator]
    assert "tane" not in told.casefold()


def test_pseudonyms_are_the_same_for_one_peer_and_comparable_for_no_two() -> None:
    names = [f"host-{number}" for number in range(200)]
    one = [hidden(b"1" * 32).pseudonym("host", name) for name in names]
    assert one == [hidden(b"1" * 32).pseudonym("host", name) for name in names]
    assert len(set(one)) == len(names)
    assert not set(one) & {hidden(b"2" * 32).pseudonym("host", name) for name in names}
