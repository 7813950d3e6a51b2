"""`tocsin endorse`: claims that nations seal, each for itself, with its own confidence, reservation or dissent."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer

from tocsin.cli import folders, person
from tocsin.cli.case_options import By
from tocsin.cli.person import PassphraseFd
from tocsin.errors import SealError, SettingsError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tocsin.model.decision import Signer
    from tocsin.model.endorsement import Act, Confidence, Nation, Stance
    from tocsin.seal.keys import Signing

_NARROWEST: Final = 60
_WIDEST: Final = 110

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a joint statement.")]
Nations = Annotated[
    Path | None,
    typer.Option(
        "--nations", metavar="FILE", help="Nations and their keys (docs/joint-statements.md); yours if not given."
    ),
]
As = Annotated[str, typer.Option("--as", metavar="NATION", help="The nation in whose name it is said.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; all who may read the entries read it.")]

app = typer.Typer(help="Say it together: claims that nations seal, each with its own voice; and texts under embargo.")


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _nations(file: Path | None) -> tuple[Nation, ...]:
    from tocsin.border.nations import read_nations

    return read_nations(file or folders.data() / "nations.toml")


@app.command()
def propose(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML of the claims, whom they are put to, the words.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="A new folder for it.")],
) -> None:
    """Put a statement to nations: from now on not a letter of it changes."""
    from tocsin import endorsing
    from tocsin.border.nations import read_statement
    from tocsin.seal import decisions

    statement = read_statement(file, decisions.now())
    digest = endorsing.propose(statement, out)
    typer.echo(f"proposed: {shown(statement.title)}")
    typer.echo(f"  {len(statement.claims)} claims, put to {', '.join(statement.asked)}")
    typer.echo(f"  each stands once {statement.threshold} of them endorse it")
    typer.echo(f"  digest   {digest}")
    typer.echo(f"Give {shown(str(out))} to those who are asked; tell them the digest another way.")


@app.command()
def sign(  # noqa: PLR0917 (the library calls it by name)
    folder: Folder,
    nation: As,
    confidence: Annotated[
        str, typer.Option(metavar="WORD", help="In what you endorse: high, moderate or low.")
    ] = "moderate",
    reserve: Annotated[
        list[str] | None, typer.Option(metavar="CLAIM:WHY", help="Endorse it, with a reservation. May be repeated.")
    ] = None,
    dissent: Annotated[
        list[str] | None, typer.Option(metavar="CLAIM:WHY", help="Do not endorse it, and say so. May be repeated.")
    ] = None,
    abstain: Annotated[list[str] | None, typer.Option(metavar="CLAIM", help="Say nothing of it.")] = None,
    named: Annotated[
        bool, typer.Option("--named", help="May be named in public with exactly these words, if they come to stand.")
    ] = False,
    reason: Why = "",
    nations: Nations = None,
    by: By = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Seal every claim in the name of a nation; those that are not named otherwise are endorsed.

    It takes the place of what the nation said before, which stays to be read.
    """
    from tocsin import endorsing

    if confidence not in ("high", "moderate", "low"):
        raise SettingsError(f"--confidence {confidence}: no such word", hint="Say high, moderate or low.")
    told: dict[str, tuple[Stance, str]] = {}
    for stance, words in (("reserve", reserve), ("dissent", dissent), ("abstain", abstain)):
        for one in words or ():
            claim, _, why = one.partition(":")
            if claim.strip() in told:
                raise SettingsError(f"{claim}: is named twice", hint="Say one thing of each claim.")
            told[claim.strip()] = (cast("Stance", stance), why.strip())
    signer, key = person.signing(by, passphrase_fd)
    entry = endorsing.sign(
        folder,
        _nations(nations),
        nation,
        key,
        stances=told,
        confidence=cast("Confidence", confidence),
        named=named,
        reason=reason,
    )
    counts = [f"{one.stance} {_short(one.claim)}" for one in entry.claims if one.stance != "endorse"]
    typer.echo(
        f"sealed in the name of {nation} by {shown(signer.name)}"
        + (f", but {', '.join(counts)}" if counts else ", every claim")
    )
    typer.echo("Give the folder back to the others: `tocsin endorse merge` puts folders together, in any order.")


def _short(digest: str) -> str:
    return digest[:12]


def _against(
    folder: Path, nation: str, act: Act, reason: str, nations: Sequence[Nation], signing: tuple[Signer, Signing]
) -> str:
    """Seal an entry that endorses nothing; gives the name of whoever sealed it."""
    from tocsin import endorsing

    signer, key = signing
    endorsing.sign(folder, nations, nation, key, act=act, reason=reason)
    return signer.name


