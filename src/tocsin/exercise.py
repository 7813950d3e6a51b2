"""A drill's cases in, how they would be contained out: plans for all, and for one the blocks really tried and proven.

Nothing outside of namespaces of this machine is touched. The signatures of a drill are made up with the rest of it, in
copies of its cases; the cases themselves keep the plan alone.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tocsin import cases, enforce, planning, watched
from tocsin.act import trial
from tocsin.contain import Own
from tocsin.errors import ActError, CaseError
from tocsin.model.action import Place
from tocsin.model.asset import Assets
from tocsin.model.decision import Signer
from tocsin.planning import Chosen
from tocsin.seal import keys, signers

WHO: Final = "the drill"
_PLAYERS: Final = ("A player of the drill", "Another player of the drill")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """What came of it.

    Args:
        plans: how many cases were planned, with `actions` in the least disruptive of each; `open` ways stay open.
        seconds: for the slowest of these plans.
        tried: addresses that were blocked in a network of namespaces; of these `held` no longer answered.
        stopped: packets that the blocks counted.
        lived: whether what is not the intruder's went on.
        undone: whether the ruleset was afterwards, to the byte, what it had been.
        left_out: why nothing was tried; '' where it was.
    """

    plans: int
    actions: int
    open: int
    seconds: float
    tried: int = 0
    held: int = 0
    stopped: int = 0
    lived: bool | None = None
    undone: bool | None = None
    left_out: str = ""


def contain(root: Path, assets: Assets) -> Exercise:
    """Plan every case below a folder, and try the blocks of the first that has any."""
    mine = Own(assets=assets)
    kept: list[tuple[Path, Chosen]] = []
    slowest = 0.0
    for listed in cases.everything(root)[0]:
        began = time.monotonic()
        try:
            plan = planning.plan(listed.folder, mine, ())
        except CaseError:  # one that people opened by hand has nothing to plan by
            continue
        slowest = max(slowest, time.monotonic() - began)
        kept.append((listed.folder, planning.keep(listed.folder, plan, "least disruptive", WHO)))
    chosen = [one.alternative for _, one in kept]
    told = Exercise(
        plans=len(kept),
        actions=sum(len(one.actions) for one in chosen),
        open=sum(len(one.leaves) for one in chosen),
        seconds=round(slowest, 3),
    )
    for folder, one in kept:
        addresses = _addresses(one)
        if addresses:
            return _tried(told, folder, one, addresses, mine)
    return replace(told, left_out="no plan has an address to block")


def _addresses(kept: Chosen) -> list[str]:
    """Of version 4: the small network has no other."""
    targets = [action.target for action in kept.alternative.actions if action.verb == "block address"]
    return [target.value for target in targets if ":" not in target.value]


def _tried(told: Exercise, folder: Path, kept: Chosen, addresses: Sequence[str], mine: Own) -> Exercise:
    with tempfile.TemporaryDirectory(prefix="tocsin-") as name:
        copy = Path(name) / "cases" / folder.name
        shutil.copytree(folder, copy)
        players = _signed(copy, kept)
        try:
            with trial.network(addresses) as net:
                place = Place(enforcer="nftables", run=net.router)
                before, answered = net.ruleset(), [one for one in addresses if net.reaches(one)]
                enforce.apply(copy, kept, [place], mine, players, WHO)
                held = [one for one in answered if not net.reaches(one)]
                lived = net.reaches(trial.BYSTANDER)
                stopped = sum(seen.stopped or 0 for seen in watched.probed(copy, [place]))
                enforce.undo(copy, [place], WHO)
                undone = net.ruleset() == before and all(net.reaches(one) for one in answered)
        except ActError as unable:
            return replace(told, left_out=unable.message)
    return replace(told, tried=len(answered), held=len(held), stopped=stopped, lived=lived, undone=undone)


def _signed(folder: Path, kept: Chosen) -> tuple[Signer, ...]:
    """Two players sign all that is asked for, in a copy of the case."""
    made: dict[str, Ed25519PrivateKey] = {name: keys.make() for name in _PLAYERS}
    people = tuple(signers.of(name, key) for name, key in made.items())
    actions = kept.alternative.actions
    consents = sorted({f"consent:{name}" for action in actions for name in action.authorities})
    waived = sorted({f"waived:{name}" for action in actions for name in action.preserve})
    with cases.writing(folder) as log:
        for person in people:
            for subject in ("contain", *consents, *waived):
                cases.decide(
                    log,
                    person,
                    made[person.name],
                    subject=subject,
                    choice="yes",
                    role="owner",
                    reason="It is a drill.",
                    seen=kept.digest,
                )
    return people
