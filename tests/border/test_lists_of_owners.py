"""assets.csv and people.csv, as the usual programs write them and as people get them wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.border import assets, people, sheet
from tocsin.errors import ListError
from tocsin.model.asset import Asset, Assets, Service
from tocsin.model.person import People, Person

PAGE = Path(__file__).parents[2] / "docs" / "assets-and-people.md"


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / "list.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return write


def _examples() -> list[str]:
    return re.findall(r"^```csv\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_examples_of_the_page(written: Callable[..., Path]) -> None:
    of_assets, of_people = _examples()
    there, notes = assets.read_assets(written(of_assets))
    assert notes == ()
    assert there.all[0] == Asset(
        name="MAIL01",
        also=("mail01.parliament.example",),
        addresses=("192.0.2.25", "2001:db8::25"),
        owner="Mail team",
        authority="Parliament",
        services=(
            Service(name="mail", dependents=("members", "committee clerks")),
            Service(name="webmail", dependents=("members",)),
        ),
        sensitivity="sensitive",
        protected=True,
        criticality="critical",
        line=2,
    )
    assert [asset.name for asset in there.all] == ["MAIL01", "DC01", "Members' laptops", "Print server"]
    known, notes = people.read_people(written(of_people))
    assert notes == (f"{written(of_people)}:4: the name John Smith is also that of John Smith in line 3",)
    assert known.all[0] == Person(
        id="1001",
        name="Aroha Ngata",
        accounts=("PARL\\angata", "aroha.ngata@parliament.example"),
        mailboxes=("aroha.ngata@parliament.example",),
        role="member",
        language="mi",
        contact="+64 4 555 0101",
        line=2,
    )


def test_the_page_names_every_column() -> None:
    text = PAGE.read_text(encoding="utf-8")
    parts = text.split("## people.csv")
    for columns, part in ((assets.COLUMNS, parts[0]), (people.COLUMNS, parts[1])):
        assert re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) == list(columns)
        for column, others in columns.items():
            row = re.findall(rf"^\| `{column}` \| ([^|]*)\|", part, re.MULTILINE)[0]
            told = [word.strip() for word in row.split(",") if word.strip()]
            assert set(told) <= set(others), column


def test_the_error_on_the_page(written: Callable[..., Path]) -> None:
    path = written("name,addresses,criticality\na,,\nb,192.0.2.300,\nc,,\nd,,huge\n")
    with pytest.raises(ListError) as caught:
        assets.read_assets(path)
    told = f"tocsin: {caught.value.message}\n        {caught.value.hint}\n".replace(str(path), "assets.csv")
    assert told in PAGE.read_text(encoding="utf-8")


LIST = "name;addresses;owner\nMāori Land Court;192.0.2.1;Tāmati\nother;192.0.2.0/24;\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("told", [False, True])
def test_as_programs_write_it(
    encoding: str, separator: str, end: str, told: bool, written: Callable[..., Path]
) -> None:
    text = LIST.replace(";", separator)
    text = f"sep={separator}\n{text}" if told else text
    there, notes = assets.read_assets(written(text.replace("\n", end) if not told else text, encoding))
    assert [(asset.name, asset.owner) for asset in there.all] == [("Māori Land Court", "Tāmati"), ("other", "")]
    assert [asset.line for asset in there.all] == [2 + told, 3 + told]
    assert notes == ()


def test_what_is_passed_over_is_told(written: Callable[..., Path]) -> None:
    path = written('Name , Cost centre,IP Address\n\n a ,7,"192.0.2.1\n192.0.2.2",\n,,\nb,,192.0.2.2\n')
    there, notes = assets.read_assets(path)
    assert [(asset.name, asset.addresses, asset.line) for asset in there.all] == [
        ("a", ("192.0.2.1", "192.0.2.2"), 3),
        ("b", ("192.0.2.2",), 6),
    ]
    assert notes == (
        f"{path}:1: the column 'Cost centre' is not known and passed over",
        f"{path}:6: b shares 192.0.2.2 with a",
    )


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "is empty"),
        ("\n \n,,\n", 1, "is empty"),
        ("host name,ip\n", 1, "column 'host name'"),
        ("colour,taste\nred,sweet\n", 1, "there is no column name"),
        ("name,adresses\na,b\n", 1, "column 'adresses'"),
        ("name,ip,address\na,,\n", 1, "addresses twice"),
        ("name,owner\na,b,c\n", 2, "has 3 cells"),
        ('name,owner\na,"b\nc,d\n', 2, "no CSV"),
        ('name,owner\n"a"b,c\n', 2, "no CSV"),
        ("name,owner\n,Ben\n", 2, "has no name"),
        ("name\na\nb\nA\n", 4, "A is in line 2 too"),
        ("name,ip\na,192.0.2.1/24\n", 2, "192.0.2.1/24 is neither"),
        ("name,ip\na,1.2.3\n", 2, "neither an address"),
        ("name,protected\na,perhaps\n", 2, "protected 'perhaps'"),
        ("name,sensitivity\na,high\n", 2, "sensitivity 'high'"),
    ],
)
def test_what_is_wrong_with_assets(text: str, line: int, what: str, written: Callable[..., Path]) -> None:
    path = written(text)
    with pytest.raises(ListError) as caught:
        assets.read_assets(path)
    assert caught.value.message.startswith(f"{path}:{line}: ")
    assert what in caught.value.message
    assert caught.value.hint
    assert caught.value.exit_code == 9


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("name,mail\na,nobody\n", 2, "nobody is no mailbox"),
        ("name,language\na,Māori\n", 2, "language"),
        ("name,id\na,1\nb,1\n", 3, "id 1 is in line 2 too"),
        ("name\n,\n", 2, "has 2 cells"),
        ("mail\na@b.example\n", 1, "no column name"),
    ],
)
def test_what_is_wrong_with_people(text: str, line: int, what: str, written: Callable[..., Path]) -> None:
    if text == "name\n,\n":
        assert people.read_people(written(text))[0].all == (), "a row without anything in it is none"
        return
    with pytest.raises(ListError, match=re.escape(f":{line}: ")) as caught:
        people.read_people(written(text))
    assert what in caught.value.message


def test_all_that_is_wrong_is_told_at_once_and_not_without_end(written: Callable[..., Path]) -> None:
    path = written("name,ip\n" + "".join(f"a{number},bad{number}\n" for number in range(100)))
    with pytest.raises(ListError) as caught:
        assets.read_assets(path)
    assert caught.value.message.count("; line ") == 19
    assert caught.value.message.endswith("; and 80 more")


def test_bytes_that_are_no_text(written: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ListError, match=":3: is not UTF-8") as caught:
        assets.read_assets(written("name\na\nM\u00e3ori\n".encode("latin-1")))
    assert "CSV UTF-8" in caught.value.hint
    with pytest.raises(ListError, match="cannot be read"):
        assets.read_assets(tmp_path / "nowhere.csv")
    with pytest.raises(ListError, match="cannot be read"):
        assets.read_assets(tmp_path)


def test_too_much(written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = written("name\na\nb\nc\n")
    monkeypatch.setattr(sheet, "MOST_ROWS", 2)
    with pytest.raises(ListError, match="more than 2 rows"):
        assets.read_assets(path)
    monkeypatch.setattr(sheet, "MOST_BYTES", 5)
    with pytest.raises(ListError, match="larger than"):
        assets.read_assets(path)
    monkeypatch.undo()
    with pytest.raises(ListError, match="no CSV"):
        assets.read_assets(written("name\n" + "x" * 200_000))


@given(st.binary(max_size=200), st.sampled_from([b"", b"name,ip\n", b"name;id;mail\n", b"\xff\xfen\0a\0m\0e\0\n\0"]))
def test_rubbish_is_an_error_or_a_list(tmp_path_factory: Any, rubbish: bytes, head: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "rubbish.csv"
    path.write_bytes(head + rubbish)
    for read in (assets.read_assets, people.read_people):
        with suppress(ListError):
            read(path)


def test_assets_by_name_and_address() -> None:
    there = Assets(
        [
            Asset(name="WS1", addresses=("192.0.2.0/24",)),
            Asset(name="ws2.corp.example", also=("old",), addresses=("192.0.2.7", "2001:db8::/32")),
            Asset(name="ws2.other.example", addresses=("192.0.2.7",)),
            Asset(name="the rest", addresses=("0.0.0.0/0",)),
        ]
    )

    def named(host: str) -> list[str]:
        return [asset.name for asset in there.named(host)]

    def at(address: str) -> list[str]:
        return [asset.name for asset in there.at(address)]

    assert named("ws1") == named("WS1.corp.example.") == ["WS1"]
    assert named("OLD") == named("WS2.CORP.example") == ["ws2.corp.example"]
    assert named("ws2") == ["ws2.corp.example", "ws2.other.example"], "the list leaves it open"
    assert named("ws2.third.example") == named("nothing") == named("") == []
    assert at("192.0.2.7") == ["ws2.corp.example", "ws2.other.example"]
    assert at("192.0.2.8") == at("::ffff:192.0.2.8") == ["WS1"]
    assert at("198.51.100.1") == ["the rest"]
    assert at("2001:db8::1") == ["ws2.corp.example"]
    assert at("2001:db9::1") == at("no address") == []


def test_people_by_account_and_mailbox() -> None:
    one = Person(id="1", name="John Smith", accounts=("PARL\\js",), mailboxes=("js@p.example", "office@p.example"))
    two = Person(id="2", name="John Smith", accounts=("OTHER\\js",), mailboxes=("Office@p.example",))
    there = People([one, two])
    assert there.with_account("parl\\JS") == (one,)
    assert there.with_account("js") == ()
    assert there.with_mailbox("OFFICE@P.example") == there.named("john smith") == (one, two)
    assert there.with_mailbox("js@p.example") == (one,)
    assert there.named("nobody") == ()
