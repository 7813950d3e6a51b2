"""A press claim in, what it asks of the logs out: of which machines, from when, and whether of mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocsin.investigate.impact.scene import hosts_of
from tocsin.investigate.normal import address
from tocsin.model.asset import Asset, Assets
from tocsin.model.event import Longs
from tocsin.model.press import Part, PressClaim

# A connection is written down when it begins or when it ends: a part's time is looked at with a day before and after.
BESIDE_US: Final = 24 * 3_600_000_000
EVER_US: Final = -(1 << 62)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine that a part is about; `addresses` are all that is known of it."""

    name: str
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One part of a claim. `since_us` is `EVER_US` where the part does not say."""

    part: Part
    since_us: int
    until_us: int
    machines: tuple[Machine, ...]

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset().union(*(machine.addresses for machine in self.machines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """All that a claim asks. What left for another machine may go on from there until the claim is made."""

    claim: PressClaim
    questions: tuple[Question, ...]
    assets: Assets

    @property
    def windows(self) -> Longs:
        """Rows of (since, until): of which time records are wanted at all."""
        until = self.claim.claimed_us + BESIDE_US
        since = min(question.since_us for question in self.questions) - BESIDE_US
        return np.array([(since, max(until, *(one.until_us + BESIDE_US for one in self.questions), since))], np.int64)

    def is_ours(self, text: str) -> bool:
        return bool(self.assets.at(text))


def asked(claim: PressClaim, addresses: Mapping[str, frozenset[str]], assets: Assets) -> Asked:
    """`addresses` are those that machines' own records say they have, by the names of `hosts_of`."""
    return Asked(
        claim=claim,
        questions=tuple(_question(part, claim, addresses, assets) for part in claim.parts),
        assets=assets,
    )


def _question(part: Part, claim: PressClaim, addresses: Mapping[str, frozenset[str]], assets: Assets) -> Question:
    if part.host:
        machines = [_machine(part.host, addresses, assets)]
    else:
        whose = claim.authority.casefold()
        known = [asset for asset in assets.all if asset.authority.casefold() == whose and not _is_network(asset)]
        machines = [_machine(asset.name, addresses, assets) for asset in known]
    return Question(
        part=part,
        since_us=EVER_US if part.from_us is None else part.from_us,
        until_us=claim.claimed_us if part.until_us is None else part.until_us,
        machines=tuple(machines),
    )


def _machine(name: str, addresses: Mapping[str, frozenset[str]], assets: Assets) -> Machine:
    names = hosts_of(name)
    known = {address(name)}.union(*(addresses.get(one, frozenset()) for one in names))
    known |= {address(text) for asset in assets.named(name) for text in asset.addresses if "/" not in text}
    return Machine(name=name, addresses=frozenset(known - {""}))


def _is_network(asset: Asset) -> bool:
    return any("/" in text for text in asset.addresses)
