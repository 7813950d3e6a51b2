"""Letters: plain words, hostile names stay text, no source is told, and equal letters are equal bytes."""

from __future__ import annotations

import io
import re
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from disclose.made import CANARY, FACTS, HOSTILE, TELLING, entry
from tocsin.disclose import letters, pages
from tocsin.errors import SettingsError
from tocsin.model.letter import Letter
from tocsin.model.notification import EXTENTS, Notification
from tocsin.output.screen import UNSEEN, shown

WORDS = letters.words()


def written(one: Notification, **more: object) -> Letter:
    return letters.letter(one, replace(FACTS, **more), TELLING, WORDS, shown)  # type: ignore[arg-type]


def of_pdf(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(content)).pages)


@pytest.mark.parametrize("extent", EXTENTS)
def test_everybody_is_told_what_happened_and_what_to_do(extent: str) -> None:
    letter = written(entry(extent=extent, role="member"))
    text = pages.text(letter)
    headings = [one.heading for one in letter.passages if one.heading]
    wanted = ["What happened", "What it means for you", "What to do now", "Whom to call"]
    assert [one for one in headings if one in wanted] == wanted
    for word in ("Dear Aroha Ngata (member),", "3 September 2026", "+64 4 555 0199, day and night", "ncsc.example"):
        assert word in " ".join(text.split())
    certain = "Our records show" in text
    assert certain == (extent in {"reached", "data left"}), "what is only possible is never told as a fact"


def test_nobody_is_told_more_than_records_show() -> None:
    told = {extent: " ".join(pages.text(written(entry(extent=extent))).split()) for extent in EXTENTS}
    assert "taken away" in told["data left"]
    assert not [extent for extent, text in told.items() if "taken away" in text and extent != "data left"]
    assert "We have no record that they got in" in told["targeted"]
    assert "We do not know that they did" in told["possibly reached"]
    assert "Somebody who had no right to be there got into" not in told["possibly reached"], "it may be a mail alone"
    assert "we will not guess" in told["cannot know"]


def test_who_only_passed_something_on_is_not_told_that_somebody_got_in() -> None:
    text = " ".join(pages.text(written(entry("The mail team", "targeted", key="owner:x", kind="owner", id=""))).split())
    assert "passed through systems for which The mail team answers" in text
    assert "got into systems" not in text
    assert "no record that they got into these systems" in text


@pytest.mark.parametrize("kind", ["owner", "agency", "supplier"])
@pytest.mark.parametrize("extent", ["possibly reached", "reached"])
def test_those_who_answer_for_systems(kind: str, extent: str) -> None:
    text = pages.text(written(entry("The web team", extent, key=f"{kind}:x", kind=kind, id="")))
    assert ("may have been that" in " ".join(text.split()).replace("may have been reached", "may have been that")) == (
        extent == "possibly reached"
    )


def test_who_gets_no_letter() -> None:
    assert letters.is_written(entry())
    for one in (
        entry(key="person:unlisted", id="", extent="cannot know"),
        entry(key="minister:minister", kind="minister", id=""),
        entry(key="partner:x", kind="partner", id=""),
    ):
        assert not letters.is_written(one)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_stay_text(hostile: str) -> None:
    one = entry(hostile, role=hostile, through=(hostile,))
    letter = letters.letter(one, FACTS, replace(TELLING, centre=hostile, call=hostile), WORDS, shown)
    text, html, pdf = pages.text(letter), pages.html(letter), pages.pdf(letter)
    assert not [line for line in text.split("\n") if UNSEEN.search(line)]
    assert "49" not in text.replace(FACTS.secret, "")
    assert "<script" not in html.replace("&lt;script", "")
    assert "<img" not in html
    assert not UNSEEN.search(html.replace("\n", ""))
    assert "\r" not in letter.title + letter.marking
    if not pdf:
        assert "张" in hostile, "a sheet with boxes for a name is worse than none"
        return
    assert pdf.startswith(b"%PDF-")
    assert 1 <= len(PdfReader(io.BytesIO(pdf)).pages) <= 3
    plain = "".join(shown(hostile).split())
    assert plain in "".join(text.split())
    if hostile.isascii():
        assert plain in "".join(of_pdf(pdf).split()).replace("\u2010", "-").replace("-", "-")


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_name_stays_text(name: str, role: str) -> None:
    letter = written(entry(name, role=role))
    assert pages.text(letter) == pages.text(letter)
    assert not [line for line in pages.text(letter).split("\n") if UNSEEN.search(line)]
    assert len(re.findall("<p>", pages.html(letter))) == len(
        re.findall("<p>", pages.html(written(entry("A", role=role and "b"))))
    )


