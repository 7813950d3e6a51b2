"""Tables of firewalls and of flows: rows are read by columns as they are one by one, however long the table is."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from collect.both_ways import CLOCK, rows
from collect.reference import row_of
from tocsin.collect import plan, read, read_units
from tocsin.collect.formats import flows, paloalto_export
from tocsin.collect.lines import LineDecoder
from tocsin.model.custody import Custody

HERE = Path(__file__).parent / "formats"
TABLES = [
    (flows, "flows/nfdump16.csv", flows._parse),
    (flows, "flows/nfdump17_crlf.csv", flows._parse),
    (flows, "flows/vpc_headed.log", flows._parse),
    (flows, "flows/vpc_bare.log", flows._parse),
    (paloalto_export, "paloalto_export/traffic.csv", paloalto_export._LOG.rows.parse),
    (paloalto_export, "paloalto_export/threat_chosen.csv", paloalto_export._LOG.rows.parse),
]


def _many(name: str) -> bytes:
    """The table of a sample with its rows forty times over."""
    first, *rest = (HERE / name).read_bytes().splitlines(keepends=True)
    records = [line for line in rest if not line.startswith((b"Summary", b"flows,", b"2,989154"))]
    return first + b"".join(records) * 40


@pytest.mark.parametrize(("reader", "name", "parse"), TABLES, ids=[name for _, name, _ in TABLES])
def test_by_columns_as_one_by_one(reader: ModuleType, name: str, parse: Any) -> None:
    text = _many(name)
    fast, tally = rows(reader, text, reader.decoder(None))
    slow, told = rows(reader, text, LineDecoder(parse, None))
    assert fast == slow
    assert (tally.damaged, tally.mended) == (told.damaged, told.mended)
    assert len(fast) >= 40
    assert CLOCK.latest_us


@pytest.mark.parametrize("name", ["flows/nfdump16.csv", "paloalto_export/traffic.csv"])
def test_a_long_table_is_read_in_ranges(tmp_path: Path, name: str) -> None:
    first, _, rest = _many(name).partition(b"\n")
    path = tmp_path / "x.csv"
    path.write_bytes(first + b"\n" + rest * (1 + (35 << 20) // len(rest)))
    accounts: list[Custody] = []
    units = plan([path], unit_bytes=16 << 20)
    assert len(units) > 2
    read_all = sum(len(table) for table in read_units(units, frozenset({"src_ip"}), accounts.append))
    assert read_all == path.read_bytes().count(b"\n") - 1
    assert not any(account.damaged for account in accounts)


def test_a_flow_of_one_way_says_so() -> None:
    """Interfaces are no bytes, and what was not counted is not nothing."""
    [events] = read(HERE / "flows" / "nfdump16.csv")
    one, both = (row_of(events, row) for row in (0, 1))
    assert (one["netflow.bytes"], one["in_if"]) == ("987654", "1")
    assert {"bytes_sent", "bytes_received", "in", "out", "bytes"}.isdisjoint(one)
    assert (both["bytes_sent"], both["bytes_received"]) == ("1500", "90000")
    assert "netflow.bytes" not in both


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"a",
        b"a,b",
        b"Receive Time,Type\n1\n",
        b"{}\n",
        b"\x00" * 50,
        b"ts,sa,da,pr,ibyt\n1,2\n",
        b"x " * 40 + b"\n",
    ],
)
def test_other_tables_are_left_alone(head: bytes) -> None:
    assert not flows.sniff(head)
    assert not paloalto_export.sniff(head)
