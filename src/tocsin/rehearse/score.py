"""A drill's truth and what a tool concluded in, how right it was out. Standard library only; knows nothing of Tocsin.

    python bench/score.py TRUTH RESULT... [--out score.json]

TRUTH is `truth.json` of a drill (docs/drill.md, docs/schemas/truth-1.schema.json). RESULT is `incidents.json`, the
folder that holds it, a case's folder (`case.json` with `kept/`), or a folder of cases. An incident is an object with
`rank` ("act now" or anything else) and `findings`; a finding names its record as `at: {path, rec}`, where `rec` is the
offset of a line in bytes, or as `at: {path, line}`, counted from 1. Other tools need write no more than that.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

WEEK_DAYS = 7
HOSTS = 300  # the review queue is told for so many

Record = tuple[str, int]  # path below the logs, line
FEW_BYTES = 100_000  # what programs say to keep in touch: as good as nothing, wherever bytes are compared
PEOPLE = ("targeted", "possibly_reached", "reached", "data_left")  # how far it went with somebody, the least first
Bounds = tuple[int, float]


class Places:
    """The records of the truth, found by path and line or by path and offset."""

    def __init__(self, truth: dict[str, Any]) -> None:
        self.steps: dict[tuple[str, str], set[Record]] = {}
        self.whole: set[tuple[str, str]] = set()  # steps of which more is there than torn lines
        self.owner: dict[Record, tuple[str, str]] = {}
        self.permitted: set[Record] = set()
        self._by_offset: dict[tuple[str, int], Record] = {}
        self._paths: dict[str, set[str]] = {}
        for incident in truth["incidents"]:
            for step in incident["steps"]:
                key = (incident["id"], step["id"])
                self.steps[key] = {self._keep(record) for record in step["records"]}
                if step["observable"]:
                    self.whole.add(key)
                self.owner.update(dict.fromkeys(self.steps[key], key))
        for permit in truth["permitted"]:
            self.permitted.update(self._keep(record) for record in permit["records"])

    def _keep(self, told: dict[str, Any]) -> Record:
        record = (_bare(str(told["path"])), int(told["line"]))
        self._by_offset[record[0], int(told["offset"])] = record
        self._paths.setdefault(record[0].rpartition("/")[2], set()).add(record[0])
        return record

    def find(self, at: dict[str, Any]) -> Record:
        """The record that a finding names; one that is not of the truth keeps its own name."""
        told = _bare(str(at.get("path", "")))
        path = next((own for own in self._paths.get(told.rpartition("/")[2], ()) if _ends(told, own)), told)
        if "line" in at:
            return path, int(at["line"])
        offset = int(at.get("rec", at.get("offset", -1)))
        # What is not of the truth is told apart by its offset; a line is never below zero.
        return self._by_offset.get((path, offset), (path, -1 - offset))


def _bare(path: str) -> str:
    """A path with / between folders; of what is packed, the name without its packing, however a tool tells it."""
    return path.replace("\\", "/").partition("!")[0].removesuffix(".gz")


def _ends(told: str, own: str) -> bool:
    return told == own or told.endswith("/" + own)


def incidents_of(result: Path) -> Iterator[dict[str, Any]]:
    """The incidents of a result, in whichever of its forms."""
    if result.is_file():
        told = json.loads(result.read_bytes())
        if isinstance(told, dict) and "incident" in told and "findings" not in told:
            yield from _of_case(result.parent, told)
        else:
            yield from told if isinstance(told, list) else told.get("incidents", [told])
    elif (result / "incidents.json").is_file():
        yield from incidents_of(result / "incidents.json")
    elif (result / "case.json").is_file():
        yield from incidents_of(result / "case.json")
    elif result.is_dir():
        for case in sorted(result.glob("*/case.json")):
            yield from incidents_of(case)
    else:
        raise FileNotFoundError(f"{result}: no incidents.json and no case.json")


def _of_case(folder: Path, state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    # A case that was merged is told by the one it became part of.
    if state["incident"] and not state.get("merged_into"):
        yield json.loads((folder / "kept" / state["incident"]).read_bytes())


def cited(places: Places, incident: dict[str, Any]) -> set[Record]:
    """All records an incident shows: of findings, those folded behind one too, of context, and of whom it addressed."""
    ats = [at for beside in incident.get("context", ()) for at in beside.get("citations", ())]
    ats += [
        at for some in incident.get("addressed", ()) for one in some.get("all", ()) for at in one.get("citations", ())
    ]
    return found_in(places, incident) | {places.find(at) for at in ats}


def found_in(places: Places, incident: dict[str, Any]) -> set[Record]:
    """Of these the records that a rule or an indicator found something in."""
    ats = [finding["at"] for finding in incident.get("findings", ())]
    ats += [at for folded in incident.get("folded", ()) for at in folded.get("citations", ())]
    return {places.find(at) for at in ats}


def share(part: float, whole: float, otherwise: float) -> float:
    return part / whole if whole else otherwise


def score(truth: dict[str, Any], incidents: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """All figures; each is explained in docs/drill.md."""
    places, told = Places(truth), list(incidents)
    records = [cited(places, incident) for incident in told]
    of_findings = [found_in(places, incident) for incident in told]
    everything = set().union(*records)
    by_findings = set().union(*of_findings)
    seen = {key: mine for key, mine in places.steps.items() if key in places.whole}
    found = {key for key, mine in seen.items() if mine & everything}
    counted, counted_found = everything - places.permitted, by_findings - places.permitted
    weeks, hosts = truth["days"] / WEEK_DAYS, truth["hosts"]
    kinds = [_kind(places, mine) for mine in of_findings]
    urgent = [incident.get("rank") == "act now" for incident in told]
    false = sum(kind == "false" for kind, now in zip(kinds, urgent, strict=True) if now)
    queue = sum(not now for now in urgent)
    together = _grouping(truth, places, found, records)
    return {
        "step_recall": round(share(len(found), len(seen), 1.0), 4),
        "event_precision": round(share(len(counted & set(places.owner)), len(counted), 1.0), 4),
        "step_recall_of_findings": round(
            share(sum(bool(mine & by_findings) for mine in seen.values()), len(seen), 1.0), 4
        ),
        "event_precision_of_findings": round(share(len(counted_found & set(places.owner)), len(counted_found), 1.0), 4),
        "grouping_f1": together["f1"],
        "act_now_false_per_host_month": round(share(false, truth["host_months"], 0.0), 6),
        "review_queue_per_week": round(queue / weeks * HOSTS / hosts, 3),
        **_impact(truth, places, told, of_findings),
        "campaigns_merged": together["campaigns_merged"],
        "claim_contradicted": _claim(truth, told),
        "counts": {
            "steps": len(seen),
            "steps_found": len(found),
            "steps_unseen": len(places.steps) - len(seen),
            "incidents": len(told),
            "act_now": sum(urgent),
            "act_now_false": false,
            "act_now_permitted": sum(kind == "permitted" for kind, now in zip(kinds, urgent, strict=True) if now),
            "review": queue,
        },
        "missed": [{"incident": key[0], "step": key[1]} for key in sorted(seen) if key not in found],
    }


def _kind(places: Places, mine: set[Record]) -> str:
    """true if it holds a record of an attack, permitted if it holds one of the permitted test, else false."""
    if mine & set(places.owner):
        return "true"
    return "permitted" if mine & places.permitted else "false"


def _grouping(
    truth: dict[str, Any], places: Places, found: set[tuple[str, str]], records: list[set[Record]]
) -> dict[str, Any]:
    """Pairs of steps that were found: those of one incident belong together, those of two campaigns do not.

    Two incidents of one campaign may be told as one or as two: pairs across them count for neither. A step that lies in
    several incidents is together with whatever lies in any of them.
    """
    campaign = {incident["id"]: incident["campaign"] for incident in truth["incidents"]}
    where: dict[tuple[str, str], set[int]] = {key: set() for key in found}
    for number, mine in enumerate(records):
        for record in mine:
            if (key := places.owner.get(record)) in where:
                where[key].add(number)
    steps = sorted(where)
    right = wrong = missed = 0
    merged: set[tuple[str, str]] = set()
    for place, one in enumerate(steps):
        for other in steps[place + 1 :]:
            together = bool(where[one] & where[other])
            if one[0] == other[0]:
                right += together
                missed += not together
            elif campaign[one[0]] != campaign[other[0]] and together:
                wrong += 1
                merged.add((campaign[one[0]], campaign[other[0]]))
    f1 = share(2 * right, 2 * right + wrong + missed, 1.0 if found else 0.0)
    return {"f1": round(f1, 4), "campaigns_merged": [sorted(pair) for pair in sorted(merged)]}


def _impact(
    truth: dict[str, Any], places: Places, told: list[dict[str, Any]], records: list[set[Record]]
) -> dict[str, Any]:
    """How far what is said of each incident is from what was: 0 is right, 1 is all wrong, or nothing said.

    An incident is judged by all that was concluded on its steps. Hosts, accounts and people are sets: 1 minus the share
    of what both name in what either names, whichever of its names each has. Bytes that left are within bounds, or off
    by powers of ten, at most one. A person counts where it went furthest with them.
    """
    names = {_folded(name): _folded(group[0]) for group in truth.get("names", ()) for name in group}
    errors: dict[str, list[float]] = {}
    for incident in truth["incidents"]:
        own = set().union(*(mine for key, mine in places.steps.items() if key[0] == incident["id"]))
        about = [one for one, mine in zip(told, records, strict=True) if mine & own]
        for what in ("hosts", "accounts"):
            true = {names.get(_folded(name), _folded(name)) for name in incident[what]}
            said = {_called(seen, true, names) for one in about for seen in one.get(what, ())}
            errors.setdefault(what, []).append(_apart(true, said))
        errors.setdefault("bytes", []).append(_bytes_apart(incident["bytes"]["left"], list(_left(about))))
        true_people, people = _furthest(incident["people"]), _furthest(_people(about))
        for how in PEOPLE:
            own_people, also_people = (
                {one for one, far in some.items() if far == how} for some in (true_people, people)
            )
            errors.setdefault(how, []).append(_apart(own_people, also_people))
    means = {what: round(sum(all_) / len(all_), 4) for what, all_ in errors.items()}
    return {"impact_error": round(share(sum(means.values()), len(means), 0.0), 4), "impact_errors": means}


def _called(seen: dict[str, Any], true: set[str], names: dict[str, str]) -> str:
    """By what name of the truth's, if by any, somebody or some machine is told."""
    every = [_folded(name) for name in (seen["name"], *seen.get("also", ()))]
    known = [names.get(name, name) for name in every]
    return next((name for name in known if name in true), known[0])


