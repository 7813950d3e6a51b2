"""What a group, a campaign or a piece of software is told to use in, that with whom it is told by out.

STIX 2.1 §5.1 calls it a relationship of type `uses`.
"""

from __future__ import annotations

import msgspec


# Structs, not dataclasses: at each start there are eighteen thousand, and a struct is made in a tenth of the time.
class Use(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """That `id`, a technique or a piece of software, is used.

    `citations` are the names of the reports that say so; a galaxy tells none. `told_as` are the ids that other
    releases know it by. `since` is the release of ATT&CK that it first appeared in: where its release says when
    the statement was made, the first one after that, else the oldest in which it was read.
    """

    id: str
    citations: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()  # that it was read in, the oldest first
    since: str = ""
    told_as: tuple[str, ...] = ()
