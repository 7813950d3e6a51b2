"""A press claim as a file: what is told of each slip in it, and what the schema takes is what the reader takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tocsin.border.press import read_claim
from tocsin.errors import ListError

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "claim-1.schema.json").read_text())
PART = {
    "id": "a",
    "says": "All",
    "what": "files",
    "mailboxes": None,
    "bytes": 5,
    "host": None,
    "from": "2026-10-18T12:00:00.000Z",
    "until": None,
}
CLAIM = {
    "version": 1,
    "id": "c",
    "claimed_at": "2026-10-22T23:00:00.000Z",
    "by": "b",
    "where": "w",
    "authority": "x",
    "parts": [PART],
}


def _written(folder: Path, told: Any) -> Path:
    (folder / "claim.json").write_text(json.dumps(told), encoding="utf-8")
    return folder / "claim.json"


def test_what_it_says(tmp_path: Path) -> None:
    claim = read_claim(_written(tmp_path, CLAIM))
    (part,) = claim.parts
    assert (part.bytes, part.mailboxes, part.host, part.until_us) == (5, None, "", None)
    assert part.from_us == 1_792_324_800_000_000
    assert claim.claimed_us - part.from_us == (4 * 24 + 11) * 3_600_000_000


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2},
        {"parts": []},
        {"odd": 1},
        {"claimed_at": "yesterday"},
        {"parts": [PART | {"bytes": -1}]},
        {"parts": [PART | {"what": "souls"}]},
        {"parts": [{name: value for name, value in PART.items() if name != "host"}]},
    ],
)
def test_what_the_schema_refuses_is_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    told = CLAIM | changed
    assert list(Draft202012Validator(SCHEMA).iter_errors(told))
    with pytest.raises(ListError, match=r"claim\.json") as error:
        read_claim(_written(tmp_path, told))
    assert error.value.hint


@pytest.mark.parametrize(
    "changed",
    [
        {"parts": [PART, PART]},
        {"parts": [PART | {"until": "2026-10-18T11:00:00.000Z"}]},
        {"claimed_at": "2026-13-22T23:00:00.000Z"},
    ],
)
def test_what_no_schema_sees_is_refused_too(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(ListError):
        read_claim(_written(tmp_path, CLAIM | changed))


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff", b" " * ((1 << 20) + 1)])
def test_rubbish_is_told_as_such(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "claim.json").write_bytes(content)
    with pytest.raises(ListError):
        read_claim(tmp_path / "claim.json")
    with pytest.raises(ListError):
        read_claim(tmp_path / "absent.json")
