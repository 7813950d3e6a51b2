"""Text and an encoding modifier of Sigma in, the texts to look for out: where pySigma is not to be followed.

pySigma does not know `utf16le`. Its base64 encodes the backslash that escapes a wildcard, counts characters
where it should count bytes, and writes the byte order mark of `utf16` as UTF-8 would.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from sigma.exceptions import SigmaValueError
from sigma.modifiers import (
    SigmaBase64Modifier,
    SigmaBase64OffsetModifier,
    SigmaModifier,
    SigmaUTF16Modifier,
    SigmaWideModifier,
)
from sigma.types import SigmaExpansion, SigmaString


def _marked(modifier: SigmaModifier[Any, Any]) -> bool:
    return SigmaUTF16Modifier in modifier.applied_modifiers


def _raw(modifier: SigmaModifier[Any, Any], value: SigmaString) -> bytes:
    if value.contains_special():
        raise SigmaValueError("base64 of wildcards")
    text = "".join(str(part) for part in value.s)
    if _marked(modifier):
        return b"\xff\xfe" + text[1:].encode()
    return text.encode()


class _Base64(SigmaBase64Modifier):
    def modify(self, val: SigmaString) -> SigmaExpansion:  # type: ignore[override]
        right = SigmaString.from_str(b64encode(_raw(self, val)).decode())
        # Behind `utf16` what pySigma makes of it is looked for too: other tools do, and rules may rely on it.
        return SigmaExpansion([right, super().modify(val)] if _marked(self) else [right])


class _Base64Offset(SigmaBase64OffsetModifier):
    def modify(self, val: SigmaString) -> SigmaExpansion:
        right = [SigmaString(_wherever(_raw(self, val), before)) for before in range(3)]
        others = super().modify(val).values if _marked(self) else []
        return SigmaExpansion([*right, *others])


def _wherever(raw: bytes, before: int) -> str:
    """What is the same in the base64 of every text that holds these bytes so far behind a multiple of three.

    A character that holds a bit of what stands around them differs between all bits clear and all set.
    """
    behind = 3 - (before + len(raw)) % 3
    encoded = [b64encode(bit * before + raw + bit * behind).decode() for bit in (b"\x00", b"\xff")]
    return "".join(one for one, other in zip(*encoded, strict=True) if one == other)


MODIFIERS: dict[str, type[SigmaModifier[Any, Any]]] = {
    "utf16le": SigmaWideModifier,
    "base64": _Base64,
    "base64offset": _Base64Offset,
}
