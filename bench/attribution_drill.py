"""Whether a drill's intruder is told as who he was, and nobody as who he was not: seeds in, a table and JSON out.

    python bench/attribution_drill.py [--seeds 20] [--first 1] [--events 30000] [--rules PACK] [PROFILE...]

For each profile (if none is named the built-in one, and those of bench/profiles) and each seed a drill is made and
responded to, and what was concluded is attributed. An incident of the truth is judged by the conclusion that has
most of its steps. *breach* is what `tocsin attribute CASE` sees: what rules saw, and what they did not. *lab* adds what
an analyst adds: the software that was left behind, by its number, the planted one alike, since nobody knows which is
which. Two campaigns are *apart* if a team's own clusters keep them so, and *differ* in what is answered if, besides, no
group is named for both. *leaders* says whether another group leads each, which tells little where "unknown" leads.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from tocsin import attribution, pipeline, respond
from tocsin.attribution import Known
from tocsin.border.assets import read_assets
from tocsin.border.people import read_people
from tocsin.learn import packs
from tocsin.model.attribution import Attribution
from tocsin.model.cluster import Clusters
from tocsin.model.incident import Incident
from tocsin.model.observation import Observation, Trait
from tocsin.model.rule import RuleSet
from tocsin.rehearse import make
from tocsin.rehearse.score import Places, cited
from tocsin.rehearse.stories.profile import Profile, built_in, read_profile

_NUMBER = re.compile(r"\b(S\d{4}|own:[\w-]+)")
_TOP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of one incident in one way of looking: the rank of the true group, and who was named."""

    rank: int | None
    named: tuple[str, ...]
    level: str
    unknown: float


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("profiles", nargs="*", type=Path, metavar="PROFILE")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--events", type=int, default=30_000)
    parser.add_argument("--rules", help="another pack, with our own")
    told = parser.parse_args()
    known = attribution.known()
    rules = pipeline.compile_rules(packs.resolve([packs.OWN, *([told.rules] if told.rules else [])]))
    own = sorted(Path(__file__).with_name("profiles").glob("*.toml"))
    figures: dict[str, Any] = {}
    for path in told.profiles or [None, *own]:
        profile = read_profile(path) if path else built_in()
        rows = []
        for seed in range(told.first, told.first + told.seeds):
            began = time.monotonic()
            rows.append(one(seed, told.events, profile, rules, known))
            print(f"{profile.group} {seed} {time.monotonic() - began:.0f} s: {_row(rows[-1])}", flush=True)
        figures[profile.group] = summed(profile, rows)
    report(figures, told.seeds)


def one(seed: int, events: int, profile: Profile, rules: RuleSet, known: Known) -> dict[str, Any]:
    """One drill: what is said of the breach and of the campaign of pixels."""
    with tempfile.TemporaryDirectory(prefix="attribution-drill-") as folder:
        made = make(seed=seed, events=events, folder=Path(folder), profile=profile)
        truth = json.loads(made.truth.read_bytes())
        assets, people = read_assets(made.assets)[0], read_people(made.people)[0]
        with respond.respond([made.logs], rules, assets=assets, people=people) as response:
            found = observations(truth, response)
    row: dict[str, Any] = {}
    for name, incident in (("breach", "incident-1"), ("pixels", "incident-3")):
        seen = found.get(incident)
        if seen is not None:
            group = next((one["group"] or {}).get("id") for one in truth["campaigns"] if incident in one["incidents"])
            row[name] = judged(attribution.weigh(seen, known), group)
    if (breach := found.get("incident-1")) is not None:
        lab = replace(breach, traits=(*breach.traits, *software(profile)))
        row["lab"] = judged(attribution.weigh(lab, known), profile.id)
        row["decoy"] = profile.decoy.get("id", "")
        row["techniques"] = len({trait.value for trait in breach.traits if trait.kind == "technique"})
        other = found.get("incident-3") or told(truth, "incident-3")
        row["apart"] = apart(lab, other, known)
        answers = attribution.weigh(lab, known), attribution.weigh(other, known)
        row["differ"] = differ(*answers, row["apart"])
        row["leaders"] = led(answers[0]) != led(answers[1])
    return row


