r"""The name of a view in, what it shows of a field's texts out: `Image|name` is the file name in a path.

A view is a column like any other, made from the distinct values of another. Sigma's field names hold no `|`, so no rule
can ask for one by accident.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np

from tocsin.model.event import ABSENT, Column
from tocsin.observe.addresses import address, without_port
from tocsin.observe.domains import domain
from tocsin.observe.names import base_name, folder, mail
from tocsin.observe.urls import host_of, url

View: TypeAlias = Callable[[str], str | None]

SIGN: Final = "|"

_DIGESTS: Final = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "imphash": 32}
_ROOTS: Final = (
    ("hkey_local_machine", "hklm"),
    ("hkey_users", "hku"),
    ("hkey_current_user", "hkcu"),
    ("hkey_classes_root", "hkcr"),
    ("hkey_current_config", "hkcc"),
    ("\\registry\\machine", "hklm"),
    ("\\registry\\user", "hku"),
)


def base_of(field: str) -> str:
    """The field that a view is made from, and a field itself."""
    return field.partition(SIGN)[0] if SIGN in field else field


def made(column: Column, name: str) -> Column:
    """The view of a column; values that it shows nothing of are absent."""
    view = VIEWS[name]
    shown = [None if text is None else view(text) for text in column.values]
    lists: dict[int, tuple[str, ...]] = {}
    for code, elements in column.lists.items():
        lists[code] = tuple(text for one in elements if (text := view(one)))
        shown[code] = ", ".join(lists[code]) or None
    kept = np.array([ABSENT if text is None else code for code, text in enumerate(shown)], np.int32)
    kept[1] = 1
    values: list[str | None] = [None, None, *(text or "" for text in shown[2:])]
    return Column(codes=kept[column.codes], values=values, lists={at: some for at, some in lists.items() if some})


def key(text: str) -> str:
    """A registry key in small letters, with the short name of its root."""
    text = text.lower()
    for long, short in _ROOTS:
        if text.startswith(long):
            return short + text[len(long) :]
    return text


def _address(version: int) -> View:
    def view(text: str) -> str | None:
        found = address(without_port(text))
        return found if found and (":" in found) is (version == 6) else None

    return view


def _any_address(text: str) -> str | None:
    return address(without_port(text))


def _domain(text: str) -> str | None:
    return None if _any_address(text) else domain(text.partition(":")[0])


def _place(text: str) -> str | None:
    return _any_address(text) or domain(text.partition(":")[0])


def _url_host(text: str) -> str | None:
    host = host_of(text)
    return host if host and not address(host) else None


def _digest(name: str) -> View:
    digits = _DIGESTS[name]
    named = re.compile(rf"(?:^|[^0-9a-z]){name}=([0-9a-f]{{{digits}}})(?![0-9a-f])")
    bare = re.compile(rf"[0-9a-f]{{{digits}}}")

    def view(text: str) -> str | None:
        text = text.lower()
        if found := named.search(text):
            return found[1]
        return text if bare.fullmatch(text) else None

    return view


def _login(text: str) -> str | None:
    return text.rpartition("\\")[2] or None


VIEWS: Final[Mapping[str, View]] = {
    "name": lambda text: base_name(text) or None,
    "folder": lambda text: folder(text) or None,
    "v4": _address(4),
    "v6": _address(6),
    "domain": _domain,
    "place": _place,
    "url": url,
    "urlhost": _url_host,
    "mail": mail,
    "login": _login,
    "key": key,
    "keyfolder": lambda text: folder(key(text)) or None,
    **{name: _digest(name) for name in _DIGESTS},
}
