"""A Windows event as XML in, the record that its rendering as JSON would be out: objects, attributes and texts.

After the event schema of Windows (`System`, `EventData`, `UserData`, `RenderingInfo`). Attributes stand under
`#attributes`, and named values of `EventData` under their names, as the evtx library renders them. No parser of XML
is used: events hold characters that XML forbids, and what is cut off is read up to the cut.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, TypeAlias

Record: TypeAlias = dict[str, Any]

CUT_OFF: Final = "XML that is cut off"
_NAME: Final = r"[\w:.\-]{1,128}"
_TOKEN: Final = re.compile(
    rf"<({_NAME})((?:\s+{_NAME}\s*=\s*(?:'[^'<]*+'|\"[^\"<]*+\"))*+)\s*(/?)>|</({_NAME})\s*>"
    r"|<!\[CDATA\[(.*?)(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<[!?][^>]*+>|([^<]++)",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(rf"\s({_NAME})\s*=\s*(?:'([^']*)'|\"([^\"]*)\")")
_ENTITY: Final = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));")
_ENTITIES: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_LARGEST: Final = 0x10FFFF
_DEEPEST: Final = 32  # elements in elements; those below are passed over
_ATTRIBUTES: Final = "#attributes"
_TEXT: Final = "#text"
_NAMED: Final = frozenset({"Data", "ComplexData"})


class _Element(NamedTuple):
    name: str
    attributes: Record
    below: Record
    texts: list[str]


def plain(text: str) -> str:
    """A text with its entities written out."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(entity: re.Match[str]) -> str:
    if entity[1]:
        return _ENTITIES[entity[1]]
    code = int(entity[2]) if entity[2] else int(entity[3], 16)
    return chr(code) if code <= _LARGEST and not 0xD800 <= code <= 0xDFFF else entity[0]  # halves of a pair are no text


def record(text: str) -> tuple[Record, str] | None:
    """The record of an event that begins at the text's first `<Event`, and what is amiss; None for what is none."""
    root = _Element("", {}, {}, [])
    open_: list[_Element] = [root]
    passed, end = 0, 0
    for token in _TOKEN.finditer(text):
        if token.start() != end:
            break  # a `<` that begins nothing: the event is damaged from here on
        end = token.end()
        name, attributes, is_empty, closed, cdata, said = token.groups()
        if name:
            if len(open_) > _DEEPEST:
                passed += not is_empty
                continue
            told = (
                {key: plain(one or other) for key, one, other in _ATTRIBUTE.findall(attributes)} if attributes else {}
            )
            open_.append(_Element(name, told, {}, []))
            if is_empty:
                _close(open_)
        elif closed:
            if passed:
                passed -= 1
            elif closed == open_[-1].name:
                _close(open_)
            else:
                break
            if len(open_) == 1:
                break
        elif not passed:
            open_[-1].texts.append(cdata if cdata is not None else plain(said or ""))
    is_whole = len(open_) == 1
    while len(open_) > 1:
        _close(open_)
    event = root.below.get("Event")
    if not isinstance(event, dict) or not isinstance(event.get("System"), dict):
        return None
    return root.below, "" if is_whole else CUT_OFF


def _close(open_: list[_Element]) -> None:
    element = open_.pop()
    outer = open_[-1]
    name, text = element.name, "".join(element.texts)
    if outer.name == "EventData" and name in _NAMED:
        called = element.attributes.get("Name")
        if called is None:
            outer.below.setdefault(name, {_TEXT: []})[_TEXT].append(text)
            return
        _add(outer.below, called, text)
        return
    told: Any = dict(element.below)
    if element.attributes:
        told = {_ATTRIBUTES: element.attributes, **told}
    if not element.below and text.strip():
        told = {**told, _TEXT: text} if told else text
    _add(outer.below, name, told or None)


def _add(record_: Record, name: str, value: Any) -> None:
    """An element that stands there again makes a list."""
    if name not in record_:
        record_[name] = value
    elif isinstance(record_[name], list):
        record_[name].append(value)
    else:
        record_[name] = [record_[name], value]
