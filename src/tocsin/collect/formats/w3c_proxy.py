"""Access logs of proxies in the W3C extended format in, Events out.

Broadcom ProxySG (`SGOS Administration Guide`, access log formats: bcreportermain, ELFF), Microsoft ISA Server and
Forefront TMG (W3C), Cisco Secure Web Appliance (`AsyncOS User Guide`, W3C access logs), and their likes. `c-uri` is
the URL, put together where it is logged in parts; `c-useragent` is empty where a browser's request had none.
"""

from __future__ import annotations

from typing import Final

from tocsin.collect.w3c import Dialect, Header
from tocsin.collect.w3c_columns import W3CLog
from tocsin.collect.w3c_names import PROXY, PROXY_EMPTY, PROXY_NAMES

NAME = "w3c_proxy"
KIND = "proxy"

_SOFTWARE: Final = (
    "sgos",
    "blue coat",
    "proxysg",
    "bluecoat",
    "microsoft internet security and acceleration",
    "microsoft forefront",
    "microsoft(r) internet security",
    "asyncos",
    "ironport",
    "zscaler",
    "mcafee web gateway",
    "squid",
)
# A web server logs none of these.
_COLUMNS: Final = frozenset(
    {
        "c-agent",
        "cs-auth-group",
        "cs-categories",
        "cs-uri-extension",
        "cs-uri-path",
        "cs-uri-scheme",
        "cs-url",
        "r-dns",
        "r-host",
        "r-ip",
        "s-hierarchy",
        "s-object-source",
        "s-supplier-name",
        "sc-filter-category",
        "sc-filter-result",
        "x-exception-id",
        "x-virus-id",
    }
)
_ACCESS: Final = Dialect(names=PROXY_NAMES, derived=PROXY, empty=PROXY_EMPTY, constant={"log": "access"})


def _knows(header: Header) -> bool:
    columns = {name.lower() for name in header.columns}
    if columns.isdisjoint({"cs-method", "s-operation", "cs-uri", "cs-url", "cs-host", "r-host", "c-ip"}):
        return False
    software = header.software.lower()
    return software.startswith(_SOFTWARE) or ("cs-method" in columns and not columns.isdisjoint(_COLUMNS))


def _dialect(header: Header) -> Dialect:
    return _ACCESS


_LOG: Final = W3CLog(knows=_knows, dialect=_dialect)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
