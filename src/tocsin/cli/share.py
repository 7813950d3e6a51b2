"""`tocsin share`: what a peer would be told of a bundle, and the file for them once that is wanted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tocsin.cli import folders, listing, person, share_nodes, share_opine, share_read
from tocsin.cli.case_options import By
from tocsin.cli.node import Json
from tocsin.errors import SettingsError, ShareError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tocsin.model.asset import Asset
    from tocsin.model.peer import Peer
    from tocsin.model.person import Person
    from tocsin.model.release import Release

MOST_REASONS: Final = 4  # of one object in a table
_FORMS: Final = ("stix", "misp")

Bundle = Annotated[Path, typer.Argument(metavar="BUNDLE", help="A STIX 2.1 bundle (docs/stix.md).")]
Own = Annotated[
    list[str] | None,
    typer.Option("--own", metavar="ID", help="The id of an identity in it that is you. May be repeated."),
]
Assets = Annotated[Path | None, typer.Option("--assets", metavar="FILE", help="The list of machines to keep unnamed.")]
People = Annotated[Path | None, typer.Option("--people", metavar="FILE", help="The list of people to keep unnamed.")]
Form = Annotated[str, typer.Option("--format", help="stix, or misp for an event of MISP that says the same.")]
Agreement = Annotated[
    list[Path], typer.Option("--to", metavar="AGREEMENT", help="The file of a peer (docs/sharing.md). May be repeated.")
]

app = typer.Typer(help="Between nations: who would be told what, and why not the rest; and the file for them.")
app.command()(share_read.read)
app.command()(share_opine.opine)
app.command()(share_nodes.give)
app.command()(share_nodes.take)
app.command()(share_nodes.revoke)


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def folder() -> Path:
    return folders.data() / "share"


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to be told, and to keep."""

    objects: Sequence[Mapping[str, Any]]
    sha256: str
    own: frozenset[str]
    assets: Sequence[Asset] | None
    people: Sequence[Person] | None

    def release(self, peer: Peer, *, sightings: bool = False) -> Release:
        from tocsin import share

        machines, persons = self.assets or (), self.people or ()
        key = share.key_for(folder(), peer.id)
        hidden = share.Hidden(share.names(self.objects, machines, persons), key, share.networks(machines))
        today = datetime.now(UTC).date().isoformat()
        return share.decide(self.objects, peer, hidden, key=key, own=self.own, today=today, sightings_decided=sightings)


def bundle_of(bundle: Path, own: list[str] | None, assets: Path | None, people: Path | None) -> Told:
    from tocsin.border.assets import read_assets
    from tocsin.border.bundles import read_objects
    from tocsin.border.people import read_people

    objects, sha256 = read_objects(bundle)
    there = {one.get("id"): one for one in objects if one.get("type") == "identity"}
    for named in own or ():
        if named not in there:
            hint = "They are: " + ", ".join(sorted(map(str, there))) if there else "There is none in it."
            raise SettingsError(f"--own {named}: there is no such identity in {bundle}", hint=hint)
    return Told(
        objects=objects,
        sha256=sha256,
        own=frozenset(own or ()),
        assets=read_assets(assets)[0].all if assets else None,
        people=read_people(people)[0].all if people else None,
    )


@app.command()
def preview(bundle: Bundle, to: Agreement, *, own: Own = None, assets: Assets = None, people: People = None) -> None:
    """Show who would be told what of a bundle, and why not the rest. Nothing leaves."""
    from tocsin.border.agreement import read_agreement

    asked = bundle_of(bundle, own, assets, people)
    for number, agreement in enumerate(to):
        if number:
            typer.echo()
        show_release(asked.release(read_agreement(agreement)[0]))
    _hint(asked)


@app.command("bundle")
def write_bundle(
    bundle: Bundle,
    to: Agreement,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write the file for them.")],
    *,
    form: Annotated[
        str, typer.Option("--format", help="stix, or misp for an event of MISP that says the same.")
    ] = "stix",
    own: Own = None,
    assets: Assets = None,
    people: People = None,
    sightings: Annotated[
        str,
        typer.Option(
            metavar="REASON", help="Tell them what was seen here, this time: signed with your key, with this reason."
        ),
    ] = "",
    by: By = None,
    passphrase_fd: person.PassphraseFd = None,
) -> None:
    """Write what a peer may have of a bundle as a file for them, after an entry in the journal."""
    import hashlib

    from tocsin import share
    from tocsin.border.agreement import read_agreement
    from tocsin.output.files import save

    if form not in _FORMS:
        raise SettingsError(f"--format {form}: there is no such form", hint=f"There are {', '.join(_FORMS)}.")
    if len(to) != 1:
        raise SettingsError("--to is given more than once", hint="Each peer gets a file of their own.")
    asked = bundle_of(bundle, own, assets, people)
    peer, agreement = read_agreement(to[0])
    signed = sightings_decided(asked, peer, sightings, by, passphrase_fd) if sightings else None
    release = asked.release(peer, sightings=signed is not None)
    if not release.objects:
        show_release(release)
        raise ShareError(f"nothing of {bundle} may go to {peer.name}", hint="The table says why of each object.")
    text, left = _written(release, form)
    told = entry(asked, release, agreement, person.whoever(by), hashlib.sha256(text.encode()).hexdigest())
    share.add(folder(), told | ({"decision": signed} if signed else {}))
    # Before the file: what is told can be taken back.
    beside = share_nodes.tell(peer, release, going(release), out, passphrase_fd)
    save(out, lambda file: file.writelines([text]))
    show_release(release)
    if left:
        listing.show(("not in the event", "because"), left, "")
    typer.echo(f"written: {shown(str(out))}, and in the journal {shown(str(folder() / share.JOURNAL))}")
    if beside is not None:
        typer.echo(f"written: {shown(str(beside))}, the same with entries, heads and proofs, for their node")


