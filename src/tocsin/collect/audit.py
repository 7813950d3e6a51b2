"""A record of the Linux audit system in, its fields out, with values that were written as hexadecimal decoded.

After the audit project's "Audit event parsing library specifications" and its field dictionary (fields of format
"encoded"): untrusted text that holds a space, a quote or a control character is written as hexadecimal digits without
quotes. Fields that auditd adds when it enriches (`log_format = ENRICHED`) stand behind a 0x1D, in capitals; `SYSCALL`
is told where it did not. What `msg='...'` of a program holds are fields, too. A key that comes twice is a list; what
stands between pairs is `message`. Also read are what `ausearch --interpret` makes of records, and those of Microsoft's
`auoms`, one for all records of an event.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from tocsin.collect.clock import ZONE_ASSUMED, Clock
from tocsin.collect.later import later
from tocsin.collect.syscalls import name_of
from tocsin.model.event import NO_TIME

Fields: TypeAlias = dict[str, str | tuple[str, ...] | None]

_UTC: Final = Clock()
_LATEST_US: Final = 253_402_300_800_000_000  # the end of year 9999
HEAD: Final = later(
    r"(?:node=(?P<node>\S{1,255}) )?type=(?P<type>[\w\[\].-]{1,64}) (?:msg=)?audit\((?P<stamp>"
    r"(?:(?P<seconds>\d{1,12})[.,](?P<part>\d{1,6})"
    r"|(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{4}|\d\d) (?P<clock>\d\d:\d\d:\d\d)[.,](?P<ms>\d{1,6}))"
    r":(?P<serial>\d{1,20}))\) ?: ?"
)
# The numbers under which the kernel writes records itself, while no auditd takes them (linux/audit.h).
_TYPE_WORDS: Final = (
    "1006 LOGIN 1100 USER_AUTH 1101 USER_ACCT 1102 USER_MGMT 1103 CRED_ACQ 1104 CRED_DISP 1105 USER_START "
    "1106 USER_END 1107 USER_AVC 1108 USER_CHAUTHTOK 1109 USER_ERR 1110 CRED_REFR 1112 USER_LOGIN "
    "1113 USER_LOGOUT 1114 ADD_USER 1115 DEL_USER 1116 ADD_GROUP 1117 DEL_GROUP 1123 USER_CMD 1127 SYSTEM_BOOT "
    "1128 SYSTEM_SHUTDOWN 1130 SERVICE_START 1131 SERVICE_STOP 1300 SYSCALL 1302 PATH 1303 IPC 1304 SOCKETCALL "
    "1305 CONFIG_CHANGE 1306 SOCKADDR 1307 CWD 1309 EXECVE 1318 OBJ_PID 1320 EOE 1321 BPRM_FCAPS 1323 MMAP "
    "1325 NETFILTER_CFG 1326 SECCOMP 1327 PROCTITLE 1330 KERN_MODULE 1334 BPF 1400 AVC 1401 SELINUX_ERR "
    "1700 ANOM_PROMISCUOUS 1701 ANOM_ABEND 1800 INTEGRITY_DATA"
).split()
_TYPES: Final = dict(zip(_TYPE_WORDS[::2], _TYPE_WORDS[1::2], strict=True))
_TYPE_NAMES: Final = frozenset(_TYPES.values())
_KEY: Final = later(r"[A-Za-z_][\w.-]{0,63}(?:\[\d{1,6}\])?")
_SIMPLE: Final = later(r"[\w./:?@+%-]*|\((?:null|none)\)")
_MOST_KEYS: Final = 4_096
_PAIR: Final = later(
    r"(?<![\w.\[-])(?P<key>[A-Za-z_][\w.-]{0,63}(?:\[\d{1,6}\])?)="
    r"""(?:"(?P<quoted>[^"]*)"|'(?P<message>[^']*)'|(?P<bare>[^ \x1d]*))(?=[ \x1d,)]|$)"""
)
_ENCODED: Final = frozenset(
    "acct cgroup cmd comm cwd data device dir exe file grp invalid_context key name new-chardev new-disk new-fs "
    "new-rng new_group ocomm old-chardev old-disk old-fs old-rng path proctitle root_dir srcname sw terminal unit vm "
    "watch".split()
)
_HEXADECIMAL: Final = later(r"(?:[0-9A-F]{2})+")
_ARGUMENT: Final = later(r"a(\d{1,6})(?:\[(\d{1,6})\])?")
_LOOSE_KEY: Final = later(r"(?:^| )([A-Za-z_]\w{0,63})=")
_INNER: Final = later(r"(^| )msg='(.*)'", re.DOTALL)
_QUOTED: Final = later(r'"((?:[^"\\]|\\.)*)"')
_FREE_TEXT: Final = later(r"(?<= )(?P<key>cmdline|proctitle)=(?P<text>.*?)(?= redactors=|$)", re.DOTALL)


