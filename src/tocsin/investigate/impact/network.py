"""Flows and a Scene in, claims of bytes that left out: a claim for each destination, with what came back.

A sensor, a firewall and a proxy may each have counted one connection, and none of them must have: so the most that
left is the sum of what they counted, and the least is the largest of their counts. Bytes count towards the least only
where a finding names the destination; to others the same machines may have sent them for any reason. What a server of
ours answers counts only where a record shows that it was more than any visitor gets (`answers.py`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from tocsin.investigate.impact import answers, requests
from tocsin.investigate.impact.flows import UNKNOWN, Flows
from tocsin.investigate.impact.scene import Scene, is_inside
from tocsin.investigate.impact.tied import CITED
from tocsin.investigate.nearest import grouped
from tocsin.model.asset import Assets
from tocsin.model.citation import Citation
from tocsin.model.event import NO_TIME, Codes, Longs
from tocsin.model.impact import Bounds, Claim, Confidence, Sort, Unanswered

SORT: Final[Sort] = "network"
COUNTING: Final = frozenset({"zeek", "suricata", "firewall", "proxy", "webserver"})  # kinds of logs that count bytes
_LIST: Final = "a list of assets with our networks (--assets)"
_PAIRS: Final = 10  # of addresses that are asked for one by one
_OTHERS: Final = 10  # destinations that no finding names which are told one by one
_SAME_US: Final = 900_000_000  # a connection that nobody counted is one that was, if both began so close
_COUNTS: Final = "Zeek's conn.log, NetFlow, a firewall or a proxy that counts bytes on the way there"
_AGREE: Final = 0.1  # counts that differ by less are of the same connections

_SHOWN: Final = "at least what a record shows an intruder asked for, at most all that was answered"
_FOLDER: Final = re.compile(r"(?<= )\S*[/!]")

Rows: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """Connections of an incident with the outside; `out` and `back` are (least, most) as our side sent and got them.

    `there` is the other side: an address, or a name where that is all that is known.
    """

    at: Longs
    there: Codes
    named: Rows
    sure: Rows  # those whose bytes count towards the least
    asked: Rows  # those in which a server of ours answered
    found: Rows  # those that are the record of a finding
    out: tuple[Longs, Longs]
    back: tuple[Longs, Longs]


def ours(flows: Flows, assets: Assets) -> Rows:
    """Of each text of the flows whether it is an address of the inside: nobody else's, or one of an asset."""
    inside = np.zeros(len(flows.texts), bool)
    for code in np.unique(np.concatenate([flows.columns["client"], flows.columns["server"]])).tolist():
        inside[code] = is_inside(flows.texts[code]) or bool(assets.at(flows.texts[code]))
    return inside


def claims(
    flows: Flows,
    scene: Scene,
    inside: Rows,
    staged: Mapping[str, int],
    whole: str,
    cite: Callable[[int], Citation],
) -> Iterator[Claim]:
    """Destinations for which something is shown to have left; who asked our servers; the others, the largest first.

    Args:
        inside: of each text, whether it is an address of ours.
        staged: names of what the incident made ready, with the first moment.
        whole: why no upper bound can be told; '' where nothing stands in the way.
        cite: the record of a row of the flows.
    """
    sent = _sent(flows, scene, inside, staged)
    order = np.lexsort((np.arange(len(sent.at)), sent.there))
    begins = np.flatnonzero(np.diff(sent.there[order], prepend=-1))
    groups = np.split(order, begins[1:]) if len(order) else []
    for group in groups:
        if sent.sure[group].any():
            yield from _claim(flows, scene, sent, [group], whole, cite)
    rest = [group for group in groups if not sent.sure[group].any()]
    rest.sort(key=lambda group: -float(np.maximum(sent.out[1][group], 0).astype(np.float64).sum()))
    named = [group for group in rest if sent.named[group].any()]
    visitors = [group for group in rest if not sent.named[group].any() and sent.asked[group].all()]
    others = [group for group in rest if not sent.named[group].any() and not sent.asked[group].all()]
    for some, most in ((named, _OTHERS), (others, _OTHERS), (visitors, 0)):
        first = [group for group in some[:most] if sent.named[group].any() or (sent.out[1][group] > 0).any()]
        for group in first:
            yield from _claim(flows, scene, sent, [group], whole, cite)
        if some[len(first) :]:
            yield from _claim(flows, scene, sent, some[len(first) :], whole, cite)


