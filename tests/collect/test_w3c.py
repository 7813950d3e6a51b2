"""The two ways to read a line of a W3C log agree, whatever its header; headers that change are followed."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collect.reference import row_of
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder
from tocsin.collect.formats import iis, w3c_proxy, w3c_web
from tocsin.collect.lines import LineDecoder
from tocsin.collect.records import Tally
from tocsin.model.event import Source

COLUMNS = st.lists(
    st.sampled_from(
        "date time time-taken c-ip cs-method cs-uri cs-uri-scheme cs-host cs-uri-port cs-uri-path cs-uri-stem "
        "cs-uri-query cs(User-Agent) cs(Referer) sc-status s-ip x-a c-agent timestamp date-local time-local".split()
    ),
    min_size=2,
    max_size=12,
)
WORD = st.text('ab0+%/?=&"-.:\\ā', max_size=6)
CELL = st.one_of(
    st.sampled_from(
        ["-", "GET", "POST", "2026-08-01", "23:59:59", "00:00:00.120", "http", "443", "/a/b.exe", "?q=1", ""]
    ),
    st.sampled_from(
        ["http://h.example/a.b?c", "1786000000.123", "1786000000", "2026-02-30", "24:00:00", '"a b"', '"-"']
    ),
    WORD,
    WORD.map('"{}"'.format),
)
TIMES = {"date": "2026-08-01", "time": "23:59:59", "timestamp": "1786000000.123", "date-local": "2026-08-01"}
TIMES["time-local"] = "12:00:00.120"
SEPARATORS = st.sampled_from([" ", " ", "\t"])
DIALECTS = [iis, w3c_proxy, w3c_web]


def rows(reader: Any, text: bytes, decoder: Any) -> tuple[list[Any], Tally]:
    table, tally = TableBuilder(reader.KIND), Tally()
    table.begin(Source(path="x"), reader.fields, Clock())
    for block in reader.cut(io.BytesIO(text), 0, None, 1 << 20):
        decoder.read(block, table, tally)
    events = table.finish()
    found = [(int(events.ts[row]), int(events.rec[row]), row_of(events, row)) for row in range(len(events))]
    for row, (_, _, told) in enumerate(found):
        assert dict(events.all_fields(row)) == told
    return found, tally


@given(st.sampled_from(DIALECTS), COLUMNS, st.data())
def test_lines_are_read_alike_by_columns_and_one_by_one(reader: Any, columns: list[str], data: Any) -> None:
    separator = data.draw(SEPARATORS)
    sizes = st.sampled_from([len(columns)] * 6 + [len(columns) - 1, len(columns) + 1])
    lines = [
        separator.join(data.draw(CELL) for _ in range(data.draw(sizes)))
        + data.draw(st.sampled_from(["", "", separator]))
        for _ in range(3)
    ]
    usual = [separator.join(TIMES.get(c) or data.draw(CELL) for c in columns) for _ in range(3)]
    body = "\n".join(lines + usual * 8 + lines)
    software = data.draw(st.sampled_from(["", "#Software: IIS Advanced Logging Module\n"]))
    text = f"{software}#Date: 2026-08-01 00:00:00\n#Fields: {' '.join(columns)}\n{body}".encode()
    fast, tally = rows(reader, text, reader.decoder(None))
    slow, told = rows(reader, text, LineDecoder(reader._LOG.parse, None))
    assert fast == slow
    assert (tally.damaged, tally.mended) == (told.damaged, told.mended)
