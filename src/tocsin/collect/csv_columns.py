"""Lines of as many cells each in, columns of texts out, by Arrow's reader of CSV: no cell is touched here.

RFC 4180 §2 as far as one line goes: quotes around a cell are taken off, and doubled ones in it are one. An empty cell
is absent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tocsin.collect.lines import Lines
from tocsin.collect.utf8 import as_texts
from tocsin.model.event import Longs

if TYPE_CHECKING:
    import pyarrow as pa


def columns(block: Lines, starts: Longs, stops: Longs, width: int, wanted: Sequence[int]) -> list[pa.Array] | None:
    """The wanted columns, by number, of what stands at some spans; None if Arrow takes them for anything else."""
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    if not wanted:
        return []
    lines = [block.data[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
    data = b"\n".join(lines)
    names = list(map(str, range(width)))
    form = pa.string() if block.is_text else pa.binary()
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 1),
            arrow_csv.ParseOptions(),
            arrow_csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, form),
                include_columns=[names[column] for column in wanted],
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(lines):
        return None
    return [as_texts(column.combine_chunks()) for column in table.columns]
