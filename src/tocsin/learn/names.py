"""A name of a threat group as anybody writes it in, the groups that it may mean out; or names that are near.

Vendors name groups each in their own way, and write the names of others in theirs: "APT 40", "apt-40", "Apt40".
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tocsin.errors import SettingsError
from tocsin.model.intrusion_set import IntrusionSet

MOST_LETTERS: Final = 200  # of a name that is looked up
_MOST_NEAR: Final = 4
_NEAR: Final = 0.75  # of 1, difflib's ratio: one letter wrong in a name of five


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a name means: one group, none, or several of which nobody can say which.

    `also` are groups that a less sure source has the name for; `near` are known names like it, if it is none.
    """

    ids: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    near: tuple[str, ...] = ()

    @property
    def is_ambiguous(self) -> bool:
        return len(self.ids) > 1


@dataclass(frozen=True, slots=True)
class Claim:
    """That a group has a name; the lower the rank, the surer: by id, by the best source, by another."""

    rank: int
    group: str
    text: str


@lru_cache(maxsize=1 << 14)
def plain(name: str) -> str:
    """A name without what people write in different ways: case, spaces, hyphens, dots."""
    folded = unicodedata.normalize("NFKC", name[:MOST_LETTERS]).casefold()
    return "".join(filter(str.isalnum, folded)) or folded.strip()


def index(groups: Mapping[str, IntrusionSet]) -> dict[str, tuple[Claim, ...]]:
    """All names, by their plain form."""
    found: dict[str, list[Claim]] = {}
    for group in groups.values():
        for claim in _claims(group):
            found.setdefault(plain(claim.text), []).append(claim)
    return {word: tuple(sorted(claims, key=lambda one: (one.rank, one.group))) for word, claims in found.items()}


def _claims(group: IntrusionSet) -> Iterator[Claim]:
    yield Claim(0, group.id, group.id)
    # A withdrawn group keeps its name, but does not contend for it.
    sure = 1 if group.state == "live" and group.origin != "galaxy" else 2
    yield Claim(sure, group.id, group.name)
    for name in group.aliases:
        yield Claim(sure if name.is_sure else 2, group.id, name.text)
        for other in name.perhaps:
            yield Claim(2, other, name.text)
    for name in group.disputed:
        yield Claim(3, group.id, name.text)


def _near(word: str, names: Mapping[str, tuple[Claim, ...]]) -> tuple[str, ...]:
    """What begins with it, the shortest first, then what is written alike."""
    longer = sorted((one for one in names if word and one.startswith(word)), key=lambda one: (len(one), one))
    alike = difflib.get_close_matches(word, names, n=_MOST_NEAR, cutoff=_NEAR)
    texts = (names[one][0].text for one in (*longer[:_MOST_NEAR], *alike))
    return tuple(dict.fromkeys(texts))[:_MOST_NEAR]


def resolve(word: str, names: Mapping[str, tuple[Claim, ...]]) -> Resolved:
    claims = names.get(plain(word), ())
    if not claims:
        return Resolved(near=_near(plain(word), names))
    best = claims[0].rank
    ids = dict.fromkeys(one.group for one in claims if one.rank == best)
    return Resolved(ids=tuple(ids), also=tuple(dict.fromkeys(one.group for one in claims if one.group not in ids)))


def one(word: str, names: Mapping[str, tuple[Claim, ...]]) -> str:
    """The one group that a name means.

    Raises:
        SettingsError: it means none, or more than one.
    """
    resolved = resolve(word, names)
    if len(resolved.ids) != 1:
        perhaps = ", ".join(resolved.ids or resolved.near)
        raise SettingsError(
            f"{word}: {'more than one group' if resolved.ids else 'no group that is known'}",
            hint=f"Perhaps {perhaps}." if perhaps else "tocsin learn list shows who is known.",
        )
    return resolved.ids[0]
