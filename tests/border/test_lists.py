"""Lists as people keep them: plain, CSV with many headers, defanged, damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.border import lists
from tocsin.border.tally import MOST_LISTED
from tocsin.model.indicator import Indicator, Observable


def read(text: str | bytes) -> tuple[list[Indicator], list[tuple[str, int]]]:
    told = lists.read(text if isinstance(text, bytes) else text.encode(), "list.txt")
    return list(told.indicators), [(one.reason, one.line) for one in told.left_out]


def values(text: str | bytes) -> list[str]:
    return [f"{one.type} {one.value}" for each in read(text)[0] for one in each.observables]


def test_a_plain_list() -> None:
    found, left = read(
        "# a list\r\n; another comment\r\n\r\nhxxp://evil[.]example/x\r\n192.0.2.1   # first seen in May\r\n"
        "192[.]0[.]2[.]1\r\nnothing at all\r\n0.0.0.0 ads.evil.example\r\nevil.example,a note\r\n"
    )
    assert [one.title for one in found] == [
        "url http://evil.example/x",
        "address 192.0.2.1",
        "domain ads.evil.example",
        "domain evil.example",
    ]
    assert [one.line for one in found] == [4, 5, 8, 9]
    assert left == [("duplicate", 6), ("not an indicator", 7)]
    assert len({one.id for one in found}) == 4
    assert read("evil.example")[0][0].id == found[3].id, "the same value has the same id in every list"


@pytest.mark.parametrize(
    "content",
    [
        "type,value\ndomain,evil[.]example\n",
        "indicator_type;indicator\nFQDN;evil.example\n",
        '"Type","IOC Value"\n"hostname","evil.example"\n',
        "ioc\tdescription\nevil.example\tbad\n",
        "# id,date,value\n7,2020-01-01,evil.example\n",
        "Domain\nevil.example\n",
        "\ufeffvalue\nevil.example\n",
        "value|type\nevil.example|something new\n",
    ],
)
def test_headers(content: str) -> None:
    assert values(content) == ["domain evil.example"]


def test_a_table_with_all_columns() -> None:
    [one], left = read(
        "type,value,threat,confidence,tlp,valid_from,valid_until,source,tags,uuid,comment\n"
        'ip,192.0.2.1,"Gang, the",High,TLP:AMBER+STRICT,2024-01-01,2024-02-01T00:00:00Z,CERT,"c2 T1071.001",'
        "a6a1ff27-0f2c-4f9a-8d6e-2f0f1a0b7c11,seen\n"
    )
    assert left == []
    assert one.title == "Gang, the: address 192.0.2.1"
    assert (one.confidence, one.tlp, one.source) == (85, "amber+strict", "CERT")
    assert (one.since_us, one.until_us) == (1_704_067_200_000_000, 1_706_745_600_000_000)
    assert one.techniques == ("T1071.001",)
    assert one.id == "a6a1ff27-0f2c-4f9a-8d6e-2f0f1a0b7c11"


def test_columns_of_one_kind_each() -> None:
    content = f"ip,domain,sha256,md5,filename\n192.0.2.1,evil.example,{'a' * 64},{'b' * 32},x.exe\n,,,,y.exe\n"
    assert values(content) == ["address 192.0.2.1", "domain evil.example", f"sha256 {'a' * 64}", "file y.exe"]


def test_rows_that_are_nothing_are_told() -> None:
    found, left = read("type,value\nip,nonsense value\ndomain,evil.example\nip,\nip,192.0.2.1,\n")
    assert len(found) == 2
    assert left == [("not an indicator", 2), ("not an indicator", 4)]


def test_a_time_that_is_none_is_told() -> None:
    assert read("value,valid_until\nevil.example,soon\n") == ([], [("not an indicator", 2)])


@pytest.mark.parametrize(
    "content",
    ["evil.example\n".encode("utf-16"), b"\xef\xbb\xbfevil.example\n", b"# caf\xe9\nevil.example\n", b"evil.example"],
)
def test_encodings(content: bytes) -> None:
    assert values(content) == ["domain evil.example"]


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="no text"):
        lists.read(b"MZ\0\0evil.example", "x")


def test_what_is_left_out_is_listed_up_to_an_end() -> None:
    told = lists.read(b"nothing here\n" * (MOST_LISTED + 50), "x")
    assert sum(one.count for one in told.left_out) == MOST_LISTED + 50
    assert len(told.left_out) == MOST_LISTED + 1


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        told = lists.read(content, "x")
    except ValueError:
        return
    for one in told.indicators:
        assert one.observables
        assert all(isinstance(each, Observable) for each in one.observables)
