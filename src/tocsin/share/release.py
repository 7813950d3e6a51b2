"""A bundle and an agreement in, what may go to that peer out, object by object, with the reason for all that stays.

Each object must pass the marking of TLP and PAP, its sharing group, its originator's word, and the agreement. Then its
references are closed: nothing names what stays behind, an object whose subject stays goes nowhere, and observables go
only with something that speaks of them. Last, names of ours become pseudonyms. The id of whatever was changed is made
anew, since ids may be digests of the very names that were taken out: so are those of all that refers to it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from tocsin.border.bundles import made_id
from tocsin.border.markings import TLP_OF, group_in, pap_in, tlp_in
from tocsin.model.observables import OBSERVABLES
from tocsin.model.pap import PAP
from tocsin.model.peer import Peer
from tocsin.model.release import Release, Verdict
from tocsin.model.tlp import TLP, strictest
from tocsin.share.hidden import Hidden
from tocsin.share.pseudonyms import NEVER, REQUIRED, renamed

UNMARKED: Final = "amber+strict"  # what has no marking stays among those who made it

_ID: Final = re.compile(r"[a-z][a-z0-9-]{1,60}--[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")

_Object = dict[str, Any]


def decide(
    objects: Sequence[Mapping[str, Any]],
    peer: Peer,
    hidden: Hidden,
    *,
    key: bytes,
    own: Collection[str],
    today: str,
    sightings_decided: bool = False,
) -> Release:
    """Decide what may go.

    Args:
        objects: of a bundle, as JSON holds them. Of several versions of one object each is judged.
        hidden: names that this peer is not told.
        key: of this peer, for ids.
        own: ids of the identities that are us.
        today: the day, ISO 8601, that the agreement must hold on.
        sightings_decided: a person decided that what was seen here may go this time.
    """
    going = _Going(objects, peer)
    if peer.until and today > peer.until:
        going.withhold_all(f"the agreement ended on {peer.until}")
    for number, one in enumerate(objects):
        if number in going.left and (why := _refused(one, going, own, sightings_decided=sightings_decided)):
            going.withhold(number, why)
    for number in sorted(going.left):
        if why := _reduced(going, number):
            going.withhold(number, why)
    if peer.victims == "pseudonyms":
        for number in sorted(going.left):
            if why := renamed(going.left[number], hidden, going.changes[number]):
                going.withhold(number, why)
    _close(going)
    _rename(going, key)
    return Release(peer=peer, objects=tuple(going.left.values()), verdicts=tuple(going.verdicts()))


class _Going:
    """What still goes, by its place in the bundle; the others with the reason why not."""

    def __init__(self, objects: Sequence[Mapping[str, Any]], peer: Peer) -> None:
        self.peer = peer
        self.all = objects
        self.left: dict[int, _Object] = {number: _copy(one) for number, one in enumerate(objects)}
        self.stays: dict[int, str] = {}
        self.changes: dict[int, list[str]] = {number: [] for number in self.left}
        self.definitions = {str(one.get("id")): one for one in objects if one.get("type") == "marking-definition"}

    def withhold(self, number: int, why: str) -> None:
        if self.left.pop(number, None) is not None:
            self.stays[number] = why

    def withhold_all(self, why: str) -> None:
        for number in list(self.left):
            self.withhold(number, why)

    def verdicts(self) -> list[Verdict]:
        told = []
        for number, one in enumerate(self.all):
            because = [self.stays[number]] if number in self.stays else list(dict.fromkeys(self.changes[number]))
            told.append(
                Verdict(
                    id=str(one.get("id", "")),
                    kind=str(one.get("type", "")),
                    title=_title(one),
                    outcome="withheld" if number in self.stays else "changed" if because else "as it is",
                    because=tuple(because),
                )
            )
        return told


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _title(one: Mapping[str, Any]) -> str:
    for name in ("name", "value", "account_login", "command_line", "abstract", "path", "description", "key"):
        if isinstance(found := one.get(name), str) and found:
            return found
    return ""


def _refused(one: Mapping[str, Any], going: _Going, own: Collection[str], *, sightings_decided: bool) -> str:
    """Why an object may not go as a whole; '' where it may."""
    kind, named, peer = one.get("type"), one.get("id"), going.peer
    if not isinstance(kind, str) or not isinstance(named, str) or not _ID.fullmatch(named):
        return "it is no STIX object: it has no type, or no id"
    if not named.startswith(f"{kind}--"):
        return "its id is that of another type"
    if kind == "marking-definition":
        return _refused_definition(one, peer)
    if why := NEVER.get(kind):
        return why
    tlp, why = _marking(one.get("object_marking_refs"), going)
    if why:
        return why
    if TLP.index(tlp) > TLP.index(peer.tlp):
        return f"it is marked TLP:{tlp.upper()}, the agreement goes up to TLP:{peer.tlp.upper()}"
    creator = one.get("created_by_ref")
    ours = creator in own or named in own
    if tlp not in ("clear", "green") and kind not in OBSERVABLES and not ours and creator not in peer.pass_on:
        by = creator if isinstance(creator, str) else "nobody who is named"
        return f"it is from {by}, who did not agree to its being passed on"
    if kind in ("sighting", "observed-data") and ours:
        if peer.sightings == "never":
            return "the agreement says that what is seen here is not told"
        if peer.sightings == "ask" and not sightings_decided:
            return "what was seen here is told by a person's decision only"
    return ""


def _refused_definition(one: Mapping[str, Any], peer: Peer) -> str:
    if one.get("id") in TLP_OF or pap_in(one):
        return ""
    group = group_in(one)
    if group and group not in peer.groups:
        return "it is of a sharing group that they are not in"
    return ""


def _marking(refs: Any, going: _Going) -> tuple[str, str]:
    """The marking that references come to, and why the object may not go for their sake."""
    if refs is not None and not (isinstance(refs, list) and all(isinstance(one, str) for one in refs)):
        return "", "its markings cannot be read"
    levels, peer = [], going.peer
    for named in refs or ():
        definition = going.definitions.get(named)
        tlp = TLP_OF.get(named) or (tlp_in(definition) if definition else "")
        pap, group = (pap_in(definition), group_in(definition)) if definition else ("", "")
        if pap and PAP.index(pap) > PAP.index(peer.pap):
            return "", f"it is marked PAP:{pap.upper()}, the agreement goes up to PAP:{peer.pap.upper()}"
        if group and group not in peer.groups:
            return "", "it is of a sharing group that they are not in"
        if not (tlp or pap or group):
            return "", f"it has a marking that is not understood: {named}"
        levels.append(tlp)
    return strictest(levels) or UNMARKED, ""


def _reduced(going: _Going, number: int) -> str:
    """Take out properties that are marked for fewer, or that the agreement keeps back; why nothing is left, or ''."""
    one, changes = going.left[number], going.changes[number]
    granular = one.pop("granular_markings", None)
    if granular is not None and not isinstance(granular, list):
        return "its granular markings cannot be read"
    kept = []
    for each in granular or ():
        selectors = each.get("selectors") if isinstance(each, dict) else None
        if not isinstance(selectors, list) or not all(isinstance(word, str) and word for word in selectors):
            return "its granular markings cannot be read"
        if "marking_ref" not in each:
            kept.append(each)  # it tells the language
            continue
        tlp, why = _marking([each["marking_ref"]], going)
        if not why and TLP.index(tlp) <= TLP.index(going.peer.tlp):
            kept.append(each)
            continue
        # The whole property goes, whatever part of it was meant: numbers of a list would mean others afterwards.
        for name in {word.partition(".")[0] for word in selectors}:
            if name in REQUIRED.get(str(one["type"]), ()) or name in ("id", "type"):
                return f"its {name} is marked for fewer people"
            if one.pop(name, None) is not None:
                changes.append(f"{name} is marked for fewer people")
    for rule in going.peer.withhold:
        kind, _, name = rule.partition(".")
        if kind in ("*", one["type"]) and name in one:
            if name in REQUIRED.get(str(one["type"]), ()) or name in ("id", "type"):
                return f"the agreement keeps back its {name}"
            del one[name]
            changes.append(f"the agreement keeps back its {name}")
    kept = [each for each in kept if all(word.partition(".")[0] in one for word in each["selectors"])]
    if kept:
        one["granular_markings"] = kept
    return ""


def _close(going: _Going) -> None:
    """Take out what refers to something that stays, until nothing does."""
    while True:
        before = len(going.left)
        goes = {str(one["id"]) for one in going.left.values()}
        for number in sorted(going.left):
            if why := _closed(going.left[number], goes, going.changes[number]):
                going.withhold(number, why)
        named = {ref for one in going.left.values() for ref in _refs(one)}
        for number in sorted(going.left):
            one = going.left[number]
            if one["type"] in OBSERVABLES | {"marking-definition"} and one["id"] not in named:
                going.withhold(number, "nothing that goes speaks of it")
        if len(going.left) == before:
            return


def _closed(one: _Object, goes: Collection[str], changes: list[str]) -> str:
    """Without references to what does not go. One to an indicator of somebody else's may stay: it is the point."""
    for name in [name for name in one if name.endswith(("_ref", "_refs"))]:
        value, required = one[name], name in REQUIRED.get(str(one["type"]), ())
        if name == "object_marking_refs":
            continue
        if name == "sighting_of_ref" and isinstance(value, str) and value.startswith("indicator--"):
            continue
        left = [ref for ref in value if ref in goes] if isinstance(value, list) else value if value in goes else None
        if left == value:
            continue
        if not left and required:
            return f"its {name} {'name only what' if name.endswith('s') else 'names what'} does not go"
        changes.append(f"{name} named what does not go")
        if left:
            one[name] = left
        else:
            del one[name]
    return ""


