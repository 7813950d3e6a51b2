"""A STIX marking definition in, the marking of TLP or PAP that it stands for out, and back (STIX 2.1, section 7.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tocsin.border.tally import text
from tocsin.model.pap import ASK_FIRST, asks_first, pap_of
from tocsin.model.tlp import strictest, tlp_of

EXTENSION: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"  # TLP 2.0, by FIRST and OASIS
MADE: Final = "2022-10-01T00:00:00.000Z"  # when they published its definitions

ID_OF: Final[Mapping[str, str]] = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
TLP_OF: Final[Mapping[str, str]] = {
    **{named: tlp for tlp, named in ID_OF.items()},
    # Section 7.2.1.4: those of version 1.
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "clear",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "green",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "amber",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "red",
}


def definition(tlp: str) -> dict[str, Any]:
    """The definition of a marking of TLP 2.0, as it was published."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": ID_OF[tlp],
        "created": MADE,
        "name": f"TLP:{tlp.upper()}",
        "extensions": {EXTENSION: {"extension_type": "property-extension", "tlp_2_0": tlp}},
    }


def tlp_in(one: Mapping[str, Any]) -> str:
    """The marking of TLP that a definition stands for, the strictest it names; '' for none."""
    inside, extensions = one.get("definition"), one.get("extensions")
    told = [text(inside.get("tlp"))] if isinstance(inside, dict) else []
    if isinstance(extensions, dict):
        told += [text(each.get("tlp_2_0")) for each in extensions.values() if isinstance(each, dict)]
    told.append(text(one.get("name")))
    return strictest(map(tlp_of, told))


def pap_in(one: Mapping[str, Any]) -> str:
    """The marking of PAP that a definition stands for, by its name or its statement; '' for none."""
    return pap_of(_told(one))


def terms_in(one: Mapping[str, Any]) -> tuple[str, ...]:
    """What a definition says of what may be done with a thing, as labels do: `pap:amber`, `orcon`."""
    pap = pap_in(one)
    return (*((f"pap:{pap}",) if pap else ()), *((ASK_FIRST,) if any(map(asks_first, _told(one))) else ()))


def _told(one: Mapping[str, Any]) -> list[str]:
    inside = one.get("definition")
    return [text(one.get("name")), text(inside.get("statement")) if isinstance(inside, dict) else ""]


def group_in(one: Mapping[str, Any]) -> str:
    """The sharing group that a definition keeps things within: `group:NAME` as its name or statement; '' for none."""
    return next((word.strip()[6:].strip() for word in _told(one) if word.strip().lower().startswith("group:")), "")
