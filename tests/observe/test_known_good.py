"""The index of known-good lists agrees with a look at every entry, on drawn lists and on the real ones."""

from __future__ import annotations

import ipaddress
import json
import random
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.indicator import Observable
from tocsin.observe import known_good
from tocsin.observe.known_good import KnownGood, compiled
from tocsin.observe.urls import host_of
from tocsin.observe.what import what_is

TYPES = {"ip-dst": "address", "domain": "domain", "hostname": "domain", "url": "url", "md5": "md5", "sha1": "sha1"}
TYPES |= {"sha256": "sha256", "sha512": "sha512", "email-src": "mail", "email-dst": "mail", "ip-src": "address"}
TYPES |= {"filename": "file", "uri": "url", "target-email": "mail", "whois-registrant-email": "mail", "email": "mail"}
TYPES |= {"imphash": "imphash", "ssdeep": "ssdeep"}


def slow(content: dict[str, Any], one: Observable) -> str | None:
    """How an observable stands on a list, found by looking at each entry."""
    named = {part for each in content.get("matching_attributes") or [] for part in each.split("|")}
    types = {TYPES[each] for each in named if each in TYPES} if named else set(TYPES.values())
    kind = "address" if one.type == "network" else one.type
    if kind not in types:
        return None
    found = {_by_entry(content.get("type", "string"), str(entry), one.type, one.value) for entry in content["list"]}
    if "itself" in found:
        return "itself"
    if one.type == "url" and content.get("type") != "substring":
        host = host_of(one.value) or ""
        of_host = "address" if _is_address(host) else "domain"
        if {_by_entry(content.get("type", "string"), str(each), of_host, host) for each in content["list"]} - {None}:
            return "within"
    return "within" if "within" in found else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _by_entry(how: str, entry: str, kind: str, value: str) -> str | None:
    entry = entry.strip()
    if not entry:
        return None
    if how == "cidr":
        try:
            net = ipaddress.ip_network(entry, strict=False)
            asked = ipaddress.ip_network(value, strict=False)
        except ValueError:
            return None
        if isinstance(net, ipaddress.IPv6Network) and net.network_address.ipv4_mapped and net.prefixlen >= 96:
            net = ipaddress.ip_network((net.network_address.ipv4_mapped, net.prefixlen - 96), strict=False)
        return "itself" if net.version == asked.version and asked.subnet_of(net) else None  # type: ignore[arg-type]
    if how == "substring":
        return "itself" if entry.lower() in value else None
    if how == "regex":
        whole = re.fullmatch(r"/(.*)/([a-z]*)", entry, re.DOTALL)
        body, flags = (whole[1], whole[2]) if whole else (entry, "")
        return "itself" if re.search(body, value, re.IGNORECASE if "i" in flags else 0) else None
    plain = entry.lower().lstrip(".")
    if value == plain:
        return "itself"
    below = how == "hostname" or entry.startswith(".")
    return "within" if below and kind == "domain" and value.endswith("." + plain) else None


# Few labels and few networks, so that lists and questions meet.
NAMES = st.lists(st.sampled_from(("a", "b", "evil", "com", "org")), min_size=1, max_size=4).map(".".join)
PLACES = st.tuples(st.integers(0, 255), st.integers(0, 32)).map(lambda one: f"10.0.{one[0]}.0/{one[1]}")
ADDRESSES = st.one_of(st.integers(0, 255).map("10.0.{}.7".format), st.just("2001:db8::1"))
ENTRIES = {
    "string": st.one_of(NAMES, NAMES.map(".{}".format), NAMES.map(str.upper), st.just("f" * 32)),
    "hostname": st.one_of(NAMES, NAMES.map(".{}".format)),
    "cidr": st.one_of(PLACES, ADDRESSES, st.sampled_from(("2001:db8::/32", "::ffff:10.0.1.0/120", "junk"))),
    "substring": st.sampled_from(("evil", "a.b", "x")),
    "regex": st.sampled_from(("/^evil/", "/COM$/i", "a+")),
}
LISTS = st.sampled_from(sorted(ENTRIES)).flatmap(
    lambda how: st.fixed_dictionaries(
        {
            "type": st.just(how),
            "list": st.lists(ENTRIES[how], max_size=6),
            "matching_attributes": st.sampled_from(
                ([], ["domain"], ["domain|ip", "ip-src"], ["url"], ["hostname", "url", "md5"], ["ip-dst|port"])
            ),
        }
    )
)
ASKED = st.one_of(
    NAMES.filter(lambda text: "." in text).map(lambda text: Observable("domain", text)),
    ADDRESSES.map(lambda text: Observable("address", text)),
    PLACES.map(lambda text: Observable("network", str(ipaddress.ip_network(text, strict=False)))),
    NAMES.filter(lambda text: "." in text).map(lambda text: Observable("url", f"http://{text}/x")),
    ADDRESSES.filter(lambda text: ":" not in text).map(lambda text: Observable("url", f"http://{text}/")),
    st.just(Observable("md5", "f" * 32)),
)


