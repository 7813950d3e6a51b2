"""Any text in, the observable that it is out: what people paste into a list, defanged or not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from tocsin.model.indicator import Observable, ObservableType
from tocsin.observe.addresses import address, network, without_port
from tocsin.observe.domains import domain
from tocsin.observe.fanging import refang
from tocsin.observe.names import account, digest, file_name, full_path, ja4, mail, sid, ssdeep
from tocsin.observe.urls import url

# Endings of files that are no top-level domains, or hardly ever met as such.
FILE_ENDINGS: Final = frozenset(
    "exe dll sys scr bat cmd ps1 psm1 vbs vbe js jse wsf hta lnk doc docx docm xls xlsx xlsm xlsb ppt pptx rtf pdf txt"
    " jar class elf bin dat tmp log iso img vhd vhdx cab msi msp rar zip 7z gz tar bz2 png jpg jpeg gif bmp ico php asp"
    " aspx jsp jspx ashx war cpl ocx drv inf reg url chm xml json html htm one pif dmp".split()
)


_ADDRESS_LIKE: Final = re.compile(r"[0-9\]]$|:")
_TOP: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")


def _network(text: str) -> str | None:
    found = network(text)
    return str(found) if found else None


def _hash(kind: ObservableType) -> Callable[[str], str | None]:
    def way(text: str) -> str | None:
        found = digest(text)
        return found[1] if found and found[0] == kind else None

    return way


def _imphash(text: str) -> str | None:
    return _hash("md5")(text)


def _path(text: str) -> str | None:
    """A path, which may lack its root."""
    return full_path(text) or (_key(text) if "\\" in text or "/" in text else None)


def _key(text: str) -> str | None:
    text = text.strip().lower()
    return text if 0 < len(text) <= 1024 else None


def _plain(text: str) -> str | None:
    text = text.strip()
    return text if 0 < len(text) <= 1024 and text.isprintable() else None


_WAYS: Final[dict[ObservableType, Callable[[str], str | None]]] = {
    "address": lambda text: address(without_port(text)),
    "network": _network,
    "domain": domain,
    "url": url,
    "md5": _hash("md5"),
    "sha1": _hash("sha1"),
    "sha256": _hash("sha256"),
    "sha512": _hash("sha512"),
    "imphash": _imphash,
    "ssdeep": ssdeep,
    "mail": mail,
    "account": lambda text: account(text) or mail(text) or file_name(text),
    "sid": sid,
    "file": file_name,
    "path": _path,
    "key": _key,
    "mutex": _plain,
    "agent": _plain,
    "ja4": ja4,
}


def normal(kind: ObservableType, text: str) -> Observable | None:
    """The observable of a kind that a text is, None where it cannot be one."""
    found = _WAYS[kind](text)
    return Observable(kind, found) if found else None


def what_is(text: str) -> Observable | None:
    """The observable that a text most likely is, None where it is nothing that is known here.

    `evil.exe` is a file, `evil.com` a domain: of names that could be both the ending decides.
    """
    if len(text) > 10_000:
        return None
    text = refang(text)
    if not text:
        return None
    if found := digest(text):
        return Observable(*found)
    if "://" in text:
        return normal("url", text)
    # An address is told without its port; a range of one address is that address.
    if _ADDRESS_LIKE.search(text) and (seen := normal("address", text) or normal("network", text)):
        return _one_address(seen)
    if "@" in text:
        return normal("mail", text)
    if seen := normal("sid", text) or normal("ssdeep", text) or normal("ja4", text):
        return seen
    if full_path(text):
        return normal("path", text)
    ending = text.rpartition(".")[2].lower()
    if "\\" in text:
        return normal("account", text)
    if "/" in text:
        return _schemeless(text)
    if ending in FILE_ENDINGS and "." in text:
        return normal("file", text)
    return _domain(text)


def _domain(text: str) -> Observable | None:
    """A domain, without a port and without what says that its subdomains are meant: they always are."""
    head, colon, port = text.partition(":")
    seen = normal("domain", head.removeprefix("*").removeprefix("."))
    if seen is None or (colon and not port.isdecimal()):
        return None
    return seen if _TOP.fullmatch(seen.value.rpartition(".")[2]) else None


def _one_address(seen: Observable) -> Observable:
    if seen.type == "network":
        head, _, bits = seen.value.partition("/")
        if bits == ("128" if ":" in head else "32"):
            return Observable("address", head)
    return seen


def _schemeless(text: str) -> Observable | None:
    """`evil.example/path`: a URL whose scheme was left out, which is told as http."""
    head = text.partition("/")[0]
    if domain(head.partition(":")[0]) or address(without_port(head)):
        return normal("url", f"http://{text}")
    return None
