"""Rule files in, their documents as plain mappings out, with the line where each begins.

Files are hostile: their size, their depth and the growth of YAML aliases are bounded, and only plain
values are made of them. What cannot be read is a problem with its line; the rest of the file is used.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tocsin.model.rule import RuleProblem, RuleText

MOST_BYTES = 4 << 20
MOST_DEPTH = 100  # libyaml's loader recurses on the C stack: 200,000 levels end the interpreter
MOST_NODES = 200_000  # of a file that uses aliases, each counted as often as it is written out

# What a file must hold to be deep or to grow; the slow look at its events is for such files alone.
_OPENINGS = 1000
_ANCHOR = re.compile(r"(?:^|[\s\[{,:?-])&[\w-]")
_DEEP_LINE = re.compile(r"(?:^|[\n\r\x85\u2028\u2029])[ \t?:-]{200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a file, with what `action: global` and `action: repeat` add to it."""

    path: str
    line: int
    place: int  # among the documents of its file, from 0
    content: dict[Any, Any]
    source: str = ""  # the text of the whole file
    own_id: bool = True  # False where the id came from another document


class _Loader(yaml.CSafeLoader):
    """Plain values only, and no key twice: the second would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        written = node.value  # a merge key `<<` replaces the list, and its values may be overridden
        found: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if len(found) < len(written):
            seen = set()
            for key_node, _ in written:
                key = self.construct_object(key_node, deep=True)
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {str(key)[:80]!r} stands here twice", key_node.start_mark
                    )
                seen.add(key)
        return found


def read(text: RuleText) -> Iterator[Document | RuleProblem]:
    """Documents in their order; empty ones are passed over."""
    try:
        source = _decode(text.content)
        _bound(source)
    except _Refused as fault:
        yield RuleProblem(path=text.path, line=fault.line, reason="not yaml", text=str(fault))
        return
    found = 0
    for one in _collected(text.path, source, _mappings(text.path, source)):
        found += 1
        yield one
    if not found:
        yield RuleProblem(path=text.path, line=1, reason="not sigma", text="the file holds no rule")


class _Refused(Exception):
    def __init__(self, text: str, line: int = 1) -> None:
        super().__init__(text)
        self.line = line


def _decode(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise _Refused(f"the file is larger than {MOST_BYTES >> 20} MiB")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise _Refused(f"the text is not {encoding.removesuffix('-sig').upper()}", line) from None


def _bound(source: str) -> None:
    """Refuse a text that is too deep, or whose aliases write out too much, before it is loaded."""
    aliased = _ANCHOR.search(source) is not None
    if not aliased and source.count("[") + source.count("{") <= _OPENINGS and not _DEEP_LINE.search(source):
        return
    open_nodes: list[tuple[str | None, int]] = []  # anchor, and nodes counted before
    sizes: dict[str, int] = {}
    counted = 0
    try:
        for event in yaml.parse(source, yaml.CSafeLoader):
            line = event.start_mark.line + 1 if event.start_mark else 1
            if isinstance(event, yaml.AliasEvent):
                if any(event.anchor == anchor for anchor, _ in open_nodes):
                    raise _Refused(f"the alias *{event.anchor} stands inside what it names", line)
                counted += sizes.get(event.anchor or "", 0)
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, before = open_nodes.pop()
                if anchor:
                    sizes[anchor] = counted - before
            elif isinstance(event, yaml.NodeEvent):
                counted += 1
                if isinstance(event, yaml.CollectionStartEvent):
                    open_nodes.append((event.anchor, counted - 1))
                elif event.anchor:
                    sizes[event.anchor] = 1
            if len(open_nodes) > MOST_DEPTH:
                raise _Refused(f"it nests more than {MOST_DEPTH} levels deep", line)
            if aliased and counted > MOST_NODES:
                raise _Refused(f"its aliases write out more than {MOST_NODES} values", line)
    except yaml.YAMLError:
        return  # loading will meet it again, and knows how to tell


def _mappings(path: str, source: str) -> Iterator[tuple[int, dict[Any, Any]] | RuleProblem]:
    """The documents as YAML has them, each with its first line."""
    loader = _Loader(source)
    line = 1
    try:
        while loader.check_node():
            node = loader.get_node()
            line = node.start_mark.line + 1 if node and node.start_mark else line
            value = loader.construct_document(node)
            if isinstance(value, dict):
                yield line, value
            elif value is not None:
                word = "a list" if isinstance(value, list) else "a single value"
                yield RuleProblem(
                    path=path, line=line, reason="not sigma", text=f"a rule is a mapping, and this is {word}"
                )
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line = mark.line + 1 if mark else line
        yield RuleProblem(path=path, line=line, reason="not yaml", text=fault.problem or "not YAML")
    except yaml.reader.ReaderError as fault:
        line = source.encode().count(b"\n", 0, fault.position) + 1
        yield RuleProblem(path=path, line=line, reason="not yaml", text=fault.reason)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as fault:
        # Numbers and dates that do not exist end in errors of Python's own.
        text = f"a value cannot be read: {fault}"
        yield RuleProblem(path=path, line=line, reason="not yaml", text=text)
    finally:
        loader.dispose()


def _collected(
    path: str, source: str, documents: Iterator[tuple[int, dict[Any, Any]] | RuleProblem]
) -> Iterator[Document | RuleProblem]:
    """Apply the actions of a collection: `global`, `reset`, `repeat`."""
    common: Mapping[Any, Any] = {}
    previous: Mapping[Any, Any] = {}
    for place, document in enumerate(documents):
        if isinstance(document, RuleProblem):
            yield document
            continue
        line, own = document
        action = own.pop("action", None)
        if action == "global":
            common = previous = own
        elif action == "reset":
            common = {}
        elif action in (None, "repeat"):
            alone = action is None and ("correlation" in own or "filter" in own)
            if not alone:
                previous = merged(previous, own) if action else merged(own, common)
            content = own if alone else previous
            yield Document(path=path, line=line, place=place, content=dict(content), source=source, own_id="id" in own)
        else:
            text = f"the action of a collection is global, reset or repeat, not {str(action)[:80]!r}"
            yield RuleProblem(path=path, line=line, reason="not sigma", text=text)


def merged(under: Mapping[Any, Any], over: Mapping[Any, Any]) -> dict[Any, Any]:
    """Both, key by key and level by level; where they differ, `over` counts."""
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        both[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return both


def canonical_id(text: str) -> str:
    """A UUID in its usual form; any other text as it is."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return text
