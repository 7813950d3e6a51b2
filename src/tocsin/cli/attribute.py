"""`tocsin attribute`: who it may have been, how sure that is, why, and when nobody can say."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin.cli.case_options import By, Root, known, place
from tocsin.cli.person import PassphraseFd
from tocsin.errors import OutputError, SettingsError
from tocsin.model.tlp import TLP
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.attribution import Known
    from tocsin.model.attack import Facts
    from tocsin.model.attribution import Attribution
    from tocsin.model.cluster import Clusters
    from tocsin.model.observation import Observation
    from tocsin.model.statement import Standing

What = Annotated[
    list[str],
    typer.Argument(
        metavar="observations.json|CASE...",
        help="What was seen: a file, or a case of an incident. Of several it is said which are one activity.",
    ),
]
Against = Annotated[str, typer.Option(metavar="NAMES", help="Groups to compare, by any name: APT40,APT31.")]
WhatIf = Annotated[str, typer.Option(metavar="CHANGES", help="What if more or less had been seen: +T1505.003,-S0020.")]
Explain = Annotated[
    bool, typer.Option("--explain", help="Every line of the sums, in millidecibans, and the whole matrix.")
]
ClustersFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Your own clusters: says whether this is one of them, and keeps it there. For cases it is clusters.json "
        "beside them, for files none, if not given.",
    ),
]
Page = Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as a page, with what people decided.")]
Audience = Annotated[str, typer.Option(metavar="AUDIENCE", help="Of the page: analyst or leadership.")]
Tlp = Annotated[str, typer.Option(metavar="TLP", help="Marking of the page, and of what --stix writes.")]
Stix = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the answer and your clusters as a STIX bundle, for `tocsin share`."),
]
Statement = Annotated[
    bool, typer.Option("--statement", help="Show the statement that was proposed, to those who are to sign it.")
]
Propose = Annotated[
    str,
    typer.Option(metavar="WHO", help="Propose a statement on who is responsible; it stands once two others sign it."),
]
Sign = Annotated[str, typer.Option(metavar="DIGEST", help="Sign the proposed statement with your own key.")]
Refuse = Annotated[str, typer.Option(metavar="DIGEST", help="Refuse it, or take back that you signed.")]
AsRole = Annotated[str, typer.Option(metavar="ROLE", help="In which you sign: leadership, legal, minister.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why you propose, sign or refuse it.")]
AsJson = Annotated[bool, typer.Option("--json", help="All of it as JSON.")]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is compared, and how it is told."""

    what: list[str]
    root: Path
    against: list[str]
    what_if: list[str]
    clusters: Path | None
    stix: _StixAsked


@dataclass(frozen=True, slots=True)
class _StixAsked:
    file: Path | None
    tlp: str

    def save(
        self, seen: list[Observation], found: Mapping[str, Attribution], ours: Clusters | None, facts: Facts
    ) -> None:
        if self.file is None:
            return
        from importlib.metadata import version

        from tocsin.border import parcels, stix_nouns
        from tocsin.border.bundles import as_bundle
        from tocsin.border.tally import moment
        from tocsin.output.files import save

        if self.tlp not in TLP:
            raise SettingsError(f"--tlp {self.tlp}: there is no such marking", hint=f"There are {', '.join(TLP)}.")
        told = parcels.of_attributions(seen, found, ours)
        # When they were last seen, not when it is written: the same comparison gives the same bytes.
        days = [day if len(day) > 4 else f"{day}-01-01" for one in seen for day in (one.first_seen, one.last_seen)]
        at_us = max((moment(day) or 0 for day in days), default=0)
        # Of several releases the newest that knows a technique is the last.
        releases = [release.entries for release in facts.releases]
        names = {one: known[one].name for known in releases for one in told.techniques if one in known}
        author = f"tocsin {version('tocsin')}"
        made = stix_nouns.bundle(told, author=author, tlp=self.tlp, at_us=at_us, names=names)
        text = as_bundle(made["objects"])
        save(self.file, lambda opened: opened.writelines([text]))


