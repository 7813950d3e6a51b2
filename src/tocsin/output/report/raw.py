"""Raw records in, compressed blocks for a page out: each one click away, as it stands in the evidence.

A page of twenty thousand findings cannot hold sixty megabytes of records as text. They are packed by the hundred
(zlib, RFC 1950), and the page's own script unpacks the block of the record that somebody asks for.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from tocsin.model.citation import Citation
from tocsin.model.raw import Place, Raw
from tocsin.output.report.privileged import CONTENT, MAIL_KINDS, is_privileged
from tocsin.output.screen import cut, shown

_MOST_BYTES: Final = 7 << 20  # of all blocks together, as text
_BLOCK_CHARACTERS: Final = 256 << 10  # what one click unpacks
_LONGEST: Final = 20_000  # characters of a record; both ends are shown of a longer one
_DEEPEST: Final = 40  # texts in texts and objects in objects

_NO_ROOM: Final = "this page would become too large with it"
_WITHHELD: Final = "it may hold content of mail, which is withheld"
_NOT_ASKED: Final = "this report was made without reading the evidence again"
# The shortest words that one of these names holds; an expression for the names took three seconds for a large report.
_SIGNS: Final = tuple(name for name in sorted(CONTENT) if not any(other in name for other in CONTENT if other != name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """For the page's script: blocks, and of each record the block and its number there, or -1 and why it is not here.

    `whys` are those reasons.
    """

    blocks: tuple[str, ...]
    at: tuple[tuple[int, int], ...]
    whys: tuple[str, ...]


def pack(rows: Sequence[Citation], weight: Sequence[int], raws: Mapping[Place, Raw], *, revealed: bool) -> Packed:
    """Pack the records of rows; where not all have room, those of the greatest weight stay, the first of equals."""
    whys: dict[str, int] = {}
    told: dict[Place, tuple[int, int]] = {}
    blocks: list[str] = []
    texts: list[str] = []
    waiting: list[Place] = []
    room = _MOST_BYTES

    def close() -> None:
        nonlocal room
        if not waiting:
            return
        block = base64.b64encode(zlib.compress(orjson.dumps(texts), 6)).decode()
        fits = len(block) <= room
        if fits:
            room -= len(block)
            told.update({place: (len(blocks), number) for number, place in enumerate(waiting)})
            blocks.append(block)
        else:
            room = 0
            told.update(dict.fromkeys(waiting, (-1, whys.setdefault(_NO_ROOM, len(whys)))))
        texts.clear()
        waiting.clear()

    size = 0
    for at in sorted(range(len(rows)), key=lambda one: (-weight[one], one)):
        place = _place(rows[at])
        if place in told:
            continue
        text, why = _told(raws.get(place), revealed=revealed)
        why = why or ("" if room else _NO_ROOM)
        if why:
            told[place] = (-1, whys.setdefault(why, len(whys)))
            continue
        told[place] = -1, -1  # until its block is closed
        texts.append(text)
        waiting.append(place)
        size += len(text)
        if size >= _BLOCK_CHARACTERS:
            close()
            size = 0
    close()
    return Packed(blocks=tuple(blocks), at=tuple(told[_place(one)] for one in rows), whys=tuple(whys))


def _place(at: Citation) -> Place:
    return at.path, at.chunk, at.rec


def _told(raw: Raw | None, *, revealed: bool) -> tuple[str, str]:
    """What is shown of a record, or why nothing is."""
    if raw is None or raw.missing:
        return "", raw.missing if raw else _NOT_ASKED
    text = raw.content.decode("utf-8", "replace")
    if not revealed:
        text = without_content(text, raw.kind)
        if not text:
            return "", _WITHHELD
    more = raw.size_bytes - len(raw.content)
    ending = f"\n[{more:,} bytes more stand in the evidence]" if more > 0 else ""
    return _seen(cut(text, _LONGEST)) + ending, ""


def without_content(text: str, kind: str) -> str:
    """A record without what people wrote to each other; '' where it cannot be told which part of it that is."""
    if kind not in MAIL_KINDS:
        folded = text.lower()
        if not any(sign in folded for sign in _SIGNS):
            return text
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return "" if kind in MAIL_KINDS else text
    hidden, record = _masked(record, kind, 0)
    return json.dumps(record, ensure_ascii=False) if hidden else text


def _masked(value: Any, kind: str, depth: int) -> tuple[bool, Any]:
    """The same without privileged values, also in JSON that stands in a text; and whether there were any."""
    if depth > _DEEPEST:
        return True, "[withheld: too deep to look through]"
    if isinstance(value, dict):
        parts = {
            name: (True, f"[withheld: {len(str(each)):,} characters]")
            if is_privileged(kind, name)
            else _masked(each, kind, depth + 1)
            for name, each in value.items()
        }
        parts |= _named_beside(value, kind)
        return any(hidden for hidden, _ in parts.values()), {name: each for name, (_, each) in parts.items()}
    if isinstance(value, list):
        every = [_masked(each, kind, depth + 1) for each in value]
        return any(hidden for hidden, _ in every), [each for _, each in every]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            inner = json.loads(value)
        except (ValueError, RecursionError):
            return False, value
        hidden, inner = _masked(inner, kind, depth + 1)
        return hidden, json.dumps(inner, ensure_ascii=False) if hidden else value
    return False, value


def _named_beside(value: Mapping[str, Any], kind: str) -> dict[str, tuple[bool, Any]]:
    """Values of pairs as Microsoft 365 writes its parameters: {"Name": "Subject", "Value": ...}."""
    names = {name.lower(): name for name in value}
    called = str(value.get(names.get("name", ""), ""))
    if not called or not is_privileged(kind, called):
        return {}
    kept = [names[one] for one in ("value", "multivalue", "newvalue", "oldvalue") if one in names]
    return {name: (True, f"[withheld: {len(str(value[name])):,} characters]") for name in kept}


def _seen(text: str) -> str:
    """Text in which nothing acts; its lines stay lines."""
    lines = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    return "\n".join(map(shown, lines))