class Record(NamedTuple):
    """Time (UTC microseconds), fields, and what was assumed of the time."""

    ts: int
    fields: Fields
    mended: str = ""


def is_type(word: str) -> bool:
    """Whether records of the audit system have such a type."""
    return word in _TYPE_NAMES


def record(text: str, at: int = 0, clock: Clock = _UTC) -> Record | None:
    """The record that begins at `at`; None where none does."""
    head = HEAD.match(text, at)
    if head is None:
        return None
    kind = _TYPES.get(head["type"], head["type"])
    fields: Fields = {"node": head["node"]} if head["node"] else {}
    fields |= {"type": kind, "serial": head["serial"]}
    body = text[head.end() :].rstrip(" ")  # `ausearch --interpret` ends each line with a blank
    if kind.startswith("AUOMS") or head["clock"]:
        _add(fields, _of_auoms(_INNER.sub(r"\1\2", body, count=1)))
    elif not _add_plain(fields, body, kind):
        words: list[str] = []
        _add(fields, _pairs(body, kind, words))
        if rest := " ".join(" ".join(words).split()):
            _add(fields, iter([("message", rest)]))
    if kind == "EXECVE":
        _join_arguments(fields)
    elif kind == "SYSCALL" and "SYSCALL" not in fields:
        number = str(fields.get("syscall"))
        name = number if number.isidentifier() else name_of(str(fields.get("arch")), number)
        fields |= {"SYSCALL": name} if name else {}
    if not head["clock"]:
        return Record(_time(head), fields)
    return Record(_local_time(head, clock), fields, ZONE_ASSUMED)


def _time(head: re.Match[str]) -> int:
    micros = int(head["seconds"]) * 1_000_000 + int(head["part"].ljust(6, "0"))
    return micros if micros < _LATEST_US else NO_TIME


def _local_time(head: re.Match[str], clock: Clock) -> int:
    """`ausearch --interpret` writes dates as the locale does: of month and day, the month is first where it can be."""
    first, second = int(head["month"]), int(head["day"])
    month, day = (first, second) if first <= 12 else (second, first)
    year = int(head["year"]) + (2000 if len(head["year"]) == 2 else 0)
    hour, minute, second = map(int, head["clock"].split(":"))
    micros = int(head["ms"].ljust(6, "0"))
    try:
        moment = datetime(year, month, day, hour, minute, second, micros)  # noqa: DTZ001  # of the clock's zone
    except ValueError:
        return NO_TIME
    return clock.local(moment)


def _add_plain(fields: Fields, body: str, kind: str) -> bool:
    """Read a record of nothing but simple pairs, as the kernel writes them; with anything else, take nothing."""
    found: Fields = {}
    for pair in body.replace("\x1d", " ").split(" "):
        key, mark, value = pair.partition("=")
        if not mark or key in found or key in fields or (key not in _known_keys and not _know(key)):
            if pair:
                return False
        elif value.startswith('"'):
            if len(value) < 2 or value.find('"', 1) != len(value) - 1:
                return False
            found[key] = value[1:-1]
        elif not value.isalnum():
            if not _SIMPLE.fullmatch(value):
                return False
            found[key] = value
        elif (key in _ENCODED or (kind == "EXECVE" and _ARGUMENT.fullmatch(key))) and _HEXADECIMAL.fullmatch(value):
            decoded = _decoded(key, value)
            found[key] = decoded
        else:
            found[key] = value
    fields |= found
    return True


_known_keys: Final[set[str]] = set()  # which need not be looked at again


def _know(key: str) -> bool:
    if not _KEY.fullmatch(key):
        return False
    if len(_known_keys) < _MOST_KEYS:
        _known_keys.add(key)
    return True


