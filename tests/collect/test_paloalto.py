"""PAN-OS logs: read by columns as line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collect.both_ways import assert_alike, rows
from tocsin.collect.formats import paloalto

CELL = st.sampled_from(
    ["", "x", "192.0.2.1", "0x8", "allow", '"a, b"', '"a ""b"""', '""', 'a"b', '"a"b', '"', "2024/03/05 10:00:00",
    '"""', "2024-03-05T10:00:00.123+13:00", "PA-220", "TCP", "/opt/a", "ā", "a\tb", "a\rb", "a\0b", "null", " "]
)  # fmt: skip
HEAD = st.sampled_from(["", "<14>", "Mar  5 10:00:00 PA ", "Mar  5 10:00:00 PA x,y ", "a\tb "])
FIRST = st.sampled_from(["1", "", "0", "x" * 17])
KIND = st.sampled_from(["TRAFFIC", "THREAT", "SYSTEM", "CONFIG", "GLOBALPROTECT", "USERID", "HIPMATCH", "OTHER", ""])
SIZE = st.sampled_from([3, 15, 24, 26, 50, 60, 120, 205])


@st.composite
def lines(draw: st.DrawFn) -> str:
    kind = draw(KIND)
    columns = paloalto._COLUMNS.get(kind, ())
    cells = {at: draw(CELL) for at in draw(st.lists(st.integers(7, 60), max_size=4))}
    row = [cells.get(at, "PA-220" if columns[at : at + 1] == ("device_name",) else "0") for at in range(draw(SIZE))]
    row[: min(7, len(row))] = [
        draw(FIRST),
        draw(st.sampled_from(["2024/03/05 10:00:00", "2024/13/05 10:00:00", "x"])),
        "0018",
        kind,
        draw(CELL),
        "1",
        draw(st.sampled_from(["2024/03/05 10:00:00", "2024/03/05 10:00", ""])),
    ]
    for name in ("actionflags", "high_res_timestamp"):
        if name in columns and columns.index(name) < len(row):
            row[columns.index(name)] = "0x8" if name == "actionflags" else draw(CELL)
    return draw(HEAD) + ",".join(row) + draw(st.sampled_from(["", "\r"]))


@given(st.lists(lines(), max_size=5))
def test_lines_are_read_alike_by_columns_and_one_by_one(some: list[str]) -> None:
    assert_alike(paloalto, "\n".join(some).encode())


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(noise: bytes) -> None:
    rows(paloalto, noise, paloalto.decoder(None))
