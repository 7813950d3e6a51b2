"""Names of files in; whether they are what people wrote, or technical information that opens more doors, out.

A name says this only roughly: where it says nothing it is "not known".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tocsin.model.impact import Content

# Keys and stores of passwords, configurations, maps of networks, the directory itself.
_TECHNICAL: Final = re.compile(
    r"\.(?:pem|key|pfx|p12|p7b|crt|cer|jks|keystore|kdbx?|ppk|ovpn|rdp|rdg|conf|cfg|config|ini|env|ya?ml|toml|reg|inf"
    r"|vsdx?|drawio|pcap(?:ng)?|ps1|sh|bat|tf|tfstate|dit|hiv|gpp)$"
    r"|(?:^|[\\/])(?:id_(?:rsa|dsa|ecdsa|ed25519)|\.htpasswd|shadow|known_hosts|authorized_keys|sam|system|security"
    r"|web\.config|groups\.xml|unattend\.xml|sysprep\.xml)$"
    r"|passw|credential|secret|network[ _-]?(?:map|plan|diagram)|topolog|firewall|vpn|ip[ _-]?plan|inventory"
    r"|backup[ _-]?key",
    re.IGNORECASE,
)
_WRITTEN: Final = re.compile(
    r"\.(?:docx?|docm|odt|rtf|pdf|xlsx?|xlsm|ods|csv|pptx?|odp|txt|md|eml|msg|pst|ost|mbox|one|pages|jpe?g|png|heic|tiff?"
    r"|mp3|mp4|m4a|wav|mov|accdb|mdb|sqlite|bak|sql|dump)$",
    re.IGNORECASE,
)
# Containers of many files; and what memory, databases and mailboxes are written out to.
ARCHIVE: Final = re.compile(
    r"\.(?:7z|rar|zip|cab|tar|tgz|tbz2?|txz|tar\.\w{2,4}|gz|arj|ace|wim)(?:\.\d{3})?$", re.IGNORECASE
)
_DUMP: Final = re.compile(r"\.(?:dmp|mdmp|dit|hiv|sql|bak|dump|pst|ost)$", re.IGNORECASE)
_LONGEST: Final = 1_000


def is_technical(name: str) -> bool:
    return _TECHNICAL.search(name[-_LONGEST:]) is not None


def is_packed(name: str) -> bool:
    return any(pattern.search(name[-_LONGEST:]) is not None for pattern in (ARCHIVE, _DUMP))


def content(names: Iterable[str]) -> Content:
    technical = written = False
    for name in names:
        if is_technical(name):
            technical = True
        elif _WRITTEN.search(name[-_LONGEST:]):
            written = True
    if technical and written:
        return "both"
    return "technical" if technical else "content" if written else "not known"
