"""Mapping files in, mappings out, or in plain words with file and line what is wrong with one (`docs/mapping.md`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeAlias, get_args

import msgspec

from tocsin.collect import zones
from tocsin.errors import SettingsError
from tocsin.model.kind import KINDS, kind_of
from tocsin.model.mapping import LogMapping, Served, TimeOf

MOST_BYTES: Final = 1 << 20
_MOST_DEPTH: Final = 20
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")
_UNKNOWN: Final = re.compile(r"Object contains unknown field `([^`]*)`")
_MISSING: Final = re.compile(r"Object missing required field `([^`]*)`")
_Way: TypeAlias = tuple[str | int, ...]
_Format: TypeAlias = Literal["json", "csv"]
DELIMITERS: Final = (",", ";", "\t", "|")


class _Recognise(msgspec.Struct, forbid_unknown_fields=True):
    keys: list[str] = []
    header: list[str] = []
    regex: str = ""


class _Source(msgspec.Struct, forbid_unknown_fields=True):
    category: str = ""
    product: str = ""
    service: str = ""


class _Time(msgspec.Struct, forbid_unknown_fields=True):
    field: str | list[str] = []
    join: list[str] = []
    format: str | list[str] = "iso"
    zone: str = ""


class _Mapping(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    format: _Format
    recognise: _Recognise
    kind: str = ""
    logsource: _Source | list[_Source] = []
    fields: dict[str, str | list[str]] = {}
    constants: dict[str, str] = {}
    time: _Time | None = None
    host: str = ""
    inside: list[str] = []
    delimiter: str = ""
    columns: list[str] = []


_KEYS: Final = {
    "": _Mapping.__struct_fields__,
    "recognise": _Recognise.__struct_fields__,
    "logsource": _Source.__struct_fields__,
    "time": _Time.__struct_fields__,
}


@dataclass(slots=True)
class _File:
    """A file as it was written: where each of its parts stands."""

    path: str
    lines: dict[_Way, int] = field(default_factory=dict)

    def wrong(self, text: str, hint: str, way: _Way = ()) -> NoReturn:
        while way and way not in self.lines:
            way = way[:-1]
        raise SettingsError(f"{self.path}:{self.lines.get(way, 1)}: {text}", hint=hint)


def load(paths: Iterable[str | Path]) -> tuple[LogMapping, ...]:
    """Read mapping files.

    Raises:
        SettingsError: one cannot be read or understood, or two have one name.
    """
    found: dict[str, LogMapping] = {}
    for path in map(str, paths):
        one = _read(path)
        if one.name in found:
            raise SettingsError(
                f"{path}: the mapping {found[one.name].path} is called {one.name}, too", hint="Give one another name."
            )
        found[one.name] = one
    return tuple(found.values())


def _read(path: str) -> LogMapping:
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(
            f"{path}: {error.strerror}", hint="--mapping names a file; docs/mapping.md says what stands in it."
        ) from error
    file_ = _File(path)
    if len(content) > MOST_BYTES:
        file_.wrong("larger than any mapping", "Is it a log? Logs are named without --mapping.")
    plain = _plain(content, file_)
    try:
        return _made(msgspec.convert(plain, _Mapping), file_)
    except msgspec.ValidationError as error:
        _explain(str(error), file_)


def _plain(content: bytes, file: _File) -> Any:
    """YAML as dictionaries, lists and text: nothing is taken for a number or a date."""
    import yaml  # only for those who have a mapping

    try:
        text = content.decode("utf-8-sig")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.CSafeLoader)):
            file.wrong("refers to another part of itself with `*`", "Write the part out.")
        node = yaml.compose(text, yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        file.lines[()] = mark.line + 1 if mark else 1
        file.wrong(f"not YAML: {getattr(error, 'problem', None) or error}", "Look at the indentation and the quotes.")
    if not isinstance(node, yaml.MappingNode):
        file.wrong("not a mapping: it has no keys", "docs/mapping.md has examples to begin with.")
    return _built(node, (), file)


def _built(node: Any, way: _Way, file: _File) -> Any:
    file.lines.setdefault(way, node.start_mark.line + 1)
    if len(way) > _MOST_DEPTH:
        file.wrong("nested too deeply", "A mapping has three levels at most.", way)
    if node.id == "scalar":
        return node.value
    if node.id == "sequence":
        return [_built(one, (*way, at), file) for at, one in enumerate(node.value)]
    built: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value if key.id == "scalar" else file.wrong("a key that is no text", "Put it in quotes.", way)
        below = (*way, name)
        if name in built:
            file.lines[below] = key.start_mark.line + 1
            file.wrong(f"`{name}` stands there twice", "Keep one of them.", below)
        file.lines[below] = key.start_mark.line + 1
        built[name] = _built(value, below, file)
    return built


def _explain(error: str, file: _File) -> NoReturn:
    """The words of a failed conversion as somebody would say them."""
    text, _, told = error.partition(" - at `$")
    way: _Way = tuple(int(at) if at else name for name, at in _STEP.findall(told))
    where = next((str(part) for part in way if isinstance(part, str)), "")
    inside = f" in `{where}`" if where else ""
    if unknown := _UNKNOWN.match(text):
        known = _KEYS.get(where, ())
        near = get_close_matches(unknown[1], known, 1)
        hint = f"Did you mean `{near[0]}`?" if near else f"There are {', '.join(known)}."
        file.wrong(f"there is no `{unknown[1]}`{inside}", hint, (*way, unknown[1]))
    if missing := _MISSING.match(text):
        file.wrong(f"`{missing[1]}` is missing{inside}", "docs/mapping.md says what it is for.", way)
    if where == "format":
        file.wrong("`format` is neither json nor csv", f"Write one of {', '.join(get_args(_Format))}.", way)
    expected = re.sub(r"Expected `(.*?)`, got `(.*?)`", _in_words, text)
    file.wrong(f"`{where or 'the file'}`: {expected}", "docs/mapping.md has an example of each part.", way)


def _in_words(found: re.Match[str]) -> str:
    words = {"str": "text", "array": "a list", "object": "keys with values", "null": "nothing"}
    wanted, got = (" or ".join(words.get(one, one) for one in part.split(" | ")) for part in found.groups())
    return f"{wanted} is wanted here, and {got} is there"


def _made(found: _Mapping, file: _File) -> LogMapping:
    if not _NAME.fullmatch(found.name):
        file.wrong(
            f"the name {found.name[:60]!r} is not one", "Use small letters, digits, `-`, `_` and `.`.", ("name",)
        )
    sources = found.logsource if isinstance(found.logsource, list) else [found.logsource]
    kind = _kind(found, sources, file)
    keys = _recognised(found, file)
    time = _time(found.time, file) if found.time else None
    fields = {path: (names,) if isinstance(names, str) else tuple(names) for path, names in found.fields.items()}
    for path, names in fields.items():
        if not path or not names or not all(names):
            file.wrong(f"`{path}` has no name", "Write `a.b: Name`, or `a.b: [Name, other]`.", ("fields", path))
    if found.host and not kind_of(kind).host:
        file.wrong(f"records of the kind {kind} name no host", "Leave out `host`, or put it under `fields`.", ("host",))
    if found.delimiter and (len(found.delimiter) != 1 or found.delimiter in '"\r\n' or not found.delimiter.isascii()):
        file.wrong("`delimiter` is not one character", 'Write one, such as ";" or "\\t".', ("delimiter",))
    for part, form in (("inside", "json"), ("columns", "csv"), ("delimiter", "csv")):
        if getattr(found, part) and found.format != form:
            file.wrong(f"`{part}` is for {form}", f"Leave it out where the format is {found.format}.", (part,))
    return LogMapping(
        name=found.name,
        path=file.path,
        format=found.format,
        kind=kind,
        keys=keys,
        regex=found.recognise.regex,
        fields=fields,
        constants=found.constants,
        time=time,
        host=found.host,
        inside=frozenset(found.inside),
        delimiter=found.delimiter,
        columns=tuple(found.columns),
        serves=tuple(
            Served(kind=kind, category=one.category, product=one.product, service=one.service) for one in sources
        ),
    )


def _kind(found: _Mapping, sources: Sequence[_Source], file: _File) -> str:
    if bool(found.kind) == bool(sources):
        file.wrong(
            "a mapping needs either `kind` or `logsource`",
            "`kind` puts its events among those of a reader; `logsource` says which rules they are for.",
            ("kind",) if found.kind else (),
        )
    if found.kind and found.kind not in KINDS:
        near = get_close_matches(found.kind, KINDS, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        file.wrong(f"there is no kind {found.kind[:60]!r}", f"{hint}There are {', '.join(KINDS)}.", ("kind",))
    if not found.kind and found.name in KINDS:
        file.wrong(f"{found.name} is the name of a kind that readers have", "Choose another name.", ("name",))
    for at, one in enumerate(sources):
        if not (one.category or one.product or one.service):
            file.wrong(
                "a log source names a category, product or service",
                "Write it as the rules do that should read it.",
                ("logsource", at),
            )
    return found.kind or found.name


def _recognised(found: _Mapping, file: _File) -> tuple[str, ...]:
    way: _Way = ("recognise",)
    named = found.recognise
    other, own = (named.header, named.keys) if found.format == "json" else (named.keys, named.header)
    if other:
        file.wrong("JSON has `keys`, CSV has a `header`", "Use the one that is for the format.", way)
    if not own and not named.regex:
        file.wrong("nothing tells the log from others", "Name a few `keys`, or of CSV a `header`, or a `regex`.", way)
    if found.columns and own:
        file.wrong("a file with a header needs no `columns`", "Leave one of them out.", ("columns",))
    if found.format == "csv" and not own and not found.columns:
        file.wrong("a CSV file without `header` needs `columns`", "Name its columns, in order.", way)
    try:
        re.compile(named.regex.encode())
    except re.error as error:
        file.wrong(f"the regex does not compile: {error}", "It is one of Python's `re`.", (*way, "regex"))
    return tuple(own)


def _time(told: _Time, file: _File) -> TimeOf:
    way: _Way = ("time",)
    fields = told.join or ([told.field] if isinstance(told.field, str) else told.field)
    if not fields or not all(fields) or (told.join and told.field):
        file.wrong("`time` needs either `field` or `join`", "`field` names one, or several of which one is there.", way)
    forms = (told.format,) if isinstance(told.format, str) else tuple(told.format)
    for form in forms:
        if form not in ("iso", "epoch") and not _is_form(form):
            file.wrong(
                f"{form[:60]!r} is no form of a time",
                "Write iso, epoch, or parts such as %d/%m/%Y %H:%M:%S (those of Python's strptime).",
                (*way, "format"),
            )
    zone = None
    if told.zone:
        line = file.lines.get((*way, "zone"), 1)
        zone = zones.named(told.zone, f"{file.path}:{line}: zone")
    return TimeOf(fields=tuple(fields), joined=bool(told.join), forms=forms, zone=zone)


def _is_form(form: str) -> bool:
    moment = datetime(2026, 3, 14, 1, 59, 26, tzinfo=UTC)  # only to try the form, which may have a zone
    try:
        datetime.strptime(moment.strftime(form), form)  # noqa: DTZ007
    except (ValueError, re.error):
        return False
    return "%" in form
