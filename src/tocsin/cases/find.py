"""The folder of all cases in, each of them out, those that cannot be read with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tocsin.cases import derive, folder
from tocsin.errors import CaseError
from tocsin.model.case import Case, Entry
from tocsin.seal import durable


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """`case` is None where `trouble` says why it cannot be told."""

    name: str
    folder: Path
    case: Case | None
    trouble: str = ""


def everything(root: Path) -> tuple[tuple[Listed, ...], int]:
    """All cases by name, and how many folders were left when the making of a case was broken off."""
    if not root.is_dir():
        return (), 0
    there = sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink())
    broken_off = sum(path.name.endswith(durable.PART) for path in there)
    return tuple(_listed(path) for path in there if not path.name.startswith(".")), broken_off


def _listed(path: Path) -> Listed:
    try:
        stored = folder.load(path)
        case = derive.derive(stored.entries) if stored.entries else None
        trouble = stored.faults[0] if stored.faults else ""
    except CaseError as error:
        case, trouble = None, error.message
    return Listed(name=path.name, folder=path, case=case, trouble=trouble)


def find(root: Path, word: str) -> Path:
    """The folder of a case, by its id or the beginning of it, or by a path."""
    if "/" in word or word in (".", ".."):
        path = Path(word)
        if folder.read(path / folder.LOG) is None and folder.read(path / folder.STATE) is None:
            raise CaseError(f"{word}: holds no case", hint="A case is a folder with log.jsonl and case.json in it.")
        return path
    names = [path.name for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    names = sorted(name for name in names if not name.startswith("."))
    fitting = [name for name in names if name == word] or [name for name in names if word and name.startswith(word)]
    if len(fitting) == 1:
        return root / fitting[0]
    if fitting:
        raise CaseError(f"{word}: begins the names of {len(fitting)} cases", hint=f"They are {', '.join(fitting[:9])}.")
    raise CaseError(f"{word}: there is no such case in {root}", hint="`tocsin case list` shows those that there are.")


def entries_of(path: Path) -> tuple[tuple[Entry, ...], Case, folder.Stored]:
    """The log of a case, as far as it can be read, and where it stands by it."""
    stored = folder.load(path)
    if not stored.entries:
        word = stored.faults[0] if stored.faults else "its log is empty"
        raise CaseError(f"{path}: {word}", hint="`tocsin case verify` tells all that is wrong.")
    return stored.entries, derive.derive(stored.entries), stored