def unanswered(flows: Flows, scene: Scene, inside: Rows) -> Iterator[Unanswered]:
    """What went to addresses that may be ours or not is no claim, but must not pass in silence."""
    unsure, own = flows.codes(scene.unsure), flows.codes(scene.own)
    client, server = flows.columns["client"], flows.columns["server"]
    met = np.isin(client, own) & np.isin(server, unsure), np.isin(server, own) & np.isin(client, unsure)
    for code in np.unique(np.concatenate([server[met[0]], client[met[1]]])).tolist():
        yield Unanswered(
            question=f"whether {flows.texts[code]} is ours: what was sent there is not counted as having left",
            would_tell=_LIST,
        )
    open_ends = _sides(flows, scene, inside, {}).unsure
    pairs = sorted(set(zip(client[open_ends].tolist(), server[open_ends].tolist(), strict=True)))
    for one, other in pairs[:_PAIRS]:
        question = (
            f"which of {flows.texts[one]} and {flows.texts[other]} is ours: what went between them is not counted"
        )
        yield Unanswered(question=question, would_tell=_LIST)
    if pairs[_PAIRS:]:
        question = f"which side is ours of {len(pairs) - _PAIRS:,} more pairs of addresses that findings name"
        yield Unanswered(question=question, would_tell=_LIST)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """Of each connection whether our side asked or was asked, by the incident's time; and whether a finding names it.

    `unsure` are those that a finding names an address of, without a word on which side is ours; `shown` those in which
    we were asked, and a record shows that the answer was for an intruder.
    """

    asks: Rows
    asked: Rows
    named: Rows
    unsure: Rows
    shown: Rows


def _sides(flows: Flows, scene: Scene, inside: Rows, staged: Mapping[str, int]) -> _Sides:
    """Ours are the incident's own machines; and the inside, where the other side is one that a finding names."""
    columns = flows.columns
    ts, client, server, name = (columns[one] for one in ("ts", "client", "server", "name"))
    own, outside, domain = (_flagged(flows, some) for some in (scene.own, scene.outside, scene.domains))
    home = (inside & ~outside) | own
    kind = np.array([kind for kind, _, _ in flows.sources] or [""])[columns["source"]]
    at_its_time = (ts == NO_TIME) | ((ts >= scene.since_us) & (ts <= scene.until_us))
    timed = at_its_time & ((columns["flags"] & requests.PART) == 0)  # a part is of a connection that is counted
    # A proxy is asked by our own, and a web server of which we have the log is ours.
    home_client, home_server = home[client] | (kind == "proxy"), home[server] | (kind == "webserver")
    away_client = (client > 0) & ~home_client
    away_server = ((server > 0) | (name > 0)) & ~home_server
    bad_client, bad_server = outside[client] & away_client, (outside[server] | domain[name]) & away_server
    asks = timed & away_server & home_client & (own[client] | bad_server)
    # Whom an address that findings name asks is ours, if it is not named itself: nobody logs what others do elsewhere.
    asked = timed & ~asks & away_client & np.where(home_server, own[server] | bad_client, bad_client & ~bad_server)
    of_server = answers.Asked(
        rows=at_its_time & ~asks & away_client & (home_server | bad_client) & ~bad_server,
        named=bad_client,
        own=own[server],
        theirs=_found(flows, scene.theirs),
    )
    return _Sides(
        asks=asks,
        asked=asked,
        named=np.where(asks, bad_server, bad_client),
        unsure=timed & ~asks & ~asked & (bad_client | bad_server),
        shown=answers.shown(flows, scene, of_server, staged),
    )


