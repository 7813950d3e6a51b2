"""Access logs of web servers other than IIS in the W3C extended format in, Events out.

Apache Tomcat `ExtendedAccessLogValve`, Amazon CloudFront `standard logs` (its values are percent-encoded:
`cs(User-Agent)` stands as it was logged, `cs-user-agent` has blanks), WebLogic, and their likes.
"""

from __future__ import annotations

from typing import Final

from tocsin.collect.w3c import Dialect, Header
from tocsin.collect.w3c_columns import W3CLog
from tocsin.collect.w3c_names import WEB, WEB_NAMES

NAME = "w3c_web"
KIND = "webserver"

_ACCESS: Final = Dialect(names=WEB_NAMES, derived=WEB, constant={"log": "access"})


def _knows(header: Header) -> bool:
    columns = {name.lower() for name in header.columns}
    return "cs-method" in columns and not columns.isdisjoint({"cs-uri-stem", "cs-uri"})


def _dialect(header: Header) -> Dialect:
    return _ACCESS


_LOG: Final = W3CLog(knows=_knows, dialect=_dialect)
sniff, ranges, cut, decoder, fields = _LOG.sniff, _LOG.ranges, _LOG.cut, _LOG.decoder, _LOG.fields
