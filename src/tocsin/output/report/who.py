"""An Attribution in, the chapter on who it may have been out: pictures, the matrix, and what would change it.

It is a comparison with what is told of groups. Who is responsible stands there only as people decided it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tocsin.model.attribution import (
    CERTAIN,
    OWN_CLUSTER,
    OWN_SET,
    UNKNOWN,
    Attribution,
    Ground,
    Hypothesis,
    Row,
)
from tocsin.model.likelihood import word
from tocsin.model.statement import Standing

_GROUPS: Final = 6  # that are drawn by themselves
_GROUNDS: Final = 12
_ROWS: Final = 40
_TELLS: Final = 500  # millidecibans: what tells hypotheses apart by less is not shown
_LINE, _LEFT, _WIDE = 24, 320, 330  # pixels: of one bar, of the words before it, of the longest bar
_WORTH: Final = 20  # one in so many: what is less likely is "almost no chance", and not told
_HALF: Final = 190  # pixels: of the longest bar of a weight, to either side
_READINGS: Final = {
    "++": "fits well",
    "+": "fits",
    ".": "says nothing",
    "-": "does not fit",
    "--": "does not fit at all",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A hypothesis as it is drawn."""

    y: int
    width: float
    name: str
    is_unknown: bool
    percent: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A ground as it is drawn: to the right for, to the left against."""

    y: int
    x: float
    width: float
    name: str
    is_for: bool
    decibans: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """`leader` is the name of the likeliest group, '' where there is none; `left_out` are rows that are not shown."""

    found: Attribution
    bars: tuple[Bar, ...]
    height: int
    leader: str
    weights: tuple[Weight, ...]
    weights_height: int
    middle: int
    others: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, Row], ...]
    left_out: int
    fragile: tuple[str, ...]
    readings: dict[str, str]
    within: str
    standing: Standing
    own: tuple[str, ...]


def chapter(found: Attribution, standing: Standing, own: tuple[str, ...] = ()) -> Chapter:
    """`own` says which of the team's own clusters it belongs to, as sentences."""
    leader = next((one for one in found.hypotheses if one.kind == "group"), None)
    bars = tuple(_bars(found))
    told = [row for row in found.matrix if row.diagnosticity >= _TELLS][:_ROWS]
    openings = {text.partition(",")[0] for text in found.would_change}
    weights, others = _weights(leader)
    return Chapter(
        found=found,
        bars=bars,
        height=_LINE * len(bars) + 8,
        leader=leader.name if leader and leader.grounds else "",
        weights=weights,
        weights_height=_LINE * len(weights) + 8,
        middle=_LEFT + _HALF,
        others=others,
        columns=tuple(_name(found, one) for one in found.columns),
        rows=tuple((_called(row.kind, row.value, row.name), row) for row in told),
        left_out=len(found.matrix) - len(told),
        fragile=tuple(text for text in found.fragile if text.partition(",")[0] not in openings),
        readings=_READINGS,
        within=_within(found),
        standing=standing,
        own=(*own, *_own_groups(found)),
    )


def _own_groups(found: Attribution) -> Iterator[str]:
    """The likeliest of what the team knows itself, unless that is very unlikely."""
    ours = [one for one in found.hypotheses if one.id.startswith((OWN_SET, OWN_CLUSTER))]
    best = max(ours, key=lambda one: one.billionths, default=None)
    if best is None or best.billionths * _WORTH < CERTAIN:
        return
    whose = "an intrusion set of your own" if best.id.startswith(OWN_SET) else "a cluster of your closed cases"
    short = "" if best.id in found.answer.hypotheses else "; that is not enough to name it"
    yield f"{best.name}, {whose}: {word(best.billionths)}, {percent(best.billionths)}{short}."


def _bars(found: Attribution) -> list[Bar]:
    groups = [one for one in found.hypotheses if one.kind == "group"][:_GROUPS]
    kin = sum(one.billionths for one in found.hypotheses if one.kind == "kin")
    unknown = found.of(UNKNOWN)
    told: list[tuple[str, int, bool]] = [(one.name, one.billionths, False) for one in groups]
    if unknown is not None:
        told.append(("nobody known", unknown.billionths, True))
    if kin:
        told.append(("new groups, of known kin", kin, True))
    told.sort(key=lambda one: -one[1])
    rest = CERTAIN - sum(billionths for _, billionths, _ in told)
    if rest > 0:
        told.append(("all other groups together", rest, False))
    return [
        Bar(
            y=4 + _LINE * place,
            width=round(_WIDE * billionths / CERTAIN, 1),
            name=name,
            is_unknown=is_unknown,
            percent=percent(billionths),
            word=word(billionths),
        )
        for place, (name, billionths, is_unknown) in enumerate(told)
    ]


def percent(billionths: int) -> str:
    """Whole percents: what is behind the point is not known."""
    if 0 < billionths < CERTAIN // 100:
        return "below 1 %"
    return "above 99 %" if CERTAIN * 99 < billionths * 100 < CERTAIN * 100 else f"{billionths * 100 / CERTAIN:.0f} %"


def _weights(leader: Hypothesis | None) -> tuple[tuple[Weight, ...], str]:
    told = [one for one in (leader.grounds if leader else ()) if one.millidecibans]
    told.sort(key=lambda one: (-abs(one.millidecibans), one.kind, one.value))
    drawn = sorted(told[:_GROUNDS], key=lambda one: (-one.millidecibans, one.kind, one.value))
    rest = told[_GROUNDS:]
    most = max((abs(one.millidecibans) for one in drawn), default=1)
    others = ""
    if rest:
        whole = sum(one.millidecibans for one in rest) / 1000
        others = f"{len(rest)} smaller ones are not drawn; together they weigh {whole:+.1f} decibans."
    return tuple(_weight(place, one, most) for place, one in enumerate(drawn)), others


def _weight(place: int, one: Ground, most: int) -> Weight:
    width = round(_HALF * abs(one.millidecibans) / most, 1)
    middle = _LEFT + _HALF
    return Weight(
        y=4 + _LINE * place,
        x=round(middle if one.millidecibans > 0 else middle - width, 1),
        width=width,
        name=_called(one.kind, one.value, one.name),
        is_for=one.millidecibans > 0,
        decibans=f"{one.millidecibans / 1000:+.1f}",
        because=f"{one.because}; grade {one.grade}, {one.forgeability} to forge",
    )


def _called(kind: str, value: str, name: str) -> str:
    if kind in ("technique", "software"):
        return f"{value} {name}".strip()
    if kind == "tempo":
        return f"last seen in {value}"
    return f"not seen: {value} {name}".strip() if kind == "absence" else f"{kind} {value}"


def _within(found: Attribution) -> str:
    level, ids = found.within
    if len(ids) > 12:
        return f"No short list would hold the answer in {level // 10} of 100 cases: it would have {len(ids)} names."
    names = ", ".join(_name(found, one) for one in ids)
    return f"In {level // 10} of 100 cases the answer is in a set made like this one: {names}."


def _name(found: Attribution, one: str) -> str:
    told = found.of(one)
    return told.name if told else one