@app.command()
def withdraw(
    folder: Folder,
    nation: As,
    reason: Why = "",
    nations: Nations = None,
    by: By = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Take back what a nation sealed, by a new entry; that it had sealed stays to be read."""
    by_whom = _against(folder, nation, "withdraw", reason, _nations(nations), person.signing(by, passphrase_fd))
    typer.echo(f"withdrawn in the name of {nation} by {shown(by_whom)}")


@app.command()
def decline(
    folder: Folder,
    nation: As,
    reason: Why = "",
    nations: Nations = None,
    by: By = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Answer that a nation seals none of it. Only those who hold the entries learn that it was asked."""
    by_whom = _against(folder, nation, "decline", reason, _nations(nations), person.signing(by, passphrase_fd))
    typer.echo(f"declined in the name of {nation} by {shown(by_whom)}")


@app.command()
def merge(
    folder: Folder,
    others: Annotated[list[Path], typer.Argument(metavar="FROM...", help="Folders of the same statement.")],
    nations: Nations = None,
) -> None:
    """Take the entries that others hold; the order does not matter, and nothing here is lost."""
    from tocsin import endorsing

    known = _nations(nations)
    for other in others:
        typer.echo(f"{shown(str(other))}: {endorsing.merge(folder, other, known)} new entries")


@app.command()
def show(
    folder: Folder, nations: Nations = None, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Show each claim, who stands behind it and who does not, and what each nation said. For signers alone."""
    from tocsin import endorsing
    from tocsin.cli.endorse_pages import Page, plain

    known = _nations(nations)
    found = endorsing.concord(folder, known)
    if as_json:
        typer.echo(json.dumps(plain(found), indent=2))
        return
    width = min(max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST), _WIDEST)
    for line in Page(width).told(found, known):
        typer.echo(line)


@app.command()
def verify(folder: Folder, nations: Nations = None) -> None:
    """Check every seal with public keys alone, offline. What does not hold is an error, and named."""
    from tocsin import endorsing

    found = endorsing.concord(folder, _nations(nations))
    typer.echo(f"statement  {found.digest}")
    for one in found.voices:
        typer.echo(f"  {shown(one.nation):12} {one.state}" + "".join(f"; {doubt}" for doubt in one.doubts))
    for tally in found.tallies:
        count = len({*tally.endorse, *tally.reserve} & set(found.statement.asked))
        typer.echo(f"  claim {shown(tally.claim.id)}: {count} of the {found.statement.threshold} it takes")
        if tally.dissent:
            typer.echo(f"    against it: {shown(', '.join(tally.dissent))}")
    bad = [*found.refused, *(one.nation for one in found.voices if one.state == "contradicts itself")]
    if bad:
        raise SealError(f"{len(bad)} do not hold: {shown('; '.join(bad), 400)}", hint="Ask whoever gave them to you.")
    typer.echo("every entry is sealed by a key of the nation that it names")


@app.command()
def public(folder: Folder, nations: Nations = None) -> None:
    """Print the words for the public, with the nations that approved to be named with just these."""
    from tocsin import endorsing
    from tocsin.disclose import endorse

    known = _nations(nations)
    for line in endorse.public(endorsing.concord(folder, known), known).splitlines():
        typer.echo(shown(line))


@app.command()
def lock(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What is not to be read before.")],
    among: Annotated[str, typer.Option(metavar="NATIONS", help="Who hold shares of the key: au,nz,uk.")],
    threshold: Annotated[int, typer.Option(min=2, help="How many of them open it together.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="When it is agreed to be opened: ISO 8601.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write what is locked.")],
    nations: Nations = None,
) -> None:
    """Put a text under embargo: some of these nations together can open it, and nobody alone.

    It is no clock: those who agree to can open it early. What they give of it they sign, and so it is seen.
    """
    from tocsin import endorsing

    ids = [word.strip() for word in among.split(",") if word.strip()]
    endorsing.lock(file, ids, threshold, until, out, _nations(nations))
    typer.echo(f"locked until {until}: {threshold} of {', '.join(ids)} open it")
    typer.echo(f"written: {shown(str(out))}. The text itself is still where it was.")


@app.command()
def give(
    locked: Annotated[Path, typer.Argument(metavar="LOCKED", help="What `tocsin endorse lock` wrote.")],
    nation: As,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write the share.")],
    early: Annotated[bool, typer.Option("--early", help="Before the agreed time, which all will see.")] = False,
    by: By = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Give a nation's share of the key into the open, signed; whoever has enough of them reads the text."""
    from tocsin import endorsing

    _, key = person.signing(by, passphrase_fd)
    endorsing.give(locked, nation, key, out, early=early)
    typer.echo(f"written: {shown(str(out))}")


@app.command(name="open")
def open_(
    locked: Annotated[Path, typer.Argument(metavar="LOCKED", help="What `tocsin endorse lock` wrote.")],
    shares: Annotated[list[Path], typer.Argument(metavar="SHARE...", help="What nations gave.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write the text.")],
    nations: Nations = None,
) -> None:
    """Open a text with the shares that nations gave, and say who gave theirs before the agreed time."""
    from tocsin import endorsing

    found = endorsing.unlock(locked, shares, out, _nations(nations))
    typer.echo(f"opened by {', '.join(found.by)}; written: {shown(str(out))}")
    if found.early:
        typer.echo(f"given before the agreed time, as they signed: {', '.join(found.early)}")
