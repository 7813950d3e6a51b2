"""A Hardening in, a document of it and layers for the ATT&CK Navigator (layer format 4.5) out: now, and afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from tocsin.model.hardening import Hardening, Prospect, Sight
from tocsin.output.plain import as_document

_NAVIGATOR: Final = "5.1.0"
_COLOURS: Final = ("#e36262", "#f2b84b", "#f7e07a", "#7bbf6a")  # by how much stands against it
_MEANS: Final = (
    "nothing in place, and no rule could detect it",
    "nothing in place; a rule could detect it",
    "something in place; no rule could detect it",
    "something in place, and a rule could detect it",
)

WORDS: Final[Mapping[Sight, str]] = {
    "could detect": "a rule could detect it here",
    "in part": "a rule could detect a part of it, or what it is a part of",
    "no logs": "there are rules, and no logs for them",
    "no rules": "there is no rule for it",
    "not tried": "there are rules; no evidence was named",
    "outside": "happens where none of your sensors are",
}


def document(found: Hardening) -> str:
    return as_document(
        {
            "attack_release": found.release,
            "against": [{"id": one.id, "name": one.name, "techniques": sorted(one.techniques)} for one in found.aims],
            "paths": {"all": str(found.paths), "open": str(found.open)},  # more than JSON's numbers can hold
            "in_place": list(found.in_place),
            "techniques": [_prospect(one) for one in found.prospects],
            "missing_log_sources": [
                {"logsource": one.logsource, "rules": one.rules, "techniques": list(one.techniques)}
                for one in found.missing
            ],
            "steps": [
                {
                    "mitigation": one.mitigation,
                    "name": one.name,
                    "effort": one.effort,
                    "in_place_in_part": one.partly,
                    "layers": one.layers,
                    "paths_cut": str(one.cut),
                    "paths_left": str(one.left),
                    "techniques": list(one.techniques),
                }
                for one in found.steps
            ],
            "doubts": list(found.doubts),
        }
    )


def _prospect(one: Prospect) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "tactics": list(one.tactics),
        "against": list(one.aims),
        "detection": one.sight,
        "rules": one.rules,
        "rules_that_could_fire": one.able,
        "missing_log_sources": list(one.missing),
        "mitigations": list(one.mitigations),
        "mitigated": one.mitigated,
    }


def before(found: Hardening) -> str:
    """How it stands now."""
    held = {one.id for one in found.prospects if one.mitigated}
    seen = {one.id for one in found.prospects if one.sight == "could detect"}
    return _layer(found, "Tocsin: how it stands", held, seen, "As it stands.")


def after(found: Hardening, steps: int) -> str:
    """How it would stand with the first steps taken, and all logs there that rules wait for."""
    taken = found.steps[:steps]
    held = {one.id for one in found.prospects if one.mitigated} | {name for one in taken for name in one.techniques}
    seen = {one.id for one in found.prospects if one.sight in ("could detect", "no logs") or (one.able and one.rules)}
    seen |= {one.id for one in found.prospects if one.sight == "in part" and one.rules}
    told = ", ".join(f"{one.mitigation} {one.name}" for one in taken) or "no step"
    return _layer(found, "Tocsin: how it would stand", held, seen, f"With {told}, and the logs that rules wait for.")


def _layer(found: Hardening, name: str, held: Collection[str], seen: Collection[str], told: str) -> str:
    scores = {one.id: 2 * (one.id in held) + (one.id in seen) for one in found.prospects}
    against = ", ".join(one.name for one in found.aims)
    return as_document(
        {
            "name": name,
            "versions": {"attack": found.release.partition(".")[0], "navigator": _NAVIGATOR, "layer": "4.5"},
            "domain": "enterprise-attack",
            "description": f"Against {against}. {told} A mitigation that is in place is one that ATT&CK lists against "
            "the technique; it does not always stop it, nor does every rule see every use.",
            "sorting": 0,
            "techniques": [
                {
                    "techniqueID": one.id,
                    "score": scores[one.id],
                    "color": _COLOURS[scores[one.id]],
                    "comment": f"{_MEANS[scores[one.id]]}; mitigations: {', '.join(one.mitigations) or 'none'}",
                    "enabled": True,
                    "showSubtechniques": True,
                }
                for one in found.prospects
            ],
            "gradient": {"colors": list(_COLOURS), "minValue": 0, "maxValue": 3},
            "legendItems": [{"label": words, "color": colour} for words, colour in zip(_MEANS, _COLOURS, strict=True)],
            "metadata": [],
        }
    )
