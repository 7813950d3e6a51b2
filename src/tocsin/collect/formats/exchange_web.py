"""Exchange's logs of web requests in, Events out: HttpProxy, EWS, Autodiscover, OAB and the rest, and ECP's server log.

Microsoft Learn, *Exchange Server*, "Protocol logging in Exchange" and "HttpProxy" below `Logging` (Exchange Server 2013
to Subscription Edition): comma-separated lines below `#Fields`, above which a line with the same names may stand. Here
stands which mailbox a request was anchored to (`AnchorMailbox`), to which server it was passed on (`TargetServer`) and
what a cmdlet of the control panel was given (`EventData`), which IIS' own log does not tell. Columns keep their names;
those of a request also have Sigma's for web servers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from tocsin.collect import exchange
from tocsin.collect.w3c import Derived, Dialect, Header, Values
from tocsin.collect.w3c_columns import W3CLog

NAME = "exchange_web"
KIND = "webserver"

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "authenticateduser": ("AuthenticatedUser", "cs-username"),
    "clientipaddress": ("ClientIpAddress", "c-ip"),
    "httpstatus": ("HttpStatus", "sc-status"),
    "method": ("Method", "cs-method"),
    "requestbytes": ("RequestBytes", "cs-bytes"),
    "responsebytes": ("ResponseBytes", "sc-bytes"),
    "serverhostname": ("ServerHostName", "s-computername"),
    "servername": ("ServerName", "s-computername"),
    "urlhost": ("UrlHost", "cs-host"),
    "urlquery": ("UrlQuery", "cs-uri-query"),
    "urlstem": ("UrlStem", "cs-uri-stem"),
    "useragent": ("UserAgent", "cs-user-agent"),
}
_OF_REQUESTS: Final = frozenset({"urlstem", "soapaction", "eventdata"})


def _asked(values: Values) -> str | None:
    stem, query = values.get("urlstem"), values.get("urlquery")
    return stem if stem is None or not query else f"{stem}?{query.removeprefix('?')}"


_DERIVED: Final = {"cs-uri": Derived(("urlstem", "urlquery"), _asked)}


def _knows(header: Header) -> bool:
    return exchange.has_any(header, _OF_REQUESTS) and not exchange.has_any(header, exchange.OF_MAIL)


@lru_cache(maxsize=16)
def _dialect(log: str) -> Dialect:
    return exchange.dialect(log, _NAMES, _DERIVED, ("datetime", "timestamp", "date-time"))


_LOG: Final = W3CLog(knows=_knows, dialect=lambda header: _dialect(header.log or "HttpProxy Logs"))
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
