"""An action's verb and the asset that it touches in, what it costs those who work there out, as whole numbers.

One unit is some ten minutes of one person who cannot work. The figures are ours, are told beside each action, and only
their order matters to the cut: a service that others depend on weighs more than a machine, that more than an account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tocsin.model.action import Verb
from tocsin.model.asset import Asset, Criticality

_MACHINE: Final[Mapping[Criticality | None, int]] = {"low": 2, "medium": 5, "high": 15, "critical": 60, None: 8}
_SERVICE: Final = 10
WITHOUT_IT: Final = 10  # for each who cannot work without it

# Of its own, without what it touches: cost, minutes until it holds, how plainly an intruder sees it.
_OWN: Final[Mapping[Verb, tuple[int, int, int]]] = {
    "block address": (1, 1, 6),
    "block network": (4, 5, 20),  # somebody looks first who else is there; of a few addresses each goes alone
    "block domain": (1, 1, 6),
    "isolate host": (4, 5, 9),
    "disable account": (6, 2, 8),
    "reset secret": (3, 15, 5),
    "revoke sessions": (1, 2, 4),
    "remove grant": (1, 5, 3),
    "remove inbox rule": (1, 5, 2),
    "remove persistence": (2, 60, 3),
    "quarantine hash": (1, 20, 4),
    "reset krbtgt": (40, 660, 2),
    "renew signing certificates": (30, 240, 2),
    "close way in": (4, 30, 7),
}
_STOPS_A_MACHINE: Final[frozenset[Verb]] = frozenset({"isolate host"})
_STOPS_A_SERVICE: Final[frozenset[Verb]] = frozenset({"isolate host", "close way in"})
_FOR_ALL: Final[frozenset[Verb]] = frozenset({"reset krbtgt", "renew signing certificates", "block network"})


def weights(verb: Verb, assets: Sequence[Asset]) -> tuple[int, int, int]:
    """Cost, minutes and noise. Several assets: it may be any of them, so the dearest counts."""
    cost, minutes, noise = _OWN[verb]
    return cost + max((_touched(verb, asset) for asset in assets), default=_unknown(verb)), minutes, noise


def _touched(verb: Verb, asset: Asset) -> int:
    machine = _MACHINE[asset.criticality] if verb in _STOPS_A_MACHINE else 0
    if verb not in _STOPS_A_SERVICE:
        return machine
    return machine + sum(_SERVICE + WITHOUT_IT * len(service.dependents) for service in asset.services)


def _unknown(verb: Verb) -> int:
    """A machine on no list: it may run anything."""
    machine = _MACHINE[None] if verb in _STOPS_A_MACHINE else 0
    return machine + (_SERVICE if verb in _STOPS_A_SERVICE else 0)


def touches_a_service(verb: Verb, assets: Sequence[Asset]) -> bool:
    """Whether others may lose something they work with; of what no list tells, they may."""
    if verb in _FOR_ALL:
        return True
    return verb in _STOPS_A_SERVICE and (not assets or any(asset.services for asset in assets))
