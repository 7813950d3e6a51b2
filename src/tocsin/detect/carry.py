"""A pattern over one of Sysmon's fields in, what asks the same of the security log out.

Sysmon writes an account as one text, a registry value with its key, a path with its drive letter; the
security log writes them in parts or in other words. Each function here is exact, or answers None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from tocsin.detect import globs
from tocsin.detect.globs import MANY, ONE, Glob
from tocsin.detect.trees import Tree, all_of, any_of, negate
from tocsin.model.rule import Pattern

Way: TypeAlias = Callable[[Pattern], Tree | None]
SideWay: TypeAlias = Callable[[Pattern, str], Tree | None]

MOST_SPLITS: Final = 60

_PRESENCE: Final = ("exists", "null")


def named(asked: Pattern, field: str) -> Pattern:
    """The same question of another field."""
    return Pattern(field, asked.kind, asked.text, asked.cased)


def _equals(field: str, *texts: str) -> Tree:
    return any_of(Pattern(field, "equals", text) for text in texts)


def _covered(field: str, glob: Glob, cased: bool) -> Tree:
    """The glob asked of a field that is in every event of its kind."""
    return glob == (MANY,) or globs.pattern(field, glob, cased=cased)


def _covers(glob: Glob, text: str, cased: bool) -> bool:
    return globs.covers(glob, text if cased else text.lower())


def _many(glob: Glob) -> bool:
    """Whether the ways to split the glob are so many that writing them out costs more than they are worth."""
    return sum(part.count("\\") if isinstance(part, str) else 1 for part in glob) > MOST_SPLITS


# --------------------------------------------------------------------------------- words and numbers


def words(field: str, table: Mapping[str, tuple[str, ...]]) -> Way:
    """A field that holds one of few words, each of which the log writes in one of some other ways."""

    def way(asked: Pattern) -> Tree | None:
        if asked.kind in _PRESENCE:
            return named(asked, field)
        if asked.kind == "regex":
            found = [text for word in table if re.search(asked.text, word) for text in table[word]]
            return _equals(field, *found)
        glob = globs.glob_of(asked)
        if glob is None:
            return None
        found = [text for word in table if _covers(glob, word, asked.cased) for text in table[word]]
        # Rules for several kinds of log give the log's own words beside Sysmon's.
        own = [text for texts in table.values() for text in texts if globs.covers(glob, text)]
        return _equals(field, *found, *own)

    return way


def hexadecimal(field: str) -> Way:
    """A number that Sysmon writes in decimal and the log in hexadecimal; it compares either way."""

    def way(asked: Pattern) -> Tree | None:
        if asked.kind == "equals" and asked.text.isascii() and asked.text.isdecimal():
            return Pattern(field, "equals", hex(int(asked.text)))
        plain = (*_PRESENCE, "lt", "lte", "gt", "gte")
        if asked.kind in plain or (asked.kind == "equals" and asked.text.startswith("0x")):
            return named(asked, field)
        return None

    return way


def either(*fields: str) -> Way:
    """A field that some logs call otherwise."""

    def way(asked: Pattern) -> Tree | None:
        if asked.kind == "null":
            return all_of(named(asked, field) for field in fields)
        return any_of(named(asked, field) for field in fields)

    return way


def resource(field: str) -> Way:
    """A path that stands behind its kind: `file:_` and the path, perhaps with others behind it."""

    def way(asked: Pattern) -> Tree | None:
        if asked.kind == "equals" and asked.text:
            return Pattern(field, "endswith", f":_{asked.text}", asked.cased)
        if asked.kind == "startswith":
            return Pattern(field, "contains", f":_{asked.text}", asked.cased)
        if asked.kind in (*_PRESENCE, "contains", "endswith", "regex"):
            return named(asked, field)
        return None

    return way


# --------------------------------------------------------------------------------- accounts

# Accounts of the system itself: the security log names the computer's account, and only the number of the
# session tells. Sysmon writes their names, in the language of the system.
_SESSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "0x3e7": (
        "NT AUTHORITY\\SYSTEM",
        "NT-AUTORITÄT\\SYSTEM",
        "AUTORITE NT\\Système",
        "AUTORIDADE NT\\SISTEMA",
        "NT AUTHORITY\\СИСТЕМА",
    ),
    "0x3e4": (
        "NT AUTHORITY\\NETWORK SERVICE",
        "NT-AUTORITÄT\\Netzwerkdienst",
        "AUTORITE NT\\SERVICE RÉSEAU",
        "NT AUTHORITY\\SERVIZIO DI RETE",
        "NT AUTHORITY\\Servicio de red",
    ),
    "0x3e5": (
        "NT AUTHORITY\\LOCAL SERVICE",
        "NT-AUTORITÄT\\Lokaler Dienst",
        "AUTORITE NT\\SERVICE LOCAL",
        "NT AUTHORITY\\SERVIZIO LOCALE",
        "NT AUTHORITY\\SERVICIO LOCAL",
    ),
}


def logon(asked: Pattern, side: str) -> Tree:
    return named(asked, f"{side}LogonId")


def account(asked: Pattern, side: str) -> Tree | None:
    r"""`DOMAIN\name`: in the log two fields, or a session with a number of its own."""
    if asked.kind in _PRESENCE:
        return named(asked, f"{side}UserName")
    glob = globs.glob_of(asked)
    if glob is None or _many(glob):
        return None
    session = f"{side}LogonId"
    meant = [number for number, names in _SESSIONS.items() if any(_covers(glob, name, asked.cased) for name in names)]
    parts = any_of(
        all_of(
            [
                _covered(f"{side}DomainName", domain, asked.cased),
                _covered(f"{side}UserName", name, asked.cased),
            ]
        )
        for domain, name in globs.splits(glob, "\\")
    )
    others = [number for number in _SESSIONS if number not in meant]
    return any_of([_equals(session, *meant), all_of([negate(_equals(session, *others)), parts])])


def subject(way: SideWay) -> Way:
    return lambda asked: way(asked, "Subject")


def target_or_subject(way: SideWay) -> Way:
    """4688 names who started the process, and whom it runs as where that is somebody else."""

    def either(asked: Pattern) -> Tree | None:
        starter, other = way(asked, "Subject"), way(asked, "Target")
        if starter is None or other is None:
            return None
        same = any_of([Pattern("TargetLogonId", "null", ""), Pattern("TargetLogonId", "equals", "0x0")])
        return any_of([all_of([same, starter]), all_of([negate(same), other])])

    return either


# --------------------------------------------------------------------------------- the registry

_ROOTS: Final[Mapping[str, str]] = {
    "hklm": "\\registry\\machine",
    "hku": "\\registry\\user",
    "hkcr": "\\registry\\machine\\software\\classes",
}
_IN_FRONT: Final = ("\\registry\\machine", "\\registry\\user")
_CURRENT: Final = "currentcontrolset"  # Sysmon's word for the set in use, which the log gives by its number


def target_object(asked: Pattern) -> Tree | None:
    """Key and value name as one text: in the log two fields, and the key as the kernel names it."""
    if asked.kind in _PRESENCE:
        return named(asked, "ObjectName")
    glob = globs.glob_of(asked)
    if glob is None or asked.cased or _many(glob) or (kernel := _kernel_key(glob)) is None:
        return None
    return any_of(
        all_of([_covered("ObjectName", key, False), _value_name(name)])
        for key, name in globs.splits(kernel, "\\")
        if key not in ((), ("\\registry",))  # the key is longer than that
    )


def _kernel_key(glob: Glob) -> Glob | None:
    """The glob over a path of Sysmon's as a glob over the kernel's."""
    if not glob or glob[0] is ONE:
        return None
    at = 1 if glob[0] is MANY and len(glob) > 1 else 0
    first, rest = glob[at], glob[at + 1 :]
    head: Glob = glob[:at]
    if not isinstance(first, str):
        return glob
    root, slash, below = first.partition("\\")
    if root in _ROOTS and (slash or not rest or rest[0] is MANY):
        head, first = (), _ROOTS[root] + slash + below
    elif not at and (first[0] == "\\" or any(name.startswith(first) for name in _ROOTS)):
        # Hives of applications alone are written as the kernel has them.
        return glob if first.startswith("\\registry\\a\\") else None
    elif at and first != "\\" and any(first in kernel for kernel in _IN_FRONT):
        return None  # it would be found in what the kernel puts in front
    found: list[str | globs.Wild] = []
    for part in (*head, first, *rest):
        if not isinstance(part, str):
            found.append(part)
            continue
        sets = part.split(_CURRENT)
        if any("currentcontrol" in one for one in sets):
            return None
        for place, one in enumerate(sets):
            found += [one] if not place else ["controlset", ONE, ONE, ONE, one]
    return globs.normal(found)


def _value_name(glob: Glob) -> Tree:
    """A key's default value, `(Default)` to Sysmon, has no name in the log, or a dash."""
    asked = _covered("ObjectValueName", glob, False)
    if asked is True:
        return True
    dash = _equals("ObjectValueName", "-")
    if globs.covers(glob, "(default)"):
        return any_of([asked, Pattern("ObjectValueName", "null", ""), dash])
    return all_of([asked, negate(dash)]) if globs.covers(glob, "-") else asked


