"""Names of packs, folders, archives and files in, the text of their rules out; and the keeping of packs.

A pack is one zip in the user's folder, `<name>.zip`, with its rules and their licences, and beside it
`<name>.json`: where it came from, when, and the SHA-256 of what was fetched. Each is replaced at once or
not at all, and only when all of the new pack could be read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final
from urllib.parse import urlsplit

import msgspec

from tocsin.errors import RuleError
from tocsin.learn import archives, built_in
from tocsin.learn.kept import data_folder
from tocsin.learn.licences import is_licence, licence_of
from tocsin.model.rule import RuleText

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ENDINGS: Final = re.compile(r"(\.zip|\.tar|\.tgz|\.tar\.gz)$", re.IGNORECASE)
OWN: Final = built_in.OWN
_ADDING: Final = "Add one with `tocsin rules add SOURCE`, or name rules with --rules PATH."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Rules that came together.

    Args:
        sha256: of the archive that was fetched; of a folder, of the pack that was made of it.
        kept_sha256: of the zip it is kept in.
        added_at: UTC, ISO 8601.
        rules: rule files; one may hold several rules.
    """

    name: str
    source: str
    sha256: str
    kept_sha256: str
    added_at: str
    rules: int
    licences: tuple[str, ...] = ()


def resolve(asked: Sequence[str]) -> list[RuleText]:
    """The rule files that are asked for, in the order of the names and sorted within each, each file once.

    Args:
        asked: packs, folders (all *.yml and *.yaml below them), zip or tar.gz archives, rule files. None
            at all stand for every pack that was added, and for the rules that come with Tocsin if none was.
            A pack goes before a file of the same name: for the file write `./name`.

    Raises:
        RuleError: a name stands for nothing, or for no rules, or for what must not be trusted.
    """
    found: dict[str, RuleText] = {}
    for name in asked or names() or [OWN]:
        for text in _resolve(name):
            found.setdefault(text.path, text)
    return list(found.values())


def _resolve(name: str) -> list[RuleText]:
    path = Path(name)
    if name == OWN:
        contents, separator = _below(built_in.FOLDER, is_rule), f"{OWN}!"
    elif _NAME.fullmatch(name) and (kept := folder() / f"{name}.zip").is_file():
        contents, separator = archives.read(kept, is_rule, called=name), f"{name}!"
    elif path.is_dir():
        contents, separator = _below(path, is_rule), ""
        contents = {str(path / inside): content for inside, content in contents.items()}
    elif path.is_file():
        head = _head(path)
        if not archives.sniff(head):
            return [RuleText(path=name, content=_content(path))]
        contents, separator = archives.read(path, is_rule), f"{name}!"
    else:
        known = ", ".join([OWN, *names()])
        raise RuleError(
            f"{name}: neither a pack that was added nor a file or folder", hint=f"Packs: {known}. {_ADDING}"
        )
    if not contents:
        raise RuleError(f"{name}: no rules in it", hint="Rules are files that end in .yml or .yaml.")
    return [RuleText(path=f"{separator}{inside}", content=content) for inside, content in contents.items()]


def is_rule(name: str) -> bool:
    """Whether a file's name, relative to its pack, is that of a rule; what hides behind a dot is not."""
    return name.lower().endswith((".yml", ".yaml")) and not (name.startswith(".") or "/." in name)


def names() -> list[str]:
    """The names of the packs that were added, sorted."""
    return sorted(_kept())


def own() -> Pack:
    """The rules that come with Tocsin, described as a pack."""
    rules = sum(map(is_rule, _below(built_in.FOLDER, is_rule)))
    return Pack(
        name=OWN,
        source=built_in.SOURCE,
        sha256="",
        kept_sha256="",
        added_at="",
        rules=rules,
        licences=(built_in.LICENCE,),
    )


def packs() -> list[Pack]:
    """Every pack that was added, by name. One whose description is lost is described from its zip."""
    return [_described(name, path) for name, path in sorted(_kept().items())]


def add(source: str, name: str | None = None) -> Pack:
    """Add a pack, or replace the one of that name once all of the new one could be read.

    Args:
        source: a folder, a zip or tar.gz archive, or the http(s) address of one.
        name: what to call it; else it is made from the source's last part.

    Raises:
        RuleError: the source cannot be had, holds no rules or must not be trusted; nothing was changed.
    """
    name = _name_of(source) if name is None else name
    if not _NAME.fullmatch(name):
        raise RuleError(
            f"{name!a} cannot be the name of a pack",
            hint="Give another with --name: small letters, digits, dots, dashes and underscores.",
        )
    if name == OWN:
        raise RuleError(f"{OWN!a} is the name of the rules that come with tocsin", hint="Give another with --name.")
    sha256 = ""
    if _is_address(source):
        from tocsin.learn import fetch  # only to add: the import would cost every start 20 ms

        home = _made(folder())
        with tempfile.NamedTemporaryFile(dir=home, prefix=".") as file:
            sha256 = fetch.fetch(source, file)
            file.flush()
            contents = archives.read(Path(file.name), _is_kept, called=fetch.shown(source))
        source = fetch.shown(source)
    elif Path(source).is_dir():
        contents = _below(Path(source), _is_kept)
        source = str(Path(source).resolve())
    elif Path(source).is_file():
        contents = archives.read(Path(source), _is_kept)
        with Path(source).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        source = str(Path(source).resolve())
    else:
        raise RuleError(
            f"{source}: no such file, folder or address", hint="An address begins with https:// or http://."
        )
    return _keep(name, source, sha256, contents)


