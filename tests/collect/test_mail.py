"""Mail logs: both ways to read a line of CSV agree, the names that they share, the forms that senders choose."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect import read_bytes
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import READERS, exchange_tracking, m365_trace, postfix
from tocsin.collect.lines import LineDecoder
from tocsin.collect.mail_texts import decoded
from tocsin.collect.records import Tally
from tocsin.model.event import NO_TIME, Source

WORD = st.text('ab<>@;"#: \\ā\x1d\x85', max_size=6)
CELL = st.one_of(
    st.sampled_from(["", "-", "a@b;c@d", "<x@y>", '"a, b"', '"say ""hi"""', "a@b##Send;c@d##Fail, x", "192.0.2.1:25"]),
    WORD,
    WORD.map('"{}"'.format),
)
TIME = "2026-08-01T00:00:01.123Z"
EXCHANGE = "date-time,client-ip,event-id,message-id,recipient-address,message-subject,remote-endpoint".split(",")
TRACE = "date_time_utc,sender_address,recipient_status,message_subject,MessageId,size".split(",")


def rows(reader: Any, text: bytes, decoder: Any) -> tuple[list[Any], Tally]:
    table, tally = TableBuilder(reader.KIND), Tally()
    table.begin(Source(path="x"), reader.fields, Clock())
    for block in reader.cut(io.BytesIO(text), 0, None, 1 << 20):
        decoder.read(block, table, tally)
    decoder.flush(table)
    events = table.finish()
    found = [(int(events.ts[row]), int(events.rec[row]), row_of(events, row)) for row in range(len(events))]
    for row, (_, _, told) in enumerate(found):
        assert dict(events.all_fields(row)) == told
    return found, tally


@given(st.sampled_from([exchange_tracking, m365_trace]), st.data())
def test_lines_are_read_alike_by_columns_and_one_by_one(reader: Any, data: Any) -> None:
    columns = EXCHANGE if reader is exchange_tracking else TRACE
    opening = "#Software: Microsoft Exchange Server\n#Fields: " if reader is exchange_tracking else ""
    times = st.sampled_from([TIME] * 4 + ["", "2026-08-01T00:00:01Z", f'"{TIME}"'])
    lines = [",".join([data.draw(times), *(data.draw(CELL) for _ in columns[1:])]) for _ in range(4)]
    text = f"{opening}{','.join(columns)}\n{chr(10).join(lines * 8)}".encode()
    parse = exchange_tracking._LOG.parse if reader is exchange_tracking else m365_trace._CSV.parse
    fast, tally = rows(reader, text, reader.decoder(None))
    slow, told = rows(reader, text, LineDecoder(parse, None))
    assert fast == slow
    assert (tally.damaged, tally.mended) == (told.damaged, told.mended)


PAIR = st.one_of(
    st.sampled_from(
        "to=<b@c> orig_to=<> relay=mx.c[192.0.2.1]:25 relay=none delay=1 dsn=2.0.0 status=sent size=5 nrcpt=1 from=<> "
        "from=<a@b> message-id=<x@y> client=h[2001:db8::1] client=unknown[unknown] "
        "client=h[::1]\x1d sasl_method=PLAIN uid=0 other=1 to= "
        "to=<a proto=SMTP message-id=x".split(" ")
    ),
    st.builds("{}={}".format, st.sampled_from(["to", "from", "sasl_username", "Status", ""]), WORD),
)
PEER = st.sampled_from(
    ["h.example[192.0.2.7]", "unknown[unknown]", "[::1]:99", "h[1]", "a[b]c", "h[1.2.3.4]:25", "\x1dh[::1]", "x", ""]
)
SAID = st.one_of(
    st.builds(
        "{}: {}{}".format,
        st.sampled_from(["ABCDE", "3F2A1B0C9D", "4Q1z2x3c4vBnMk", "NOQUEUE", "abcde", "warning", "ABCD"]),
        st.lists(PAIR, max_size=5).flatmap(
            lambda pairs: st.sampled_from([", ", ", ", " ", ",", "; "]).map(lambda s: s.join(pairs))
        ),
        st.sampled_from(
            ["", " (queue active)", " (250 Ok: queued as 5D6E7F)", " (a) b", "(x)", " (to=<x>, y)", " ", ","]
        ),
    ),
    st.builds("ABCDE: {}".format, st.sampled_from(["removed", "removed ", "hello", ""])),
    st.builds(
        "{} from {}{}".format,
        st.sampled_from(["connect", "disconnect", "lost connection after AUTH"]),
        PEER,
        st.sampled_from(["", " ehlo=1 quit=1", " ", ":", " x:", ", y"]),
    ),
    WORD,
)
LINE = st.builds(
    "{} {}: {}".format,
    st.sampled_from(["Aug  1 09:00:00 mx1", "<22>2026-08-01T09:00:00Z mx1", "Aug 1 09:00:00 mx1"]),
    st.sampled_from(["postfix/smtpd[1]", "postfix/smtp[1]", "postfix-in/submission/smtpd[22]", "postfix", "sshd[1]"]),
    SAID,
)


@given(st.lists(LINE, max_size=6))
def test_lines_of_postfix_are_read_alike_by_columns_and_one_by_one(lines: list[str]) -> None:
    text = "\n".join(lines).encode()
    fast, tally = rows(postfix, text, postfix.decoder(None))
    slow, told = rows(postfix, text, LineDecoder(postfix._parse, None))
    assert fast == slow
    assert (tally.damaged, tally.mended) == (told.damaged, told.mended)