def observations(truth: dict[str, Any], response: respond.Response) -> Mapping[str, Observation]:
    """For each incident of the truth what the conclusion has seen that holds most of its steps."""
    places = Places(truth)
    best: dict[str, tuple[int, Incident]] = {}
    for incident in response.incidents:
        steps: defaultdict[str, set[str]] = defaultdict(set)
        for record in cited(places, msgspec.to_builtins(incident)):
            if owner := places.owner.get(record):
                steps[owner[0]].add(owner[1])
        for name, own in steps.items():
            if name not in best or len(own) > best[name][0]:
                best[name] = len(own), incident
    seen = respond.observations(response, [incident for _, incident in best.values()])
    return {name: seen[incident.id] for name, (_, incident) in best.items()}


def told(truth: Mapping[str, Any], incident: str) -> Observation:
    """What people on the spot would write down: rules find nothing of an incident that is only mails."""
    steps = next(one["steps"] for one in truth["incidents"] if one["id"] == incident)
    techniques = sorted({technique for step in steps for technique in step["techniques"]})
    traits = tuple(Trait(kind="technique", value=technique, sources=("people",)) for technique in techniques)
    return Observation(
        id=incident, traits=traits, last_seen=max(step["until"] for step in steps)[:10], release=truth["attack_release"]
    )


def software(profile: Profile) -> Iterator[Trait]:
    texts = [*profile.software.values(), profile.decoy.get("software", "")]
    for number in dict.fromkeys(number for text in texts for number in _NUMBER.findall(text)):
        yield Trait(kind="software", value=number, sources=("laboratory",), grade="A2")


def judged(found: Attribution, group: str | None) -> Seen:
    groups = [one.id for one in found.hypotheses if one.kind == "group"]
    unknown = found.of("unknown")
    return Seen(
        rank=groups.index(group) + 1 if group in groups else None,
        named=found.answer.hypotheses if found.answer.level == "group" else (),
        level=found.answer.level,
        unknown=unknown.probability if unknown else 0.0,
    )


def differ(one: Attribution, other: Attribution, apart: bool) -> bool:
    """Whether two campaigns are answered differently: as two clusters of one's own, and no group is named for both."""
    named = (
        set(answered.answer.hypotheses) if answered.answer.level == "group" else set() for answered in (one, other)
    )
    return apart and not set.intersection(*named)


def led(found: Attribution) -> str:
    """The group that leads, named or not."""
    return next((hypothesis.id for hypothesis in found.hypotheses if hypothesis.kind == "group"), "")


def apart(one: Observation, other: Observation, known: Known) -> bool:
    """Whether a team's own clusters keep the two apart."""
    first = attribution.clustered([one], Clusters(), known)
    return len(attribution.clustered([other], first, known).clusters) == 2


def _row(row: Mapping[str, Any]) -> str:
    parts = [
        f"{name} rank {seen.rank} {seen.level} {','.join(seen.named)} unknown {seen.unknown:.2f}"
        for name in ("breach", "lab", "pixels")
        if (seen := row.get(name)) is not None
    ]
    return "; ".join(
        (f"techniques {row.get('techniques', 0)}", *parts, f"differ {row.get('differ')}, leaders {row.get('leaders')}")
    )


def summed(profile: Profile, rows: list[dict[str, Any]]) -> dict[str, Any]:
    def of(name: str) -> list[Seen]:
        return [row[name] for row in rows if name in row]

    def wrong(name: str) -> int:
        true = profile.id if name != "pixels" else "G0128"
        return sum(bool(set(seen.named) - {true}) for seen in of(name))

    told: dict[str, Any] = {"seeds": len(rows), "seen": len(of("breach")), "pixels_seen": len(of("pixels"))}
    for name in ("breach", "lab", "pixels"):
        told[f"{name}_top3"] = sum(seen.rank is not None and seen.rank <= _TOP for seen in of(name))
        told[f"{name}_named_right"] = sum(profile.id in seen.named for seen in of(name)) if name != "pixels" else 0
        told[f"{name}_named_wrong"] = wrong(name)
    decoys = [row for row in rows if row.get("decoy")]
    told["decoy_named"] = sum(row["decoy"] in row[name].named for row in decoys for name in ("breach", "lab"))
    for name in ("differ", "apart", "leaders"):
        told[name] = sum(row.get(name, False) for row in rows)
    told["techniques"] = round(sum(row.get("techniques", 0) for row in rows) / max(1, len(rows)), 1)
    return told


def report(figures: Mapping[str, Mapping[str, Any]], seeds: int) -> None:
    names = list(next(iter(figures.values())))
    print(f"\n{'of ' + str(seeds) + ' seeds':<22}" + "".join(f"{group:>14}" for group in figures))
    for name in names:
        print(f"{name:<22}" + "".join(f"{told[name]:>14}" for told in figures.values()))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
