"""Whether registers forget nobody: drills in, how many of those whom an attack touched are on one out.

    tocsin drill --seed 7 --keep --out drill-7
    python bench/tell.py drill-7 [DRILL...] [--out tell.json]
    python bench/tell.py --seeds 20 [--first 1] [--events 300000] [--out tell.json]

With --seeds the drills are made, responded to and hunted in here, and nothing of them is kept.

For each drill a case is opened for each incident, of the response and of the hunt after it, as people would who open
all of them, and its register is brought up to date with the drill's lists. What is scored are the `case.json` that this
leaves, by `score`, which knows truth, evidence and lists alone and uses the standard library only.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HOWS = ("targeted", "possibly_reached", "reached", "data_left")  # the least first
MUST = ("targeted", "reached", "data_left")
KEYS = ("seen", "listed", "right")
PERHAPS = frozenset({"possibly reached", "cannot know"})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("drills", type=Path, nargs="*")
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    figures: dict[str, Any] = {}
    for drill in told.drills:
        figures[drill.name] = scored(drill)
    for seed in range(told.first, told.first + told.seeds):
        with tempfile.TemporaryDirectory(prefix="tell-") as name:
            drill = Path(name) / f"seed-{seed}"
            play(seed, told.events, drill)
            figures[drill.name] = scored(drill)
    together(figures)
    if told.out:
        told.out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def scored(drill: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="tell-") as name:
        began = time.monotonic()
        sets = registers(drill, Path(name))
        seconds = time.monotonic() - began
        figures: dict[str, Any] = {which: score(drill, states) for which, states in sets.items()}
    figures["registers_s"] = round(seconds, 2)
    for which, of in figures.items():
        print(f"{drill.name} {which}: {json.dumps(of)}", flush=True)
    return figures


def play(seed: int, events: int, drill: Path) -> None:
    """The evidence of a drill, the response to it by our own rules, and the hunt for what the ally told."""
    from tocsin import pipeline
    from tocsin.border.assets import read_assets
    from tocsin.border.people import read_people
    from tocsin.border.permit import read_permit
    from tocsin.learn import packs
    from tocsin.output import incidents as pages
    from tocsin.output.files import save
    from tocsin.rehearse import make
    from tocsin.respond import respond
    from tocsin.second_act import recall

    made = make(seed=seed, events=events, folder=drill / "evidence")
    assets, people = read_assets(made.assets)[0], read_people(made.people)[0]
    permits = [read_permit(made.permit, [made.permit.with_suffix(".pub")])]
    rules = pipeline.compile_rules(packs.resolve([packs.OWN]))
    with respond([made.logs], rules, assets=assets, people=people, permits=permits) as response:
        (drill / "own").mkdir()
        save(drill / "own" / "incidents.json", lambda file: pages.write(response.incidents, file))
    with recall(made, drill / "lake") as done:
        (drill / "hunt").mkdir()
        save(drill / "hunt" / "incidents.json", lambda file: pages.write(done.hunted.response.incidents, file))


def together(figures: dict[str, dict[str, Any]]) -> None:
    """A table over all drills: the mean and the worst of what is to be 1, and of others all."""
    for which in ("act now", "response", "with hunt") if figures else ():
        every = [of[which] for of in figures.values()]
        recalls, homes = ([one[key] for one in every] for key in ("recall", "in_its_case"))
        line = f"{which}: {len(every)} drills, recall {sum(recalls) / len(every):.3f} (worst {min(recalls):.3f})"
        line += f", in its case {sum(homes) / len(every):.3f} (worst {min(homes):.3f})"
        print(line + f", others {max(one['others'] for one in every):.3f} at most")
        for how in HOWS:
            seen, listed, right = (
                sum(one["by_class"][how][key] for one in every) for key in ("seen", "listed", "right")
            )
            print(f"  {how}: {seen} seen, {listed} listed, {right} with that extent")


def registers(drill: Path, root: Path) -> dict[str, list[tuple[dict[str, Any], dict[str, Any]]]]:
    """The state of each case, with what was looked at: those to act on now, all of the response, the hunt too."""
    import msgspec

    from tocsin import cases, tell
    from tocsin.border.assets import read_assets
    from tocsin.border.people import read_people
    from tocsin.model.incident import Incident
    from tocsin.model.notification import Telling

    desk = tell.desk(
        None,
        (),
        people=read_people(drill / "evidence" / "people.csv")[0],
        assets=read_assets(drill / "evidence" / "assets.csv")[0],
    )
    assert desk.telling == Telling()
    found: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {"act now": [], "response": [], "with hunt": []}
    for which, path in (("response", drill / "own"), ("with hunt", drill / "hunt")):
        for plain in json.loads((path / "incidents.json").read_bytes()):
            incident = msgspec.convert(plain, Incident)
            case = cases.open_case(root / which.replace(" ", "-"), incident, by="bench")
            folder = root / which.replace(" ", "-") / case.id
            tell.bring_up_to_date(folder, desk, "bench")
            state = json.loads((folder / "case.json").read_bytes())
            both = state, plain
            if which == "response":
                found["response"].append(both)
                if incident.rank == "act now":
                    found["act now"].append(both)
            found["with hunt"].append(both)
    return found


# --------------------------------------------------------------------------------- the score, of nothing of ours


def score(drill: Path, states: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    """Of those targeted, reached or robbed of whom a record of a step tells, those on any register; and the others.

    `by_class` is by each class that the truth has somebody in: how many are `seen` in a record, `listed` on a register,
    and `right`, listed with the extent that is the furthest of theirs. `in_its_case` counts who is on the register of a
    case that cites a record of the very incident.
    """
    truth = json.loads((drill / "evidence" / "truth.json").read_bytes())
    people = dict(names(drill / "evidence" / "people.csv"))
    register: dict[str, dict[str, Any]] = {}
    every = [(dict(_people(state)), {_record(one["at"]) for one in incident["findings"]}) for state, incident in states]
    for listed, _ in every:
        for person, entry in listed.items():
            if person not in register or _far(entry) > _far(register[person]):
                register[person] = entry
    furthest: dict[str, int] = {}
    classes: dict[str, set[str]] = {how: set() for how in HOWS}
    must, home = set(), set()
    for incident in truth["incidents"]:
        of = {person for how in HOWS for person in incident["people"][how]}
        seen = told_of(drill / "evidence" / "logs", incident, {one: people[one] for one in of})
        steps = [(one["path"], one["offset"]) for step in incident["steps"] for one in step["records"]]
        cases = [listed for listed, cited in every if any(_ends(at, steps) for at in cited)]
        for how in HOWS:
            furthest |= {person: max(HOWS.index(how), furthest.get(person, 0)) for person in incident["people"][how]}
            classes[how] |= seen.intersection(incident["people"][how])
        mine = {(incident["id"], person) for how in MUST for person in seen.intersection(incident["people"][how])}
        must |= mine
        home |= {one for one in mine if any(one[1] in listed for listed in cases)}
    others = {person: entry for person, entry in register.items() if person not in furthest}
    wanted = {person for _, person in must}
    return {
        "by_class": {
            how: {
                "seen": len(mine),
                "listed": len(mine & set(register)),
                "right": sum(_far(register[one]) == furthest[one] for one in mine & set(register)),
            }
            for how, mine in classes.items()
        },
        "recall": round(len(wanted & set(register)) / len(wanted), 4) if wanted else 1.0,
        "forgotten": sorted(wanted - set(register)),
        "in_its_case": round(len(home) / len(must), 4) if must else 1.0,
        "not_in_its_case": sorted(" ".join(one) for one in must - home),
        "people": len(register),
        "others": round(len(others) / len(register), 4) if register else 0.0,
        "others_told_as_fact": sorted(one for one, entry in others.items() if entry["extent"] not in PERHAPS),
        "without_a_reason": sorted(one for one, entry in register.items() if not entry["because"]),
    }


def _people(state: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for listed in state.get("register", ()):
        entry = listed["entry"]
        if entry["kind"] == "person" and entry["id"]:
            yield entry["id"], entry


def _record(at: dict[str, Any]) -> tuple[str, int]:
    return str(at["path"]), int(at["rec"])


def _ends(at: tuple[str, int], steps: list[tuple[str, int]]) -> bool:
    return any(at[1] == offset and at[0].endswith(path) for path, offset in steps)


def _far(entry: dict[str, Any]) -> int:
    return HOWS.index(how) if (how := str(entry["extent"]).replace(" ", "_")) in HOWS else -1


def names(path: Path) -> Iterator[tuple[str, frozenset[str]]]:
    """What logs may call each person."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            every = [*row["accounts"].split("|"), *row["mailboxes"].split("|")]
            # In JSON a backslash stands twice.
            every += [name.replace("\\", "\\\\") for name in every]
            yield row["id"], frozenset(name.casefold() for name in every if name)


def told_of(logs: Path, incident: dict[str, Any], people: dict[str, frozenset[str]]) -> set[str]:
    """Those of them whose account or mailbox stands in a record of a step."""
    text = []
    for record in (record for step in incident["steps"] for record in step["records"]):
        with (logs / record["path"]).open("rb") as file:
            file.seek(record["offset"])
            text.append(file.read(record["bytes"]).decode("utf-8", "replace").casefold())
    whole = "\n".join(text)
    return {person for person, called in people.items() if any(name in whole for name in called)}


if __name__ == "__main__":
    main()
