"""Records in an array of an outer object: each is found, and nothing beside the array passes for one."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.collect import nested

KEYS = frozenset({"Results", "records"})
RECORDS = [{"a": 1, "b": {"c": [1, {"d": "]}"}]}}, {"a": '\\"{['}]
BESIDE: list[dict[str, Any]] = [
    {},
    {"Stats": {"cpu": {"user": 1}, "cache": {"memory": {"hits": 1}}}},
    {"Schema": [{"Name": "a", "Type": "x"}, {"Name": "b"}]},
    {"next": "link", "count": 3, "some": ["a", "b"]},
]


def found(content: bytes, size: int = 1 << 20) -> list[Any]:
    blocks = nested.cut_nested(io.BytesIO(content), size, KEYS)
    return [json.loads(block.data[start:stop]) for block in blocks for start, stop in block.spans or ()]


@pytest.mark.parametrize("before", BESIDE)
@pytest.mark.parametrize("after", BESIDE)
@pytest.mark.parametrize("indent", [None, 1])
def test_only_the_array_holds_records(before: dict[str, Any], after: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(
        {**before, "Results": RECORDS, **{f"{key}_": value for key, value in after.items()}}, indent=indent
    )
    content = f"{text}\n{text}\n".encode()
    assert nested.is_nested(content, KEYS)
    assert found(content) == RECORDS * 2


@given(st.integers(8, 400))
def test_wherever_a_block_ends(size: int) -> None:
    content = json.dumps({**BESIDE[1], **BESIDE[2], "Results": RECORDS, "more": {"x": {"y": 1}}}, indent=1).encode()
    assert found(content * 2, size) == RECORDS * 2
