"""Headers of syslog lines: the forms in use, and one reading of them by columns and one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.collect import syslog
from tocsin.collect.block import Block
from tocsin.collect.clock import YEAR_AND_ZONE_ASSUMED, YEAR_ASSUMED, ZONE_ASSUMED, Clock
from tocsin.collect.lines import Lines, Spans, Told
from tocsin.model.event import NO_TIME

CLOCK = Clock(
    zone=timezone(timedelta(hours=2)), latest_us=int(datetime(2024, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000
)
AT = "2024-03-05T10:00:00+00:00"
BOTH = YEAR_AND_ZONE_ASSUMED
FORMS = [
    # line, time in UTC, host, program, process, priority, message, what was assumed
    ("Mar  5 12:00:00 web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", BOTH),
    ("<38>Mar  5 12:00:00 web1 sshd[71]: hello", AT, "web1", "sshd", "71", "38", "hello", BOTH),
    ("Mar 05 12:00:00 web1 sudo:     mere : TTY=pts/0", AT, "web1", "sudo", None, None, "mere : TTY=pts/0", BOTH),
    ("Mar  5 12:00:00 web1 kernel: [ 1.5] IN=eth0", AT, "web1", "kernel", None, None, "[ 1.5] IN=eth0", BOTH),
    ("Mar  5 12:00:00 web1 kernel:[ 1.5] IN=eth0", AT, "web1", "kernel", None, None, "[ 1.5] IN=eth0", BOTH),
    ("Mar  5 12:00:00 web1 su(pam_unix)[9]: x", AT, "web1", "su(pam_unix)", "9", None, "x", BOTH),
    ("Mar  5 12:00:00 web1 gdm-password][9]: x", AT, "web1", "gdm-password", "9", None, "x", BOTH),
    ("Mar  5 12:00:00 mac1 com.apple.xpc[1] (x[2]): z", AT, "mac1", "com.apple.xpc", "1", None, "z", BOTH),
    ("2024-03-05T10:00:00.1Z In(166) Hostd[2100]: x", AT, None, "Hostd", "2100", "166", "x", ""),
    ("Mar  5 12:00:00 web1 Remote Agent[9]: x", AT, "web1", "Remote Agent", "9", None, "x", BOTH),
    ("Mar  5 12:00:00 web1 last message repeated", AT, "web1", None, None, None, "last message repeated", BOTH),
    ("Mar  5 12:00:00 web1 12:00:00 is no tag", AT, "web1", None, None, None, "12:00:00 is no tag", BOTH),
    ("Mar  5 12:00:00 sshd[71]: hello", AT, None, "sshd", "71", None, "hello", BOTH),
    ("Mar  5 12:00:00 web1 auth.info sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", BOTH),
    ("Tue Mar  5 12:00:00 2024 auth.info sshd[71]: hello", AT, None, "sshd", "71", None, "hello", ZONE_ASSUMED),
    ("<166>Mar 05 2024 12:00:00 fw1 : %ASA-6-1: Built", AT, "fw1", "%ASA-6-1", None, "166", "Built", ZONE_ASSUMED),
    ("<166>Mar 05 2024 12:00:00: %ASA-6-1: Built", AT, None, "%ASA-6-1", None, "166", "Built", ZONE_ASSUMED),
    ("<189>*Mar  5 10:00:00.123 UTC: %SYS-5-CONFIG_I: x", AT, None, "%SYS-5-CONFIG_I", None, "189", "x", YEAR_ASSUMED),
    ("<189>2024 Mar  5 12:00:00.1 EET: %VSHD-5-X: x", AT, None, "%VSHD-5-X", None, "189", "x", ZONE_ASSUMED),
    ("2024-03-05T10:00:00.123456+00:00 web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", ""),
    ("2024-03-05T10:00:00Z web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", ""),
    ("2024-03-05T11:00:00+0100 web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", ""),
    ("2024-03-05 12:00:00,5 web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", ZONE_ASSUMED),
    ("<34>1 2024-03-05T10:00:00.003Z web1 su - ID47 - hello", AT, "web1", "su", None, "34", "hello", ""),
    ("<34>1 2024-03-05T10:00:00Z web1 su 7 - - \ufeffhello", AT, "web1", "su", "7", "34", "hello", ""),
    ('99 <34>1 2024-03-05T10:00:00Z - su 7 - [a@1 b="c]\\"" d="e"][x] hello', AT, None, "su", "7", "34", "hello", ""),
    ("<34>1 2024-03-05T10:00:00Z web1 su 7 - -", AT, "web1", "su", "7", "34", "", ""),
    ("<34>1 - web1 su 7 - - hello", None, "web1", "su", "7", "34", "hello", ""),
    ("Mär  5 12:00:00 web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", BOTH),
    ("M\ufffdr  5 12:00:00 web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", BOTH),
    ("mars  5 12:00:00 web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", BOTH),
    ("mrt.  5 12:00:00 web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", BOTH),
    ("2024-03-05T12:00:00 web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", ZONE_ASSUMED),
    ("Mar  5 11:00:00 CET web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", YEAR_ASSUMED),
    ("Mar  5 12:00:00 EST web1 sshd[71]: hello", AT, "web1", "sshd", "71", None, "hello", BOTH),
    ("Mar  5 12:00:00 CET sshd[71]: hello", AT, "CET", "sshd", "71", None, "hello", BOTH),
    ("Feb 30 12:00:00 web1 su: hello", None, "web1", "su", None, None, "hello", ""),
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=[line for line, *_ in FORMS])
def test_the_forms_in_use(form: tuple[Any, ...]) -> None:
    line, at, *wanted = form
    head = syslog.header(line, CLOCK)
    assert head is not None
    told = head.host, head.program, head.pid, head.priority, line[head.message :], head.mended
    assert list(told) == wanted
    assert (head.ts if at is None else head.ts // 1_000_000) == (
        NO_TIME if at is None else int(datetime.fromisoformat(at).timestamp())
    )
    assert by_columns([line]) in ([None], [by_itself(line)])


def test_structured_data_and_levels_are_fields() -> None:
    head = syslog.header('<34>1 2024-03-05T10:00:00Z - su 7 M [a@1 b="c]\\"" d="e" d="f"][x] hello', CLOCK)
    assert head is not None
    assert head.fields() == {
        "program": "su", "pid": "7", "priority": "34", "facility": "auth", "severity": "crit",
        "version": "1", "msgid": "M", "a@1.b": 'c]"', "a@1.d": ("e", "f"), "x": "",
    }  # fmt: skip
    head = syslog.header("Mar  5 12:00:00 web1 cron.warn crond[7]: x", CLOCK)
    assert head is not None
    assert (head.facility, head.severity) == ("cron", "warn")


@pytest.mark.parametrize(
    "line", ["", "hello", "12:00:00 x", "<34>", "<34>hello", "2024-03-05", "Mar 55", "<34>1 now a b c d - x"]
)
def test_what_has_no_time_has_no_header(line: str) -> None:
    assert syslog.header(line, CLOCK) is None


def by_itself(line: str) -> tuple[int, dict[str, object], str, str] | None:
    head = syslog.header(line, CLOCK)
    return head and (head.ts, head.fields(), line[head.message :], head.mended)


def by_columns(lines: list[str]) -> list[tuple[int, dict[str, object], str, str] | None]:
    """What the columns tell of each line; None where they leave it to the other way."""
    block = Lines(Block(data="\n".join(lines).encode(), offset=1))
    heads = syslog.headers(block, CLOCK)
    found: list[tuple[int, dict[str, object], str, str] | None] = []
    for row in range(len(block)):
        if not heads.usual[row]:
            found.append(None)
            continue
        only = np.arange(len(block)) == row
        fields: dict[str, object] = {}
        for name, place in heads.fields(only).items():
            spans = place.spans if isinstance(place, Told) else place
            assert isinstance(spans, Spans)
            if spans.starts[0] >= 0:
                text = block.data[spans.starts[0] : spans.stops[0]].decode()
                value = place.tell(text) if isinstance(place, Told) else text
                if value is not None:
                    fields[name] = value
        message = block.data[heads.message[row] : block.stops[row]].decode()
        found.append((int(heads.ts[row]), fields, message, "".join(heads.mended(only))))
    return found


WORD = st.text("ab1:[]<>-% \tā.Z", max_size=6)
BSD = ["Mar  5 12:00:00", "Mar 05 2024 12:00:00", "Feb 29 23:59:60", "Mar  5 12:00:00.123", "-", "now"]
ISO = ["2024-03-05T10:00:00.123456+00:00", "2024-03-05T10:00:00Z", "2024-03-05T10:00:00-0500", "2024-02-30T10:00:00Z"]
TIME = st.sampled_from(BSD + ISO)
HOST = st.one_of(
    st.sampled_from(["web1", "In(166)", "UTC", "2024", "auth.info", "fe80::1", "a:", "EST:", "-", "fw :"]), WORD
)
TAG = st.one_of(
    st.sampled_from(
        ["sshd[7]:", "kernel:", "a[]:", "a[b:", "%ASA-6-1:", "sudo:  ", "gdm][1]:", "a b[1]:", "su 7 M -", "su - - -"]
    ),
    WORD,
)
LINE = st.builds(
    "{}{}{}{}{} {}".format,
    st.sampled_from(["", "<34>", "<34>1 ", "<999>", "<>", "9 <34>1 ", "*"]),
    TIME, st.sampled_from([" ", ": ", "  ", ""]),
    HOST, st.sampled_from(["", " "]).flatmap(lambda gap: TAG.map(lambda tag: gap + tag)),
    st.sampled_from(["hello", "", "         x", "- hello", "- \ufeffx", '[a b="c"] x']),
)  # fmt: skip


@given(st.lists(LINE, min_size=1, max_size=6))
def test_headers_are_read_alike_by_columns_and_one_by_one(lines: list[str]) -> None:
    whole = [line for line in lines if line]
    for line, told in zip(whole, by_columns(whole), strict=True):
        assert told in (None, by_itself(line)), line


def test_usual_lines_are_left_to_the_columns() -> None:
    usual = [
        "Mar  5 12:00:00 web1 sshd[71]: hello",
        "<38>Mar  5 12:00:00 web1 sshd[71]: hello",
        "2024-03-05T10:00:00.123456+00:00 web1 sshd[71]: hello",
        "2024-03-05T10:00:00Z web1 sshd[71]: hello",
        "2024-03-05T11:00:00+0100 web1 sshd[71]: hello",
    ]
    assert set(usual) <= {line for line, *_ in FORMS}
    assert None not in by_columns(usual)
