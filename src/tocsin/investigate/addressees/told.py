"""Incidents, their Pointers and the mailings that were found in; what else to ask for, and whom they addressed, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from tocsin.investigate.addressees.mailings import DAY_US, Mailing, span
from tocsin.investigate.addressees.pointers import Pointer, Pointers, below, registered
from tocsin.investigate.machines import COMMON
from tocsin.model.addressee import Addressed, Addressee
from tocsin.model.citation import Citation
from tocsin.model.event import NO_TIME
from tocsin.model.incident import Incident

MOST: Final = 5_000  # addressees of one pointer
_MOST_MESSAGES: Final = 50_000
_EVER: Final = 1 << 62
_CITED: Final = 3  # records of an addressee
# What comes from a place long before the first finding comes for other reasons. A rule may see the end of what a mail
# began a month ago; what an ally names is seen once the first fetch it.
_BEFORE_US: Final = 30 * DAY_US
_SOON_US: Final = 7 * DAY_US
_DELAYED_US: Final = 7 * DAY_US  # no longer a mail waits (RFC 5321, 4.5.4.1): the same id later is another's
_HOSTS: Final = 3  # by more names below one domain writes no single sender, but many to whom it lends names
_WROTE: Final = "mail from there came here before"
_FETCHED: Final = "something was fetched from there before"
_ANSWERED: Final = "somebody here wrote there first"
_CUT: Final = (
    "mail: {:,} records of where this or another incident points were too many to be kept, with whom they name"
)
_MANY: Final = "more are written to from there than one incident need be about"


def messages(mailings: Iterable[Mailing]) -> tuple[str, ...]:
    """Ids of what came from there: other records may say to whom."""
    found = dict.fromkeys(
        one for mailing in mailings if mailing.sources and not mailing.users for one in mailing.messages
    )
    return tuple(found)[:_MOST_MESSAGES]


def told(
    incidents: Sequence[Incident],
    every: Sequence[Pointers],
    mailings: Iterable[Mailing],
    further: Iterable[Mailing],
    digests: Mapping[str, str],
    cut: int = 0,
) -> tuple[Incident, ...]:
    """The incidents, each with whom it addressed.

    Args:
        cut: how many records more were of where they point: whom those tell of is not known, and that is told.
    """
    by_name, first = _by_name(mailings), _first(every)
    by_message: dict[str, list[Mailing]] = {}
    for mailing in further:
        for message in mailing.messages:
            by_message.setdefault(message, []).append(mailing)
    return tuple(
        replace(
            one,
            addressed=tuple(_every(here, first, by_name, by_message, digests)),
            not_seen=(*(_CUT.format(cut) for _ in here.all[:1] if cut), *one.not_seen),
        )
        for one, here in zip(incidents, every, strict=True)
    )


def _by_name(mailings: Iterable[Mailing]) -> dict[str, list[Mailing]]:
    """By each sender, address, site and registered domain that they are from or to."""
    found: dict[str, list[Mailing]] = {}
    for mailing in mailings:
        names = {part for one in (*mailing.sources, *mailing.targets) for part in (one, _domain(one))}
        for name in sorted(names - {""}):
            found.setdefault(name, []).append(mailing)
    return found


def _domain(source: str) -> str:
    return registered(source.rpartition("@")[2])


def _first(every: Iterable[Pointers]) -> dict[tuple[str, str], int]:
    """Of each pointer the first time of any incident that has it: one campaign may be seen as several incidents."""
    first: dict[tuple[str, str], int] = {}
    for here in every:
        for one in here.all if here.first_us is not None else ():
            key = one.kind, one.name
            first[key] = min(here.first_us or 0, first.get(key, _EVER))
    return first


def _every(
    here: Pointers,
    first: Mapping[tuple[str, str], int],
    by_name: Mapping[str, Sequence[Mailing]],
    by_message: Mapping[str, Sequence[Mailing]],
    digests: Mapping[str, str],
) -> Iterator[Addressed]:
    limits = span(here)
    for pointer in here.all:
        some = [one for one in by_name.get(pointer.name, ()) if one.ts == NO_TIME or limits[0] <= one.ts <= limits[1]]
        out = [one for one in some if any(_is_of(source, pointer) for source in one.sources)]
        known = _known(pointer, out, by_message, digests)
        if not known:
            continue
        doubt = _doubt(pointer, first.get((pointer.kind, pointer.name)), out, some)
        if not doubt and pointer.kind != "sender" and _many(pointer, out, len(known)):
            doubt = _MANY
        listed = known
        if doubt:  # just what an ally named is told with the doubt, of others only how many there are
            just = pointer.told - pointer.pages
            out = [one for one in out if any(_is_below(source, just) for source in one.sources)]
            listed = _known(pointer, out, by_message, digests)
        yield Addressed(
            kind=pointer.kind,
            name=pointer.name,
            because=f"{'an indicator' if pointer.told else 'a finding'} names {_names(pointer)}",
            doubt=doubt,
            all=tuple(_addressees(listed)),
            count=len(known),
        )


def _many(pointer: Pointer, out: Iterable[Mailing], count: int) -> bool:
    if not pointer.told:
        return count > COMMON
    beside = {source.rpartition("@")[2] for one in out for source in one.sources if not _is_below(source, pointer.told)}
    return len(beside) > _HOSTS


def _is_of(source: str, pointer: Pointer) -> bool:
    return source == pointer.name or (pointer.kind == "domain" and _domain(source) == pointer.name)


def _is_below(source: str, names: frozenset[str]) -> bool:
    return source in names or bool(below(source.rpartition("@")[2], names))


_Found = dict[tuple[str, bool], dict[Citation, None]]  # a name, whether something was fetched by it, and its records


def _known(
    pointer: Pointer, out: Iterable[Mailing], by_message: Mapping[str, Sequence[Mailing]], digests: Mapping[str, str]
) -> _Found:
    """Addressees, each with its records; answers to there are to nobody here."""
    found: _Found = {}
    for each in _records(out, by_message):
        names = [(name, True) for name in each.users] or [(name, False) for name in each.recipients]
        for name in names:
            theirs = not name[1] and pointer.name in {name[0], _domain(name[0])}
            if not theirs and (name in found or len(found) < MOST):
                found.setdefault(name, {}).setdefault(_citation(each, digests))
    return found


def _records(out: Iterable[Mailing], by_message: Mapping[str, Sequence[Mailing]]) -> Iterator[Mailing]:
    """What came from there, and the other records of each message, of about its time."""
    times: dict[str, tuple[int, int]] = {}
    for mailing in out:
        yield mailing
        for message in () if mailing.users else mailing.messages:
            first, last = times.get(message, (mailing.ts, mailing.ts))
            times[message] = min(first, mailing.ts), max(last, mailing.ts)
    for message, (first, last) in times.items():
        for other in by_message.get(message, ()):
            if NO_TIME in {first, other.ts} or first - _DELAYED_US <= other.ts <= last + _DELAYED_US:
                yield other


def _citation(mailing: Mailing, digests: Mapping[str, str]) -> Citation:
    return Citation(
        src=digests.get(mailing.file, ""),
        path=mailing.path,
        rec=mailing.rec,
        chunk=mailing.chunk,
        ts_us=None if mailing.ts == NO_TIME else mailing.ts,
    )


def _doubt(pointer: Pointer, first_us: int | None, out: Sequence[Mailing], some: Sequence[Mailing]) -> str:
    """Why whoever was written to need not have been meant, as far as records before tell it."""
    timed = [one for one in out if one.ts != NO_TIME]
    times = [one.ts for one in timed]
    beside = bool(pointer.told) and pointer.name not in pointer.told
    if times and first_us is not None and min(times) < first_us - (_SOON_US if beside else _BEFORE_US):
        return _FETCHED if min(timed, key=lambda one: one.ts).users else _WROTE
    answers = [one.ts for one in some if one.targets and not one.sources and one.ts != NO_TIME]
    if answers and times and min(answers) < min(times):
        return _ANSWERED
    return ""


def _names(pointer: Pointer) -> str:
    names = sorted(pointer.told or pointer.named)
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]


def _addressees(known: _Found) -> Iterator[Addressee]:
    for (name, fetched), at in sorted(known.items()):
        cited = sorted(at, key=lambda one: (one.ts_us is None, one.ts_us or 0, one.path, one.chunk, one.rec))
        timed = [one.ts_us for one in cited if one.ts_us is not None]
        yield Addressee(
            name=name,
            fetched=fetched,
            count=len(cited),
            first_us=timed[0] if timed else None,
            last_us=timed[-1] if timed else None,
            citations=tuple(cited[:_CITED]),
        )
