"""Logs of Microsoft's web server in, Events out: IIS' access logs, advanced and FTP logs, and HTTP.sys' error logs.

Microsoft `IIS: log file settings for a site` (W3C), `Error logging in HTTP APIs`. Blanks are logged as `+`:
`cs(User-Agent)` stands as it was logged, `cs-user-agent` has blanks, as rules write them. `cs-uri` is made of the
path and the query.
"""

from __future__ import annotations

from typing import Final

from tocsin.collect.w3c import Dialect, Header
from tocsin.collect.w3c_columns import W3CLog
from tocsin.collect.w3c_names import IIS, WEB, WEB_NAMES

NAME = "iis"
KIND = "webserver"

_ACCESS: Final = Dialect(names=WEB_NAMES, derived=IIS, constant={"log": "access"}, plain=True)
_ADVANCED: Final = Dialect(names=WEB_NAMES, derived=WEB, constant={"log": "access"})  # it quotes what has blanks
_ERRORS: Final = Dialect(names=WEB_NAMES, derived=IIS, constant={"log": "httperr"}, plain=True)


def _knows(header: Header) -> bool:
    software = header.software.lower()
    columns = {name.lower() for name in header.columns}
    if software.startswith(("microsoft internet information s", "microsoft http", "iis advanced logging")):
        return not columns.isdisjoint({"cs-method", "cs-uri-stem", "cs-uri", "s-reason", "c-ip"})
    return not software and (
        {"cs-uri-stem", "sc-status", "sc-win32-status"} <= columns or {"s-reason", "s-queuename"} <= columns
    )


def _dialect(header: Header) -> Dialect:
    if "s-reason" in header.columns or header.software.lower().startswith("microsoft http"):
        return _ERRORS
    return _ADVANCED if "advanced logging" in header.software.lower() else _ACCESS


_LOG: Final = W3CLog(knows=_knows, dialect=_dialect)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
