"""A response in, its reports as files and its cases out."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO, cast

import typer

from tocsin import attribution, cases, respond
from tocsin.border import observations, stix_incident
from tocsin.cli import case_options, person
from tocsin.cli.own_clusters import Compared, compare, keep
from tocsin.errors import SettingsError
from tocsin.model.tlp import TLP
from tocsin.output import incidents as pages
from tocsin.output import report
from tocsin.output.files import save
from tocsin.output.formats import custody, navigator, timesketch
from tocsin.output.of_incident import of_incident
from tocsin.output.plain import as_document
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.attribution import Team
    from tocsin.model.case import Case
    from tocsin.model.incident import Incident
    from tocsin.model.raw import Place, Raw
    from tocsin.respond import Response

_MOST_OF_QUEUE: Final = 20  # of the review queue have a page of their own; all are in incidents.json


@dataclass(frozen=True, slots=True)
class Asked:
    """What reports are wanted: their marking, for whom they are, and why content of mail is shown, if it is."""

    tlp: str
    classification: str = ""
    caveat: str = ""
    audiences: tuple[str, ...] = ()
    revealed: str = ""

    def __post_init__(self) -> None:
        if self.tlp not in TLP:
            raise SettingsError(f"--tlp {self.tlp}: there is no such marking", hint=f"There are {', '.join(TLP)}.")
        if odd := next((one for one in self.audiences if one not in report.AUDIENCES), None):
            known = ", ".join(report.AUDIENCES)
            raise SettingsError(f"--audience {odd}: there is no such audience", hint=f"There are {known}.")


@dataclass(frozen=True, slots=True)
class Written:
    """Files, and among them the page for analysts of each incident that has one, by the incident's id."""

    files: list[Path]
    pages: dict[str, Path]


def compared(response: Response, team: Team) -> Compared:
    """Who it may have been, of each incident that has a page or will have a case."""
    now, queue = _looked_at(response)
    return compare(response, now, queue, team)


def _looked_at(response: Response) -> tuple[list[Incident], list[Incident]]:
    """What to act on now, and what of the review queue has a page."""
    found = response.incidents
    return (
        [one for one in found if one.rank == "act now"],
        [one for one in found if one.rank != "act now"][:_MOST_OF_QUEUE],
    )


def write(response: Response, folder: Path, asked: Asked, who: Compared) -> Written:
    """Write the overview, a page for each incident that is looked at first, and all of them as JSON.

    Args:
        response: what was found.
        folder: where to.
        asked: what is wanted.
        who: what `compared` says of these incidents.
    """
    found = response.incidents
    now, queue = _looked_at(response)
    raws = respond.raws(response, (*now, *queue))
    links, others = {}, []
    for one in (*now, *queue):
        called = f"incident-{one.id[:16]}"
        links[one.id] = f"{called}.html"
        save(folder / links[one.id], partial(_report, response, one, asked, "analyst", (raws, who)))
        alone = of_incident(response.run, one)
        others += [f"{called}.navigator.json", f"{called}{timesketch.SUFFIX}", f"{called}.stix.json"]
        save(folder / others[-3], partial(navigator.write_layer, alone, name=shown(one.title, 100)))
        save(folder / others[-2], partial(timesketch.write, alone))
        save(folder / others[-1], partial(_stix, response, one, asked))
        for audience in asked.audiences:
            if audience != "analyst":
                others.append(f"{called}.{audience}.html")
                to = cast(report.Audience, audience)
                save(folder / others[-1], partial(_report, response, one, asked, to, ({}, who)))
    overview, data = folder / "overview.html", folder / "incidents.json"
    others.append(f"findings{timesketch.SUFFIX}")
    save(folder / others[-1], partial(timesketch.write, response.run))
    save(data, lambda file: pages.write(found, file))
    others.append("background.json")
    save(folder / others[-1], partial(pages.write_background, response.background))
    save(
        overview,
        lambda file: report.write_overview(
            found,
            links,
            response.run,
            file,
            claims=response.claims,
            tlp=asked.tlp,
            classification=asked.classification,
            caveat=asked.caveat,
            background=response.background,
        ),
    )
    return Written(
        files=[data, *(folder / name for name in (*links.values(), *others)), overview],
        pages={key: folder / name for key, name in links.items()},
    )


def open_all(
    response: Response,
    root: Path | None,
    by: str | None,
    asked: Asked,
    pages: Mapping[str, Path],
    who: Compared,
) -> Iterator[Case]:
    """Open a case for each incident to act on now, with its report, what was seen of whom, and custody of the evidence.

    Args:
        pages: reports that are written already, by the incident's id.
        who: what `compared` says of these incidents.

    Yields:
        Each case as soon as it is on the disk.
    """
    manifest = io.StringIO()
    custody.write(response.run, manifest)
    now = _looked_at(response)[0]
    raws = respond.raws(response, [one for one in now if one.id not in pages])
    for one in now:
        if one.id in pages:
            page = pages[one.id].read_bytes()
        else:
            file = io.StringIO()
            _report(response, one, asked, "analyst", (raws, who), file)
            page = file.getvalue().encode()
        documents = [
            ("report.html", page),
            ("custody.json", manifest.getvalue().encode()),
            (attribution.OBSERVATIONS, observations.encoded(who.seen[one.id])),
        ]
        case = cases.open_case(case_options.place(root), one, by=person.whoever(by), documents=documents)
        if asked.revealed:
            with cases.writing(case_options.place(root) / case.id) as log:
                cases.note(log, f"the report shows content of mail: {asked.revealed}", by=person.whoever(by))
        yield case


def open_kept(
    response: Response, team: Team, by: str | None, asked: Asked, pages: Mapping[str, Path], who: Compared | None
) -> None:
    """Where cases are wanted: open them, name them, and put them into the team's own clusters."""
    if team.keeps and who is not None:
        tell_opened(open_all(response, team.root, by, asked, pages, who))
        keep(who, team)


def tell_opened(opened: Iterable[Case]) -> None:
    """Name each case as soon as it is there."""
    for case in opened:
        typer.echo(f"case {case.id}  {shown(case.title, 100)}")


def _stix(response: Response, incident: Incident, asked: Asked, file: TextIO) -> None:
    run = response.run
    bundle = stix_incident.bundle(
        incident,
        author=f"tocsin {run.tool_version}",
        tlp=asked.tlp,
        attack=run.attack,
        indicators={rule.id: rule.indicator for rule in run.rules.rules if rule.indicator},
    )
    file.write(as_document(bundle))


def _report(
    response: Response,
    incident: Incident,
    asked: Asked,
    audience: report.Audience,
    told: tuple[Mapping[Place, Raw], Compared],
    file: TextIO,
) -> None:
    raws, who = told
    one = report.Report(
        incident=incident,
        run=response.run,
        raws=raws,
        attribution=who.found[incident.id],
        own=who.own[incident.id],
        audience=audience,
        revealed=asked.revealed if audience == "analyst" else "",
        tlp=asked.tlp,
        classification=asked.classification,
        caveat=asked.caveat,
    )
    report.write(one, file)
