"""The file of learned weights in, the weights of a ledger out: integers, few, and readable.

`bench/attribution_fit.py` makes the file from the benchmark's report cases and nothing else.
docs/decisions/0021 and 0025 say what each stands for and what was tried besides.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import msgspec


class ForGroups(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much what speaks for a group counts: millidecibans for one, or thousandths where it is a ratio already."""

    likelihood: int  # thousandths: of a technique's likelihood ratio against all groups
    overlap: int  # of the cosine between what was seen and the profile, each thing by its rarity
    software: int  # thousandths: of the rarity of software that the group is told to use
    exclusive: int  # for software that no other group is told to use
    reports: int  # thousandths: of the number of sources on the group
    reports_by_length: int  # thousandths: the same, times the decimal logarithm of a tenth of the techniques
    years: int  # thousandths: of how much of what is told of the group falls into these years
    silence: int  # for each year since anything was told of it, up to six


class ForUnknown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What decides between all known groups together and none of them, in the same units.

    Args:
        first: thousandths: of what the best group weighs.
        rival: thousandths: of what the second best weighs. Negative: where two fit alike, likeness is the reason, and
            it may well be a third that is like both.
        sharpness: thousandths by which evidence counts more than one by one, where it is taken together.
    """

    constant: int
    first: int
    rival: int
    techniques: int  # thousandths: of the number of techniques seen
    software: int  # thousandths: of one more than the number of pieces of software
    new_software: int  # for each that no group is told to use
    new_techniques: int
    sharpness: int = 1000


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an answer is given: probabilities in thousandths."""

    name: int  # of a group, that it may be named; above 1000 where no threshold earned it
    sponsor: int  # of a sponsor's groups together
    largest: tuple[tuple[int, int], ...]  # conformal: (level, the probability that a set must gather), in thousandths


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    about: str
    groups: ForGroups
    unknown: ForUnknown
    rule: Rule


@cache
def shipped() -> Weights:
    return msgspec.json.decode(files("tocsin.attribute").joinpath("weights.json").read_bytes(), type=Weights)
