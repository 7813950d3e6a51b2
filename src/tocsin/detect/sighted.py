"""What correlations found, as numbers of events, in; Findings for people, and what could have been found, out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from tocsin.detect.correlate import Bursts, Passed
from tocsin.detect.streams import Sightings
from tocsin.model.correlation import Correlated, Correlation, Place
from tocsin.model.coverage import Coverage, RuleCoverage
from tocsin.model.event import Longs
from tocsin.model.finding import Finding
from tocsin.model.rule import RuleSet

MOST_LISTED: Final = 10_000  # events of one finding; the others are counted


def findings(rules: RuleSet, found: Sequence[Bursts], sightings: Sightings) -> Iterator[Finding]:
    """In order of the time of their first event; `src` is the path of the file that holds the last.

    A correlation that others refer to gives none, unless one of these generates them.
    """
    told = [bursts for bursts in found if bursts.correlation.rule not in rules.quiet and len(bursts)]
    if not told:
        return
    which = np.concatenate([np.full(len(bursts), at) for at, bursts in enumerate(told)])
    burst = np.concatenate([np.arange(len(bursts)) for bursts in told])
    first = np.concatenate([bursts.events[bursts.starts[:-1]] for bursts in told])
    last = np.concatenate([bursts.events[bursts.starts[1:] - 1] for bursts in told])
    rule = np.array([bursts.correlation.rule for bursts in told])[which]
    order = np.lexsort((last, first, rule, sightings.ts[first]))
    makers = [_maker(bursts, sightings) for bursts in told]
    for each, at in zip(which[order].tolist(), burst[order].tolist(), strict=True):
        yield makers[each](at)


def _maker(bursts: Bursts, sightings: Sightings) -> Callable[[int], Finding]:
    """What makes the finding of each burst; what all of them need is looked up once."""
    one, sources = bursts.correlation, sightings.sources
    starts, values = bursts.starts.tolist(), bursts.values.tolist()
    kinds = {kind: number for number, kind in enumerate(dict.fromkeys(kind for kind, _, _ in sources))}
    kind = np.array([kinds[kind] for kind, _, _ in sources])[sightings.source]
    kind_of = _common(kind, bursts, list(kinds))
    host_of = _common(sightings.host, bursts, sightings.hosts)
    keys = [(name, codes.tolist()) for name, codes in zip(one.group_by, bursts.keys, strict=True)]
    paths = [path for _, _, path in sources]

    def make(at: int) -> Finding:
        events = bursts.events[starts[at] : starts[at + 1]]
        listed = events[:MOST_LISTED]
        last = int(events[-1])
        group = {name: sightings.shown[codes[at]] for name, codes in keys}
        _, file, path = sources[sightings.source[last]]
        places = zip(
            sightings.ts[listed].tolist(),
            sightings.source[listed].tolist(),
            sightings.rec[listed].tolist(),
            sightings.chunk[listed].tolist(),
            strict=True,
        )
        return Finding(
            rule=one.rule,
            variant="",
            ts_us=int(sightings.ts[last]),
            host=host_of[at],
            kind=kind_of[at],
            src=file,
            rec=int(sightings.rec[last]),
            chunk=int(sightings.chunk[last]),
            path=path,
            fields=group,
            correlated=Correlated(
                type=one.type,
                group=group,
                value=values[at],
                first_us=int(sightings.ts[events[0]]),
                last_us=int(sightings.ts[last]),
                count=len(events),
                events=tuple(Place(ts_us=ts, path=paths[src], rec=rec, chunk=chunk) for ts, src, rec, chunk in places),
            ),
        )

    return make


def _common(codes: Longs, bursts: Bursts, names: Sequence[str]) -> list[str]:
    """For each burst the name that all its events share, '' where they do not."""
    of_events = codes[bursts.events]
    least = np.minimum.reduceat(of_events, bursts.starts[:-1]).tolist()
    most = np.maximum.reduceat(of_events, bursts.starts[:-1]).tolist()
    return [names[low] if low == high else "" for low, high in zip(least, most, strict=True)]


# --------------------------------------------------------------------------------- what could have been seen


def covered(coverage: Coverage, rules: RuleSet, found: Sequence[Bursts], sightings: Sightings) -> Coverage:
    """The account of a run, with what became of correlations, and of the rules that only serve them."""
    states = {entry.rule: entry for entry in coverage.rules}
    for rule in rules.quiet:
        stream = sightings.streams.get(rule)
        if stream is not None and rule in states:
            detail = f"{len(stream.ts):,} events, for correlations alone"
            states[rule] = RuleCoverage(rule=rule, state="fired", detail=detail)
    for bursts in found:
        one = bursts.correlation
        unable = _unable(one, states)
        told = 0 if one.rule in rules.quiet else len(bursts)
        detail = ", ".join(_words(bursts.passed, sightings.left_out))
        if told < len(bursts):
            detail = ", ".join(filter(None, (f"{len(bursts):,} findings, for correlations alone", detail)))
        if len(bursts):
            states[one.rule] = RuleCoverage(rule=one.rule, state="fired", findings=told, detail=detail)
        elif unable is not None:
            states[one.rule] = RuleCoverage(rule=one.rule, state=unable.state, detail=unable.detail)
        else:
            states[one.rule] = RuleCoverage(rule=one.rule, state="silent", detail=detail)
    return replace(coverage, rules=tuple(states[rule] for rule in sorted(states)))


def _unable(one: Correlation, states: Mapping[int, RuleCoverage]) -> RuleCoverage | None:
    """Of a correlation that could not hold, a rule that stood in the way."""
    parts = [states[part] for part in one.parts]
    able = [entry.state in ("fired", "silent") for entry in parts]
    ways = [choice.seen for choice in one.choices] or [(part,) for part in range(len(parts))]
    if any(all(able[part] for part in way) for way in ways):
        return None
    return next(parts[part] for part in ways[0] if not able[part])


def _words(passed: Passed, left_out: int) -> Iterator[str]:
    for count, what in (
        (passed.no_time, "a time"),
        (passed.no_group, "a field to group by"),
        (passed.no_value, "a value to count"),
    ):
        if count:
            yield f"{count:,} events without {what} passed over"
    if left_out:
        yield f"{left_out:,} events of all correlations were too many, and not looked at"
