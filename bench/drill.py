"""How right Tocsin is on drills, and how long it takes: seeds in, a table and one JSON line out.

    python bench/drill.py [--seeds 20] [--first 1] [--events 1000000] [--rules PACK]

Each seed is a process of its own, as somebody would run it. Figures are the mean over the seeds, and beside it the
worst. `own_high_per_host_month` counts records that rules of our own at level high or above cite and that belong to no
attack and to no permitted test: what they would find if nobody attacked.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tocsin.rehearse.score import Places

HIGHER_IS_BETTER = ("step_recall", "event_precision", "grouping_f1")
LOWER_IS_BETTER = (
    "act_now_false_per_host_month",
    "review_queue_per_week",
    "impact_error",
    "seconds",
    "peak_mb",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rules", help="another pack, tried alone and with our own")
    told = parser.parse_args()
    scores: dict[int, dict[str, Any]] = {}
    for seed in range(told.first, told.first + told.seeds):
        with tempfile.TemporaryDirectory(prefix="drill-") as folder:
            scores[seed] = one(seed, told.events, told.rules, Path(folder) / "out")
        print(seed, *(f"{key}={scores[seed]['own'][key]}" for key in HIGHER_IS_BETTER), flush=True)
    report(scores)


def one(seed: int, events: int, pack: str | None, folder: Path) -> dict[str, Any]:
    """The score of one drill, and what our own rules cite besides."""
    words = ["drill", "--seed", str(seed), "--events", str(events), "--out", str(folder), "--keep", "--quiet"]
    run([*words, "--rules", pack] if pack else words)
    score: dict[str, Any] = json.loads((folder / "score.json").read_bytes())
    score["own"]["own_high_per_host_month"] = high(folder)
    return score


def high(folder: Path) -> float:
    truth = json.loads((folder / "evidence" / "truth.json").read_bytes())
    found = folder / "high.jsonl"
    run(["detect", str(folder / "evidence" / "logs"), "--level", "high", "--out", str(found), "--quiet"])
    places = Places(truth)
    known = set(places.owner) | places.permitted
    cited = {places.find(json.loads(line)) for line in found.read_bytes().splitlines()}
    return round(len(cited - known) / float(truth["host_months"]), 4)


def run(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", "tocsin", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"tocsin {' '.join(words)}: {done.stderr}")


def report(scores: dict[int, dict[str, Any]]) -> None:
    names = list(next(iter(scores.values())))
    figures: dict[str, Any] = {"seeds": len(scores)}
    print(f"\n{'figure':<34}" + "".join(f"{name + ' mean':>14}{'worst':>10}" for name in names))
    for key in (*HIGHER_IS_BETTER, *LOWER_IS_BETTER, "own_high_per_host_month"):
        row = f"{key:<34}"
        for name in names:
            values = [score[name][key] for score in scores.values() if key in score[name]]
            if not values:
                continue
            worst = min(values) if key in HIGHER_IS_BETTER else max(values)
            figures[f"{name}_{key}"] = round(sum(values) / len(values), 4)
            figures[f"{name}_{key}_worst"] = worst
            row += f"{sum(values) / len(values):>14.4f}{worst:>10.4f}"
        print(row)
    for name in names:
        merged = [seed for seed, score in scores.items() if score[name]["campaigns_merged"]]
        believed = [seed for seed, score in scores.items() if score[name]["claim_contradicted"] is not True]
        figures[f"{name}_seeds_with_campaigns_merged"] = len(merged)
        figures[f"{name}_seeds_with_claim_not_contradicted"] = len(believed)
        print(f"{name}: campaigns merged in seeds {merged or 'none'}; claim not contradicted in {believed or 'none'}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
