"""Patterns that only compare values are known without a parser, and nothing else is taken for one."""

from __future__ import annotations

import pytest

from tocsin.detect.plain_patterns import plain
from tocsin.detect.terms import Unusable
from tocsin.model.indicator import Indicator


def observables(pattern: str) -> list[str]:
    return [f"{one.type} {one.value}" for one in plain(Indicator(id="1", title="t", pattern=pattern)).observables]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[ipv4-addr:value = '192.0.2.1']", ["address 192.0.2.1"]),
        ("[ipv4-addr:value='192.0.2.0/24']", ["network 192.0.2.0/24"]),
        (" [ domain-name:value = 'Evil.Example' ] ", ["domain evil.example"]),
        ("[file:hashes.'SHA-256' = '" + "A" * 64 + "']", ["sha256 " + "a" * 64]),
        (
            "[file:hashes.MD5 = '" + "a" * 32 + "' OR file:hashes.'SHA-1' = '" + "b" * 40 + "']",
            ["md5 " + "a" * 32, "sha1 " + "b" * 40],
        ),
        ("[url:value = 'http://evil.example/\\'x']", ["url http://evil.example/'x"]),
        ("[url:value = 'hxxp://evil[.]example/x']", ["url http://evil.example/x"]),
        ("[url:value = 'evil.example/x']", ["url http://evil.example/x"]),
        ("[ipv4-addr:value = '192.0.2.1' AND ipv4-addr:value = '192.0.2.2']", []),
        ("[ipv4-addr:value = '192.0.2.1'] OR [ipv4-addr:value = '192.0.2.2']", []),
        ("[ipv4-addr:value != '192.0.2.1']", []),
        ("[ipv4-addr:value = '192.0.2.1' OR file:size = 5]", []),
        ("[process:command_line = 'x']", []),
        ("[file:name = 'x'", []),
        ("", []),
    ],
)
def test_what_is_plain(pattern: str, found: list[str]) -> None:
    assert observables(pattern) == found


@pytest.mark.parametrize("pattern", ["[ipv4-addr:value = 'x']", "[url:value = 'a b']", "[file:hashes.MD5 = 'x']"])
def test_a_value_that_is_none_is_said(pattern: str) -> None:
    with pytest.raises(Unusable, match="is nothing that"):
        observables(pattern)
