"""Files of what was seen: the form, its schema, and everything that is not of the form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.border import observations
from tocsin.errors import ListError
from tocsin.model.observation import TRAIT_KINDS, Trait

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "docs" / "schemas" / "observations-1.schema.json"
PAGE = ROOT / "docs" / "observations.md"

WHOLE = {
    "format": "tocsin-observations-1",
    "id": "ir-7",
    "name": "Night shift",
    "first_seen": "2024-02-01",
    "last_seen": "2024-03-01",
    "release": "18.1",
    "watched": ["T1003.001"],
    "techniques": ["T1059.001"],
    "software": ["S0154"],
    "traits": [{"kind": "infrastructure", "value": "domain:c2.example", "sources": ["proxy"], "grade": "C3"}],
}


def write(folder: Path, told: Any) -> Path:
    path = folder / "observations.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told), encoding="utf-8")
    return path


def test_a_whole_file(tmp_path: Path) -> None:
    found = observations.read(write(tmp_path, WHOLE))
    assert (found.id, found.name, found.release) == ("ir-7", "Night shift", "18.1")
    assert found.watched == {"T1003.001"}
    assert found.traits == (
        Trait(kind="technique", value="T1059.001"),
        Trait(kind="software", value="S0154"),
        Trait(kind="infrastructure", value="domain:c2.example", sources=("proxy",), grade="C3"),
    )


def test_the_least_file_is_named_after_itself(tmp_path: Path) -> None:
    assert observations.read(write(tmp_path, {"format": "tocsin-observations-1"})).id == "observations"


@pytest.mark.parametrize(
    "told",
    [
        "",
        "[]",
        "{",
        "\ud83d",
        {**WHOLE, "format": "tocsin-observations-2"},
        {**WHOLE, "sotfware": []},
        {**WHOLE, "traits": [{"kind": "smell", "value": "x"}]},
        {**WHOLE, "traits": [{"kind": "software", "value": "S1", "grade": "G1"}]},
        {**WHOLE, "traits": [{"kind": "software", "value": ""}]},
        {**WHOLE, "techniques": ["T1"] * 2001},
    ],
    ids=str,
)
def test_what_is_not_of_the_form_is_an_error_with_a_hint(tmp_path: Path, told: Any) -> None:
    path = tmp_path / "observations.json"
    text = told if isinstance(told, str) else json.dumps(told)
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ListError) as caught:
        observations.read(path)
    assert caught.value.hint


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="No such file"):
        observations.read(tmp_path / "none.json")
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (observations.MOST_BYTES + 1))
    with pytest.raises(ListError, match="too many"):
        observations.read(large)


def test_the_published_schema_is_that_of_the_code() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == json.dumps(observations.schema(), indent=2) + "\n"


def test_the_page_shows_a_file_that_is_valid() -> None:
    shown = PAGE.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]
    jsonschema.validate(json.loads(shown), observations.schema())
    msgspec.json.decode(shown.encode(), type=observations.Written)
    assert all(kind in PAGE.read_text(encoding="utf-8") for kind in TRAIT_KINDS if kind not in ("tempo", "absence"))


@given(st.dictionaries(st.sampled_from([*WHOLE, "other"]), st.sampled_from([*WHOLE.values(), 3, None])))
def test_the_schema_accepts_what_is_read_and_nothing_else(told: dict[str, Any]) -> None:
    try:
        msgspec.json.decode(json.dumps(told).encode(), type=observations.Written)
        is_read = True
    except msgspec.ValidationError:
        is_read = False
    assert jsonschema.Draft202012Validator(observations.schema()).is_valid(told) == is_read