# What Sysmon writes of a value by the value's type, and the type in the log: its number or, as exporters
# render it, its word.
_NUMBER: Final = _equals("NewValueType", "%%1876", "reg_dword")
_LONG_NUMBER: Final = _equals("NewValueType", "%%1883", "reg_qword")
_BINARY: Final = _equals("NewValueType", "%%1875", "reg_binary")
_SAMPLES: Final = tuple(f"dword (0x{number:08x})" for number in (0, 0x12345678, 0x9ABCDEF0, 0xFFFFFFFF))
_IN_NUMBER: Final = re.compile(r"[dwor (0x)0-9a-f]*")
_DIGITS: Final = re.compile(r"0x([0-9a-f]{8})")


def details(asked: Pattern) -> Tree | None:
    """A value as Sysmon writes it: text as it is, but numbers, bytes and nothing in words of its own."""
    if asked.kind in _PRESENCE:
        return named(asked, "NewValue")
    glob = globs.glob_of(asked)
    if glob is None or asked.cased:
        return None
    numbers = _numbers(glob)
    if numbers is None:
        return None
    if asked.kind == "equals" and not isinstance(numbers, bool):
        return numbers
    texts = [part for part in glob if isinstance(part, str)]
    text: Tree = globs.pattern("NewValue", glob)
    if texts and all(_IN_NUMBER.fullmatch(part) for part in texts):
        text = all_of([text, negate(any_of([_NUMBER, _LONG_NUMBER]))])
    found = [text, numbers]
    if globs.covers(glob, "binary data"):
        found.append(_BINARY)
    if globs.covers(glob, "(empty)"):
        found += [Pattern("NewValue", "null", ""), Pattern("NewValue", "equals", "-")]
    return any_of(found)


