"""What somebody told and an opinion on it in, a STIX 2.1 bundle of that opinion and of what it is about out.

What it is about goes with it as it came, with all that this refers to: so `share` can judge by its maker and marking
whether an opinion on it may be told to a peer, and the peer knows what is meant. It is not said again in our name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tocsin.border import stix_nouns
from tocsin.border.bundles import as_bundle, read_object
from tocsin.model.parcel import Opinion, Parcel
from tocsin.model.tlp import strictest


def written(told: Parcel, opinion: Opinion, *, author: str, tlp: str, at_us: int) -> str:
    """The bundle as text.

    Args:
        told: what somebody told; the opinion is about objects of it, by their ids of STIX.
        author: who writes the file; whose opinion it is stands in `opinion`.
        tlp: of the opinion, unless what it is about is marked more strictly.
        at_us: when it is said.

    Raises:
        ValueError: there is no such object, or it is not one that is understood.
    """
    known: dict[str, list[Mapping[str, Any]]] = {}
    for one in told.held:
        if not one.because and one.id.startswith(f"{one.kind}--"):  # parts of an event of MISP have no id of STIX
            known.setdefault(one.id, []).append(read_object(one.content))
    if odd := next((named for named in opinion.about if named not in known), ""):
        raise ValueError(f"{odd[:120]} is no object of it that is understood")
    theirs = _with_all(opinion.about, known)
    marking = strictest((tlp, *(one.tlp for one in told.held if one.id in opinion.about)))
    ours = stix_nouns.bundle(Parcel(opinions=(opinion,)), author=author, tlp=marking, at_us=at_us)["objects"]
    # A marking of the standard is in both.
    return as_bundle([*theirs, *(one for one in ours if one["id"] not in {each["id"] for each in theirs})])


def _with_all(about: Iterable[str], known: Mapping[str, list[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """Objects, all versions of each, and what they refer to, in the order in which they came."""
    wanted, left = set[str](), list(about)
    while left:
        named = left.pop()
        if named in known and named not in wanted:
            wanted.add(named)
            left += [ref for one in known[named] for ref in _refs(one)]
    return [one for named, several in known.items() if named in wanted for one in several]


def _refs(one: Mapping[str, Any]) -> Iterable[str]:
    for name, value in one.items():
        if name.endswith("_ref") and isinstance(value, str):
            yield value
        elif name.endswith("_refs") and isinstance(value, list):
            yield from (ref for ref in value if isinstance(ref, str))
    for each in one.get("granular_markings", ()):
        yield str(each.get("marking_ref"))
