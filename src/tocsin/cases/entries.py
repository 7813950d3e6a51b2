"""What was done in, the body of a line of the log out; and the entry again from such a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tocsin.errors import CaseError
from tocsin.model.case import VERBS, VERSION, Entry, What
from tocsin.seal.chain import Link

_VERB_OF: Final = {kind: verb for verb, kind in VERBS.items()}
_KEYS: Final = frozenset(("at", "by", "n", "prev", "verb", "version", "what"))
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_NEWER: Final = "It was written by a newer Tocsin: use that one, or a newer one."


def body(what: What, *, by: str, at: str) -> dict[str, Any]:
    """What the chain adds its number and the digest before to. Text that is not Unicode is written out in escapes."""
    plain = {
        "version": VERSION,
        "at": at,
        "by": by,
        "verb": _VERB_OF[type(what)],
        "what": msgspec.to_builtins(what),
    }
    return {name: unicode_only(value) for name, value in plain.items()}


def read(link: Link) -> Entry:
    """Strict: an entry that says more or less than its kind does is refused, since nobody would read the rest."""
    plain = link.body
    version, verb, at, by = (plain.get(name) for name in ("version", "verb", "at", "by"))
    if type(version) is int and version > VERSION:
        raise CaseError(f"entry {link.n} is of version {version}, and {VERSION} is known here", hint=_NEWER)
    kind = VERBS.get(verb) if isinstance(verb, str) else None
    if type(version) is not int or version != VERSION or kind is None or set(plain) != _KEYS:
        raise CaseError(f"entry {link.n} is none that is known here")
    if not (isinstance(at, str) and _MOMENT.fullmatch(at) and isinstance(by, str) and by):
        raise CaseError(f"entry {link.n} does not say when, or who")
    try:
        what = msgspec.convert(plain["what"], kind)
    except msgspec.ValidationError as error:
        raise CaseError(f"entry {link.n} ({verb}): {error}") from error
    if unicode_only(msgspec.to_builtins(what)) != plain["what"]:
        raise CaseError(f"entry {link.n} ({verb}) says more than such an entry does")
    return Entry(n=link.n, digest=link.digest, at=at, by=by, verb=str(verb), what=what)


def unicode_only(value: Any) -> Any:
    """Names of files and hosts may hold halves of surrogate pairs, which no JSON of ours can."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {unicode_only(name): unicode_only(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [unicode_only(inner) for inner in value]
    return value
