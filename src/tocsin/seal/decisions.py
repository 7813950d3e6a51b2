"""A decision and the person's key in, a signed decision out, and back; and how many voices several of them are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from tocsin.errors import SealError
from tocsin.model.decision import ROLES, Decision, Role, Signer
from tocsin.seal import dsse, keys
from tocsin.seal.canonical import canonical, decoded

KIND: Final = "application/vnd.tocsin.decision.v1+json"


def now() -> str:
    """The time as decisions and logs write it: UTC, ISO 8601, six digits of a second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def signed(decision: Decision, key: keys.Signing) -> dict[str, Any]:
    """The envelope around it. The key must be the one that the decision names."""
    if decision.key != keys.fingerprint(key):
        raise SealError("the decision names another key than the one that signs", hint="Sign with that key.")
    for name in ("subject", "choice", "by", "at", "reason", "seen"):
        if not getattr(decision, name).strip():
            raise SealError(f"the decision does not say its {name}", hint="A decision is signed whole.")
    return dsse.sealed(KIND, canonical(msgspec.to_builtins(decision)), [key])


def read(envelope: Mapping[str, Any], signers: Iterable[Signer]) -> Decision:
    """The decision, if its signature is of one of these people and it names that person and that key."""
    people = {signer.fingerprint: signer for signer in signers}
    text, accepted = dsse.opened(envelope, KIND, [keys.public(signer.key) for signer in people.values()])
    plain = decoded(text)
    try:
        decision = msgspec.convert(plain, Decision)
    except msgspec.ValidationError as error:
        raise SealError(f"what was signed is not a decision: {error}") from error
    if msgspec.to_builtins(decision) != plain:
        raise SealError("what was signed says more than a decision does")
    if decision.key not in accepted:
        raise SealError("the decision names another key than the one that signed it")
    if people[decision.key].name != decision.by:
        raise SealError(f"the decision is signed with the key of {people[decision.key].name}, not of {decision.by}")
    return decision


def voices(decisions: Iterable[Decision]) -> tuple[tuple[Decision, ...], ...]:
    """Decisions by who took them. Entries that share a key or a person are one voice, directly or over others."""
    found: list[tuple[set[str], list[Decision]]] = []
    for decision in decisions:
        marks = {f"key {decision.key}", f"person {decision.by}"}
        same = [one for one in found if one[0] & marks]
        together = [taken for _, several in same for taken in several] + [decision]
        found = [one for one in found if one not in same]
        found.append((marks.union(*(names for names, _ in same)), together))
    return tuple(tuple(several) for _, several in found)


def settled(
    decisions: Iterable[Decision], *, subject: str, choice: str, needs: int = 1, roles: Collection[Role] = ROLES
) -> bool:
    """Whether enough voices chose this. What somebody decided last is what counts of them."""
    about = [decision for decision in decisions if decision.subject == subject]
    last = (max(one, key=lambda decision: decision.at) for one in voices(about))
    return sum(decision.choice == choice and decision.role in roles for decision in last) >= needs