def _folded(name: str) -> str:
    return name.casefold()


def _apart(true: set[str], said: set[str]) -> float:
    return 1 - share(len(true & said), len(true | said), 1.0)


def _left(about: list[dict[str, Any]]) -> Iterator[Bounds]:
    """Bounds of the bytes that left, each flow once.

    Claims with a record in common tell of the same, in two incidents or for a name and its address: the larger counts.
    """
    groups: list[tuple[set[str], Bounds]] = []
    for one in about:
        impact = one.get("impact") or {}
        for claim in impact.get("claims", ()):
            if claim.get("stage") != "left" or claim.get("unit") != "bytes":
                continue
            upper = claim["amount"]["upper"]
            bound = int(claim["amount"]["lower"]), math.inf if upper is None else float(upper)
            records = {json.dumps([at.get("path"), at.get("rec")]) for at in claim.get("evidence", ())}
            for known in [group for group in groups if group[0] & records]:
                groups.remove(known)
                records |= known[0]
                bound = max(bound[0], known[1][0]), max(bound[1], known[1][1])
            groups.append((records, bound))
    yield from (bound for _, bound in groups)


def _people(about: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Ids of people by how far it went with them."""
    found: dict[str, list[str]] = {}
    for one in about:
        for person in one.get("people", ()):
            found.setdefault(str(person["how"]).replace(" ", "_"), []).append(str(person["id"]))
    return found


def _furthest(people: dict[str, list[str]]) -> dict[str, str]:
    return {person: how for how in PEOPLE for person in people.get(how, ())}


def _bytes_apart(true: int, bounds: list[Bounds]) -> float:
    if not bounds:
        return 1.0 if true else 0.0
    lower, upper = sum(one[0] for one in bounds), sum(one[1] for one in bounds)
    if not lower and upper == math.inf:
        return 1.0 if true else 0.0  # anything between nothing and everything: that is no answer
    if lower <= true <= upper:
        return 0.0
    nearest = upper if true > upper else lower
    return min(1.0, abs(math.log10((true + FEW_BYTES) / (nearest + FEW_BYTES))))


def _claim(truth: dict[str, Any], told: list[dict[str, Any]]) -> bool | None:
    """Whether each part of the claim was judged as it is; None where nobody judged it."""
    verdicts = {str(one["id"]): one.get("verdict") for incident in told for one in incident.get("claims", ())}
    if not verdicts:
        return None
    return all((verdicts.get(part["id"]) == "contradicted") == part["contradicted"] for part in truth["claim"]["parts"])


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("truth", type=Path)
    parser.add_argument("results", type=Path, nargs="+", metavar="result")
    parser.add_argument("--out", type=Path, help="write the figures here too")
    told = parser.parse_args(words)
    try:
        truth = json.loads(told.truth.read_bytes())
        if truth.get("version") != 1:
            print(
                f"{told.truth}: a truth of version {truth.get('version')}; this scorer reads version 1", file=sys.stderr
            )
            return 2
        incidents = [incident for result in told.results for incident in incidents_of(result)]
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    text = json.dumps(score(truth, incidents), indent=1) + "\n"
    print(text, end="")
    if told.out:
        told.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
