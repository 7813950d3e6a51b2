"""Normal forms: equal things have one, and what is nothing has none."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.indicator import Observable
from tocsin.observe.addresses import address, network, span
from tocsin.observe.domains import domain, parents
from tocsin.observe.fanging import defang, refang
from tocsin.observe.names import account, base_name, file_name, folder, full_path, mail, sid
from tocsin.observe.urls import host_of, url
from tocsin.observe.what import normal, what_is


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:0201", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.01", None),
        ("192.0.2", None),
        ("192.0.2.256", None),
        ("3232235777", None),
        ("0x7f.1", None),
        ("", None),
        ("1" * 1000, None),
    ],
)
def test_addresses(text: str, found: str | None) -> None:
    assert address(text) == found


@given(st.ip_addresses())
def test_every_address_has_one_form(one: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    wanted = one.ipv4_mapped or one if isinstance(one, ipaddress.IPv6Address) else one
    assert address(str(one)) == address(one.exploded.upper()) == str(wanted)


@given(st.ip_addresses(), st.integers(0, 32))
def test_a_network_spans_what_the_library_says(one: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int) -> None:
    text = f"{one}/{bits}"
    found, told = network(text), span(text)
    assert found is not None
    assert told == (found.version, int(found.network_address), int(found.broadcast_address))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Evil.Example", "evil.example"),
        ("evil.example.", "evil.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("bücher\u3002example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("_dmarc.evil.example", "_dmarc.evil.example"),
        ("localhost", None),
        ("192.0.2.1", None),
        ("a..b", None),
        ("-a.example", None),
        ("a b.example", None),
        ("a" * 64 + ".example", None),
        ("a." * 200 + "example", None),
        ("\u202eevil.example", None),
        ("💩.example", None),
        ("\ud800.example", None),
    ],
)
def test_domains(text: str, found: str | None) -> None:
    assert domain(text) == found


def test_parents_of_a_domain() -> None:
    assert list(parents("a.b.example")) == ["a.b.example", "b.example", "example"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("HTTP://Evil.Example:80", "http://evil.example/"),
        ("https://evil.example:443/%7ea/%2f?q=A#top", "https://evil.example/~a/%2F?q=A"),
        ("https://evil.example:8443/A", "https://evil.example:8443/A"),
        ("http://user:pw@evil.example/x", "http://user:pw@evil.example/x"),
        ("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("http://192.0.2.1/a", "http://192.0.2.1/a"),
        ("http://intranet/x", "http://intranet/x"),
        ("http://evil.example/../a", "http://evil.example/../a"),
        ("http://evil.example:99999/", None),
        ("http:///x", None),
        ("evil.example/x", None),
        ("http://evil .example/", None),
        ("javascript:alert(1)", None),
        ("http://" + "a" * 9000, None),
    ],
)
def test_urls(text: str, found: str | None) -> None:
    assert url(text) == found
    if found:
        assert url(found) == found
        assert host_of(text) == host_of(found)


def test_names() -> None:
    assert mail("<Anna@Evil.Example>") == mail("mailto:anna@evil.example") == "anna@evil.example"
    assert mail("anna@localhost") is None
    assert account(r"CORP\Anna") == r"corp\anna"
    assert sid("S-1-5-21-1-2-3-500") == "s-1-5-21-1-2-3-500"
    assert file_name("Evil.EXE") == "evil.exe"
    assert file_name("a/b") is None
    assert full_path(r"C:\Temp\Evil.exe") == r"c:\temp\evil.exe"
    assert full_path("Temp") is None
    assert (base_name(r"c:\a\b.exe"), folder(r"c:\a\b.exe")) == ("b.exe", r"c:\a")
    assert (base_name("b.exe"), folder("b.exe")) == ("b.exe", "")


# ------------------------------------------------------------------------------------------ what people paste

DOMAIN = Observable("domain", "evil.example")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("evil[.]example", DOMAIN),
        ("evil(.)example", DOMAIN),
        ("evil{.}example", DOMAIN),
        ("evil[dot]example", DOMAIN),
        ("evil (dot) example", DOMAIN),
        ("evil[.example", DOMAIN),
        ("evil\\.example", DOMAIN),
        ("*.evil.example", DOMAIN),
        (".evil.example", DOMAIN),
        ("evil.example:8080", DOMAIN),
        ('"evil.example"', DOMAIN),
        ("evil.example\u200b", DOMAIN),
        ("hxxp://evil[.]example/a", Observable("url", "http://evil.example/a")),
        ("hXXps[:]//evil.example/a", Observable("url", "https://evil.example/a")),
        ("hxxps[://]evil[.]example/a", Observable("url", "https://evil.example/a")),
        ("h**p://evil.example/a", Observable("url", "http://evil.example/a")),
        ("meow://evil.example/a", Observable("url", "http://evil.example/a")),
        ("fxp://evil.example/a", Observable("url", "ftp://evil.example/a")),
        ("evil.example/a", Observable("url", "http://evil.example/a")),
        ("192[.]0[.]2[.]1", Observable("address", "192.0.2.1")),
        ("192.0.2.1:443", Observable("address", "192.0.2.1")),
        ("192.0.2.1/32", Observable("address", "192.0.2.1")),
        ("192.0.2.0/24", Observable("network", "192.0.2.0/24")),
        ("2001:db8::/32", Observable("network", "2001:db8::/32")),
        ("anna[@]evil[.]example", Observable("mail", "anna@evil.example")),
        ("anna[at]evil[dot]example", Observable("mail", "anna@evil.example")),
        ("D41D8CD98F00B204E9800998ECF8427E", Observable("md5", "d41d8cd98f00b204e9800998ecf8427e")),
        ("a" * 40, Observable("sha1", "a" * 40)),
        ("a" * 64, Observable("sha256", "a" * 64)),
        ("a" * 128, Observable("sha512", "a" * 128)),
        ("evil.exe", Observable("file", "evil.exe")),
        (r"C:\Temp\evil.exe", Observable("path", r"c:\temp\evil.exe")),
        ("/tmp/.x", Observable("path", "/tmp/.x")),
        (r"CORP\anna", Observable("account", r"corp\anna")),
        ("hello", None),
        ("two words", None),
        ("a" * 31, None),
        ("1.2.3", None),
        ("", None),
        ("[" * 5000, None),
        ("a[.]" * 3000, None),
    ],
)
def test_what_a_text_is(text: str, found: Observable | None) -> None:
    assert what_is(text) == found


LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
DOMAINS = st.tuples(LABELS, st.sampled_from(("example", "com", "co.uk"))).map(".".join)
LIVE = st.one_of(
    st.ip_addresses(v=4).map(str),
    DOMAINS,
    DOMAINS.map("anna@{}".format),
    st.tuples(st.sampled_from(("http", "https")), DOMAINS, st.sampled_from(("", "/", "/a.php?b=c.d&e=f@g"))).map(
        lambda drawn: f"{drawn[0]}://{drawn[1]}{drawn[2]}"
    ),
)


@given(LIVE)
def test_what_was_defanged_comes_back(text: str) -> None:
    harmless = defang(text)
    assert refang(harmless) == text
    assert refang(text) == text
    assert what_is(harmless) == what_is(text)
    assert "http://" not in harmless
    assert "https://" not in harmless


@given(st.text(max_size=40))
def test_any_text_is_something_or_nothing_and_stays_what_it_is(text: str) -> None:
    found = what_is(text)
    if found is not None:
        assert normal(found.type, found.value) == found
