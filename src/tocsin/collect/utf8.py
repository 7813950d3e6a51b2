"""Bytes in, whether they are text, and texts in which what is none was replaced, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8 (RFC 3629)."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def as_texts(held: pa.Array) -> pa.StringArray:
    """Texts as they are, and bytes as texts."""
    import pyarrow as pa  # only for formats that are read by columns: it takes a third of a warm start

    if held.type == pa.string():
        return held
    encoded = held.dictionary_encode()
    texts = [text.decode("utf-8", "replace") if text is not None else None for text in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)
