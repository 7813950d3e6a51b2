"""Text that people made harmless in, the text they meant out; and the other way."""

from __future__ import annotations

import re
from typing import Final

_OPEN, _CLOSE = r"[\[({<]\s?", r"\s?[\])}>]"
_SCHEME: Final = re.compile(
    r"^(?P<word>h(?:xx|tt|\*\*|XX|\+\+)p(?P<s>s?)|f(?:x|t|\*)p(?P<fs>s?)|meow(?P<ms>s?)|h\[?tt\]?p(?P<bs>s?))"
    rf"(?P<marks>(?:{_OPEN})?(?:_|:|\[:\]|\(:\))(?:{_CLOSE})?(?:{_OPEN})?(?://|\\\\|__|\[//\]|\[/\]\[/\]|/)(?:{_CLOSE})?)",
    re.IGNORECASE,
)
_SLASHES: Final = re.compile(rf"{_OPEN}(:?//){_CLOSE}")
_COLON: Final = re.compile(rf"{_OPEN}:{_CLOSE}")
_DOT: Final = re.compile(
    rf"\s?{_OPEN}(?:\.|,|dot|d0t|punkt|point){_CLOSE}\s?|\[\.|\.\]|\\\.| dot | d0t ", re.IGNORECASE
)
_AT: Final = re.compile(rf"\s?{_OPEN}(?:@|at){_CLOSE}\s?| at (?=\S+$)", re.IGNORECASE)
_LIVE_TEXT: Final = re.compile(r"(?:https?://)?+(?!h..p|f.p|meow)[A-Za-z0-9_.@:/?&=%~+-]*+", re.IGNORECASE)
_QUOTES: Final = "\"'`\u201c\u201d\u2018\u2019\u00ab\u00bb"
_LIVE: Final = re.compile(r"^(h)tt(ps?)(://)", re.IGNORECASE)


def refang(text: str) -> str:
    """`hxxps[://]evil[.]example` as it was before somebody defanged it; other text as it is, without blanks around.

    Zero-width characters and quotes around it are taken away too.
    """
    text = text.strip()
    if _LIVE_TEXT.fullmatch(text):  # nothing here that anybody would have changed
        return text
    text = text.strip(_QUOTES).strip().replace("\u200b", "").replace("\ufeff", "")
    if not text:
        return text
    found = _SCHEME.match(text)
    if found:
        secure = next((found[name] for name in ("s", "fs", "ms", "bs") if found[name]), "")
        word = "ftp" if found["word"][0] in "fF" else "http"
        text = f"{word}{secure.lower()}://{text[found.end() :].lstrip('/')}"
    if "[" in text or "(" in text or "{" in text or "\\." in text or "<" in text or "]" in text or " " in text:
        text = _SLASHES.sub(lambda found: "://" if found[1].startswith(":") else "//", text)
        text = _DOT.sub(".", text)
        text = _AT.sub("@", text)
        text = _COLON.sub(":", text)
    return text


def defang(text: str) -> str:
    """Text that no program takes for something to open; `refang` gives it back."""
    text = _LIVE.sub(r"\1xx\2[\3]", text)
    return text.replace(".", "[.]").replace("@", "[@]")
