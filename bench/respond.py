"""The figures of gathering and of reports: incidents against what is known of the evidence, speed, and the page.

    python bench/respond.py                       # all of it, some minutes
    python bench/respond.py --only emulations mixing tactics gather report

The last line is one JSON object with the figures by name.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from emulations import CORPUS, apart, archives, emulation, together
from findings_at_scale import SIZES, speed
from main_tactics import tactics
from report_at_scale import FINDINGS, report

from tocsin import pipeline
from tocsin.detect import prepare
from tocsin.learn import packs

PARTS = ("emulations", "mixing", "tactics", "gather", "report")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="made findings to gather")
    parser.add_argument("--findings", type=int, default=FINDINGS, help="of the incident that is reported")
    asked = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if {"emulations", "mixing", "tactics"} & set(asked.only):
            figures |= known(folder, set(asked.only))
        figures |= speed(folder, asked.sizes) if "gather" in asked.only else {}
        figures |= report(folder, asked.findings) if "report" in asked.only else {}
    print(json.dumps({key: round(value, 4) for key, value in figures.items()}))


def known(folder: Path, asked: set[str]) -> dict[str, float]:
    """Figures against what is known of the corpora."""
    figures: dict[str, float] = {}
    rules = pipeline.compile_rules(packs.resolve([str(CORPUS / "sigma-rules.zip")]))
    if {"emulations", "mixing"} & asked:
        detector = prepare(rules)
        began = time.perf_counter()
        emulations = [emulation(path, detector, folder) for path in archives()]
        print(f"{len(emulations)} emulations read three times in {time.perf_counter() - began:.0f} s")
        figures |= together(emulations, rules) if "emulations" in asked else {}
        figures |= apart(emulations, rules) if "mixing" in asked else {}
    return figures | (tactics(rules) if "tactics" in asked else {})


if __name__ == "__main__":
    main()
