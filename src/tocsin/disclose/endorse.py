"""A joint statement and each nation's entries in, how many stand behind each claim out: checked by anyone, offline.

Every signature of one DSSE envelope covers the same bytes, and nations do not say the same: so each has envelopes of
its own (DSSE v1.0), over digests of RFC 8785. Entries are a set. In whatever order they came, and however often they
were merged, the same set has the same outcome, and what speaks against a claim is never lost in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tocsin.errors import SealError
from tocsin.model.endorsement import (
    Claim,
    Concord,
    Endorsement,
    JointStatement,
    Nation,
    OfClaim,
    Stance,
    Tally,
    Voice,
)
from tocsin.model.tlp import TLP
from tocsin.seal import dsse, keys
from tocsin.seal.canonical import canonical, decoded

KIND: Final = "application/vnd.tocsin.endorsement.v1+json"
MOST_ENTRIES: Final = 10_000
MOST_CLAIMS: Final = 500
_LONGEST: Final = 20_000


def of_claim(claim: Claim) -> str:
    """The digest that stands for a claim."""
    return hashlib.sha256(canonical(msgspec.to_builtins(claim))).hexdigest()


def written(statement: JointStatement) -> bytes:
    """The statement as it is kept and sealed."""
    checked(statement)
    return canonical(msgspec.to_builtins(statement))


def digest(statement: JointStatement) -> str:
    return hashlib.sha256(written(statement)).hexdigest()


def read(content: bytes) -> JointStatement:
    """The statement of a file that `written` made.

    Raises:
        SealError: it is none, or is not written in the one form that has its digest.
    """
    plain = decoded(content)
    try:
        statement = msgspec.convert(plain, JointStatement)
    except msgspec.ValidationError as error:
        raise SealError(f"is no joint statement: {error}") from error
    if canonical(msgspec.to_builtins(statement)) != content:
        raise SealError("says more than a joint statement does")
    checked(statement)
    return statement


def checked(statement: JointStatement) -> None:
    """Refuse what nobody could seal with open eyes."""
    ids = [one.id for one in statement.claims]
    for broken, why in (
        (not statement.title.strip(), "has no title"),
        (not ids or len(ids) > MOST_CLAIMS, f"has {len(ids)} claims; it takes 1 to {MOST_CLAIMS}"),
        (len(set(ids)) != len(ids), "has two claims of one id"),
        (any(not one.text.strip() or not one.id.strip() for one in statement.claims), "has a claim without words"),
        (len({of_claim(one) for one in statement.claims}) != len(ids), "has one claim twice"),
        (statement.asked != tuple(sorted(set(statement.asked))), "names those asked twice, or in another order"),
        (not 1 <= statement.threshold <= len(statement.asked), "asks for more nations than it names, or for none"),
        (statement.marking not in tuple(TLP), f"is marked {statement.marking[:40]!r}, which is no TLP"),
        (max(map(len, (statement.title, statement.words))) > _LONGEST, "is longer than anybody reads"),
    ):
        if broken:
            raise SealError(f"the joint statement {why}", hint="docs/joint-statements.md tells the form.")


def sealed(entry: Endorsement, statement: JointStatement, key: keys.Signing) -> dict[str, Any]:
    """The envelope of an entry.

    Raises:
        SealError: it is of another statement or key, or leaves out a claim.
    """
    if entry.key != keys.fingerprint(key):
        raise SealError("the entry names another key than the one that signs", hint="Sign with that key.")
    if why := _wrong(entry, digest(statement), _names(statement), statement):
        raise SealError(f"the entry {why}", hint="Say of every claim whether you endorse, reserve, dissent or abstain.")
    return dsse.sealed(KIND, canonical(msgspec.to_builtins(entry)), [key])


def _names(statement: JointStatement) -> list[str]:
    """Digests of its claims, sorted."""
    return sorted(map(of_claim, statement.claims))


def _wrong(entry: Endorsement, of: str, claims: Sequence[str], statement: JointStatement) -> str:
    if entry.statement != of:
        return "is of another statement, or of this one before somebody changed it"
    if not entry.at.strip():
        return "does not say when it was made"
    if entry.act != "seal":
        return "withdraws or declines, and speaks of claims all the same" if entry.claims or entry.named else ""
    if sorted(one.claim for one in entry.claims) != claims:
        return "does not speak of each claim once"
    if any(one.stance in ("reserve", "dissent") and not one.words.strip() for one in entry.claims):
        return "reserves or dissents without a word why"
    if any(len(one.words) > _LONGEST for one in entry.claims) or len(entry.reason) > _LONGEST:
        return "is longer than anybody reads"
    if entry.named and not statement.words.strip():
        return "may be named with public words, of which there are none"
    return ""


@dataclass(frozen=True, slots=True)
class _Known:
    """What every entry is held against, worked out once."""

    statement: JointStatement
    digest: str
    claims: Sequence[str]  # their digests, sorted
    keys: Mapping[str, Ed25519PublicKey]  # by fingerprint
    nations: Mapping[str, str]  # of each fingerprint


def _known(statement: JointStatement, nations: Sequence[Nation]) -> _Known:
    loaded = [(one.id, keys.public(key)) for one in nations for key in one.keys]
    prints = {keys.fingerprint(key): (nation, key) for nation, key in loaded}
    return _Known(
        statement=statement,
        digest=digest(statement),
        claims=_names(statement),
        keys={name: key for name, (_, key) in prints.items()},
        nations={name: nation for name, (nation, _) in prints.items()},
    )


def opened(envelope: Mapping[str, Any], statement: JointStatement, nations: Sequence[Nation]) -> Endorsement:
    """The entry of an envelope, if a key of the nation that it names signed it.

    Raises:
        SealError: it is none of these nations' or not of this statement.
    """
    return _opened(envelope, _known(statement, nations))


def good(
    envelopes: Iterable[Mapping[str, Any]], statement: JointStatement, nations: Sequence[Nation]
) -> Iterator[Mapping[str, Any]]:
    """Those that `opened` opens."""
    known = _known(statement, nations)
    for number, envelope in enumerate(envelopes):
        if number >= MOST_ENTRIES:
            raise SealError(f"more than {MOST_ENTRIES:,} entries", hint="Statements between nations have a few.")
        with suppress(SealError):
            _opened(envelope, known)
            yield envelope


def _opened(envelope: Mapping[str, Any], known: _Known) -> Endorsement:
    text, accepted = _checked(envelope, known)
    plain = decoded(text)
    try:
        entry = msgspec.convert(plain, Endorsement)
    except msgspec.ValidationError as error:
        raise SealError(f"what was signed is no endorsement: {error}") from error
    if canonical(msgspec.to_builtins(entry)) != text:
        raise SealError("what was signed says more than an endorsement does")
    if entry.key not in accepted:
        raise SealError("the entry names another key than the one that signed it")
    if known.nations[entry.key] != entry.nation:
        raise SealError(f"the entry is in the name of {entry.nation[:40]} under a key of {known.nations[entry.key]}")
    if why := _wrong(entry, known.digest, known.claims, known.statement):
        raise SealError(f"the entry {why}")
    return entry


def _checked(envelope: Mapping[str, Any], known: _Known) -> tuple[bytes, Mapping[str, Ed25519PublicKey]]:
    """What was signed, and by whom. The key that the envelope names is tried alone first: nobody signed that name."""
    signatures = envelope.get("signatures")
    first = signatures[0] if isinstance(signatures, list | tuple) and len(signatures) == 1 else None
    name = first.get("keyid") if isinstance(first, Mapping) else None
    if isinstance(name, str) and name in known.keys:
        with suppress(SealError):
            return dsse.opened(envelope, KIND, [known.keys[name]])
    return dsse.opened(envelope, KIND, known.keys.values())


def entry_digest(entry: Endorsement) -> str:
    """By which the next entry of a nation follows it, whichever way its signature was written down."""
    return hashlib.sha256(canonical(msgspec.to_builtins(entry))).hexdigest()


def weigh(statement: JointStatement, envelopes: Iterable[Mapping[str, Any]], nations: Sequence[Nation]) -> Concord:
    """Where each nation stands, and which claims stand.

    Args:
        envelopes: in any order, any number of times.
        nations: whose keys are known, to whoever asks, another way than with the statement.
    """
    _refuse_shared_keys(nations)
    entries: dict[str, Endorsement] = {}
    refused: set[str] = set()
    known = _known(statement, nations)
    for number, envelope in enumerate(envelopes):
        if number >= MOST_ENTRIES:
            raise SealError(f"more than {MOST_ENTRIES:,} entries", hint="Statements between nations have a few.")
        try:
            entry = _opened(envelope, known)
        except SealError as error:
            refused.add(error.message)
            continue
        entries[entry_digest(entry)] = entry
    ids = sorted({*statement.asked, *(one.nation for one in entries.values())})
    voices = tuple(_voice(one, one in statement.asked, entries) for one in ids)
    return Concord(
        digest=known.digest,
        statement=statement,
        voices=voices,
        tallies=tuple(_tally(claim, statement, voices, entries) for claim in statement.claims),
        refused=tuple(sorted(refused)),
    )


def _refuse_shared_keys(nations: Sequence[Nation]) -> None:
    """One key in the name of two would be two voices of one."""
    seen: dict[str, str] = {}
    for one in nations:
        for key in one.keys:
            print_ = keys.fingerprint(keys.public(key))
            if seen.setdefault(print_, one.id) != one.id:
                raise SealError(f"{seen[print_]} and {one.id} have one key", hint="Each nation has keys of its own.")


def _voice(nation: str, asked: bool, entries: Mapping[str, Endorsement]) -> Voice:
    own = {name: one for name, one in entries.items() if one.nation == nation}
    if not own:
        return Voice(nation=nation, asked=asked, state="silent")
    follows: dict[str, list[str]] = {}
    for name in sorted(own):
        follows.setdefault(own[name].after, []).append(name)
    doubts = []
    missing = sorted(after for after in follows if after and after not in own)
    if missing:
        doubts.append("an entry of it that others follow is not here")
    order: list[str] = []
    ahead = [after for after in ("", *missing) if after in follows]
    while ahead:
        after = ahead.pop(0)
        order += follows[after]
        ahead += [name for name in follows[after] if name in follows]
    last = [name for name in own if name not in follows]
    forked = any(len(names) > 1 for names in follows.values())
    if forked:
        doubts.append("two of its entries follow the same one, and it must say which it means")
    if forked or len(last) > 1:
        return Voice(
            nation=nation,
            asked=asked,
            state="contradicts itself" if forked else "incomplete",
            entries=tuple(order),
            doubts=tuple(doubts),
        )
    entry = own[last[0]]
    state = {"seal": "sealed", "withdraw": "withdrawn", "decline": "declined"}[entry.act]
    return Voice(
        nation=nation,
        asked=asked,
        state=state,  # type: ignore[arg-type]  # the three words above
        entry=entry,
        entries=tuple(order),
        doubts=tuple(doubts),
    )


def _tally(
    claim: Claim, statement: JointStatement, voices: Iterable[Voice], entries: Mapping[str, Endorsement]
) -> Tally:
    """Reservations endorse with words. Where no entry is the last, only what speaks against the claim is heard."""
    name = of_claim(claim)
    by: dict[Stance, list[str]] = {"endorse": [], "reserve": [], "dissent": [], "abstain": []}
    for voice in voices:
        said = {one.stance for one in _of(name, voice, entries)}
        if voice.entry is None:
            said &= {"dissent"}
        for stance in said:
            by[stance].append(voice.nation)
    behind = [one for one in (*by["endorse"], *by["reserve"]) if one in statement.asked]
    return Tally(
        claim=claim,
        endorse=tuple(by["endorse"]),
        reserve=tuple(by["reserve"]),
        dissent=tuple(by["dissent"]),
        abstain=tuple(by["abstain"]),
        stands=len(behind) >= statement.threshold,
    )


def _of(claim: str, voice: Voice, entries: Mapping[str, Endorsement]) -> list[OfClaim]:
    """What the last entry says of it; where there is no one last, what any of them says."""
    heard = [voice.entry] if voice.entry else [entries[name] for name in voice.entries]
    return [one for entry in heard for one in entry.claims if one.claim == claim]


def public(concord: Concord, nations: Sequence[Nation]) -> str:
    """What may be said in public: the words, and who approved just these. Nobody else is named, nor how many there are.

    Raises:
        SealError: there are no public words, or a claim does not stand.
    """
    statement = concord.statement
    if not statement.words.strip():
        raise SealError("the statement has no words for the public", hint="Propose one that has.")
    if fallen := [one.claim.id for one in concord.tallies if not one.stands]:
        raise SealError(
            f"too few stand behind {', '.join(fallen)}", hint="Nothing is said in public before every claim stands."
        )
    called = {one.id: one.name for one in nations}
    named_ones = [called[one] for one in named(concord)]
    if not named_ones:
        raise SealError("no nation approved to be named with these words", hint="`tocsin endorse sign --named` does.")
    return f"{statement.words.strip()}\n\n{_listed(sorted(named_ones))}\n"


def named(concord: Concord) -> tuple[str, ...]:
    """Ids of nations that may be named with the words, whether these stand or not."""
    return tuple(one.nation for one in concord.voices if one.state == "sealed" and _may_be_named(one))


def _may_be_named(voice: Voice) -> bool:
    """A nation that dissents from a claim is not named with words that make it."""
    entry = voice.entry
    return entry is not None and entry.named and all(one.stance in ("endorse", "reserve") for one in entry.claims)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
