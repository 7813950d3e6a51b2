"""A letter in, its text, its HTML and its PDF out: what is in it is text in each, and equal letters are equal bytes."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Final

import msgspec

from tocsin.disclose import printing
from tocsin.errors import OutputError
from tocsin.model.letter import Letter

_WIDTH: Final = 72
_NO_FONT: Final = "could not be displayed with"


def text(letter: Letter) -> str:
    lines = [letter.marking, "", letter.title, *([letter.other_title] if letter.other_title else []), ""]
    for one in letter.passages:
        if one.missing:
            lines += [f"[{letter.untranslated}]"]
        for heading, paragraphs in ((one.other_heading, one.other), (one.heading, one.lines)):
            if not paragraphs:
                continue
            if heading:
                lines += [heading.upper()]
            for paragraph in paragraphs:
                first, then = ("  * ", "    ") if one.points else ("", "")
                lines += textwrap.wrap(
                    paragraph, _WIDTH, initial_indent=first, subsequent_indent=then, break_on_hyphens=False
                )
                lines += [] if one.points else [""]
            lines += [""] if one.points else []
    return "\n".join(line.rstrip() for line in lines).strip() + "\n"


def html(letter: Letter) -> str:
    return printing.html("letter", letter=letter)


def pdf(letter: Letter, *, dense: bool = False, fonts: Path | None = None) -> bytes:
    """A sheet of paper; none where a name has a letter that no font has: boxes are nobody's name.

    Args:
        dense: in smaller type, for a page that has to be one.
        fonts: a folder of more fonts than typst brings.
    """
    try:
        return printing.pdf("letter", {**msgspec.to_builtins(letter), "dense": dense}, fonts=fonts)
    except (RuntimeError, ValueError) as error:
        if _NO_FONT in str(error):
            return b""
        hint = "Its text and its page can still be written: tell us, and use them."
        raise OutputError(f"the letter to {letter.key} cannot be set: {error}", hint=hint) from error
