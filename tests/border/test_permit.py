"""A permit is believed only under a key that was named, and only as it was signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tocsin.border.permit import KINDS, read_permit
from tocsin.errors import ListError, TocsinError
from tocsin.seal import dsse, keys

KEY, OTHER = keys.make(), keys.make()
PERMIT = {
    "version": 1,
    "id": "p",
    "title": "a test",
    "authority": "the service",
    "tester": "somebody",
    "contact": "none",
    "from": "2026-03-02T08:00:00.000Z",
    "until": "2026-03-02T17:00:00.000Z",
    "hosts": ["web1"],
    "addresses": ["203.0.113.9"],
    "accounts": ["HOUSE\\tester"],
    "allowed": [],
    "forbidden": [],
}


def written(folder: Path, *, kind: str = KINDS[0], **more: Any) -> tuple[Path, Path]:
    path, key = folder / "permit.json", folder / "key.pub"
    path.write_text(json.dumps(dsse.sealed(kind, json.dumps({**PERMIT, **more}).encode(), [KEY])), encoding="utf-8")
    key.write_text(keys.public_text(KEY) + "\n", encoding="utf-8")
    return path, key


@pytest.mark.parametrize("kind", KINDS)
def test_a_permit_reads(tmp_path: Path, kind: str) -> None:
    path, key = written(tmp_path, kind=kind)
    permit = read_permit(path, [key])
    assert (permit.id, permit.hosts, permit.addresses, permit.accounts) == (
        "p",
        ("web1",),
        ("203.0.113.9",),
        ("HOUSE\\tester",),
    )
    assert permit.until_us - permit.from_us == 9 * 3600 * 1_000_000
    assert permit.signed == (keys.fingerprint(KEY),)


def test_without_the_key_it_is_nothing(tmp_path: Path) -> None:
    path, _ = written(tmp_path)
    wrong = tmp_path / "wrong.pub"
    wrong.write_text(keys.public_text(OTHER) + "\n", encoding="utf-8")
    for known in ([], [wrong]):
        with pytest.raises(ListError, match="no signature"):
            read_permit(path, known)


def _longer(envelope: dict[str, Any]) -> None:
    text = dsse.opened(envelope, KINDS[0], [KEY.public_key()])[0].replace(b"T17", b"T23")
    envelope["payload"] = dsse.sealed(KINDS[0], text, [OTHER])["payload"]


def _other_kind(envelope: dict[str, Any]) -> None:
    envelope["payloadType"] = KINDS[1]


@pytest.mark.parametrize("changed", [_longer, _other_kind])
def test_what_was_changed_is_refused(tmp_path: Path, changed: Callable[[dict[str, Any]], None]) -> None:
    path, key = written(tmp_path)
    envelope = json.loads(path.read_bytes())
    changed(envelope)
    path.write_text(json.dumps(envelope), encoding="utf-8")
    with pytest.raises(ListError):
        read_permit(path, [key])


@pytest.mark.parametrize(
    "more", [{"until": "2026-03-01T00:00:00.000Z"}, {"hosts": "web1"}, {"from": "today"}, {"more": 1}, {"version": 2}]
)
def test_what_is_no_permit_is_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    path, key = written(tmp_path, **more)
    with pytest.raises(ListError):
        read_permit(path, [key])


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_hostile_files(tmp_path: Path, content: bytes) -> None:
    path, key = written(tmp_path)
    path.write_bytes(content)
    with pytest.raises(TocsinError):
        read_permit(path, [key])
