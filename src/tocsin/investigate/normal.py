"""A value as a log writes it in, its normal form out, '' where it names nothing that could be shared."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Final

from tocsin.investigate.roles import Role

_NOTHING: Final = frozenset({"", "-", "--", "n/a", "null", "none", "(null)", "unknown", "0x0", "unset", "4294967295"})

# Sessions that the system itself has on every Windows machine: SYSTEM, LOCAL SERVICE, NETWORK SERVICE, anonymous.
_SYSTEM_LOGONS: Final = frozenset({0, 0x3E7, 0x3E5, 0x3E4, 0x3E6})

# Accounts that every machine has: NT AUTHORITY, Window Manager and the like, and root's kin.
_SYSTEM_DOMAINS: Final = frozenset({"nt authority", "window manager", "font driver host", "nt service", "iis apppool"})
_SYSTEM_NAMES: Final = frozenset(
    {
        "system",
        "local service",
        "network service",
        "anonymous logon",
        "dwm-1",
        "umfd-0",
        "root",
        "nobody",
        "0",
        "local system",
    }
)

# Documentation's own (RFC 5737, RFC 3849): no network has them, and evidence that was made up calls the outside so.
_EXERCISES: Final = tuple(
    ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
)

_ORIGIN: Final = re.compile(r"^[a-z][a-z0-9+.-]{0,20}://[^/]*", re.IGNORECASE)
_ENCODED: Final = re.compile(r"(?:%[0-9a-fA-F]{2})+")  # RFC 3986, section 2.1
_LONGEST: Final = 4_000  # of a path
_SHORT: Final = 64  # what is longer is remembered by nobody: whoever writes the evidence chooses how long it is
_HASHES: Final = re.compile(r"(?i)\b(SHA256|SHA1|MD5)=([0-9a-f]{32,64})\b")
_STARTED: Final = re.compile(r"(.{1,260}?\.(?:exe|com|bat|cmd|scr|sys|dll))[ ,].*", re.DOTALL)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PORT: Final = re.compile(r"(\d+(?:\.\d+){3}|\[[0-9a-fA-F:.]+\]):\d{1,5}")
_BARE_HASH: Final = re.compile(r"(?i)[0-9a-f]{32}(?:[0-9a-f]{8}|[0-9a-f]{32})?")


def guid(text: str) -> str:
    name = text.strip("{} ").lower()
    return "" if not name.strip("0-") else name


def number(text: str) -> str:
    """A process number, decimal whichever way it was written."""
    with suppress(ValueError):
        value = int(text, 0)
        return str(value) if value > 4 else ""  # 0 and 4 are the kernel's own on Windows
    return ""


def logon(text: str) -> str:
    with suppress(ValueError):
        value = int(text, 0)
        return "" if value in _SYSTEM_LOGONS else f"{value:#x}"
    return "" if text.lower() in _NOTHING else text.lower()


def account(text: str) -> str:
    r"""DOMAIN\user and user@domain.example as `domain\user`; '' for what every machine has, and machines themselves."""
    folded = text.strip().lower()
    if "\\" in folded:
        domain, _, name = folded.rpartition("\\")
        name, _, realm = name.partition("@")
        domain = realm or domain
    else:
        name, _, domain = folded.partition("@")
    domain = domain.split(".")[0].strip("\\")
    if name in _NOTHING or name in _SYSTEM_NAMES or domain in _SYSTEM_DOMAINS or name.endswith("$"):
        return ""
    return f"{'' if domain in _NOTHING else domain}\\{name}"


def sid(text: str) -> str:
    """Of an account of a machine, a domain or Entra ID ([MS-DTYP] 2.4.2.4); others are groups, services, the system."""
    folded = text.strip().lower()
    return folded if folded.startswith(("s-1-5-21-", "s-1-12-1-")) else ""


def principal(text: str) -> str:
    folded = text.strip().lower()
    return "" if folded in _NOTHING or folded in _SYSTEM_NAMES else folded


def machine(text: str) -> str:
    r"""A machine's name, `\\NAME` and `NAME$` as well; '' for the machine itself."""
    name = text.strip().lower().strip("\\").rstrip("$.").split("\\")[-1].split("/")[-1]
    if name in _NOTHING or name.startswith("localhost") or address(name) or ":" in name:
        return ""
    return name


