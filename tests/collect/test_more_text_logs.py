"""Formats that are read line by line: no line stops them, and what an intruder chose stands where it belongs."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collect.both_ways import rows
from tocsin.collect.formats import access_json, coredns, exim, guardduty, mikrotik, powerdns

LINED = [coredns, exim, mikrotik, powerdns]
READERS = [*LINED, access_json, guardduty]


def only(reader: ModuleType, line: str) -> dict[str, Any]:
    (found,), tally = rows(reader, line.encode(), reader.decoder(None))
    assert not tally.damaged
    fields: dict[str, Any] = found[2]
    return fields


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.NAME)
@given(noise=st.binary(max_size=300))
def test_no_bytes_stop_the_reader(reader: ModuleType, noise: bytes) -> None:
    rows(reader, noise, reader.decoder(None))


@pytest.mark.parametrize("reader", LINED, ids=lambda reader: reader.NAME)
@pytest.mark.parametrize(
    "filling", ["a ", "a=b ", "H=(", "<", '"', "a:b ", "1.1.1.1->", "' ", 'T="', " for ", "|", "]["]
)
def test_a_long_line_takes_no_longer_than_it_must(reader: ModuleType, filling: str) -> None:
    before = {
        "coredns": '[INFO] 192.0.2.1:1 - 1 "A IN ',
        "exim": "2026-11-28 10:38:00 1tGxyz-000123-AB <= ",
        "mikrotik": "Nov 28 10:31:00 edge firewall,info ",
        "powerdns": "Nov 28 10:36:00 ns1 pdns_recursor[912]: question for '",
    }[reader.NAME]
    line = before + filling * (200_000 // len(filling))
    began = time.process_time()
    rows(reader, line.encode(), reader.decoder(None))
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "subject",
    [
        "x",
        "a for eve@example.net",
        "P=local H=x [192.0.2.1]",
        'q\\" from <eve@example.net> for eve@example.net',
        "é <= ** =>",
    ],
)
def test_a_subject_says_nothing_of_its_message(subject: str) -> None:
    fields = only(
        exim,
        "2026-11-28 10:38:00 1tGxyz-000123-AB <= kim@example.net H=mail.example.net [203.0.113.9]:1 P=esmtps S=4 "
        f'T="{subject}" from <kim@example.net> for office@example.org',
    )
    assert (fields["sender"], fields["recipient"]) == ("kim@example.net", "office@example.org")
    assert (fields["client_ip"], fields["protocol"]) == ("203.0.113.9", "esmtps")
    assert fields["subject"] == subject.replace('\\"', '"')


def test_what_a_user_is_called_says_nothing_of_a_login() -> None:
    fields = only(
        mikrotik,
        "Nov 28 10:31:04 edge system,error,critical login failure for user a from 192.0.2.1 via ssh from 203.0.113.9 "
        "via ssh",
    )
    assert fields["src_ip"] == "203.0.113.9"
    assert fields["username"] == "a from 192.0.2.1 via ssh"


@settings(max_examples=20)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"remote_addr": st.sampled_from(["192.0.2.1", "-", ""]), "status": st.sampled_from(["200", 404, None])},
            optional={
                "request": st.sampled_from(["GET /a?b HTTP/1.1", "\x16\x03", "", "/a", {"uri": "/x?y", "headers": {}}]),
                "request_uri": st.sampled_from(["/c?d=e", "http://h/p?q", "*"]),
                "args": st.sampled_from(["", "d=e"]),
                "time_local": st.sampled_from(["28/Nov/2026:11:23:00 +0100", "x"]),
                "msec": st.sampled_from(["1795855500.125", 1795855500.125]),
                "c-ip": st.just("own"),
                "log": st.just("own"),
            },
        ),
        min_size=1,
        max_size=5,
    ),
    st.sets(
        st.sampled_from(["c-ip", "cs-uri", "cs-uri-stem", "cs-uri-query", "cs-method", "log", "sc-status", "status"])
    ),
)
def test_what_is_asked_of_many_records_is_what_each_has(records: list[dict[str, Any]], asked: set[str]) -> None:
    """So many that they are read as far as somebody asks."""
    text = b"\n".join(orjson.dumps(record) for record in records * (140_000 // (40 * len(records)))) + b"\n"
    whole, _ = rows(access_json, text, access_json.decoder(None))
    some, _ = rows(access_json, text, access_json.decoder(frozenset(asked)))
    assert [(ts, at, {name: value for name, value in one.items() if name in asked}) for ts, at, one in whole] == some