def test_no_source_is_told() -> None:
    """A canary in whatever is of records, rules, intelligence or other people; the entry's reasons among them."""
    filled = {one.name: CANARY for one in fields(Notification) if str(one.type) == "str"}
    filled |= {"name": "Aroha", "role": "member", "key": "person:1", "id": "1", "language": "mi"}
    several = {one.name: (CANARY,) for one in fields(Notification) if str(one.type) == "tuple[str, ...]"}
    several |= {"through": ("aroha@parliament.example",)}
    for extent in EXTENTS:
        one = Notification(**{**filled, **several, "kind": "person", "extent": extent})  # type: ignore[arg-type]
        letter = letters.letter(one, replace(FACTS, secret=CANARY), TELLING, WORDS, shown)
        content = pages.pdf(letter)
        for text in (pages.text(letter), pages.html(letter), of_pdf(content), content.decode("latin-1")):
            assert CANARY not in text


def test_equal_letters_are_equal_bytes() -> None:
    one = entry(language="mi")
    first = (pages.text(written(one)), pages.html(written(one)), pages.pdf(written(one)))
    time.sleep(1.1)  # a date in a PDF is of the second
    assert first == (pages.text(written(one)), pages.html(written(one)), pages.pdf(written(one)))
    assert not re.search(rb"/(CreationDate|ModDate)", first[2])


def test_both_languages_stand_on_a_page() -> None:
    letter = written(entry("Tāmati Ōtāhuhu", language="mi-NZ"))
    text = pages.text(letter)
    assert (letter.language, letter.other) == ("en", "mi")
    assert text.index("Tēnā koe Tāmati Ōtāhuhu,") < text.index("Dear Tāmati Ōtāhuhu,")
    assert text.count("[Not translated into te reo Māori yet") == sum(one.missing for one in letter.passages) > 0
    assert all(one.missing != bool(one.other) for one in letter.passages)
    html = pages.html(letter)
    assert '<div class="other" lang="mi">' in html
    assert "Tēnā koe Tāmati Ōtāhuhu" in of_pdf(pages.pdf(letter)), "macrons are in the fonts"
    assert not written(entry(language="xx")).other
    assert not written(entry(language="en-NZ")).other


def test_a_centre_brings_words_of_its_own(tmp_path: Path) -> None:
    passages = "\n".join(
        f'[passage."{name}"]\nheading = "Kupu"\nlines = ["xx {name} {{{{ name }}}}"]' for name in WORDS["en"].passage
    )
    (tmp_path / "xx.toml").write_text(f'language = "xx"\nuntranslated = "-"\n{passages}')
    (tmp_path / "en.toml").write_text(
        'language = "en"\nuntranslated = "-"\n[passage.greeting]\nlines = ["Hello {{ name }}"]'
    )
    words = letters.words(tmp_path)
    letter = letters.letter(entry(language="xx"), FACTS, TELLING, words, shown)
    assert not any(one.missing for one in letter.passages)
    assert "Hello Aroha Ngata" in pages.text(letter)
    assert letter.other_title == "xx title Aroha Ngata"
    (tmp_path / "xx.toml").write_text(
        'language = "xx"\nuntranslated = "-"\n[passage.greeting]\nlines = ["{{ name.__class__.__mro__ }}"]'
    )
    with pytest.raises(SettingsError, match="words of a letter"):
        letters.letter(entry(language="xx"), FACTS, TELLING, letters.words(tmp_path), shown)
    (tmp_path / "xx.toml").write_text("language = 1")
    with pytest.raises(SettingsError, match=r"xx\.toml"):
        letters.words(tmp_path)


def test_a_centre_brings_fonts_of_its_own() -> None:
    folder = Path("/usr/share/fonts/truetype/dejavu")
    if not folder.is_dir():
        pytest.skip("no folder of fonts is known here: install Debian's package fonts-dejavu-core")
    letter = written(entry("ⵣ"))
    assert pages.pdf(letter) == b""
    assert pages.pdf(letter, fonts=folder).startswith(b"%PDF-")


def test_days_are_those_of_the_centre() -> None:
    midnight = 1_788_436_799_000_000  # 2026-09-03T11:59:59Z: a second before midnight in Auckland
    text = pages.text(written(entry(), first_us=midnight, last_us=midnight + 2_000_000))
    assert "between 3 September 2026 and 4 September 2026" in " ".join(text.split())
    assert "on 3 September 2026" in " ".join(pages.text(written(entry(), first_us=midnight, last_us=midnight)).split())
    for odd in (None, 10**18, -(10**18)):
        assert "do not know" in pages.text(written(entry(), first_us=odd, last_us=odd))


def test_words_by_which_a_caller_is_known() -> None:
    one = letters.check_words("secret", "person:1", "reached")
    assert one == letters.check_words("secret", "person:1", "reached")
    others = [
        letters.check_words(*words) for words in (("other", "person:1", "reached"), ("secret", "person:2", "reached"))
    ]
    assert one not in others
    assert len(set(letters._WORDS)) == 64