def _numbers(glob: Glob) -> Tree | None:
    """The numbers whose writing `DWORD (0x0000002a)` the glob covers: one, all, none, or None for some."""
    texts = [part for part in glob if isinstance(part, str)]
    written = next((found for part in texts if (found := _DIGITS.search(part))), None)
    if written:
        number = int(written[1], 16)
        if not globs.covers(glob, f"dword (0x{number:08x})"):
            return False
        return all_of([_NUMBER, _equals("NewValue", str(number), hex(number), f"0x{number:08x}")])
    covered = [globs.covers(glob, sample) for sample in _SAMPLES]
    if all(covered):
        return _NUMBER
    wild = any(not isinstance(part, str) for part in glob)
    return None if wild and all(_IN_NUMBER.fullmatch(part) for part in texts) else False


# --------------------------------------------------------------------------------- paths

_VOLUME: Final = "\\device\\harddiskvolume"
_DRIVE: Final = re.compile(r"[a-z]?:(?=\\)")


def device_path(asked: Pattern) -> Tree | None:
    r"""A path, in 5156 as the kernel has it: `\device\harddiskvolume2` where others write `C:`.

    The log does not say which drive a volume is, so a drive letter stands for each of them.
    """
    field = "Application"
    if asked.kind in _PRESENCE:
        return named(asked, field)
    if asked.kind == "regex":
        return None if re.search(r":|\^|\\A", asked.text) else named(asked, field)
    glob = globs.glob_of(asked)
    if glob is None:
        return None
    at = next((place for place, part in enumerate(glob) if isinstance(part, str)), len(glob))
    text = "".join(part for part in glob[at : at + 1] if isinstance(part, str))
    drive = _DRIVE.match(text)
    if drive and not asked.cased and glob[:at] in ((), (MANY,), (ONE,)):
        below = (text[drive.end() :], *glob[at + 1 :])
        return any_of(globs.pattern(field, (_VOLUME, *[ONE] * digits, *below)) for digits in (1, 2))
    texts = [part for part in glob if isinstance(part, str)]
    if any(":" in part for part in texts) or (at == 0 and len(glob) > 1) or text.startswith("\\\\"):
        return None
    if any(part != "\\" and part.lower() in _VOLUME for part in texts if glob[0] is MANY):
        return None
    return named(asked, field)
