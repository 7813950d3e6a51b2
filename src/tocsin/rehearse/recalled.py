"""A drill's truth, what an ally told and what a hunt found in, how right the hunt was out. Standard library only.

As `score.py`, it knows nothing of Tocsin: a finding names its record, and the indicator or rule that it is of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tocsin.rehearse.score import Places, Record, share


def score(truth: Mapping[str, Any], known: Mapping[str, Any], findings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All figures; each is explained in docs/drill.md.

    Args:
        known: `partner/known.json`.
        findings: each with `id` of its indicator or rule, `at`, and `lowered` if the hunt says that it means little.
    """
    places = Places(dict(truth))
    by: dict[str, set[Record]] = {}
    standing: set[Record] = set()
    lowered: set[Record] = set()
    for one in findings:
        record = places.find(one["at"])
        by.setdefault(str(one["id"]), set()).add(record)
        (lowered if one.get("lowered") else standing).add(record)
    cited = standing | lowered
    told_of = sorted({one["campaign"] for one in (*known["indicators"], known["rule"])})
    campaigns = {name: _campaign(truth, places, name, cited) for name in told_of}
    seen = {one["value"]: bool(by.get(one["id"])) for one in known["indicators"]}
    return {
        "campaigns": len(campaigns),
        "campaigns_found": sum(one["steps_found"] > 0 for one in campaigns.values()),
        "rule_found": bool(by.get(known["rule"]["id"], set()) & set(places.owner)),
        "never_here_but_seen": sorted(
            one["value"] for one in known["indicators"] if not one["shared"] and seen[one["value"]]
        ),
        "shared_but_not_seen": sorted(
            one["value"] for one in known["indicators"] if one["shared"] and not seen[one["value"]]
        ),
        "event_precision": round(_right(places, standing), 4),
        "event_precision_lowered": round(_right(places, lowered - standing), 4),
        "by_campaign": campaigns,
        "counts": {"records": len(standing), "records_lowered": len(lowered - standing)},
    }


def _right(places: Places, cited: set[Record]) -> float:
    """Of the records, those that belong to a step; what the permit covers counts for neither."""
    counted = cited - places.permitted
    return share(len(counted & set(places.owner)), len(counted), 1.0)


def _campaign(truth: Mapping[str, Any], places: Places, name: str, cited: set[Record]) -> dict[str, Any]:
    """How much of a campaign the hunt alone cites, and in which of its incidents."""
    incidents = {one["id"] for one in truth["incidents"] if one["campaign"] == name}
    steps = {key: records for key, records in places.steps.items() if key[0] in incidents and key in places.whole}
    found = {key for key, records in steps.items() if records & cited}
    return {"steps": len(steps), "steps_found": len(found), "incidents_found": sorted({key[0] for key in found})}
