"""An action's verb and target in, what a person does, how it is seen to hold, and how it is taken back out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from tocsin.model.action import Target, Verb
from tocsin.observe.addresses import address

_DAY_S: Final = 86_400
TICKET_S: Final = 10 * 3600  # how long a ticket lives that was granted, where nobody changed the policy

# Below these a service's own clock decides when a change is everywhere; steps say so.
_TWICE: Final = (
    "Read the highest lifetime of tickets that the domain's policy allows; 10 hours where nobody changed it",
    "Reset the secret of krbtgt once, on one domain controller",
    "Check on every domain controller that it has arrived: `repadmin /showrepl` and the attribute pwdLastSet of krbtgt",
    "Wait at least that lifetime: a second reset before that ends the tickets of everybody at once",
    "Reset it a second time: tickets that were made with the stolen secret end with this one",
    "Check again on every domain controller",
)
_CERTIFICATES: Final = (
    "Make a new certificate for signing tokens on the machine that signs, with a key that cannot be exported",
    "Make it the primary one, and let the cloud know it",
    "Do both once more, so that the stolen one is neither the primary nor the one before it",
    "Revoke all tokens of the tenant",
)


_WHOSE: Final = (
    "Find out which machine had {value} at the time: inside addresses change hands, and records name no other"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """`lasts_s` is after how long it is lifted by itself, 0 for never; `undo` is empty where it is not taken back."""

    steps: tuple[str, ...]
    probes: tuple[str, ...]
    undo: tuple[str, ...] = ()
    lasts_s: int = 0


_BLOCK: Final = Word(
    steps=("Block {value} at the enforcers, for all machines",),
    probes=("The enforcer lists {value}, and its counter tells what it stopped",),
    undo=("Take {value} off the enforcers, unless another case holds it there",),
    lasts_s=14 * _DAY_S,
)
_WORDS: Final[Mapping[Verb, Word]] = {
    "block address": _BLOCK,
    "block network": Word(
        steps=(
            "Look in the logs of the border for who else of ours talks to {value}, and tell them",
            "Block {value} at the enforcers, for all machines",
        ),
        probes=_BLOCK.probes,
        undo=_BLOCK.undo,
        lasts_s=3 * _DAY_S,
    ),
    "block domain": Word(
        steps=("Answer questions for {value} and all names below it with `no such name`",),
        probes=("A resolver asked for {value} answers that there is no such name",),
        undo=("Take {value} out of the zone, unless another case holds it there",),
        lasts_s=14 * _DAY_S,
    ),
    "isolate host": Word(
        steps=(
            "Cut {value} off the network, but for the way by which it is examined",
            "Leave it switched on: its memory is evidence",
        ),
        probes=("From {value} nothing is reached but the machine that examines it",),
        undo=("Let {value} back onto the network, once it was rebuilt or its owner signed that it need not be",),
        lasts_s=7 * _DAY_S,
    ),
    "disable account": Word(
        steps=("Disable {value} in its directory; tell its owner by a way that is not their mailbox",),
        probes=("The directory shows {value} as disabled on every domain controller",),
        undo=("Enable {value} again, with a new secret",),
        lasts_s=7 * _DAY_S,
    ),
    "reset secret": Word(
        steps=(
            "Give {value} a new secret on a machine that was never theirs; hand it over in person or by telephone",
            "For an account that a service uses: change it there, too, and look at what it may do",
        ),
        probes=("The time of the last change of {value}'s secret is after this step",),
    ),
    "revoke sessions": Word(
        steps=("End all sessions and tokens of {value}, on premises and in the cloud",),
        probes=("No session of {value} is older than this step; tokens that cannot be revoked end within the hour",),
    ),
    "remove grant": Word(
        steps=("Write down what {value} may do, then remove it from the tenant",),
        probes=("The tenant no longer lists {value}",),
        undo=("Grant it anew, as it was written down",),
    ),
    "remove inbox rule": Word(
        steps=("Write down the rules of {value}, hidden ones, too; remove those that nobody made",),
        probes=("{value} lists no rule that its owner does not know",),
        undo=("Make the rule anew, as it was written down",),
    ),
    "remove persistence": Word(
        steps=("On {host}: keep a copy of it as evidence, then remove {value}", "Look for the same on other machines"),
        probes=("On {host} it is not there after a restart",),
        undo=("Put the kept copy back",),
    ),
    "quarantine hash": Word(
        steps=("Forbid the program with SHA-256 {value} on all machines; keep one copy as evidence",),
        probes=("The machines' protection lists {value} as forbidden",),
        undo=("Allow the program again",),
        lasts_s=30 * _DAY_S,
    ),
    "reset krbtgt": Word(
        steps=_TWICE, probes=("pwdLastSet of krbtgt is after both steps on every domain controller of {value}",)
    ),
    "renew signing certificates": Word(
        steps=_CERTIFICATES, probes=("The cloud lists two certificates, both of them made after this step",)
    ),
    "close way in": Word(
        steps=(
            "Patch what let them in on {value}, or take that service offline until it is patched",
            "Look through it for what they left before it is opened again",
        ),
        probes=("From outside, the way that they came by no longer answers as it did",),
        undo=("Open the service again, once it is patched and its owner signed",),
    ),
}


def of(verb: Verb, target: Target) -> Word:
    """Values stand in these sentences as they are; whoever shows them makes them harmless."""
    known = _WORDS[verb]

    if verb == "isolate host" and address(target.value) is not None:
        known = replace(known, steps=(_WHOSE, *known.steps))

    def filled(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text.replace("{value}", target.value).replace("{host}", target.host) for text in texts)

    return Word(steps=filled(known.steps), probes=filled(known.probes), undo=filled(known.undo), lasts_s=known.lasts_s)
