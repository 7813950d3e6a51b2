"""Raw records as an array that points into what was read are the records, in any order."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tocsin.collect.records import Slices
from tocsin.model.event import RawRecords

RECORDS = st.lists(st.binary(max_size=40).filter(lambda text: b"\n" not in text and not text.endswith(b"\r")))


@given(st.lists(RECORDS, max_size=4), st.randoms())
def test_views_are_the_records_in_the_order_asked_for(blocks: list[list[bytes]], random: object) -> None:
    records = RawRecords()
    for block in filter(None, blocks):
        data = b"".join(record + b"\n" for record in block)
        stops = np.cumsum([len(record) + 1 for record in block]) - 1
        starts = np.concatenate(([0], stops[:-1] + 1))
        records.extend(len(block), Slices(data, starts, stops))
    every = [record for block in blocks for record in block]
    order = list(range(len(every)))
    random.shuffle(order)  # type: ignore[attr-defined]  # hypothesis's random
    told = records.views(np.array(order, np.int64))
    told.validate(full=True)
    assert told.to_pylist() == [every[at] for at in order]
    assert records.views().cast(pa.binary()).equals(records.to_arrow().combine_chunks())
