"""What is written as CEF is read back; the forms of its time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.both_ways import assert_alike
from tocsin.collect.formats import cef

HEAD = ("deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity")
TEXT = st.text("aé |=\\\"'\n\r:,", max_size=8).map(lambda text: text.strip(" "))
KEYS = st.sampled_from(["src", "dst", "cs1", "cs1Label", "msg", "request", "flexString1", "ad.key", "a_b"])
HEADS = ["", "<134>", "Mar  5 10:00:00 gate ", "<134>1 2024-03-05T10:00:00.5+13:00 gate - - - - "]


def written(head: list[str], extension: dict[str, str]) -> str:
    """A record as ArcSight's guide asks for it."""
    parts = [text.replace("\\", "\\\\").replace("|", "\\|") for text in head]
    pairs = []
    for key, text in extension.items():
        escaped = text.replace("\\", "\\\\").replace("=", "\\=").replace("\n", "\\n").replace("\r", "\\r")
        pairs.append(f"{key}={escaped}")
    return "|".join(["CEF:0", *parts, " ".join(pairs)])


@given(
    st.sampled_from(HEADS),
    st.lists(TEXT.filter(lambda text: not set("\r\n") & set(text)), min_size=6, max_size=6),
    st.dictionaries(KEYS, TEXT, max_size=6),
)
def test_what_is_written_is_read_back(before: str, head: list[str], extension: dict[str, str]) -> None:
    line = before + written(head, extension)
    (event,) = assert_alike(cef, line.encode())
    assert {name: event[2][name] for name in extension} == extension
    assert [event[2][name] for name in HEAD] == head


@pytest.mark.parametrize(
    ("time", "micros"),
    [
        ("rt=1709632800123", 123_000),
        ("rt=1709632800", 0),
        ("rt=Mar 05 2024 10:00:00", 0),
        ("rt=Mar 05 2024 10:00:00.123", 123_000),
        ("rt=Mar 05 2024 10:00:00.123 UTC", 123_000),
        ("rt=Mar 05 2024 10:00:00 NZDT", 0),
        ("rt=2024-03-05T10:00:00.123Z", 123_000),
        ("end=1709632800000 start=1609632800000", 0),
        ("rt=no start=1709632800000", 0),
    ],
)
def test_forms_of_time(time: str, micros: int) -> None:
    (event,) = assert_alike(cef, f"CEF:0|a|b|c|d|e|f|{time} src=192.0.2.1".encode())
    assert event[0] == 1_709_632_800_000_000 + micros


@pytest.mark.parametrize(
    "head", [b"", b"CEF is a format\n", b"Mar  5 10:00:00 gate su: CEF:0\n", b'{"a": "CEF:0|a"}\n']
)
def test_other_logs_are_left_to_others(head: bytes) -> None:
    assert not cef.sniff(head)