def _sent(flows: Flows, scene: Scene, inside: Rows, staged: Mapping[str, int]) -> _Sent:
    columns = flows.columns
    sides, found = _sides(flows, scene, inside, staged), _found(flows, scene.places)
    at: Longs = np.flatnonzero(sides.asks | sides.asked | sides.shown)
    asks = sides.asks[at]
    ts, client, server, name = (columns[one][at] for one in ("ts", "client", "server", "name"))
    out = [np.where(asks, columns[f"sent_{end}"][at], columns[f"came_{end}"][at]) for end in ("least", "most")]
    back = [np.where(asks, columns[f"came_{end}"][at], columns[f"sent_{end}"][at]) for end in ("least", "most")]
    # What has no time may lie outside of it: it counts towards the most alone.
    for pair in (out, back):
        pair[0] = np.where((ts == NO_TIME) & ~found[at], 0, pair[0])
    named = sides.named[at] | found[at] | sides.shown[at]
    there = np.where(asks, np.where(server > 0, server, name), client).astype(np.int32)
    # One record may give the name that a finding names, and others of the same connections the address alone.
    destinations = asks & np.isin(there, np.unique(there[asks & named]))
    return _Sent(
        at=at,
        there=there,
        named=named,
        sure=np.where(asks, destinations, sides.shown[at]),
        asked=~asks,
        found=found[at],
        out=(out[0], out[1]),
        back=(back[0], back[1]),
    )


def _flagged(flows: Flows, texts: Iterable[str]) -> Rows:
    flags = np.zeros(len(flows.texts), bool)
    flags[flows.codes(texts)] = True
    return flags


def _found(flows: Flows, places: Collection[tuple[str, int, int]]) -> Rows:
    """Connections that are the record of a finding."""
    paths = {path for path, _, _ in places}
    of_path = np.array([path in paths for _, _, path in flows.sources] or [False], bool)
    found = np.zeros(len(flows), bool)
    for row in np.flatnonzero(of_path[flows.columns["source"]]).tolist():
        found[row] = _place(flows, row) in places
    return found


def _place(flows: Flows, row: int) -> tuple[str, int, int]:
    columns = flows.columns
    return flows.sources[columns["source"][row]][2], int(columns["chunk"][row]), int(columns["rec"][row])


def _claim(
    flows: Flows,
    scene: Scene,
    sent: _Sent,
    groups: list[Longs],
    whole: str,
    cite: Callable[[int], Citation],
) -> Iterator[Claim]:
    rows = np.concatenate(groups)
    named, sure, asked = (bool(some[rows].any()) for some in (sent.named, sent.sure, sent.asked))
    at = sent.at[rows]
    amount, counts = _bounds(flows, at, (sent.out[0][rows], sent.out[1][rows]), sure=sent.sure[rows], whole=bool(whole))
    back, _ = _bounds(flows, at, (sent.back[0][rows], sent.back[1][rows]), sure=sent.sure[rows], whole=bool(whole))
    if amount.upper == 0:
        return  # counted, and nothing was sent
    answers_only = not sure and bool(sent.asked[rows].all())
    names = sorted(flows.texts[code] for code in np.unique(sent.there[rows]).tolist())
    subject = (
        names[0] if len(groups) == 1 else f"{len(groups):,} other {'visitors' if answers_only else 'destinations'}"
    )
    open_end = amount.upper is None
    confidence, because = _sure(counts, named=named, sure=sure, asked=asked, whole=whole, open_end=open_end)
    ts = flows.columns["ts"][at]
    timed = ts[ts != NO_TIME]
    # The records of findings first, then the largest.
    first = rows[np.lexsort((rows, -sent.out[1][rows], ~sent.found[rows]))][:CITED]
    yield Claim(
        stage="left",
        sort=SORT,
        what=f"answered to {subject}, as our servers do to whoever asks" if answers_only else f"left for {subject}",
        subject=subject,
        unit="bytes",
        amount=amount,
        back=back,
        confidence=confidence,
        because=because,
        answers=answers_only,
        names=() if len(groups) == 1 else tuple(names[:200]),
        unnamed=0 if len(groups) == 1 else max(len(names) - 200, 0),
        would_tell=_COUNTS if amount.upper is None else "",
        first_us=int(timed.min()) if len(timed) else None,
        last_us=int(timed.max()) if len(timed) else None,
        records=len(rows),
        evidence=tuple(cite(int(row)) for row in sent.at[first].tolist()),
        findings=tuple(sorted({scene.places[_place(flows, row)] for row in at[sent.found[rows]].tolist()})),
    )


def _sensors(counts: Iterable[str]) -> str:
    """As people call them: the log and the device or file, without the folder that it lies in."""
    names = Counter(_FOLDER.sub("", name) for name in counts)
    told = [name if count == 1 else f"{count} of {name}" for name, count in sorted(names.items())]
    return ", ".join(told[:4]) + (f" and {len(told) - 4} more" if len(told) > 4 else "")


