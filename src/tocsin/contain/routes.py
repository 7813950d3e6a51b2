"""An action and the places in, a word how it is carried out out: from here, posted, by a script elsewhere, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tocsin.contain.enforcers import ENFORCERS
from tocsin.contain.enforcers import webhook as posting
from tocsin.model.action import Action, Place

POSTED: Final = posting.NAME
BY_HAND: Final = "by hand; the steps are told by --render steps"


def route(action: Action, places: Sequence[Place]) -> str:
    here = dict.fromkeys(one.NAME for one in ENFORCERS if one.CARRIED_OUT and action.verb in one.VERBS)
    reached = [name for name in here if name in {place.enforcer for place in places}]
    asked = [name for name in reached if name != POSTED]
    if asked:
        return f"from here, at {', '.join(asked)}"
    if reached:
        return "posted to the webhook, which is not asked whether it was done"
    scripts = [one.NAME for one in ENFORCERS if not one.CARRIED_OUT and action.verb in one.VERBS]
    if scripts:
        return f"by people, with what --render {' or '.join(scripts)} writes; nothing of it is run from here"
    return BY_HAND
