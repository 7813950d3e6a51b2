"""A claim in, plain words out: at least so much, at most so much, and what nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tocsin.model.concern import Held, Touched
from tocsin.model.impact import Bounds, Claim, Confidence, Content, Impact, Unit
from tocsin.output.screen import shown

_SIZES: Final = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")  # by thousands: SI, as IEC 80000-13 keeps them apart
_LONGEST: Final = 300
_CONTENT: Final[Mapping[Content, str]] = {
    "content": "what people wrote or kept",
    "technical": "technical information that opens more doors",
    "both": "what people wrote or kept, and technical information that opens more doors",
    "not known": "what was in it is not known",
}
_SURE: Final[Mapping[Confidence, str]] = {
    "high": "records of what was found show it",
    "moderate": "it is likely that this belongs to the incident",
    "low": "it is not sure that this belongs to the incident",
}


def amount(bounds: Bounds, unit: Unit) -> str:
    """As "at least 1.2 GB, at most 3.4 GB"; never a nought for what is not known."""
    lower, upper = bounds.lower, bounds.upper
    if upper is None:
        return f"at least {_least(lower, unit)}, how much more is not known" if lower else "not known"
    if lower == upper:
        return _exact(lower, unit)
    most = _most(upper, unit)
    return f"at least {_least(lower, unit)}, at most {most}" if lower else f"at most {most}"


def sentence(claim: Claim) -> str:
    """As "At least 1.2 GB, at most 3.4 GB, left for 203.0.113.9; what was in it is not known."."""
    lower, upper = claim.amount.lower, claim.amount.upper
    if not lower and upper is None:
        counted = "an amount that is not known" if claim.unit == "bytes" else f"{claim.unit}, how many is not known,"
    elif upper is None:
        counted = f"at least {_least(lower, claim.unit)}"
    else:
        counted = amount(claim.amount, claim.unit) + ("," if lower != upper else "")
    more = "; how much more is not known" if lower and upper is None else ""
    text = f"{counted} {shown(claim.what, _LONGEST)}{more}; {_CONTENT[claim.content]}."
    return text[0].upper() + text[1:]


def surely(claim: Claim) -> str:
    return _SURE[claim.confidence]


def summary(impact: Impact | None, most: int = 0) -> tuple[str, ...]:
    """What a page begins with; all sentences, or the first `most` and how many there are besides."""
    if impact is None:
        return ("Nobody has looked at what was taken.",)
    if not impact.claims:
        return ("No record shows what was accessed, staged or taken out. That does not say that nothing was.",)
    loose = loosely_tied(impact.claims) if most else []
    firm = [claim for claim in impact.claims if claim not in loose]
    if most:  # of each sort the first before the second of any: the largest number is not the gravest thing
        firsts = {claim.sort: claim for claim in reversed(firm) if claim.confidence != "low"}
        firm.sort(key=lambda claim: firsts.get(claim.sort) is not claim)
    told = [f"{sentence(claim)} {claim.confidence.capitalize()} confidence." for claim in firm]
    left = len(told) - most if most and len(told) > most else 0
    first = told[:most] if left else told
    return (*first, *loosely(loose), *((f"And {left:,} more.",) if left else ()))


def loosely_tied(claims: Sequence[Claim]) -> list[Claim]:
    """Claims that are better told in one sentence; none where there is one only."""
    loose = [claim for claim in claims if _is_loose(claim)]
    return loose if len(loose) > 1 else []


def _is_loose(claim: Claim) -> bool:
    """Bytes that went to somebody whom no finding names: many of them hide the claims that matter."""
    return claim.stage == "left" and claim.unit == "bytes" and claim.confidence == "low" and not claim.amount.lower


def loosely(claims: Sequence[Claim]) -> Iterator[str]:
    """What only the machine and the time tie to the incident, and what servers answer to whoever asks."""
    answers = [claim for claim in claims if claim.answers]
    others = [claim for claim in claims if not claim.answers]
    if others:
        places, much = _summed(others)
        yield f"To {places} that no finding names went {much}, for whatever reason. Low confidence."
    if answers:
        places, much = _summed(answers, "visitor")
        yield (
            f"Our servers answered {places} with {much}, as they do whoever asks; no record shows that anything of it "
            "was taken, nor that nothing was. Low confidence."
        )


def _summed(claims: Sequence[Claim], who: str = "destination") -> tuple[str, str]:
    places = sum(max(len(claim.names) + claim.unnamed, 1) for claim in claims)
    uppers = [claim.amount.upper for claim in claims]
    whole = sum(upper for upper in uppers if upper is not None)
    much = "an amount that is not known" if None in uppers else f"at most {_size(whole, up=True)}"
    return f"{places:,} {who}" + ("" if places == 1 else "s"), much


def held(one: Held) -> str:
    """An asset in one line."""
    words: list[str] = [word for word in (one.criticality, one.sensitivity) if word]
    words += ["protected"] if one.protected else []
    whose = ", ".join(part for part in (one.owner, one.authority) if part)
    name = f"{one.name} is {one.asset}" if one.name.casefold() != one.asset.casefold() else one.name
    if one.one_of > 1:
        name += f" (one of {one.one_of} that it may be)"
    return shown(
        ": ".join(part for part in (name, ", ".join(words)) if part) + (f" ({whose})" if whose else ""), _LONGEST
    )


def touched(one: Touched) -> str:
    """A person in one line; the id tells two of one name apart."""
    who = f"{one.name} [{one.id}]" + (f", {one.role}" if one.role else "")
    shared = f"; or {', '.join(one.shared_with)}, who share the account" if one.shared_with else ""
    return shown(f"{who}: {one.how}, by {', '.join(one.through[:3])}{shared}", _LONGEST)


def all_touched(people: Sequence[Touched]) -> Iterator[str]:
    """Those who were found by an account or a mailbox one by one; of a whole directory, how many there are."""
    found = [one for one in people if one.through]
    others = len(people) - len(found)
    if others:
        who = "1 person has" if others == 1 else f"{others:,} people have"
        yield f"{who} an account of a directory that was copied or can have been: possibly reached"
    yield from map(touched, found)


def content(claim: Claim) -> str:
    """What kind of thing it was, in a word or two, with the number of technical names."""
    if claim.content == "both":
        return f"content, {claim.technical:,} technical"
    return claim.content


def named(names: Sequence[str], unnamed: int, most: int) -> tuple[tuple[str, ...], int]:
    """The first names, and how many there are besides."""
    return tuple(shown(name, _LONGEST) for name in names[:most]), max(len(names) - most, 0) + unnamed


def _exact(number: int, unit: Unit) -> str:
    return _size(number, up=False) if unit == "bytes" else _count(number, unit)


def _least(number: int, unit: Unit) -> str:
    return _size(number, up=False) if unit == "bytes" else _count(number, unit)


def _most(number: int, unit: Unit) -> str:
    return _size(number, up=True) if unit == "bytes" else _count(number, unit)


def _count(number: int, unit: Unit) -> str:
    one = f"{unit[:-3]}y" if unit.endswith("ies") else unit[:-1]
    return f"{number:,} {one if number == 1 else unit}"


def _size(number: int, *, up: bool) -> str:
    """Rounded to a tenth, away from what would say too much: the least down, the most up."""
    power = 0
    while power < len(_SIZES) - 1 and number >= 1000 ** (power + 1):
        power += 1
    if not power:
        return _count(number, "bytes")
    unit = 1000**power
    tenths = -(-number * 10 // unit) if up else number * 10 // unit
    if tenths >= 10_000 and power < len(_SIZES) - 1:
        tenths, power = 10, power + 1
    return f"{tenths // 10:,}.{tenths % 10} {_SIZES[power]}" if tenths % 10 else f"{tenths // 10:,} {_SIZES[power]}"
