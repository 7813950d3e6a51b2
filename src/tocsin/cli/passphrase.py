"""Where a passphrase comes from in, the passphrase out: a descriptor, a file, the terminal; never the command line."""

from __future__ import annotations

import getpass
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tocsin.errors import SealError, SettingsError

VARIABLE: Final = "TOCSIN_PASSPHRASE_FILE"
SHORTEST: Final = 8  # of one for a new key
_LONGEST: Final = 4096


def asker(descriptor: int | None) -> Callable[[str], bytes]:
    """What asks for the passphrase of a key, once it is known that one is needed."""

    def ask(question: str) -> bytes:
        given = _given(descriptor)
        return given if given is not None else _typed(question)

    return ask


def once(descriptor: int | None) -> Callable[[str], bytes]:
    """As `asker`, for a command that needs the key more than once: it asks the first time, and remembers."""
    ask = asker(descriptor)
    given: list[bytes] = []

    def remembering(question: str) -> bytes:
        if not given:
            given.append(ask(question))
        return given[0]

    return remembering


def chosen(name: str, descriptor: int | None) -> bytes:
    """A new one, asked for twice where somebody types it."""
    passphrase = _given(descriptor)
    if passphrase is None:
        passphrase = _typed(f"New passphrase for the key of {name}: ")
        if passphrase and _typed("Once more: ") != passphrase:
            raise SealError("the two passphrases are not the same", hint="Try again.")
    if len(passphrase) < SHORTEST:
        hint = "Several words that do not belong together are easy to remember and hard to guess."
        raise SealError(f"the passphrase is shorter than {SHORTEST} characters", hint=hint)
    return passphrase


def _given(descriptor: int | None) -> bytes | None:
    """The first line; None where somebody must be asked."""
    if descriptor is not None:
        try:
            text = _all_of(descriptor)
        except OSError as error:
            hint = "Open it for the command, as in 3<FILE, and name its number."
            raise SettingsError(f"--passphrase-fd {descriptor}: {error.strerror or error}", hint=hint) from error
    elif place := os.environ.get(VARIABLE):
        text = _from_file(Path(place))
    else:
        return None
    return text.splitlines()[0] if text.splitlines() else b""


def _from_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise SealError(f"{path}: others may read the passphrase in it", hint=f"chmod 600 {path}")
            return file.read(_LONGEST)
    except OSError as error:
        hint = f"It is named by {VARIABLE}."
        raise SealError(f"{path}: cannot be read: {error.strerror or error}", hint=hint) from error


def _all_of(descriptor: int) -> bytes:
    text = b""
    while len(text) < _LONGEST and (more := os.read(descriptor, _LONGEST)):
        text += more
    return text


def _typed(question: str) -> bytes:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError as error:
        hint = f"Name a file in {VARIABLE}, or an open descriptor with --passphrase-fd."
        raise SealError("a passphrase is needed, and there is no terminal to ask on", hint=hint) from error
    try:
        return getpass.getpass(question).encode()
    except EOFError as error:
        raise SealError("no passphrase was given", hint="Try again.") from error