@given(st.lists(LISTS, min_size=1, max_size=4), st.lists(ASKED, min_size=1, max_size=5))
def test_the_index_agrees_with_a_look_at_every_entry(lists: list[dict[str, Any]], asked: list[Observable]) -> None:
    index = KnownGood([compiled(content, str(number)) for number, content in enumerate(lists)])
    candidates = index.candidates(asked)
    for one in asked:
        slowly = [(str(number), how) for number, content in enumerate(lists) if (how := slow(content, one))]
        assert [(each.list, each.how) for each in index.find(one)] == slowly
        assert not slowly or one in candidates


@pytest.fixture(scope="module")
def real() -> Path:
    folder = known_good.installed()
    assert folder is not None, "the test extra brings pymispwarninglists"
    return folder


@pytest.fixture(scope="module")
def index(real: Path) -> KnownGood:
    return known_good.load(real)


def test_the_real_lists_agree(real: Path, index: KnownGood) -> None:
    """Every list is asked for some of its own entries, their neighbours, and things that are on none."""
    assert index.problems == ()
    chance = random.Random(3)
    contents = {path.parent.name: json.loads(path.read_bytes()) for path in real.rglob("list.json")}
    small = {name: content for name, content in contents.items() if len(content["list"]) <= 1000}
    drawn = [
        str(entry)
        for content in contents.values()
        for entry in chance.sample(content["list"], min(2, len(content["list"])))
    ]
    asked = [one for text in drawn for each in (text, f"sub.{text.lstrip('.')}", f"x{text}") if (one := what_is(each))]
    asked += [Observable("address", "203.0.113.77"), Observable("domain", "nobody-has-this.example")]
    for one in chance.sample(asked, 60):
        found = {(each.list, each.how) for each in index.find(one) if each.list in small}
        assert found == {(name, how) for name, content in small.items() if (how := slow(content, one))}, one


def test_well_known_things_are_known(index: KnownGood) -> None:
    assert "public-dns-v4" in {each.list for each in index.find(Observable("address", "8.8.8.8"))}
    assert {each.how for each in index.find(Observable("domain", "google.com"))} == {"itself"}
    assert "rfc1918" in {each.list for each in index.find(Observable("network", "10.1.0.0/16"))}
    assert "empty-hashes" in {each.list for each in index.find(Observable("md5", "d41d8cd98f00b204e9800998ecf8427e"))}
    assert index.find(Observable("domain", "nobody-has-this.example")) == ()


def test_a_zip_and_a_damaged_list(tmp_path: Path) -> None:
    good = {"type": "cidr", "list": ["192.0.2.0/24"], "matching_attributes": ["ip-dst"]}
    place = tmp_path / "lists.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("lists/mine/list.json", json.dumps(good))
        archive.writestr("lists/broken/list.json", "{")
        archive.writestr("lists/odd/list.json", json.dumps({"type": "odd", "list": []}))
        archive.writestr("README.md", "no list")
    index = known_good.load(place)
    assert [one.name for one in index.lists] == ["mine"]
    assert sorted(name for name, _ in index.problems) == ["broken", "odd"]
    assert [each.list for each in index.find(Observable("address", "192.0.2.9"))] == ["mine"]
