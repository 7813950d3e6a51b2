"""The name of a Sigma modifier in, the class that applies it out: pySigma's, but where ours knows more.

`utf16le` is another name of `wide` that pySigma lacks. Its encoders go through UTF-8 text, which fails
beyond ASCII, and base64 of a literal `*` would encode the backslash that escapes it; ours keep the bytes.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from sigma.exceptions import SigmaValueError
from sigma.modifiers import SigmaBase64Modifier, SigmaBase64OffsetModifier, SigmaModifier, SigmaValueModifier
from sigma.modifiers import modifier_mapping as _known
from sigma.types import Placeholder, SigmaExpansion, SigmaString, SigmaStringPartType

MOST_MODIFIERS = 8
DASH = re.compile(r"\B[-/]\b")  # what windash writes in five ways each


class _Bytes(SigmaString):
    """Text that stands for bytes: one character each."""


class _Marked(_Bytes):
    """UTF-16 with a byte order mark, written as one character where the bytes are two."""


def _encode(value: SigmaString, encoding: str, made: type[SigmaString], mark: str = "") -> SigmaString:
    parts: list[SigmaStringPartType] = [mark] if mark else []
    for part in value.s:
        if isinstance(part, Placeholder):
            raise SigmaValueError("a placeholder cannot be encoded before its values are known")
        if isinstance(part, str):
            part = part.encode(encoding, "surrogatepass").decode("latin-1")
        parts.append(part)
    encoded = made()
    encoded.s = parts
    return encoded


class _Wide(SigmaValueModifier[SigmaString, SigmaString]):
    encoding: ClassVar[str] = "utf-16-le"

    def modify(self, val: SigmaString) -> SigmaString:
        return _encode(val, self.encoding, _Bytes)


class _WideBigEndian(_Wide):
    encoding: ClassVar[str] = "utf-16-be"


class _WideMarked(SigmaValueModifier[SigmaString, SigmaString]):
    def modify(self, val: SigmaString) -> SigmaString:
        return _encode(val, "utf-16-le", _Marked, mark="\ufeff")


def _bytes(value: SigmaString) -> bytes:
    if not all(isinstance(part, str) for part in value.s):
        raise SigmaValueError("base64 takes no wildcards, and placeholders only when their values are known")
    text = "".join(part for part in value.s if isinstance(part, str))
    if isinstance(value, _Marked):
        return b"\xff\xfe" + text[1:].encode("latin-1")
    return text.encode("latin-1" if isinstance(value, _Bytes) else "utf-8", "surrogatepass")


class _Base64(SigmaBase64Modifier):
    def modify(self, val: SigmaString) -> SigmaString | SigmaExpansion:  # type: ignore[override]
        encoded = SigmaString(b64encode(_bytes(val)).decode())
        if isinstance(val, _Marked):
            # pySigma writes the mark in UTF-8; what its backends look for is looked for here too.
            return SigmaExpansion([encoded, super().modify(val)])
        return encoded


class _Base64Offset(SigmaBase64OffsetModifier):
    def modify(self, val: SigmaString) -> SigmaExpansion:
        raw = _bytes(val)
        texts = []
        for before in range(3):  # bytes that stand before, in the same group of three
            encoded = b64encode(b" " * before + raw).decode()
            # Only characters all of whose six bits come from the text are the same wherever it stands.
            texts.append(SigmaString(encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]))
        if isinstance(val, _Marked):
            return SigmaExpansion([*texts, *super().modify(val).values])
        return SigmaExpansion(list(texts))


MODIFIERS: Final[Mapping[str, type[SigmaModifier[Any, Any]]]] = {
    **_known,
    "base64": _Base64,
    "base64offset": _Base64Offset,
    "utf16": _WideMarked,
    "utf16be": _WideBigEndian,
    "utf16le": _Wide,
    "wide": _Wide,
}
