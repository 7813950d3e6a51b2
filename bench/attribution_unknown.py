"""Evidence out of fold in, the weights that decide between any known group and none of them out.

A conditional logit in which "unknown" weighs nothing, over cases with their true group and without it. To its loss
comes that of the removal: where the true group is taken away, what it had must go to "unknown" rather than to whoever
is next most like it, who would be accused of what he did not do. Each case counts by how much less than half of it
went there (a logistic loss of that share), times REMOVAL. No more than that: at four times as much, probabilities are
off by more than they may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from tocsin.attribute.ledger import ahead, known
from tocsin.attribute.scale import NAT
from tocsin.attribute.scene import Scene
from tocsin.attribute.weights import ForUnknown

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

REMOVAL = 0.25  # natural units that a removal weighs which goes wrong altogether
SOFT = 0.25  # of the share: how sharply half is told from less
RIDGE = 3.0
UNIT = float(NAT)  # millidecibans in a natural unit
BEYOND = ForUnknown.__struct_fields__[1:7]  # what all groups are given alike, but the constant
NONE = ForUnknown(*[0] * (1 + len(BEYOND)))
RATIOS = {"first", "rival", "techniques", "software"}  # thousandths; others are millidecibans
FAR = -1e6  # evidence of a place where no group is


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A case, what each group weighs in it in natural units, and the true group's place, None where it is not there."""

    case: str
    scene: Scene
    evidence: Floats
    truth: int | None

    @property
    def seen(self) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """The same with the true group and without it."""
        return self.case, self.scene.techniques, self.scene.software


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """All cases at once, a row each.

    Args:
        evidence: by group, FAR where there is none.
        shared: what all groups are given alike, with a one before it; scaled.
        truth: the true group's place, -1 without it.
        pairs: rows of a case with its true group, and of the same without it.
    """

    evidence: Floats
    shared: Floats
    truth: Whole
    pairs: tuple[Whole, Whole]


def decide(asked: Sequence[Asked]) -> ForUnknown:
    shared = np.array([beyond(one) for one in asked])
    mean, scale = shared.mean(axis=0), shared.std(axis=0) + 1e-9
    numbers = _numbers(asked, (shared - mean) / scale)
    start = np.array([1.0, -6.0, *[0.0] * len(BEYOND)])
    found = minimize(_loss, start, args=(numbers,), method="BFGS", jac=True, options={"gtol": 1e-3}).x
    plain = found[2:] / scale
    return ForUnknown(
        constant=round(float(found[1] - plain @ mean) * UNIT),
        sharpness=round(float(found[0]) * 1000),
        **{
            name: round(float(weight) * (1000 if name in RATIOS else UNIT))
            for name, weight in zip(BEYOND, plain, strict=True)
        },
    )


def beyond(one: Asked) -> list[float]:
    """What moves all groups against "unknown", in natural units, in the order of BEYOND."""
    first, rival = ahead([round(UNIT * float(weight)) for weight in one.evidence])
    found = []
    for name in BEYOND:
        unit = 1000 if name in RATIOS else 1
        weights = msgspec.structs.replace(one.scene.weights, unknown=msgspec.structs.replace(NONE, **{name: unit}))
        found.append(known(replace(one.scene, weights=weights), first, rival) / (UNIT if name in RATIOS else 1))
    return found


def _numbers(asked: Sequence[Asked], shared: Floats) -> Numbers:
    evidence = np.full((len(asked), max(len(one.evidence) for one in asked)), FAR)
    for row, one in zip(evidence, asked, strict=True):
        row[: len(one.evidence)] = one.evidence
    without = {one.seen: row for row, one in enumerate(asked) if one.truth is None}
    pairs = [(row, without[one.seen]) for row, one in enumerate(asked) if one.truth is not None]
    told, removed = np.array(pairs, dtype=np.int64).T
    return Numbers(
        evidence=evidence,
        shared=np.column_stack([np.ones(len(asked)), shared]),
        truth=np.array([-1 if one.truth is None else one.truth for one in asked], dtype=np.int64),
        pairs=(told, removed),
    )


def _loss(weights: Floats, numbers: Numbers) -> tuple[float, Floats]:
    """The loss and its slope: weights are the sharpness, the constant, and those of what all are given alike."""
    is_there = numbers.truth >= 0
    scores = weights[0] * numbers.evidence
    shift = numbers.shared @ weights[1:]
    most = scores.max(axis=1)
    masses = np.exp(np.maximum(scores - most[:, None], -700.0))
    whole = masses.sum(axis=1)
    unknown_log = -np.logaddexp(0.0, np.log(whole) + most + shift)
    unknown = np.exp(unknown_log)
    likeliest = (masses * np.where(masses > 1e-300, numbers.evidence, 0.0)).sum(axis=1) / whole
    # of each case: the slope of minus the logarithm of the probability of "unknown"
    mean = (1 - unknown)[:, None] * np.column_stack([likeliest, numbers.shared])
    true = numbers.evidence[np.arange(len(is_there)), np.maximum(numbers.truth, 0)]
    loss = -unknown_log.sum() - (weights[0] * true + shift)[is_there].sum()
    slope = mean.sum(axis=0) - np.column_stack([true, numbers.shared])[is_there].sum(axis=0)

    told, removed = numbers.pairs
    had = np.exp((weights[0] * true + shift + unknown_log)[told]) + 1e-12
    went = (unknown[removed] - unknown[told]) / had
    wrong = 1 / (1 + np.exp(np.clip((went - 0.5) / SOFT, -50, 50)))
    went_slope = (unknown[told][:, None] * mean[told] - unknown[removed][:, None] * mean[removed]) / had[
        :, None
    ] - went[:, None] * (np.column_stack([true, numbers.shared])[told] - mean[told])
    loss += REMOVAL * wrong.sum()
    slope -= REMOVAL / SOFT * ((wrong * (1 - wrong))[:, None] * went_slope).sum(axis=0)

    small = np.array([0.0, 0.0, *[RIDGE] * len(BEYOND)])
    return float(loss + 0.5 * small @ weights**2), slope + small * weights