def fields_of(line: str) -> dict[str, Any]:
    """What a line of Postfix's log says beside its header."""
    text = f"Aug  1 09:00:00 mx1 {line}".encode()
    told = dict(
        read_bytes(text if postfix.sniff(text) else b"Aug  1 09:00:00 mx1 postfix/x[1]: y\n" + text).all_fields(-1)
    )
    return {name: text for name, text in told.items() if name not in {"log", "host", "pid", "message", "program"}}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            (
                "postfix/smtp[1]: ABCDE: to=<b@c>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (to "
                "c[192.0.2.1]:25: Connection refused)"
            ),
            {"status": "deferred", "recipient": "b@c", "relay": "none", "dsn": "4.4.1"},
        ),
        (
            (
                "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 550 5.1.1 <x@y>: Recipient address "
                "rejected: to=<spoof@z>; from=<a@b> to=<x@y> proto=ESMTP helo=<h>"
            ),
            {"recipient": "x@y", "sender": "a@b", "code": "550", "client_ip": "203.0.113.9", "action": "reject"},
        ),
        (
            (
                "postfix/cleanup[1]: ABCDE: reject: header Subject: a from b[192.0.2.9]; from=<> from c[203.0.113.9]; "
                "from=<a@b> to=<x@y> proto=ESMTP helo=<h>: 5.7.1 no"
            ),
            {
                "subject": "a from b[192.0.2.9]; from=<>",
                "client_ip": "203.0.113.9",
                "sender": "a@b",
                "action": "reject",
            },
        ),
        (
            "postfix/smtps/smtpd[1]: ABCDE: client=h[IPv6:2001:db8::1], sasl_method=LOGIN, sasl_username=a b@c",
            {"client_ip": "2001:db8::1", "component": "smtpd", "sasl_method": "LOGIN"},
        ),
        ("postfix/qmgr[1]: ABCDE: from=<>, size=1, nrcpt=1 (queue active)", {"from": "", "size": "1"}),
        ("postfix/submission/smtpd[1]: warning: hostname x does not resolve to address 192.0.2.1", {}),
    ],
)
def test_postfix(line: str, wanted: dict[str, str]) -> None:
    told = fields_of(line)
    assert {name: told.get(name) for name in wanted} == wanted


def test_a_sender_of_nobody_is_none() -> None:
    assert "sender" not in fields_of("postfix/qmgr[1]: ABCDE: from=<>, size=1, nrcpt=1 (queue active)")


def test_a_log_that_postfix_is_a_guest_in_is_not_its_own() -> None:
    guest = b"Aug  1 09:00:00 mx1 postfix/qmgr[1]: ABCDE: removed\n" + b"Aug  1 09:00:00 mx1 sshd[1]: hello\n" * 3
    assert not postfix.sniff(guest)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("=?utf-8?q?=E2=82=AC_5?=", "€ 5"),
        ("=?UTF-8?B?SW52?= =?UTF-8?B?b2ljZQ==?= 7", "Invoice 7"),
        ("=?iso-8859-1*en?Q?caf=E9?=", "café"),
        ("=?nothing?B?SW52?=", "=?nothing?B?SW52?="),
        ("=?utf-8?B?!?=", ""),
        ("plain", "plain"),
    ],
)
def test_encoded_words_of_a_subject(text: str, wanted: str) -> None:
    assert decoded(text) == wanted


@given(st.text(max_size=60))
def test_no_subject_stops_the_reader(text: str) -> None:
    decoded(f"=?{text}?=")


@pytest.mark.parametrize(
    ("text", "wanted", "is_sure"),
    [
        ("8/1/2026 9:00:00 PM", 1_785_618_000_000_000, False),
        ("01/08/2026 21:00:00", 1_785_618_000_000_000, False),
        ("31/07/2026 21:00", 1_785_531_600_000_000, True),
        ("01.08.2026 21:00:00", 1_785_618_000_000_000, False),
        ("2026/08/01 21:00:00", 1_785_618_000_000_000, True),
        ("99/99/2026 21:00:00", NO_TIME, True),
    ],
)
def test_times_of_powershell(text: str, wanted: int, is_sure: bool) -> None:
    ts, mended = m365_trace._told(text)
    assert (ts, not mended) == (wanted, is_sure)


def test_semicolons_and_tabs_separate_as_well() -> None:
    for separator in ";\t":
        head = separator.join(["date_time_utc", "sender_address", "recipient_address", "message_subject"])
        line = separator.join(["2026-08-01T00:00:01Z", "a@b", "c@d", '"x, y"'])
        events = read_bytes(f"{head}\r\n{line}\r\n".encode())
        assert events.sources[0].format == "m365_trace"
        assert dict(events.all_fields(0))["subject"] == "x, y"


@pytest.mark.parametrize(
    "head",
    [
        b"#Software: Microsoft Exchange Server\n#Log-type: Monitoring\n#Fields: date-time,server\n",
        b"sender,subject\na,b\n",
        b'{"sender": 1}\n',
        b"Date,Sender,Subject\n",
    ],
)
def test_other_logs_are_left_to_others(head: bytes) -> None:
    assert not any(reader.sniff(head) for reader in READERS if reader.KIND == "mail")
