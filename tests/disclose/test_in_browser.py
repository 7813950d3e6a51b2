"""Letters and the page in Debian's Chromium: no error, no request, no barrier, on a screen and on a telephone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from disclose.made import HOSTILE, TELLING, entry, incident, touched
from disclose.test_brief import KNOWN, TABLE, entries
from disclose.test_letters import written
from output.test_report_in_browser import _barriers, browser, page
from tocsin.disclose import brief, letters, pages
from tocsin.model.letter import Letter
from tocsin.output.screen import shown

__all__ = ["browser", "page"]  # fixtures

HARD = " ".join(HOSTILE)


def _letters() -> dict[str, Letter]:
    one = incident(touched("1", HARD), words=(HARD,))
    return {
        "english": written(entry(HARD, role=HARD, through=(HARD,))),
        "both": written(entry(HARD, language="mi")),
        "holder": written(entry(HARD, key="owner:x", kind="owner", id="")),
        "minister": brief.page(TABLE, "case", one, entries(one), KNOWN, shown, marking=TELLING.centre),
    }


@pytest.mark.parametrize("which", ["english", "both", "holder", "minister"])
def test_it_opens_without_an_error_a_request_or_a_barrier(page: Any, tmp_path: Path, which: str) -> None:
    path = tmp_path / "letter.html"
    path.write_text(pages.html(_letters()[which]), encoding="utf-8")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(path.as_uri())
        assert page.said == []
        assert [url for url in page.asked if url not in (path.as_uri(), "data:,")] == []
        assert not _barriers(page.context.browser, path.as_uri(), scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("script").count() == 0
    assert not _barriers(page.context.browser, path.as_uri(), width=390)


def test_macrons_and_both_languages(page: Any, tmp_path: Path) -> None:
    path = tmp_path / "letter.html"
    letter = letters.letter(
        entry("Tāmati Ōtāhuhu", language="mi"), written.__globals__["FACTS"], TELLING, letters.words(), shown
    )
    path.write_text(pages.html(letter), encoding="utf-8")
    page.goto(path.as_uri())
    assert page.locator("[lang=mi]").first.inner_text() == "Tēnā koe Tāmati Ōtāhuhu,"
    assert page.locator(".missing").count() == sum(one.missing for one in letter.passages)
