r"""Text of a hash, mail address, account, file or path in, its normal form out.

Case: hexadecimal digits, domains, SIDs, accounts and file names are compared without it, as Windows does. The local
part of a mail address is too, as every mail system does (RFC 5321 §2.4 would allow otherwise).
"""

from __future__ import annotations

import re
from typing import Final

from tocsin.model.indicator import ObservableType
from tocsin.observe.domains import domain

_HEX: Final = re.compile(r"[0-9a-f]+")
_BY_LENGTH: Final[dict[int, ObservableType]] = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_COLONS: Final = re.compile(r"(?:[0-9a-f]{2}:){15,63}[0-9a-f]{2}")
# JA4 and JA4S, as FoxIO's technical details of JA4 (2023) have them.
_JA4: Final = re.compile(
    r"[tqd](?:1[0-3]|s[1-3]|d[1-3]|00)(?:[di][0-9]{4}[0-9a-z]{2}_[0-9a-f]{12}|[0-9]{2}[0-9a-z]{2}_[0-9a-f]{4})_[0-9a-f]{12}"
)
_SSDEEP: Final = re.compile(r"[0-9]{1,10}:[A-Za-z0-9+/]{3,148}:[A-Za-z0-9+/]{3,148}")
_LOCAL: Final = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}")
_SID: Final = re.compile(r"s-1-[0-9]{1,15}(-[0-9]{1,10}){1,15}")
_ACCOUNT: Final = re.compile(r"[^\\/@\s:;,<>|\"?*\[\]]{1,64}\\[^\\/@:;,<>|\"?*\[\]]{1,64}")
_FILE: Final = re.compile(r"[^\\/:*?\"<>|\x00-\x1f]{1,255}")
_PATH: Final = re.compile(
    r"(?:[a-z]:|%[a-z0-9_()]{1,40}%|\\\\[^\\/\s]{1,255}|\\?\?\?\\[a-z]:)?[\\/][^\x00-\x1f\"<>|]{1,1024}"
)


def digest(text: str) -> tuple[ObservableType, str] | None:
    """A hash by its length alone: 32 digits are called MD5, though they may be an imphash too.

    That of a certificate is often written with a colon behind each byte.
    """
    text = text.strip().lower()
    text = text.replace(":", "") if _COLONS.fullmatch(text) else text
    kind = _BY_LENGTH.get(len(text))
    return (kind, text) if kind and _HEX.fullmatch(text) else None


def ja4(text: str) -> str | None:
    """The fingerprint of a TLS client or server."""
    text = text.strip().lower()
    return text if _JA4.fullmatch(text) else None


def ssdeep(text: str) -> str | None:
    text = text.strip()
    return text if len(text) <= 320 and _SSDEEP.fullmatch(text) else None


def mail(text: str) -> str | None:
    text = text.strip()
    text = text[7:] if text[:7].lower() == "mailto:" else text
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    local, at, host = text.rpartition("@")
    if len(text) > 320 or not at or not _LOCAL.fullmatch(local):
        return None
    name = domain(host)
    return f"{local.lower()}@{name}" if name else None


def sid(text: str) -> str | None:
    text = text.strip().lower()
    return text if len(text) <= 200 and _SID.fullmatch(text) else None


def account(text: str) -> str | None:
    r"""`DOMAIN\name`."""
    text = text.strip()
    return text.lower() if len(text) <= 130 and _ACCOUNT.fullmatch(text) else None


def file_name(text: str) -> str | None:
    text = text.strip()
    return text.lower() if _FILE.fullmatch(text) and text.strip(". ") else None


def base_name(path: str) -> str:
    r"""What stands behind the last `\` or `/`."""
    return path[max(path.rfind("\\"), path.rfind("/")) + 1 :]


def folder(path: str) -> str:
    r"""What stands before the last `\` or `/`; '' where there is none."""
    return path[: max(path.rfind("\\"), path.rfind("/"), 0)]


def full_path(text: str) -> str | None:
    r"""A path from a root: `C:\x`, `\\server\x`, `%TEMP%\x`, `/x`."""
    text = text.strip().lower()
    return text if len(text) <= 1100 and _PATH.fullmatch(text) and base_name(text.rstrip("\\/")) else None