def machine_account(text: str) -> str:
    name = text.strip().rpartition("\\")[2].partition("@")[0]
    return machine(name) if name.endswith("$") else ""


def passing_port(text: str) -> str:
    """A port that a client takes for one connection (RFC 6335: from 49152; Linux from 32768); '' for a service's."""
    with suppress(ValueError):
        return text if 32_768 <= int(text) < 65_536 else ""
    return ""


def address(text: str) -> str:
    """An address that another machine could have: no loopback, link-local, multicast, unspecified.

    Microsoft 365 writes clients with a port, `192.0.2.1:443` or `[2001:db8::1]:443`.
    """
    return (_address if len(text) <= _SHORT else _address.__wrapped__)(text)


@lru_cache(maxsize=65_536)  # every table has the same few, and to take one apart costs as much as to read a record
def _address(text: str) -> str:
    with suppress(ValueError):
        bare = text.strip()
        with_port = _PORT.fullmatch(bare)
        value = ipaddress.ip_address((with_port[1] if with_port else bare).strip("[]"))
        value = (value.ipv4_mapped if isinstance(value, ipaddress.IPv6Address) else None) or value
        if value.is_loopback or value.is_link_local or value.is_multicast or value.is_unspecified:
            return ""
        return "" if str(value) == "255.255.255.255" else str(value)
    return ""


@lru_cache(maxsize=65_536)
def is_public(text: str) -> bool:
    """True for an address that is one machine for everybody (RFC 6890), or stands for one in an exercise (RFC 5737)."""
    with suppress(ValueError):
        value = ipaddress.ip_address(text)
        return value.is_global or any(value in network for network in _EXERCISES if network.version == value.version)
    return False


def application(text: str) -> str:
    """The id of an application of a cloud, also of a list of one; '' for what goes by a name or a path."""
    name = text.strip('[]"{} ').lower()
    return name if _UUID.fullmatch(name) else ""


def digest(text: str) -> str:
    """The longest hash of those that Sysmon lists; an import hash is no file's own."""
    found: dict[str, str] = {name.upper(): value.lower() for name, value in _HASHES.findall(text)}
    for name in ("SHA256", "SHA1", "MD5"):
        if name in found:
            return found[name]
    return text.lower() if _BARE_HASH.fullmatch(text) else ""


def domain(text: str) -> str:
    name = text.strip().rstrip(".").lower()
    return name if "." in name and not address(name) and name not in _NOTHING and len(name) <= 253 else ""


def plain(text: str) -> str:
    folded = text.strip().lower()
    return "" if folded in _NOTHING else folded


def page(text: str) -> str:
    """What a web server is asked for, without what stands before the path and after it; some logs decode it."""
    path = _ORIGIN.sub("", text[:_LONGEST].strip()).partition("?")[0]
    if path in {"", "-"}:
        return ""
    decoded = _ENCODED.sub(lambda part: bytes.fromhex(part[0].replace("%", "")).decode("utf-8", "replace"), path)
    return decoded.replace("\\", "/").lower()


def last(text: str) -> str:
    """The name at the end of a path, of a page or on a disk."""
    return page(text).rpartition("/")[2]


def program(text: str) -> str:
    """A file; of a command, the program that it starts."""
    folded = text.strip().lower()
    if folded.startswith('"'):
        folded = folded[1:].partition('"')[0]
    elif started := _STARTED.match(folded):
        folded = started[1]
    return plain(folded)


def verbatim(text: str) -> str:
    return "" if text in {"-", ""} else text


NORMAL: Final[Mapping[Role, Callable[[str], str]]] = {
    "guid": guid,
    "parent_guid": guid,
    "target_guid": guid,
    "pid": number,
    "parent_pid": number,
    "target_pid": number,
    "logon": logon,
    "new_logon": logon,
    "linked_logon": logon,
    "account": account,
    "subject": account,
    "sid": sid,
    "subject_sid": sid,
    "peer": machine,
    "peer_address": address,
    "own_address": address,
    "address": address,
    "machine": machine_account,
    "own_port": passing_port,
    "peer_port": passing_port,
    "hash": digest,
    "domain": domain,
    "file": program,
    "mail": plain,
    "session": plain,
    "principal": principal,
    "application": application,
    "let_in": application,
    "image": plain,
    "command": verbatim,
    "parent_image": plain,
    "how": plain,
}
