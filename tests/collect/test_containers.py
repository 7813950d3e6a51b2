"""Logs of containers: what stands in the wrapper is read as if it stood alone."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.collect import containers, plan, read_units
from tocsin.model.custody import Custody

ACCESS = '203.0.113.50 - - [28/Nov/2026:10:00:16 +0100] "GET /x.js?cmd=whoami HTTP/1.1" 200 612 "-" "curl/8.4"\n'
EVE = '{"timestamp":"2026-11-28T10:00:00.000001+0100","event_type":"dns","src_ip":"10.0.0.1","flow_id":1}\n'


def docker(text: str, stream: str = "stdout") -> str:
    return json.dumps({"log": text, "stream": stream, "time": "2026-11-28T09:00:00.1Z"}, ensure_ascii=False) + "\n"


def cri(text: str, mark: str = "F") -> str:
    return f"2026-11-28T10:00:00.123456789+01:00 stdout {mark} {text}\n"


@pytest.mark.parametrize("name", ["plain", "gz"])
@pytest.mark.parametrize(
    ("wrap", "text", "form"),
    [
        (docker, ACCESS, "access_log"),
        (lambda text: cri(text.rstrip("\n")), ACCESS, "access_log"),
        (docker, EVE, "suricata"),
        (lambda text: cri(text.rstrip("\n")), EVE, "suricata"),
    ],
)
def test_what_is_inside_is_read(tmp_path: Path, wrap, text: str, form: str, name: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / ("c.log.gz" if name == "gz" else "c.log")
    content = (wrap(text) * 50).encode()
    path.write_bytes(gzip.compress(content) if name == "gz" else content)
    accounts: list[Custody] = []
    (events,) = read_units(plan([path]), None, accounts.append)
    (leaf,) = (account for account in accounts if account.format != "archive")
    assert (leaf.format, leaf.read, leaf.size_bytes, dict(leaf.damaged)) == (form, 50, len(content), {})
    assert events.raw[7] == text.rstrip("\n").encode()


def test_cut_lines_are_put_together(tmp_path: Path) -> None:
    path = tmp_path / "c.log"
    path.write_text(docker(ACCESS[:40]) + docker(ACCESS[40:]) + docker(ACCESS), encoding="utf-8")
    (events,) = read_units(plan([path]), None, lambda _: None)
    assert [bytes(raw) for raw in events.raw] == [ACCESS.rstrip("\n").encode()] * 2
    path.write_text(cri(ACCESS[:40], "P") + cri(ACCESS[40:-1]), encoding="utf-8")
    (events,) = read_units(plan([path]), None, lambda _: None)
    assert [bytes(raw) for raw in events.raw] == [ACCESS.rstrip("\n").encode()]


def test_what_is_no_entry_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "c.log"
    path.write_text(docker(ACCESS) * 30 + '{"log": broken\n' + docker(ACCESS), encoding="utf-8")
    accounts: list[Custody] = []
    list(read_units(plan([path]), None, accounts.append))
    assert (accounts[0].read, sum(accounts[0].damaged.values())) == (31, 1)


@given(texts=st.lists(st.text(max_size=30), max_size=30), pieces=st.integers(1, 50))
def test_nothing_is_lost_and_nothing_added(texts: list[str], pieces: int) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(pieces, size) if size is not None and size > 0 else pieces)

    wrapped = "".join(map(docker, texts)).encode("utf-8", "surrogatepass")
    assert containers.Unwrapped(Slow(wrapped)).read() == "".join(texts).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    "head", [b"", b"{}\n", b'{"log":"x"}\n', b'{"log":1,"time":""}\n', b'{"log":"x","time":"y","z":1}\n']
)
def test_other_json_is_not_unwrapped(head: bytes) -> None:
    assert not containers.is_wrapped(head)
