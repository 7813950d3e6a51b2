"""An allied centre, and what was agreed with it: what it may be told, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Consent: TypeAlias = Literal[
    "never",
    "ask",  # a person decides each time
    "as marked",  # they go as other things do
]
CONSENTS: tuple[Consent, ...] = get_args(Consent)

Naming: TypeAlias = Literal["pseudonyms", "named"]
NAMINGS: tuple[Naming, ...] = get_args(Naming)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """An agreement with one peer.

    Args:
        id: short, for logs; pseudonyms are made under it, so it stays what it is.
        tlp: the strictest marking that may go to them; never "red", which is for people by name.
        pap: the strictest of the Permissible Actions Protocol.
        groups: sharing groups that they are in.
        pass_on: ids of identities that agreed to what is theirs being passed on to this peer.
        sightings: whether what was seen here, and so that somebody looked, may go.
        victims: how machines, accounts and people of ours are called.
        withhold: `type.property`, or `*.property`, that never go.
        node: fingerprint that names their node, '' where they have none; what they are told goes through its log then.
        until: the last day on which it holds, ISO 8601; '' where no end was agreed.
    """

    id: str
    name: str
    tlp: str
    pap: str
    groups: tuple[str, ...] = ()
    pass_on: tuple[str, ...] = ()
    sightings: Consent = "ask"
    victims: Naming = "pseudonyms"
    withhold: tuple[str, ...] = ()
    node: str = ""
    until: str = ""
