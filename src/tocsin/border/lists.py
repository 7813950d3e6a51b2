"""A list of indicators as people keep them in, indicators out: one a line, or CSV with the usual headers.

Defanged forms are understood (`hxxp://evil[.]example`), comments are passed over, and what is repeated counts once.
A line that is nothing is told with its number.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tocsin.border.tally import MOST_TITLE, Tally, confidence, id_of, moment, techniques, title_of
from tocsin.model.indicator import Indicator, Intelligence, Observable, ObservableType
from tocsin.model.tlp import tlp_of
from tocsin.observe.fanging import refang
from tocsin.observe.what import normal, what_is

MOST_LINE: Final = 65_536  # characters
MOST_LINES: Final = 5_000_000

_VALUE: Final = frozenset(
    "value indicator ioc iocvalue observable indicatorvalue observablevalue artifact ioctext entity".split()
)
_TYPE: Final = frozenset("type indicatortype ioctype observabletype attributetype kind datatype".split())
# Columns that hold one kind of observable each.
_TYPED: Final[Mapping[str, ObservableType]] = {
    **dict.fromkeys(
        ("ip", "ipaddress", "address", "dstip", "destip", "srcip", "ipv4", "ipv6", "host ip", "ipdst"), "address"
    ),
    **dict.fromkeys(("domain", "domainname", "hostname", "host", "fqdn"), "domain"),
    **dict.fromkeys(("url", "uri", "link"), "url"),
    **dict.fromkeys(("md5", "md5hash", "filemd5"), "md5"),
    **dict.fromkeys(("sha1", "sha1hash", "filesha1"), "sha1"),
    **dict.fromkeys(("sha256", "sha256hash", "filesha256"), "sha256"),
    **dict.fromkeys(("sha512", "sha512hash"), "sha512"),
    **dict.fromkeys(("imphash",), "imphash"),
    **dict.fromkeys(("ssdeep",), "ssdeep"),
    **dict.fromkeys(("ja3", "ja3s", "ja3hash", "ja3fingerprint"), "md5"),
    **dict.fromkeys(("ja4", "ja4s"), "ja4"),
    **dict.fromkeys(("email", "mail", "emailaddress", "sender"), "mail"),
    **dict.fromkeys(("filename", "file"), "file"),
    **dict.fromkeys(("mutex",), "mutex"),
    **dict.fromkeys(("useragent",), "agent"),
    **dict.fromkeys(("registrykey", "regkey"), "key"),
}
# Words in a column of types.
_WORDS: Final[Mapping[str, ObservableType]] = {
    **{name.replace(" ", ""): kind for name, kind in _TYPED.items()},
    **dict.fromkeys(("ipv4addr", "ipv6addr", "ipsrc", "ipport", "ip:port", "ipv4address", "ipv6address"), "address"),
    **dict.fromkeys(("cidr", "network", "subnet", "netblock", "iprange"), "network"),
    **dict.fromkeys(("filehashmd5", "hashmd5"), "md5"),
    **dict.fromkeys(("filehashsha1", "hashsha1"), "sha1"),
    **dict.fromkeys(("filehashsha256", "hashsha256"), "sha256"),
    **dict.fromkeys(("filepath", "path"), "path"),
    **dict.fromkeys(("account", "user", "username", "useraccount"), "account"),
    **dict.fromkeys(("emailaddr", "emailsrc"), "mail"),
    "sid": "sid",
    "registry": "key",
}
_OTHERS: Final[Mapping[str, frozenset[str]]] = {
    "title": frozenset(
        "name title threat malware family campaign malwarefamily threatname signature malwareprintable".split()
    ),
    "description": frozenset("description comment comments note notes context details".split()),
    "source": frozenset(
        "source reporter feed provider author createdby org organisation organization reference".split()
    ),
    "confidence": frozenset("confidence confidencelevel score certainty".split()),
    "tlp": frozenset("tlp marking sharing handling".split()),
    "since": frozenset("validfrom validsince".split()),
    "until": frozenset("validuntil validto expires expiration expirationdate expiry expiresat expireson".split()),
    "id": frozenset("id uuid indicatorid iocid".split()),
    "tags": frozenset("tags labels tag".split()),
    "revoked": frozenset(("revoked",)),
}
_COMMENT: Final = ("#", ";", "//", "--", "!")
_DELIMITERS: Final = ",;\t|"
_TRAILING: Final = re.compile(r"\s+(?:#|//|;).*$")
_HOSTS: Final = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+(\S+)$")


def read(content: bytes, path: str) -> Intelligence:
    """Read a list.

    Raises:
        ValueError: it has more lines than are read, or is no text.
    """
    lines = _text(content).splitlines()
    if len(lines) > MOST_LINES:
        raise ValueError(f"a list of {len(lines):,} lines: more than {MOST_LINES:,} are not read")
    tally = Tally(path)
    header = _header(lines)
    if header is None:
        for number, line in enumerate(lines, 1):
            _plain(line, number, tally)
    else:
        _table(lines, header, tally)
    return tally.told()


def _text(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    if b"\0" in content[:4096]:
        raise ValueError("not a list of indicators: it is no text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


# --------------------------------------------------------------------------------- one a line


def _plain(line: str, number: int, tally: Tally) -> None:
    wanted = line.strip()
    if not wanted or wanted.startswith(_COMMENT):
        return
    if len(wanted) > MOST_LINE:
        tally.leave("not an indicator", "a line longer than any indicator", line=number)
        return
    wanted = _TRAILING.sub("", wanted)
    hosts = _HOSTS.fullmatch(wanted)
    found = what_is(hosts[1] if hosts else wanted)
    if found is None and (first := re.split(r"[,;\t|]", wanted, maxsplit=1)[0].strip()) != wanted:
        found = what_is(first)  # a value, and words about it behind a comma
    if found is None:
        tally.leave("not an indicator", f"{wanted[:80]!r} is no observable that is known here", line=number)
        return
    _add(found, number, {}, tally)


# --------------------------------------------------------------------------------- a table


class _Header:
    """Which column means what."""

    def __init__(self, names: Sequence[str], line: int, delimiter: str) -> None:
        self.line, self.delimiter = line, delimiter
        plain = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in names]
        self.value = next((at for at, name in enumerate(plain) if name in _VALUE), None)
        self.type = next((at for at, name in enumerate(plain) if name in _TYPE), None)
        self.typed = [(at, _TYPED[name]) for at, name in enumerate(plain) if name in _TYPED]
        self.others = {
            key: at for key, named in _OTHERS.items() for at, name in reversed(list(enumerate(plain))) if name in named
        }
        self.useful = self.value is not None or bool(self.typed)


def _header(lines: Sequence[str]) -> _Header | None:
    """The header of a table: the first line that is no comment, or the last comment before it."""
    last = ""
    for number, line in enumerate(lines[:500], 1):
        wanted = line.strip()
        if not wanted:
            continue
        if wanted.startswith("#"):
            last = wanted
            continue
        for told, at in ((wanted, number), (last.lstrip("# "), number - 1)):
            header = _named(told, at)
            if header is not None:
                return header
        return None
    return None


def _named(line: str, number: int) -> _Header | None:
    if not line or len(line) > MOST_LINE:
        return None
    # The delimiter that divides it most; a single column is a table too if it has a name.
    delimiter = max(_DELIMITERS, key=line.count)
    names = [name.strip().strip("\"'") for name in line.split(delimiter)]
    if what_is(names[0]) is not None or not all(len(name) <= 60 for name in names):
        return None
    header = _Header(names, number, delimiter)
    return header if header.useful else None


def _table(lines: Sequence[str], header: _Header, tally: Tally) -> None:
    for number, row in _rows(lines, header):
        if isinstance(row, str):
            tally.leave("not an indicator", row, line=number)
            continue
        told = {key: row[at].strip()[:2000] for key, at in header.others.items() if at < len(row)}
        found = _observables(row, header)
        if not found:
            words = " ".join(row)[:80]
            tally.leave("not an indicator", f"{words!r} holds no observable that is known here", line=number)
        for one in found:
            _add(one, number, told, tally)


def _rows(lines: Sequence[str], header: _Header) -> Iterator[tuple[int, list[str] | str]]:
    """Line number and cells of each row, or what is wrong with it. A quoted cell may hold line breaks."""
    for number, line in enumerate(lines[header.line :], header.line + 1):
        wanted = line.strip()
        if not wanted or wanted.startswith("#"):
            continue
        if len(wanted) > MOST_LINE:
            yield number, "a line longer than any indicator"
            continue
        try:
            cells = next(csv.reader(io.StringIO(wanted), delimiter=header.delimiter, skipinitialspace=True), [])
        except csv.Error as fault:
            yield number, f"a row that cannot be read: {fault}"
            continue
        yield number, cells


def _observables(row: Sequence[str], header: _Header) -> list[Observable]:
    """What stands in a row: in its column of values, or in those of one kind each; of hashes the strongest."""
    if header.value is not None:
        value = refang(row[header.value]) if header.value < len(row) else ""
        word = row[header.type] if header.type is not None and header.type < len(row) else ""
        kind = _WORDS.get(re.sub(r"[^a-z0-9:]", "", word.lower()))
        found = (_of(kind, value) if kind else None) or what_is(value)
        return [found] if found else []
    found_all: list[Observable] = []
    for at, kind in header.typed:
        value = refang(row[at]) if at < len(row) else ""
        if value and (one := _of(kind, value)):
            found_all.append(one)
    strongest = ("sha512", "sha256", "sha1", "md5", "imphash", "ssdeep")
    hashes = [one for name in strongest for one in found_all if one.type == name]
    return [one for one in found_all if one.type not in strongest and one.type != "file"] + hashes[:1] or found_all


def _of(kind: ObservableType, value: str) -> Observable | None:
    found = normal(kind, value)
    if found is None and kind in ("address", "domain", "url"):
        return what_is(value)  # an address in a column of hosts, a network in one of addresses
    return found


def _add(one: Observable, line: int, told: Mapping[str, str], tally: Tally) -> None:
    if not told:
        name = f"{one.type} {one.value}"
        tally.add(
            Indicator(id=id_of(name), title=title_of(one), observables=(one,), path=tally.path, line=line),
            repeats=False,
        )
        return
    since, until = moment(told.get("since")), moment(told.get("until"))
    for key, us in (("since", since), ("until", until)):
        if us is None and told.get(key):
            tally.leave("not an indicator", f"{told[key][:40]!r} is no time", line=line)
            return
    labels = tuple(tag.strip() for tag in re.split(r"[,; ]+", told.get("tags", "")) if tag.strip())[:50]
    name = told.get("title", "")[:MOST_TITLE]
    tally.add(
        Indicator(
            id=told.get("id", "")[:128] if len(told.get("id", "")) >= 8 else id_of(f"{one.type} {one.value}"),
            title=title_of(one, name),
            observables=(one,),
            since_us=since,
            until_us=until,
            source=told.get("source", "")[:MOST_TITLE],
            confidence=confidence(told.get("confidence")),
            tlp=tlp_of(told.get("tlp", "")),
            revoked=told.get("revoked", "").lower() in ("true", "1", "yes"),
            labels=labels,
            techniques=techniques(labels),
            description=told.get("description", ""),
            path=tally.path,
            line=line,
        ),
        repeats=False,
    )
