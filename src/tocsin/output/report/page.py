"""A report in, its HTML out. All that a browser would run, load or lay out is ours; what logs say is text.

The page carries its styles and its one script, each named by its hash in the page's own content security policy, so
that nothing else can run and nothing is loaded. The same report gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, TextIO, TypeAlias, get_args

from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from tocsin.model.attribution import Attribution
from tocsin.model.background import Background
from tocsin.model.incident import Incident
from tocsin.model.press import Judged
from tocsin.model.raw import Place, Raw
from tocsin.model.run import Run
from tocsin.model.statement import NOBODY, Standing
from tocsin.model.tlp import TLP
from tocsin.output.plain import as_json, clock
from tocsin.output.report import graph, impact, lanes, logs, matrix, records, story, trees, who
from tocsin.output.screen import shown
from tocsin.output.summary import unseen

Audience: TypeAlias = Literal["analyst", "leadership", "partner"]
AUDIENCES: Final[tuple[Audience, ...]] = get_args(Audience)

_FILES: Final = (
    "impact.html",
    "overview.html",
    "page.html",
    "partner.html",
    "parts.html",
    "style.css",
    "page.js",
    "who.html",
    "who_page.html",
)
_MOST_ROWS: Final = 200  # of a table that stands in the page itself; findings are all there, a hundred at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is told of one incident, and to whom.

    Args:
        run: the evidence it was found in: custody, coverage, and what is known of ATT&CK.
        audience: analysts see everything; leadership sees no records; partners see no name of ours.
        tlp: marking of the Traffic Light Protocol 2.0, one of `model.tlp.TLP`.
        classification: national marking; `caveat` stands behind it.
        revealed: why the content of mail is shown; it is withheld where nobody gave a reason.
        raws: the records that the incident cites, as they stand in the evidence, by their place.
        attribution: who it may have been; None where nobody compared.
        own: whether it is one of the team's own clusters, as sentences.
    """

    incident: Incident
    run: Run
    audience: Audience = "analyst"
    tlp: str = "amber+strict"
    classification: str = ""
    caveat: str = ""
    revealed: str = ""
    raws: Mapping[Place, Raw] = field(default_factory=dict)
    attribution: Attribution | None = None
    own: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.tlp not in TLP:
            raise ValueError(f"{self.tlp!r} is no marking: one of {', '.join(TLP)}")


def write(report: Report, file: TextIO) -> None:
    """Write UTF-8 text; `file` does not translate line ends."""
    content = _common(report.run, report.tlp, report.classification, report.caveat) | {
        "incident": report.incident,
        "report": report,
        "techniques": matrix.matrix(report.incident, report.run.attack),
        "script": "",
        "script_hash": "",
    }
    if report.audience == "partner":
        content["shared"] = story.shared(report.incident)
        file.write(_environment().get_template("partner.html").render(content))
        return
    told = records.records(report.incident, report.raws, revealed=bool(report.revealed))
    content |= {
        "story": story.tell(report.incident),
        "way_in": story.way_in(report.incident),
        "graph": graph.draw(report.incident),
        "impact": impact.chapter(report.incident),
        "who": who.chapter(report.attribution, NOBODY, report.own) if report.attribution else None,
        "lanes": lanes.draw(report.incident),
        "trees": trees.grow(report.incident),
        "own": (),
        "record": told.number,
        "withheld": told.withheld,
        "cut_at": told.cut_at,
    }
    if report.audience == "analyst":
        hosts = [seen.name for seen in (*report.incident.hosts, *report.incident.perhaps_hosts)]
        content["own"] = logs.of_machines(report.run.coverage.seen, hosts)
        script = _sources()["page.js"]
        content["script"], content["script_hash"] = Markup(script), _hash(script)  # noqa: S704 - ours
        content["records"] = Markup(as_json(told.content))  # noqa: S704 - every `<` in it is escaped
        content["raw"] = Markup(as_json({"at": told.raw.at, "whys": told.raw.whys}))  # noqa: S704 - likewise
        content["blocks"] = Markup("\n".join(told.raw.blocks))  # noqa: S704 - base64
    file.write(_environment().get_template("page.html").render(content))


def write_overview(
    incidents: Sequence[Incident],
    links: Mapping[str, str],
    run: Run,
    file: TextIO,
    *,
    claims: Sequence[Judged] = (),
    tlp: str = "amber+strict",
    classification: str = "",
    caveat: str = "",
    background: Sequence[Background] = (),
) -> None:
    """Write a list of incidents in their order; `links` has the file of each that has a page, by its id.

    `claims` are what somebody said was taken, with what the evidence says of it.
    """
    content = _common(run, tlp, classification, caveat) | {
        "incidents": incidents,
        "claims": claims,
        "now": [one for one in incidents if one.rank == "act now"],
        "review": [one for one in incidents if one.rank != "act now"],
        "links": links,
        "background": background,
    }
    file.write(_environment().get_template("overview.html").render(content))


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The chapter on who it may have been as a page of its own, with what people decided of it."""

    case: str
    title: str
    attribution: Attribution
    standing: Standing
    own: tuple[str, ...] = ()
    audience: Audience = "analyst"
    tlp: str = "amber+strict"
    classification: str = ""
    caveat: str = ""


def write_who(page: Who, tool_version: str, file: TextIO) -> None:
    content = _marked(page.tlp, page.classification, page.caveat) | {
        "case": page.case,
        "title": page.title,
        "audience": page.audience,
        "tool_version": tool_version,
        "who": who.chapter(page.attribution, page.standing, page.own),
    }
    file.write(_environment().get_template("who_page.html").render(content))


def _marked(tlp: str, classification: str, caveat: str) -> dict[str, Any]:
    marking = " // ".join(part for part in (f"TLP:{tlp.upper()}", classification, caveat) if part)
    style = _sources()["style.css"].replace("MARKING", _css_text(marking))
    return {
        "marking": marking,
        "style": Markup(style),  # noqa: S704 - ours, and the marking in it is escaped
        "style_hash": _hash(style),
    }


def _common(run: Run, tlp: str, classification: str, caveat: str) -> dict[str, Any]:
    """What every page needs."""
    return _marked(tlp, classification, caveat) | {
        "tool_version": run.tool_version,
        "most": _MOST_ROWS,
        "unseen": unseen(run),
        "seen": logs.by_kind(run.coverage.seen),
        "custody": [source for source in run.custody if source.format or source.problems],
    }


@cache
def _sources() -> dict[str, str]:
    folder = resources.files("tocsin.output.report")
    return {name: (folder / name).read_text(encoding="utf-8") for name in _FILES}


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=DictLoader(_sources()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: shown(value) if type(value) is str else value,
    )
    environment.filters["clock"] = clock
    environment.filters["span"] = story.span
    environment.filters["plural"] = story.plural
    return environment


def _hash(text: str) -> str:
    """What a content security policy calls an inline style or script by (CSP level 3, section 2.3.1)."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _css_text(text: str) -> str:
    """A string of CSS (CSS Syntax level 3, section 4.3.7): everything but letters, digits and blanks as an escape."""
    return "".join(one if one.isascii() and (one.isalnum() or one in " :+/-") else f"\\{ord(one):x} " for one in text)
