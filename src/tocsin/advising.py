"""The page on telling the world: what authors wrote and cases in, an advisory out, once all of it may leave.

Who is named as an author has approved exactly these words: they sealed a joint statement that holds their digest. Until
then it is a draft that names nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tocsin import attribution, cases, endorsing, hardening
from tocsin.border import advisory as files
from tocsin.border import stix_advisory
from tocsin.disclose import advisory as room
from tocsin.disclose import advisory_pages, endorse, own
from tocsin.errors import CaseError, OutputError, ShareError
from tocsin.investigate.normal import is_public
from tocsin.model.advisory import Advisory, Author, Part, Sentence
from tocsin.model.attack import Release, in_release
from tocsin.model.endorsement import Nation
from tocsin.model.hardening import Aim
from tocsin.model.incident import Incident
from tocsin.model.tlp import tlp_of
from tocsin.output.plain import utc
from tocsin.output.screen import shown
from tocsin.seal import durable

MOST_MEASURES: Final = 12
NAME: Final = "advisory"
APPROVE: Final = "We approve the advisory {}."  # the claim, to the letter: any other may say the contrary
_LONGEST_CHANGE: Final = 10_000
_MOST_BYTES: Final = 64 << 20
_PARTS: Final[tuple[Part, ...]] = ("background", "summary", "tradecraft", "tooling", "disclaimer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """`digest` is of the words that nations approve; `named` those who did, `draft` why it is not to be released."""

    advisory: Advisory
    digest: str
    release: Release
    named: tuple[Author, ...] = ()
    draft: str = "Nobody has approved these words."


def draft(
    told: files.Written, names: Sequence[str], root: Path, *, leave_out: bool, before: Path | None = None
) -> Drafted:
    """What authors wrote, with what the cases show.

    Args:
        leave_out: indicators that may not be in a release of its marking.
        before: what `save` kept of the revision before; what changed is part of the words.

    Raises:
        ShareError: something may not be in it; each place is named.
        CaseError: a case holds no incident, or the authors do not say what it is called.
    """
    known = attribution.known()
    release = known.facts.release(known.knowledge.release)
    if release is None:
        raise OutputError("nothing is known of ATT&CK", hint="`tocsin learn attack FILE` reads a release.")
    taken = [_told(told, name, root, known, release) for name in names]
    aims = [Aim(id=one.id, name=one.called, techniques=_techniques(one.incident)) for one in taken]
    ranked = hardening.weigh(aims, known, (), None, hardening.NOTHING_TOLD).steps if aims else ()
    made = Advisory(
        number=shown(told.number),
        revision=told.revision,
        title=shown(told.title),
        date=told.date.isoformat(),
        marking=tlp_of(told.marking),
        authors=tuple(
            Author(nation=one.nation, name=shown(one.name), contact=shown(one.contact)) for one in told.author
        ),
        parts=tuple((part, _sentences(getattr(told, part))) for part in _PARTS),
        studies=tuple(room.study(one, _day) for one in taken),
        rows=room.rows(taken, release),
        measures=room.measures((one.mitigation, one.name, one.techniques) for one in ranked[:MOST_MEASURES]),
        indicators=room.indicators(taken, _day, is_public),
        release=release.name,
    )
    _refuse_names(made, taken)
    made = room.checked(room.without(made) if leave_out else made)
    if before is not None:
        changed = room.changes(_before(before), made)
        made = replace(made, changes=tuple(shown(line, _LONGEST_CHANGE) for line in changed))
    return Drafted(advisory=made, digest=room.words_digest(made), release=release)


def _told(told: files.Written, name: str, root: Path, known: attribution.Known, release: Release) -> room.Told:
    folder = cases.find(root, name)
    _, case, _ = cases.entries_of(folder)
    incident = cases.incident_of(folder, case)
    if incident is None:
        raise CaseError(f"{case.id}: the case holds no incident", hint="Cases that tocsin respond opens do.")
    own = next((one for one in told.case if one.id == case.id), None)
    if own is None:
        hint = f'Give it a [[case]] with id = "{case.id}" in their file.'
        raise CaseError(f"{case.id}: the authors do not say what it is called", hint=hint)
    return room.Told(
        id=case.id,
        called=shown(own.called),
        marking=tlp_of(own.marking),
        incident=_in_release(incident, known, release),
        agreed=own.agreed,
    )


def _refuse_names(one: Advisory, taken: Sequence[room.Told]) -> None:
    said = (one.title, *(each.text for _, some in one.parts for each in some), *(study.called for study in one.studies))
    if names := sorted({name for told in taken for name in own.named(told.incident, said)}):
        raise ShareError(
            f"the authors' words name {', '.join(map(shown, names[:5]))}",
            hint="Those are machines, accounts or people of a case. Say it without them.",
        )


def _in_release(incident: Incident, known: attribution.Known, release: Release) -> Incident:
    """The same, with techniques of the release that the advisory is of, as far as they have one counterpart there."""
    new = {
        technique: in_release(technique, "", known.facts, release).within or technique
        for one in incident.findings
        for technique in one.techniques
    }
    return replace(
        incident,
        findings=tuple(
            replace(one, techniques=tuple(dict.fromkeys(new[technique] for technique in one.techniques)))
            for one in incident.findings
        ),
    )


def _techniques(incident: Incident) -> frozenset[str]:
    return frozenset(technique for one in incident.findings for technique in one.techniques)


def _sentences(said: Sequence[files.Said]) -> tuple[Sentence, ...]:
    return tuple(map(_sentence, said))


def _sentence(one: files.Said) -> Sentence:
    text = shown(" ".join(one.text.split()))
    return Sentence(text=text, evidence=one.evidence, marking=tlp_of(one.marking), percent=one.percent)


def _day(us: int | None) -> str:
    text = utc(us)
    return text[:10] if text else "a day not told"


def approved(drafted: Drafted, folder: Path, nations: Sequence[Nation]) -> Drafted:
    """The same with its authors named, who sealed its digest and may be named.

    Raises:
        ShareError: no claim holds the digest, too few stand behind it, or one of the authors does not.
    """
    found = endorsing.concord(folder, nations)
    claim = APPROVE.format(drafted.digest)
    if not any(one.text == claim for one in found.statement.claims):
        raise ShareError(
            f"{folder}: no claim of it holds the digest of these words, as it must be said",
            hint=f"Propose one that says just this: {claim}",
        )
    if not found.stands:
        raise ShareError(f"{folder}: too few stand behind it", hint="`tocsin endorse show` says who does.")
    behind = endorse.named(found)
    if missing := [one.name for one in drafted.advisory.authors if one.nation not in behind]:
        raise ShareError(
            f"not approved with these words: {', '.join(missing)}",
            hint="Ask them to seal it with --named; or leave them out, and put the new digest to the others.",
        )
    return replace(drafted, named=drafted.advisory.authors, draft="")


def save(drafted: Drafted, folder: Path, *, with_pdf: bool = True) -> tuple[Path, ...]:
    """Write it: HTML, PDF, Markdown, STIX, a table of indicators, and what the next revision is held against."""
    named = replace(drafted.advisory, authors=drafted.named)
    page = advisory_pages.Page(advisory=named, draft=drafted.draft)
    contents = {
        f"{NAME}.html": advisory_pages.html(page).encode(),
        f"{NAME}.md": advisory_pages.markdown(page).encode(),
        f"{NAME}.stix.json": stix_advisory.bundle(named, drafted.release, drafted.digest).encode(),
        f"{NAME}.indicators.csv": advisory_pages.table(named).encode(),
        f"{NAME}.internal.json": room.written(drafted.advisory),
    }
    if with_pdf:
        contents[f"{NAME}.pdf"] = advisory_pages.pdf(page)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            durable.replace(folder / name, content)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror or error}", hint="Name a folder that can be written.") from error
    return tuple(folder / name for name in contents)


def _before(path: Path) -> Advisory:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise OutputError(f"{path}: larger than {_MOST_BYTES >> 20} MB", hint="It is no advisory.")
        return room.read(content)
    except (OSError, ValueError, RecursionError) as error:
        hint = f"Name the {NAME}.internal.json of the revision before."
        raise OutputError(f"{path}: is no advisory: {error}", hint=hint) from error
