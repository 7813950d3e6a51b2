"""Error logs of web servers: what a client said is not taken for what the server says."""

from __future__ import annotations

from typing import Any

import pytest

from tocsin.collect import read_bytes
from tocsin.collect.formats import READERS, access_log, web_error
from tocsin.model.event import NO_TIME


def fields_of(line: str) -> dict[str, Any]:
    return dict(read_bytes(line.encode()).all_fields(0))


def test_a_request_cannot_forge_the_client() -> None:
    asked = '"GET /, client: 198.51.100.1, server: x HTTP/1.1"'
    told = fields_of(
        f"2026/08/01 09:00:00 [error] 1#1: *5 invalid request {asked}, client: 192.0.2.1, server: _, request: {asked}"
    )
    assert (told["client"], told["server"]) == ("192.0.2.1", "_")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            "[Sat Aug 01 09:00:00.123456 2026] [ssl:info] [pid 7:tid 8] [client 2001:db8::1:443] AH01964: Connection",
            {"client": "2001:db8::1", "client_port": "443", "module": "ssl", "code": "AH01964", "tid": "8"},
        ),
        (
            "[Sat Aug  1 09:00:00 2026] [error] [client 192.0.2.1] not found: /x",
            {"client": "192.0.2.1", "level": "error"},
        ),
        ("[2026-08-01 09:00:00.123456] [core:error] [pid 7] AH1: x", {"level": "error", "message": "AH1: x"}),
        ("[Sat Aug 01 09:00:00.123456 2026] [:error] [pid 7] x", {"level": "error", "message": "x"}),
        ("2026/08/01 09:00:00 [emerg] 7#0: bind() failed", {"level": "emerg", "pid": "7", "message": "bind() failed"}),
    ],
)
def test_variants(line: str, wanted: dict[str, str]) -> None:
    told = fields_of(line)
    assert {name: told.get(name) for name in wanted} == wanted
    assert read_bytes(line.encode()).ts[0] != NO_TIME


def test_a_time_that_is_none_is_kept() -> None:
    assert fields_of("2026/02/30 09:00:00 [error] 7#0: x")["time"] == "2026/02/30 09:00:00"


def test_both_logs_in_one_go_to_the_one_that_has_more() -> None:
    access = b'192.0.2.1 - - [01/Aug/2026:09:00:00 +0000] "GET / HTTP/1.1" 200 5\n'
    error = b"2026/08/01 09:00:00 [error] 1#1: *5 x\n"
    assert next(one for one in READERS if one.sniff(access * 3 + error)) is access_log
    assert next(one for one in READERS if one.sniff(access + error * 3)) is web_error


@pytest.mark.parametrize(
    "head", [b"", b"[error] x\n", b"2026/08/01 09:00:00 [error] x\n", b"[Sat Aug 01 2026] [error] x\n"]
)
def test_other_logs_are_left_to_others(head: bytes) -> None:
    assert not web_error.sniff(head)
