"""Logs of services in the public datasets: as many records as a plain JSON parser counts, and no key of them lost."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collect.reference import row_of
from tocsin.collect import read

DATASETS = [
    ("atomic/aws/collection/ec2_proxy_s3_exfiltration.zip", "aws"),
    ("compound/GoldenSAMLADFSMailAccess/AADAuditEvents.Zip", "azure"),
    ("compound/GoldenSAMLADFSMailAccess/Microsoft365DefenderEvents.Zip", "m365"),
    ("compound/GoldenSAMLADFSMailAccess/OfficeActivityEvents.Zip", "m365"),
]


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """Every record, whether on lines, one after another, in an array or in `Records`; by the standard library."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        value, end = decoder.raw_decode(text, at)
        for one in value if isinstance(value, list) else [value]:
            yield from one.get("Records", [one])
        at = end + len(text[end:]) - len(text[end:].lstrip(" \r\n\t,"))


def _leaves(value: Any) -> Iterator[str]:
    """The texts and numbers that a record holds, however deep."""
    if isinstance(value, dict):
        for below in value.values():
            yield from _leaves(below)
    elif isinstance(value, list):
        for below in value:
            yield from _leaves(below)
    elif isinstance(value, str) and value[:1] in ("{", "["):
        try:
            yield from _leaves(json.loads(value))
        except ValueError:
            yield value
    elif value not in (None, "") and not isinstance(value, bool):
        yield str(value)


@pytest.mark.parametrize(("path", "kind"), DATASETS)
def test_no_record_and_no_value_is_lost(shared: Path, path: str, kind: str) -> None:
    archive = shared / "corpus" / "security-datasets" / path
    with zipfile.ZipFile(archive) as packed:
        texts = [packed.read(name).decode("utf-8-sig") for name in packed.namelist() if name.endswith(".json")]
    records = [record for text in texts for record in _documents(text.strip())]
    found = [(events, row) for events in read(archive) for row in range(len(events))]
    assert {events.kind for events, _ in found} == {kind}
    assert len(found) == len(records) > 0
    for record, (events, row) in zip(records, found, strict=True):
        assert json.loads(events.raw[row]) == record
        told = set()
        for value in row_of(events, row).values():
            for text in value if isinstance(value, (list, tuple)) else [value]:
                told |= {text, *_leaves(text)}
        assert set(_leaves(record)) <= told