def folder() -> Path:
    """Where this user's packs are kept."""
    return data_folder() / "packs"


def _kept() -> dict[str, Path]:
    kept = {path.stem: path for path in folder().glob("*.zip") if _NAME.fullmatch(path.stem)}
    return {name: path for name, path in kept.items() if name != OWN}  # whoever put one there did not add it


def _is_kept(name: str) -> bool:
    return is_rule(name) or is_licence(name)


def _is_address(source: str) -> bool:
    return "://" in source


def _name_of(source: str) -> str:
    path = urlsplit(source).path if _is_address(source) else str(Path(source).resolve())
    last = _ENDINGS.sub("", PurePosixPath(path).name)
    return re.sub(r"[^a-z0-9._-]+", "-", last.lower()).strip("-._")[:64]


def _keep(name: str, source: str, sha256: str, contents: Mapping[str, bytes]) -> Pack:
    if not any(map(is_rule, contents)):
        raise RuleError(f"{source}: no rules in it", hint="Rules are files that end in .yml or .yaml.")
    home = _made(folder())
    try:
        kept_sha256 = _replace(home / f"{name}.zip", lambda file: archives.write(file, contents))
        pack = Pack(
            name=name,
            source=source,
            sha256=sha256 or kept_sha256,
            kept_sha256=kept_sha256,
            added_at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            rules=sum(map(is_rule, contents)),
            licences=licence_of(contents),
        )
        _replace(home / f"{name}.json", lambda file: file.write(msgspec.json.format(msgspec.json.encode(pack))))
    except OSError as fault:
        raise RuleError(
            f"{home}: the pack cannot be kept ({fault.strerror})", hint="Packs are kept below $XDG_DATA_HOME."
        ) from fault
    return pack


def _replace(path: Path, write: Callable[[BinaryIO], object]) -> str:
    """Write a file at once or not at all; its SHA-256."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with open(handle, "w+b") as file:  # noqa: PTH123  a descriptor, not a path
            write(file)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        os.replace(temporary, path)  # noqa: PTH105  mkstemp gives text
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108  as above
        raise
    return sha256


def _described(name: str, path: Path) -> Pack:
    """A pack as its description has it, if that belongs to the zip beside it."""
    with path.open("rb") as file:
        kept_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        pack = msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=Pack)
        if pack.kept_sha256 == kept_sha256 and pack.name == name:
            return pack
    contents = archives.read(path, _is_kept, called=name)
    return Pack(
        name=name,
        source="",
        sha256="",
        kept_sha256=kept_sha256,
        added_at="",
        rules=sum(map(is_rule, contents)),
        licences=licence_of(contents),
    )


def _made(home: Path) -> Path:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise RuleError(
            f"{home}: the folder of packs cannot be made ({fault.strerror})",
            hint="Set XDG_DATA_HOME to a folder you may write.",
        ) from fault
    return home


def _below(top: Path, wanted: archives.Wanted) -> dict[str, bytes]:
    """The wanted files below a folder, by their path in it, sorted. Links may not lead out of it."""
    contents: dict[str, bytes] = {}
    size, real = 0, top.resolve()
    for at, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for path in (Path(at, name) for name in files):
            inside = path.relative_to(top).as_posix()
            if not wanted(inside):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(real):
                raise RuleError(
                    f"{path}: a link that leads out of the folder",
                    hint="Put the file itself there, or name it.",
                )
            contents[inside] = content = _content(path)
            size += len(content)
            if size > archives.MOST_BYTES:
                raise RuleError(
                    f"{top}: more than {archives.MOST_BYTES >> 20} MiB of rules",
                    hint="Name a smaller folder.",
                )
    return dict(sorted(contents.items()))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(archives.HEAD_BYTES)
    except OSError as fault:
        raise RuleError(f"{path}: {fault.strerror}", hint="Check its permissions.") from fault


def _content(path: Path) -> bytes:
    """A rule file; of one that is too large, enough for whoever parses it to see that."""
    try:
        if not path.is_file():
            raise RuleError(f"{path}: not a regular file", hint="A rule is a file of YAML.")
        with path.open("rb") as file:
            return file.read(archives.MOST_MEMBER_BYTES + 1)
    except OSError as fault:
        raise RuleError(f"{path}: {fault.strerror}", hint="Check its permissions.") from fault
