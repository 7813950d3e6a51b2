"""A digest in, the rule set compiled from it out, if it was kept; and the keeping.

A kept rule set is one file: a header with a digest of the body, and the body in MessagePack, decoded
into its types. What does not fit is None, and whoever asked compiles anew.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib.metadata
import os
import platform
import re
import stat
import struct
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from tocsin.model.mapping import Served
from tocsin.model.rule import RuleSet, RuleText

ENGINE: Final = 35  # raised with every change of what rules are compiled to
MOST_FILES: Final = 8
MOST_BYTES: Final = 1 << 29

_MAGIC: Final = b"tocsin rules\n"
_HEADER: Final = struct.Struct(f">{len(_MAGIC)}sI32s")  # magic, engine, SHA-256 of the body
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_SUFFIX: Final = ".rules"
_COMPILED_WITH: Final = (
    "hyperscan",
    "msgspec",
    "pysigma",
    "pysigma-pipeline-sysmon",
    "pysigma-pipeline-windows",
    "PyYAML",
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(RuleSet)


def digest_of(
    texts: Iterable[RuleText],
    expansions: Mapping[str, Sequence[str]],
    attack: str = "",
    served: Sequence[Served] = (),
) -> str:
    """SHA-256 of all that a compiled rule set depends on, each part with its length.

    Args:
        attack: the digest of the facts about ATT&CK that tell the release of tags.
        served: what mappings read: a rule that nothing else could show is compiled for it.
    """
    digest = hashlib.sha256()

    def add(*parts: bytes | str) -> None:
        for part in parts:
            content = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            digest.update(len(content).to_bytes(8))
            digest.update(content)

    add(str(ENGINE), f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine(), _processor())
    for name in _COMPILED_WITH:
        add(name, _version(name))
    add(str(len(expansions)))
    for name in sorted(expansions):
        add(name, str(len(expansions[name])), *expansions[name])
    add(attack, str(len(served)))
    for one in served:
        add(one.kind, one.category, one.product, one.service)
    for text in texts:
        add(text.path, text.content)
    return digest.hexdigest()


@cache
def _version(package: str) -> str:
    """It is looked up in files, for longer than a rule takes to compile; it is that of what runs here."""
    return importlib.metadata.version(package)


def _processor() -> str:
    """What the processor can do, where the system tells: Hyperscan compiles for exactly that."""
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as told:
            head = told.read(1 << 14)
    except OSError:
        return ""
    return next((line for line in head.splitlines() if line.startswith(("flags", "Features"))), "")


def load(folder: Path, digest: str) -> RuleSet | None:
    """The rule set kept under the digest, None where there is none that can be used."""
    path = _place(folder, digest)
    try:
        # Another user's file, or one that others may write, is not ours: Hyperscan trusts the database in it.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with open(handle, "rb") as file:  # noqa: PTH123  a descriptor, not a path
            state = os.fstat(file.fileno())
            foreign = hasattr(os, "geteuid") and (state.st_uid != os.geteuid() or state.st_mode & 0o022)
            if foreign or not stat.S_ISREG(state.st_mode) or not _HEADER.size < state.st_size <= MOST_BYTES:
                return None
            content = file.read(MOST_BYTES)
        magic, engine, checksum = _HEADER.unpack_from(content)
        body = memoryview(content)[_HEADER.size :]
        if magic != _MAGIC or engine != ENGINE or hashlib.sha256(body).digest() != checksum:
            return None
        with not_collecting():
            ruleset = _decoder.decode(body)
    except (OSError, struct.error, msgspec.MsgspecError, RecursionError):
        return None
    if ruleset.digest != digest:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # what is used is kept longest
    return ruleset


@contextlib.contextmanager
def not_collecting() -> Iterator[None]:
    """Without the collector, which looks in vain for garbage among 300,000 new objects: 0.02 s, not 0.2."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def save(folder: Path, ruleset: RuleSet) -> None:
    """Keep a rule set under its digest, at once or not at all, and let go of the least used beyond a few.

    Raises:
        OSError: the folder cannot be made or written.
    """
    path = _place(folder, ruleset.digest)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    body = _encoder.encode(ruleset)
    header = _HEADER.pack(_MAGIC, ENGINE, hashlib.sha256(body).digest())
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=_SUFFIX)  # mode 0600
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  a descriptor, not a path
            file.write(header)
            file.write(body)
        os.replace(temporary, path)  # noqa: PTH105  mkstemp gives text
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108  as above
        raise
    _let_go(folder, path)


def _place(folder: Path, digest: str) -> Path:
    if not _DIGEST.fullmatch(digest):
        raise ValueError("a rule set is kept under a SHA-256 in hexadecimal")
    return folder / f"{digest}{_SUFFIX}"


def _let_go(folder: Path, just_kept: Path) -> None:
    """Remove the oldest files beyond `MOST_FILES`, and what a run that was killed left half written."""
    aged: list[tuple[float, Path]] = []
    for path in folder.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(OSError):  # another run may be doing the same
            aged.append((path.lstat().st_mtime, path))
    half_written = [path for _, path in aged if path.name.startswith(".")]
    newest = max((age for age, _ in aged), default=0.0)
    whole = sorted((age, path) for age, path in aged if _DIGEST.fullmatch(path.stem) and path != just_kept)
    old = [path for _, path in whole[: max(len(whole) - MOST_FILES + 1, 0)]]
    an_hour_s = 3600.0
    for path in [*old, *(one for one in half_written if one.lstat().st_mtime < newest - an_hour_s)]:
        with contextlib.suppress(OSError):
            path.unlink()
