"""Raw records on a page: packed, bounded, text, and without anybody's mail."""

from __future__ import annotations

import base64
import json
import random
import zlib

import pytest

from output import incidents
from tocsin.model.incident import Citation
from tocsin.model.raw import Place, Raw
from tocsin.output.report import raw as module
from tocsin.output.report.raw import Packed, pack, without_content


def texts(packed: Packed) -> list[str]:
    blocks = [json.loads(zlib.decompress(base64.b64decode(block))) for block in packed.blocks]
    return [blocks[block][at] if block >= 0 else packed.whys[at] for block, at in packed.at]


def cited(count: int) -> list[Citation]:
    return [incidents.citation(number) for number in range(count)]


def place(at: Citation) -> Place:
    return at.path, at.chunk, at.rec


def raws(rows: list[Citation], contents: list[bytes], kind: str = "windows") -> dict[Place, Raw]:
    return {
        place(at): Raw(kind=kind, content=content, size_bytes=len(content))
        for at, content in zip(rows, contents, strict=True)
    }


def test_each_record_is_there_once_whoever_cites_it() -> None:
    rows = cited(500)
    contents = [f'{{"n":{number},"x":"{"y" * 2_000}"}}'.encode() for number in range(500)]
    packed = pack([*rows, rows[3]], [0] * 501, raws(rows, contents), revealed=False)
    assert len(packed.blocks) > 1
    assert texts(packed) == [*(one.decode() for one in contents), contents[3].decode()]
    assert packed.at[500] == packed.at[3]


def test_the_worst_have_room_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES", 60_000)
    monkeypatch.setattr(module, "_BLOCK_CHARACTERS", 10_000)
    rows, chance = cited(100), random.Random(1)
    contents = [chance.randbytes(500).hex().encode() for _ in rows]
    weight = [number % 2 for number in range(100)]
    packed = pack(rows, weight, raws(rows, contents), revealed=False)
    assert sum(map(len, packed.blocks)) <= 60_000
    there = [block >= 0 for block, _ in packed.at]
    assert all(there[1::2])
    assert not all(there[::2])
    assert any("too large" in why for why in packed.whys)


def test_why_a_record_is_missing_is_told() -> None:
    rows = cited(2)
    packed = pack(rows, [0, 0], {place(rows[0]): Raw(missing="it is gone")}, revealed=False)
    assert texts(packed) == ["it is gone", "this report was made without reading the evidence again"]


def test_hostile_records_stay_text_and_long_ones_are_cut() -> None:
    rows = cited(2)
    contents = ["a\u202eb\x1b[2J</script>\r\nsecond\tline".encode(), b"z" * 64_000]
    (one, other) = texts(pack(rows, [0, 0], raws(rows, contents), revealed=False))
    assert one == "a\\u202eb\\x1b[2J</script>\nsecond    line"
    assert len(other) == 20_000
    assert "…" in other


MAIL = {
    "Operation": "MailItemsAccessed",
    "Subject": "Budget vote",
    "Item": {"Subject": "Budget vote", "Id": "AAA"},
    "Folders": [{"FolderItems": [{"InternetMessageId": "<1@a>", "Subject": "Budget vote"}]}],
    "Parameters": [{"Name": "Subject", "Value": "Budget vote"}, {"Name": "Identity", "Value": "inbox"}],
    "AuditData": json.dumps({"Item": {"Subject": "Budget vote", "SizeInBytes": 7}}),
}


@pytest.mark.parametrize("kind", ["m365", "mail", "google_workspace"])
def test_content_of_mail_is_withheld_wherever_it_stands(kind: str) -> None:
    text = without_content(json.dumps(MAIL), kind)
    assert "Budget" not in text
    for kept in ("MailItemsAccessed", "<1@a>", "AAA", "inbox", "SizeInBytes"):
        assert kept in text
    assert without_content("warning: header Subject: Budget vote", kind) == ""
    rows = cited(1)
    shown = texts(pack(rows, [0], raws(rows, [json.dumps(MAIL).encode()], kind), revealed=True))
    assert "Budget vote" in shown[0]


def test_what_is_no_mail_stays_as_it_is() -> None:
    for text in ('{"Subject": "CN=a certificate",  "n": 1}', "GET /body HTTP/1.1", "<Event>body</Event>"):
        assert without_content(text, "windows") == text
    assert "secret" not in without_content('{"request": {"body": "secret"}}', "proxy")
    assert without_content("[" * 100_000, "m365") == ""
