"""What somebody is told, passage by passage, before it is a text, a page or a sheet of paper."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Paragraphs under a heading, '' for none.

    Args:
        lines: paragraphs; `points` says that they are points of a list.
        other: the same in the other language of the letter, as far as it was translated.
        missing: there is another language, and this passage was not translated into it.
    """

    id: str
    heading: str
    lines: tuple[str, ...]
    points: bool = False
    other_heading: str = ""
    other: tuple[str, ...] = ()
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter, or a page for a minister.

    Args:
        key: of whom it is for, in the register of the case.
        title: also the subject where it goes by mail; `language` is a tag of BCP 47, `other` that of the other one.
        untranslated: the word that marks a passage which was not translated, in both languages.
        marking: what stands at its head and foot.
    """

    key: str
    title: str
    language: str
    passages: tuple[Passage, ...]
    other: str = ""
    other_title: str = ""
    untranslated: str = ""
    marking: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A letter on its way. `id` is made of what it says and whom it is for: the same letter has the same.

    `pdf` is empty where no font has all its letters.
    """

    id: str
    to: str
    title: str
    text: str
    html: str
    pdf: bytes
