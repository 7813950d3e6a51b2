"""A letter in, its text, its HTML and its PDF out: what is in it is text in each, and equal letters are equal bytes.

HTML by Jinja with everything escaped, under a policy that loads and runs nothing. PDF by a fixed typst template that
reads the letter as JSON, with the fonts that typst brings and no date in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import textwrap
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from tocsin.errors import OutputError
from tocsin.model.letter import Letter

if TYPE_CHECKING:
    import typst

_WIDTH: Final = 72
_NO_FONT: Final = "could not be displayed with"
_FILES: Final = ("letter.html", "letter.css", "letter.typ")


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
    style = _sources()["letter.css"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _environment()
        .get_template("letter.html")
        .render(
            letter=letter,
            style=Markup(style),  # noqa: S704 - ours
            style_hash=f"sha256-{digest}",
        )
    )


def pdf(letter: Letter, *, dense: bool = False, fonts: Path | None = None) -> bytes:
    """A sheet of paper (PDF/UA-1); none where a name has a letter that no font has: boxes are nobody's name.

    Args:
        dense: in smaller type, for a page that has to be one.
        fonts: a folder of more fonts than typst brings.
    """
    import typst

    told = json.dumps({**msgspec.to_builtins(letter), "dense": dense}, ensure_ascii=True)
    try:
        made = typst.compile(
            _sources()["letter.typ"].encode(),
            format="pdf",
            font_paths=_fonts(fonts),
            sys_inputs={"letter": told},
            pdf_standards="ua-1",
        )
    except (RuntimeError, ValueError) as error:
        if _NO_FONT in str(error):
            return b""
        hint = "Its text and its page can still be written: tell us, and use them."
        raise OutputError(f"the letter to {letter.key} cannot be set: {error}", hint=hint) from error
    assert isinstance(made, bytes)
    return made


@cache
def _fonts(more: Path | None) -> typst.Fonts:
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[more] if more else [])


@cache
def _sources() -> dict[str, str]:
    folder = resources.files("tocsin.disclose")
    return {name: (folder / name).read_text(encoding="utf-8") for name in _FILES}


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=DictLoader(_sources()), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
