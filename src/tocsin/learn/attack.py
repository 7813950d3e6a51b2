"""The facts about ATT&CK that the package ships, or that this user learned since, out."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from tocsin.errors import TocsinError
from tocsin.learn import attack_table
from tocsin.learn.kept import data_folder
from tocsin.model.attack import Facts

SHIPPED: Final = Path(__file__).with_name("attack_facts.jsonl")


def known(*, with_links: bool = False) -> Facts:
    """What this user learned, else what the package ships; decoding the links takes most of the time."""
    path = _path()
    return attack_table.decoded(_content(path), str(path), with_links=with_links)


def shipped() -> Facts:
    return attack_table.decoded(_content(SHIPPED), str(SHIPPED), with_links=True)


def digest() -> str:
    """SHA-256 of the table that `known` reads."""
    return hashlib.sha256(_content(_path())).hexdigest()


def place() -> Path:
    """Where this user's facts are kept."""
    return data_folder() / SHIPPED.name


def _path() -> Path:
    return path if (path := place()).is_file() else SHIPPED


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise TocsinError(f"{path}: {fault.strerror}", hint="Check its permissions.") from fault
