"""A response in, its reports as files and its cases out."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from tocsin import cases
from tocsin.cli import case_options, person
from tocsin.errors import SettingsError
from tocsin.model.tlp import TLP
from tocsin.output import incidents as pages
from tocsin.output import report
from tocsin.output.files import save
from tocsin.output.formats import custody
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.model.incident import Incident
    from tocsin.respond import Response

_MOST_OF_QUEUE: Final = 20  # of the review queue have a page of their own; all are in incidents.json


@dataclass(frozen=True, slots=True)
class Marking:
    """What stands at head and foot of every page."""

    tlp: str
    classification: str = ""
    caveat: str = ""

    def __post_init__(self) -> None:
        if self.tlp not in TLP:
            raise SettingsError(f"--tlp {self.tlp}: there is no such marking", hint=f"There are {', '.join(TLP)}.")


def write(response: Response, folder: Path, marking: Marking) -> list[Path]:
    """Write the overview, a page for each incident that is looked at first, and all of them as JSON."""
    found = response.incidents
    now = [one for one in found if one.rank == "act now"]
    queue = [one for one in found if one.rank != "act now"][:_MOST_OF_QUEUE]
    links = {}
    for one in (*now, *queue):
        links[one.id] = f"incident-{one.id[:16]}.html"
        save(folder / links[one.id], lambda file, one=one: _report(response, one, marking, file))  # type: ignore[misc]  # bound for each
    overview, data = folder / "overview.html", folder / "incidents.json"
    save(data, lambda file: pages.write(found, file))
    save(
        overview,
        lambda file: report.write_overview(
            found,
            links,
            response.run,
            file,
            tlp=marking.tlp,
            classification=marking.classification,
            caveat=marking.caveat,
        ),
    )
    return [data, *(folder / name for name in links.values()), overview]


def open_all(response: Response, root: Path | None, by: str | None, marking: Marking) -> None:
    """Open a case for each incident to act on now, with its report and the custody of the evidence."""
    manifest = io.StringIO()
    custody.write(response.run, manifest)
    for one in response.incidents:
        if one.rank != "act now":
            continue
        page = io.StringIO()
        _report(response, one, marking, page)
        documents = [("report.html", page.getvalue().encode()), ("custody.json", manifest.getvalue().encode())]
        case = cases.open_case(case_options.place(root), one, by=person.whoever(by), documents=documents)
        typer.echo(f"case {case.id}  {shown(case.title, 100)}")


def _report(response: Response, incident: Incident, marking: Marking, file: io.TextIOBase) -> None:
    one = report.Report(
        incident=incident,
        run=response.run,
        tlp=marking.tlp,
        classification=marking.classification,
        caveat=marking.caveat,
    )
    report.write(one, file)  # type: ignore[arg-type]  # any stream of text