def _pairs(body: str, kind: str, words: list[str]) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """The pairs of a record; what stands between them goes to `words`."""
    at = 0
    for pair in _PAIR.finditer(body):
        words.append(body[at : pair.start()].strip(" (),:\x1d"))
        at = pair.end()
        key, bare = pair["key"], pair["bare"]
        if pair["message"] is not None:
            yield from _pairs(pair["message"], kind, words)
        elif bare is None:
            yield key, pair["quoted"]
        elif (key in _ENCODED or (kind == "EXECVE" and _ARGUMENT.fullmatch(key))) and _HEXADECIMAL.fullmatch(bare):
            yield key, _decoded(key, bare)
        else:
            bare = bare.removesuffix(",")
            yield key, bare if "(" in bare else bare.removesuffix(")")
    words.append(body[at:].strip(" (),:\x1d"))


def _decoded(key: str, digits: str) -> str | tuple[str, ...]:
    text = bytes.fromhex(digits).decode("utf-8", "replace")
    if key == "key" and "\x01" in text:  # several keys of one event
        return tuple(text.split("\x01"))
    return text.rstrip("\0").replace("\0", " ")


def _add(fields: Fields, pairs: Iterator[tuple[str, str | tuple[str, ...]]]) -> None:
    several: dict[str, list[str]] = {}
    for key, value in pairs:
        several.setdefault(key, []).extend([value] if isinstance(value, str) else value)
    for key, values in several.items():
        name = key
        while name in fields:
            name += "_"
        fields[name] = values[0] if len(values) == 1 else tuple(values)


def _join_arguments(fields: Fields) -> None:
    """Put arguments together that were cut into `a1[0]`, `a1[1]`, and all into a command line."""
    pieces: dict[int, dict[int, str]] = {}
    for key, value in fields.items():
        if (argument := _ARGUMENT.fullmatch(key)) and isinstance(value, str):
            pieces.setdefault(int(argument[1]), {})[int(argument[2] or 0)] = value
    words = {}
    for number, parts in sorted(pieces.items()):
        words[number] = "".join(text for _, text in sorted(parts.items()))
        fields.setdefault(f"a{number}", words[number])
    if 0 in words:
        fields["CommandLine"] = " ".join(words.values())


def _of_auoms(body: str) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Pairs of an event of auoms or of ausearch: quotes and spaces in values are not marked; lists are JSON's."""
    free = _FREE_TEXT.search(body)
    for part in (body[: free.start() - 1], body[free.end() :]) if free else (body,):
        yield from _loose_pairs(part)
    if free:
        text = free["text"]
        whole = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
        yield free["key"], whole


def _loose_pairs(text: str) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Pairs whose values go on to the next key; those in quotes or brackets to the like of these before a key."""
    keys = list(_LOOSE_KEY.finditer(text))
    ends = [*(key.start() for key in keys[1:]), len(text)]
    closed = {'"': list[int](), "[": list[int]()}  # the next pair at whose end a value that began so is closed
    for opening, closing in (('"', '"'), ("[", "]")):
        following = -1
        for number in range(len(keys) - 1, -1, -1):
            stop = ends[number]
            following = number if text.startswith(closing, stop - 1) and stop - keys[number].end() > 1 else following
            closed[opening].append(following)
        closed[opening].reverse()
    number = 0
    while number < len(keys):
        key, begin = keys[number][1], keys[number].end()
        last = closed[text[begin]][number] if begin < len(text) and text[begin] in closed else -1
        number = max(number, last)
        value = text[begin : ends[number]]
        number += 1
        if last >= 0 and value[0] == "[":
            yield key, tuple(_QUOTED.findall(value))
        elif last >= 0:
            yield key, value[1:-1]
        else:
            yield key, tuple(value.split(",")) if key == "key" and "," in value else value


def started_program(fields: Fields) -> Fields:
    """What Sysmon for Linux calls the fields of a start of a program, of the records of one event or of auoms' one.

    Args:
        fields: of SYSCALL, with `CommandLine` of EXECVE (auoms: `cmdline`) and `cwd` of CWD.
    """
    if fields.get("success") == "no":
        return {}
    line = fields.get("CommandLine", fields.get("cmdline"))
    if line is None:
        return {}
    user = fields.get("user", fields.get("UID"))
    if user is None:
        user = "root" if fields.get("uid") == "0" else fields.get("uid")
    named = {"Image": fields.get("exe"), "CommandLine": line, "CurrentDirectory": fields.get("cwd"), "User": user}
    named |= {"ProcessId": fields.get("pid"), "ParentProcessId": fields.get("ppid"), "LogonId": fields.get("uid")}
    return {name: value for name, value in named.items() if value is not None}