def _refs(one: Mapping[str, Any]) -> list[str]:
    found = []
    for name, value in one.items():
        if name.endswith("_refs") and isinstance(value, list):
            found += [ref for ref in value if isinstance(ref, str)]
        elif name.endswith("_ref") and isinstance(value, str):
            found.append(value)
    return found + [str(each.get("marking_ref")) for each in one.get("granular_markings", ())]


def _rename(going: _Going, key: bytes) -> None:
    """Give all that was changed, and all that refers to it, another id; and leave out ids of what stays."""
    touched = {str(one["id"]) for number, one in going.left.items() if going.changes[number]}
    if going.peer.victims == "pseudonyms":
        touched |= {str(one["id"]) for one in going.left.values() if one["type"] in OBSERVABLES and not _told(one)}
    while True:
        more = {str(one["id"]) for one in going.left.values() if touched.intersection(_refs(one))} - touched
        if not more:
            break
        touched |= more
    new = {named: _new(named, key) for named in touched}
    gone = {str(one.get("id")) for one in going.all} - {str(one["id"]) for one in going.left.values()}
    for number, one in going.left.items():
        told = _words(one, new, gone)
        if told != one and not going.changes[number]:
            going.changes[number].append("refers to what was changed")
        going.left[number] = told


def _told(one: Mapping[str, Any]) -> bool:
    """Whether the id of an observable is made of what it says, all of which goes, and not of where it was (§2.9)."""
    return uuid.UUID(str(one["id"]).partition("--")[2]).version == 5


def _new(named: str, key: bytes) -> str:
    kind = named.partition("--")[0]
    digest = hmac.new(key, named.encode(), hashlib.sha256).digest()
    return f"{kind}--{made_id(digest)}"


def _words(value: Any, new: Mapping[str, str], gone: Collection[str]) -> Any:
    if isinstance(value, str):
        return _ID.sub(lambda found: new.get(found[0]) or ("[an id]" if found[0] in gone else found[0]), value)
    if isinstance(value, list):
        return [_words(one, new, gone) for one in value]
    return {key: _words(one, new, gone) for key, one in value.items()} if isinstance(value, dict) else value