def _sure(
    counts: dict[str, int], *, named: bool, sure: bool, asked: bool, whole: str, open_end: bool
) -> tuple[Confidence, str]:
    by = _sensors(counts)
    parts = []
    confidence: Confidence = "low"
    if not named and asked:
        parts.append("no finding names who asked: visitors, as far as these records go")
    elif not named:
        parts.append("only the machine and the time tie this to the incident: no finding names the destination")
    elif not sure:
        parts.append(
            "a finding names who asked; no record shows that the answer was more than any visitor gets, nor that it "
            "was not"
        )
    else:
        parts.append("a finding names the destination" if not asked else _SHOWN)
        most = max(counts.values(), default=0)
        agree = [count for count in counts.values() if most and abs(most - count) <= _AGREE * most]
        confidence = "high" if len(agree) > 1 else "moderate"
    parts.append(f"counted by {by}" if counts else "no log counts the bytes")
    if open_end:
        parts.append(whole or "there were connections whose bytes nobody counted" if counts else whole)
    return confidence, "; ".join(part for part in parts if part)


def _bounds(
    flows: Flows, at: Longs, pair: tuple[Longs, Longs], *, sure: Rows, whole: bool
) -> tuple[Bounds, dict[str, int]]:
    """The largest count of any sensor at least; the sum of all at most. With each sensor's own count."""
    least, most = pair
    counted = most != UNKNOWN
    sensor, session = flows.columns["sensor"][at], flows.columns["session"][at]
    part = (flows.columns["flags"][at] & requests.PART) != 0
    one = _connection(flows, at)
    lows: dict[str, int] = {}
    highest = 0
    for code in np.unique(sensor[counted]).tolist():
        here = counted & (sensor == code)
        low = _sum_of_largest(one[here & sure], least[here & sure])
        # A connection that has a number is written down again as it grows; others may be several with the same ends.
        numbered, loose = here & ~part & (session > 0), here & ~part & (session == 0)
        high = _sum_of_largest(one[numbered], most[numbered]) + _sum(most[loose])
        lows[flows.texts[code]] = low
        highest += high
    lower = max(lows.values(), default=0)
    connections = ~part
    # Of a connection that is known by a request alone nobody knows what else came by it.
    known = bool(np.isin(session[part], session[connections]).all())
    counts = bool(counted.any()) and not _uncounted(flows, at[connections], counted[connections])
    upper = max(highest, lower) if counts and known and not whole else None
    return Bounds(lower=lower, upper=upper), lows


def _sum(numbers: Longs) -> int:
    return sum(numbers.tolist())  # of Python's: a log may claim more than 64 bits hold together


def _sum_of_largest(keys: Longs, numbers: Longs) -> int:
    if not len(keys):
        return 0
    order = np.lexsort((numbers, keys))
    last = np.append(np.diff(keys[order]) != 0, True)
    return _sum(numbers[order][last])


def _connection(flows: Flows, at: Longs) -> Longs:
    """A number for each connection: by its own number, else its ends, else (a proxy's request) all that is known."""
    columns = {name: flows.columns[name][at] for name in flows.columns}
    ends: list[npt.NDArray[Any]] = [columns[name] for name in ("client", "server", "client_port", "server_port")]
    loose = (columns["session"] == 0) & (columns["client_port"] == 0)
    loose |= (columns["flags"] & requests.PART) != 0  # several requests come by one connection
    alone: list[npt.NDArray[Any]] = [
        np.where(loose, columns[name], 0) for name in ("ts", "name", "sent_most", "came_most", "page")
    ]
    return grouped([columns["session"], *ends, *alone])


def _uncounted(flows: Flows, at: Longs, counted: Rows) -> bool:
    """Whether there was a connection whose bytes nobody counted: none that was counted began at about its time."""
    ts = flows.columns["ts"][at]
    known = np.sort(ts[counted & (ts != NO_TIME)])
    missing = ts[~counted]
    if not len(missing):
        return False
    if not len(known) or (missing == NO_TIME).any():
        return True
    right = np.searchsorted(known, missing)
    after = known[np.minimum(right, len(known) - 1)]
    before = known[np.maximum(right - 1, 0)]
    return bool((np.minimum(np.abs(after - missing), np.abs(missing - before)) > _SAME_US).any())
