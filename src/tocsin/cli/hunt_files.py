"""What a hunt found in, its files in a folder out: answers, incidents, reports."""

from __future__ import annotations

from pathlib import Path

from tocsin.cli import report_files
from tocsin.cli.own_clusters import Compared
from tocsin.cli.target import choose
from tocsin.output import hunts as pages
from tocsin.output.files import save
from tocsin.retrohunt import Hunted


def write(
    hunted: Hunted, folder: Path, reports: report_files.Asked, answers: pages.Answers, who: Compared
) -> report_files.Written:
    """Write all files; `answers` has counted the cells by then."""
    cells = answers.pass_on(hunted.cells())
    save(folder / "hunt.json", lambda file: pages.write_told(hunted.told, file))
    save(folder / "answers.jsonl", lambda file: pages.write_cells(cells, file))
    made = report_files.write(hunted.response, folder, reports, who)
    choose(f"{folder}/", None, []).save(hunted.response.run)
    return report_files.Written(files=[folder / "hunt.json", folder / "answers.jsonl", *made.files], pages=made.pages)
