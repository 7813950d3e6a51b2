"""Records of the audit system: values are decoded, records of one event stay together, no bytes stop the reader."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect import audit, read_bytes
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import auditd
from tocsin.collect.records import Tally
from tocsin.model.event import Source

TEXT = st.text(st.characters(exclude_characters='"\0', exclude_categories=["Cs"]), max_size=12)


def record(serial: int, kind: str, body: str) -> str:
    return f"type={kind} msg=audit(1772272800.123:{serial}): {body}\n"


def event(serial: int) -> str:
    return (
        record(
            serial, "SYSCALL", f'arch=c000003e syscall=59 success=yes ppid=1 pid={serial} uid=0 exe="/bin/p{serial}"'
        )
        + record(serial, "EXECVE", f'argc=2 a0="p{serial}" a1="-x"')
        + record(serial, "CWD", 'cwd="/tmp"')
    )


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_arguments_that_were_written_as_hexadecimal_are_decoded(words: list[str]) -> None:
    def written(word: str) -> str:
        plain = word.isascii() and word.isprintable() and " " not in word
        return f'"{word}"' if plain else word.encode().hex().upper() or '""'

    body = " ".join(f"a{number}={written(word)}" for number, word in enumerate(words))
    found = audit.record(record(7, "EXECVE", f"argc={len(words)} {body}").rstrip("\n"))
    assert found is not None
    assert [found[1][f"a{number}"] for number in range(len(words))] == words
    assert found[1]["CommandLine"] == " ".join(words)


PAIR = st.builds(
    "{}{}{}".format,
    st.sampled_from(["a0", "a1", "exe", "key", "name", "msg", "type", "a1[0]", "9", "", "é", "x.y-z"]),
    st.sampled_from(["=", "=", "=", ""]),
    st.sampled_from(
        [
            "1",
            "-1",
            "(null)",
            "(none)",
            '"a"',
            '"a b"',
            '"',
            '""',
            'a"',
            "'op=x y=\"z\"'",
            "6964",
            "CAFE,",
            "a)",
            "?",
            "é",
            "",
        ]
    ),
)


@given(
    st.lists(PAIR, max_size=8), st.sampled_from(["SYSCALL", "EXECVE"]), st.sampled_from([" ", "  ", "\x1d", " \x1d"])
)
def test_simple_records_are_read_like_any(pairs: list[str], kind: str, between: str) -> None:
    body = between.join(pairs)
    quick: audit.Fields = {"type": kind}
    if audit._add_plain(quick, body, kind):
        words: list[str] = []
        slow: audit.Fields = {"type": kind}
        audit._add(slow, audit._pairs(body, kind, words))
        assert (quick, "".join(words)) == (slow, "")


def test_arguments_of_a_system_call_are_numbers() -> None:
    found = audit.record(record(7, "SYSCALL", "arch=c000003e syscall=41 a0=26 a1=80005 a2=CAFE comm=6964").strip())
    assert found is not None
    assert [found[1][key] for key in ("SYSCALL", "a0", "a2", "comm")] == ["socket", "26", "CAFE", "id"]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=12, unique=True), st.integers(50, 2_000))
def test_the_records_of_an_event_stay_in_one_block(serials: list[int], block_bytes: int) -> None:
    text = "".join(event(serial) for serial in serials).encode()
    table, decoder = TableBuilder(auditd.KIND), auditd.decoder(None)
    table.begin(Source(path="x"), auditd.fields, table.clock)
    whole = b""
    for block in auditd.cut(io.BytesIO(text), 0, None, block_bytes):  # type: ignore[arg-type]
        assert block.offset == len(whole)
        whole += block.data
        decoder.read(block, table, Tally())
    assert whole == text
    events = table.finish()
    started = [row for row in range(len(events)) if events.columns["type"].text(row) == "EXECVE"]
    fields: list[dict[str, Any]] = [row_of(events, row) for row in started]
    assert [one["Image"] for one in fields] == [f"/bin/p{serial}" for serial in serials]
    assert [events.all_fields(row) for row in started] == fields
    assert {one["CurrentDirectory"] for one in fields} == {"/tmp"}


def test_a_program_that_could_not_be_started_was_not() -> None:
    failed = event(7).replace("success=yes", "success=no").encode()
    events = read_bytes(failed)
    assert "Image" not in events.columns


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(noise: bytes) -> None:
    events = read_bytes(event(7).encode() * 3 + noise + b"\n" + event(8).encode() * 3)
    assert len(events) >= 18


@given(st.text("type=AUOMS_EXECVE msg=audit(1.2:3): a\"'[]\x1d=,cmdline=", max_size=80))
def test_no_text_stops_a_record(text: str) -> None:
    audit.record("type=AUOMS_X audit(1.2:3): " + text)
    audit.record("type=EXECVE msg=audit(1.2:3): " + text)


@pytest.mark.parametrize("text", ['a="' * 200_000, "a=" + "f" * 400_000, "a0='" + "x=' " * 100_000, "[" * 400_000])
def test_long_lines_cost_no_more_than_their_length(text: str) -> None:
    for kind in ("EXECVE", "AUOMS_EXECVE"):
        assert audit.record(record(7, kind, text)) is not None


@pytest.mark.parametrize("head", [b"", b"type=x\n", b"Feb 28 10:00:00 host sshd[7]: hello\n", b'{"type": "SYSCALL"}\n'])
def test_other_logs_are_left_to_others(head: bytes) -> None:
    assert not auditd.sniff(head)