def _written(release: Release, form: str) -> tuple[str, list[tuple[str, str]]]:
    """What may go in the form that was asked for, and what that form has no place for."""
    from tocsin.border import misp_event
    from tocsin.border.bundles import as_bundle

    if form == "stix":
        return as_bundle(release.objects), []
    told, left = misp_event.event(release.objects)
    return misp_event.written(told), [(one.id, one.why) for one in left]


@app.command()
def log(
    of: Annotated[
        str,
        typer.Option("--of", metavar="NODE", help="The signed log of a trusted node; `here` for ours."),
    ] = "",
    *,
    verify: Annotated[bool, typer.Option("--verify", help="With --of: check every signature again.")] = False,
    forks: Annotated[
        Path | None,
        typer.Option("--forks", metavar="FILE", help="With --of: write the proof of its fork."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what was let go, to whom and by whom; with --of the signed log of a node. It is checked first."""
    from tocsin import share

    if of:
        share_nodes.show_log(of, verify=verify, as_json=as_json, forks=forks)
        return
    if verify or forks:
        raise SettingsError(
            "--verify and --forks are about the log of a node", hint="Say whose with --of, such as --of here."
        )
    if as_json:
        typer.echo(json.dumps(share.entries(folder()), indent=1))
        return
    rows = [
        (one["at"], one["peer"], one["by"], f"{len(one['ids']):,} taken back: {one['reason']}", "")
        if one["what"] == "revoked"
        else (one["at"], one["peer"], one["by"], _words(one["objects"]), one["sent"][:16])
        for one in share.entries(folder())
    ]
    listing.show(("at", "peer", "by", "objects", "file"), rows, f"Nothing was let go from {folder()}.")


def sightings_decided(asked: Told, peer: Peer, reason: str, by: str | None, descriptor: int | None) -> dict[str, Any]:
    from tocsin.model.decision import Decision
    from tocsin.seal import decisions

    signer, key = person.signing(by, descriptor)
    decision = Decision(
        case="",
        subject=f"tell sightings to {peer.id}",
        choice="yes",
        role="liaison",
        by=signer.name,
        key=signer.fingerprint,
        at=decisions.now(),
        reason=reason,
        seen=asked.sha256,
    )
    return decisions.signed(decision, key)


def entry(asked: Told, release: Release, agreement: str, by: str, sent: str) -> dict[str, Any]:
    """What the journal says of a release: `sent` is the digest of what goes."""
    from tocsin.seal import decisions

    return {
        "what": "released",
        "version": 1,
        "at": decisions.now(),
        "by": by,
        "peer": release.peer.id,
        "agreement": agreement,
        "bundle": asked.sha256,
        "sent": sent,
        "objects": counts(release),
        "withheld": reasons(release),
    }


def going(release: Release) -> list[str]:
    """The ids here of what goes, in its order."""
    return [one.id for one in release.verdicts if one.outcome != "withheld"]


def counts(release: Release) -> dict[str, int]:
    from tocsin.model.release import OUTCOMES

    return {name: sum(one.outcome == name for one in release.verdicts) for name in OUTCOMES}


def reasons(release: Release) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in release.verdicts:
        if one.outcome == "withheld":
            found[one.because[0]] = found.get(one.because[0], 0) + 1
    return dict(sorted(found.items()))


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def show_release(release: Release) -> None:
    peer = release.peer
    typer.echo(f"{shown(peer.name)}: up to TLP:{peer.tlp.upper()} and PAP:{peer.pap.upper()}, victims {peer.victims}")
    rows = [(one.outcome, one.kind, one.title, "; ".join(one.because[:MOST_REASONS])) for one in release.verdicts]
    listing.show(("outcome", "type", "what it is here", "because"), rows, "The bundle is empty.")
    typer.echo(_words(counts(release)))


def _hint(asked: Told) -> None:
    made = [one for one in asked.objects if one.get("type") == "identity" and one.get("id") not in asked.own]
    creators = {one.get("created_by_ref") for one in asked.objects}
    if not asked.own and (makers := [one for one in made if one.get("id") in creators]):
        for one in makers:
            typer.echo(f"note: if {shown(str(one.get('name')), 80)} is you, say --own {one.get('id')}", err=True)
    if asked.people is None or asked.assets is None:
        typer.echo("note: with --assets and --people, all names on these lists are kept from them", err=True)
