"""Flows and a Scene in, which answers of our servers a record shows to be an intruder's out.

A server answers whoever asks, and a finding often names no more than somebody who asked. What a web server gives to a
visitor is no theft, however much it is; an archive that was packed for it, what a web shell says, and what somebody
reads who was let in is one (ATT&CK T1567, T1505.003, T1078). Everything else bounds from above.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tocsin.investigate.impact import requests
from tocsin.investigate.impact.flows import Flows
from tocsin.investigate.impact.scene import Scene
from tocsin.investigate.machines import COMMON
from tocsin.model.event import NO_TIME

_SLACK_US: Final = 900_000_000  # clocks differ, and a long connection is written down by its beginning

Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Connections with a server of ours, by the incident's time.

    Args:
        rows: those at all; `named` by somebody whom a finding names; `own` of a machine of the incident.
        theirs: those that are the record of a finding of what an intruder did there.
    """

    rows: Rows
    named: Rows
    own: Rows
    theirs: Rows


def shown(flows: Flows, scene: Scene, asked: Asked, staged: Mapping[str, int]) -> Rows:
    """Which of them.

    Args:
        staged: names of what the incident made ready, with the first moment.
    """
    status = flows.columns["status"]
    given = asked.rows & ((status < 0) | ((status >= 200) & (status < 300)))
    answer = given & asked.theirs
    answer |= _same_page(flows, given & asked.named, answer)
    for page in sorted(scene.pages):
        some = given & (flows.columns["page"] == requests.digest(page))
        if _others(flows, some, asked.named) <= COMMON:
            answer |= some & asked.named
    for names in (staged, scene.files):
        for name, since in sorted(names.items()):
            answer |= _fetched(flows, name, since, given, asked.named)
    for text, since in scene.entered.items():
        answer |= given & asked.own & np.isin(flows.columns["client"], flows.codes([text])) & _from(flows, since)
    return answer


def _same_page(flows: Flows, rows: Rows, known: Rows) -> Rows:
    """What the same client asked of the same page: of findings that say the same again only the first is cited."""
    columns = flows.columns
    asked = {
        (client, page)
        for client, page in zip(columns["client"][known].tolist(), columns["page"][known].tolist(), strict=True)
        if client and page
    }
    answer = np.zeros(len(flows), bool)
    for client, page in asked:
        answer |= rows & (columns["client"] == client) & (columns["page"] == page)
    return answer


def _fetched(flows: Flows, name: str, since: int, given: Rows, named: Rows) -> Rows:
    """Requests for a file that the incident made: none where it turns out to be what visitors come for.

    Of what is called as archives are it counts who had got it before it was made: an intruder can have many fetch it
    afterwards. Of the rest, such as a page with a usual name, one visitor is enough.
    """
    some = given & (flows.columns["file"] == requests.digest(name))
    others = _others(flows, some, named)
    if not (flows.columns["flags"][some] & requests.PACKED).any():
        return some & named & _from(flows, since) if not others else np.zeros(len(flows), bool)
    before = some & (flows.columns["ts"] < since) & (since != NO_TIME)
    theirs = named if _others(flows, before, named) <= COMMON else np.zeros(len(flows), bool)
    answer: Rows = some & (theirs | (others <= COMMON)) & _from(flows, since)
    return answer


def _others(flows: Flows, rows: Rows, named: Rows) -> int:
    """How many clients there were that no finding names."""
    return len(np.unique(flows.columns["client"][rows & ~named]))


def _from(flows: Flows, since: int) -> Rows:
    ts = flows.columns["ts"]
    later: Rows = (ts != NO_TIME) & ((ts >= since - _SLACK_US) if since != NO_TIME else True)
    return later