def attribute(  # noqa: PLR0917 (the library calls it by name)
    what: What,
    against: Against = "",
    what_if: WhatIf = "",
    explain: Explain = False,
    clusters: ClustersFile = None,
    report: Page = None,
    audience: Audience = "analyst",
    tlp: Tlp = "amber+strict",
    stix: Stix = None,
    statement: Statement = False,
    propose: Propose = "",
    sign: Sign = "",
    refuse: Refuse = "",
    role: AsRole = "",
    reason: Why = "",
    as_json: AsJson = False,
    root: Root = None,
    by: By = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Compare what was seen with what is publicly known of groups, and with what your own closed cases saw.

    It says which groups it resembles and how likely each is, with "nobody known" among them, what speaks for and
    against, and what the answer hangs on. It is a technical comparison: who is responsible is a decision of people,
    and takes two of them with keys of their own.
    """
    if statement or propose or sign or refuse:
        from tocsin.cli import attribution_signing as signing

        if sum(map(bool, (statement, propose, sign, refuse))) != 1 or len(what) != 1:
            raise SettingsError("one of --statement, --propose, --sign and --refuse, for one case", hint="Ask for one.")
        signing.about(signing.Asked(what[0], place(root), by, role, reason, passphrase_fd), propose, sign, refuse)
        return
    if (report or what_if or against or explain) and len(what) > 1:
        raise SettingsError("--report, --what-if, --against and --explain go with one case or file", hint="Name one.")
    asked = _Asked(what, place(root), _several(against), _several(what_if), clusters, _StixAsked(stix, tlp))
    if len(what) > 1:
        _tell_several(asked, as_json=as_json)
    else:
        _tell(asked, _PageAsked(report, audience, tlp), explain=explain, as_json=as_json)


def _tell(asked: _Asked, page: _PageAsked, *, explain: bool, as_json: bool) -> None:
    from tocsin import attribution
    from tocsin.cli import attribution_pages

    (seen,), public, compared, notes = _read(asked)
    ours = _ours([seen], asked, public)
    before = attribution.weigh(seen, compared) if asked.what_if else None
    changed = attribution.what_if(seen, asked.what_if, compared) if asked.what_if else seen
    found = attribution.weigh(changed, compared, against=asked.against)
    found = replace(found, notes=(*found.notes, *notes))
    standing = _standing(asked)
    if page.file is not None:
        page.save(changed, found, standing, ours)
    asked.stix.save([changed], {changed.id: found}, ours, public.facts)
    if as_json:
        typer.echo(json.dumps(_plain(found, ours, standing), indent=2, sort_keys=True))
        return
    pages = attribution_pages.Pages(width=_width())
    lines = [*pages.ours(ours, seen.id), *pages.told(found, changed, before=before, explain=explain)]
    typer.echo("\n".join(lines + (list(pages.standing(standing)) if standing else [])))


def _tell_several(asked: _Asked, *, as_json: bool) -> None:
    from tocsin import attribution
    from tocsin.cli import attribution_pages

    seen, public, compared, notes = _read(asked)
    ours = _ours(seen, asked, public)
    found = {one.id: attribution.weigh(one, compared) for one in seen}
    asked.stix.save(seen, found, ours, public.facts)
    if as_json:
        told = {name: _plain(one, ours, None) for name, one in found.items()}
        typer.echo(json.dumps(told, indent=2, sort_keys=True))
        return
    typer.echo("\n".join([*attribution_pages.Pages(width=_width()).several(found, seen, ours), *map(shown, notes)]))


def _read(asked: _Asked) -> tuple[list[Observation], Known, Known, tuple[str, ...]]:
    """What was seen; public knowledge, the same with that of closed cases, and what of these could not be read."""
    from tocsin import attribution

    seen = [attribution.observed(one, asked.root) for one in asked.what]
    twice = [one.id for number, one in enumerate(seen) if one.id in [other.id for other in seen[:number]]]
    if twice:
        raise SettingsError(f"{twice[0]}: is named twice", hint='Each has an id of its own: see "id" in the files.')
    public = attribution.known()
    compared, notes = attribution.pooled(public, asked.root, without=[one.id for one in seen])
    return seen, public, compared, notes


def _ours(seen: list[Observation], asked: _Asked, public: Known) -> Clusters | None:
    """What was only supposed is not kept, and files are kept only where somebody named a place."""
    from tocsin import attribution
    from tocsin.model.cluster import Clusters

    file = asked.clusters
    if file is None and not all(map(_is_file, asked.what)):
        file = asked.root / attribution.CLUSTERS
    if file is None and len(seen) == 1:
        return None
    before = attribution.clusters(file) if file else Clusters()
    ours = attribution.clustered(seen, before, public)
    if file is not None and ours is not before and not asked.what_if:
        try:
            attribution.keep(ours, file)
        except OutputError as error:  # cases that may only be read are compared all the same
            typer.echo(f"note: clusters were not kept: {shown(error.message)}", err=True)
    return ours


def _width() -> int:
    return min(110, shutil.get_terminal_size((100, 24)).columns)


def _several(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _is_file(what: str) -> bool:
    return Path(what).is_file() or what.endswith(".json")


def _standing(asked: _Asked) -> Standing | None:
    from tocsin import cases

    what = asked.what[0]
    return None if _is_file(what) else cases.standing(cases.find(asked.root, what), known())


def _plain(found: Attribution, ours: Clusters | None, standing: Standing | None) -> dict[str, Any]:
    """As JSON. Whom somebody proposes to hold responsible is told only once people decided it."""
    import msgspec

    told: dict[str, Any] = msgspec.to_builtins(found)
    if ours is not None:
        told["clusters"] = msgspec.to_builtins(ours.clusters)
    if standing is not None:
        told["responsible"] = {
            "state": standing.state,
            "who": standing.held.responsible if standing.held else None,
            "signed_by": [one.by for one in standing.signed],
            "because": list(standing.because),
        }
    return told


@dataclass(frozen=True, slots=True)
class _PageAsked:
    file: Path | None
    audience: str
    tlp: str

    def __post_init__(self) -> None:
        if self.audience not in ("analyst", "leadership"):
            hint = "There are analyst and leadership."
            raise SettingsError(f"--audience {self.audience}: no page is made for them", hint=hint)
        if self.tlp not in TLP:
            raise SettingsError(f"--tlp {self.tlp}: there is no such marking", hint=f"There are {', '.join(TLP)}.")

    def save(self, seen: Observation, found: Attribution, standing: Standing | None, ours: Clusters | None) -> None:
        from importlib.metadata import version

        from tocsin.cli import attribution_pages
        from tocsin.model.statement import NOBODY
        from tocsin.output import report
        from tocsin.output.files import save

        page = report.Who(
            case=seen.id,
            title=seen.name or seen.id,
            attribution=found,
            standing=standing or NOBODY,
            own=tuple(attribution_pages.own_paragraphs(ours, seen.id)),
            audience="leadership" if self.audience == "leadership" else "analyst",
            tlp=self.tlp,
        )
        if self.file is not None:
            save(self.file, lambda opened: report.write_who(page, version("tocsin"), opened))
