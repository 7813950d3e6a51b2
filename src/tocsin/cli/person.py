"""`tocsin person`: people whose keys are known here, so that what they decide can be signed and checked."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tocsin.cli import folders, listing, passphrase
from tocsin.errors import SealError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.model.decision import Signer
    from tocsin.seal.keys import Signing
    from tocsin.seal.signers import Known

VARIABLE: Final = "TOCSIN_PERSON"

PassphraseFd = Annotated[
    int | None,
    typer.Option(
        "--passphrase-fd",
        metavar="N",
        help=f"Read the passphrase from this descriptor. Otherwise from the file that {passphrase.VARIABLE} names, "
        "and otherwise it is asked for.",
    ),
]

app = typer.Typer(help="People and their keys: what a person decides in a case is signed with theirs.")


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def folder() -> Path:
    return folders.data() / "people"


def whoever(name: str | None) -> str:
    """Who is at work: as they say, as TOCSIN_PERSON says, or as they are logged in."""
    if name or (name := os.environ.get(VARIABLE)):
        return name
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


def signing(name: str | None, descriptor: int | None) -> tuple[Signer, Signing]:
    """The person and their private key: in a file, or held by an agent where only the public one is known."""
    from tocsin.seal import agent, keys, signers

    known = signers.find(folder(), whoever(name))
    if not known.key_file and agent.is_there():
        return known.signer, agent.Key(keys.public(known.signer.key))
    if not known.key_file:
        hint = f"Sign where the private key is, or let an ssh-agent hold it and name that in {agent.VARIABLE}."
        raise SealError(f"{known.signer.name}: only the public key is known here", hint=hint)
    key = keys.load(Path(known.key_file), passphrase.asker(descriptor))
    if keys.fingerprint(key) != known.signer.fingerprint:
        hint = "Put the right key back, or add the person anew under another name."
        raise SealError(f"{known.key_file}: holds another key than that of {known.signer.name}", hint=hint)
    return known.signer, key


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As it shall stand in logs.")],
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            metavar="FILE",
            help="A private key that is there (OpenSSH or PKCS#8, Ed25519), a public key of somebody elsewhere or of "
            "what an ssh-agent holds, or where to write a new key.",
        ),
    ] = None,
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Make a key for a person, or remember the one they have.

    A new key is written under a passphrase, in the form of OpenSSH; nothing can bring it back if that is forgotten.
    """
    from tocsin.seal import decisions, keys, signers

    name = signers.checked_name(name)
    _refuse_known(name)
    if key is not None and key.exists() and not keys.is_private(key):
        signer, place, did = (
            signers.of(name, keys.load_public(key)),
            "",
            "remembered; can be checked here, and signs where an ssh-agent holds it",
        )
    elif key is not None and key.exists():
        signer = signers.of(name, keys.load(key, passphrase.asker(passphrase_fd)))
        place, did = str(key.absolute()), "remembered"
    else:
        path = (key or signers.key_place(folder(), name)).absolute()
        made = keys.make()
        keys.save(path, made, passphrase.chosen(name, passphrase_fd))
        signer, place, did = signers.of(name, made), str(path), "made"
    signers.add(folder(), signers.Known(signer=signer, added_at=decisions.now(), key_file=place))
    typer.echo(f"{shown(name)}: the key is {did}")
    typer.echo(f"  fingerprint  {signer.fingerprint}")
    if place:
        typer.echo(f"  private key  {shown(place)}")
    typer.echo(f"  public key   {signer.key}")
    typer.echo("Tell others the fingerprint, not by the way that the case takes: it is how they know you.")


def _refuse_known(name: str) -> None:
    """Before a key is made that nobody could use."""
    from tocsin.seal import signers

    for known in signers.everybody(folder()):
        if signers.folded(known.signer.name) == signers.folded(name):
            hint = "Add the other key under a name that can be told apart, such as with a number."
            raise SealError(f"{name}: is known already, with a key {known.signer.fingerprint}", hint=hint)


@app.command("list")
def list_people() -> None:
    """List the people whose keys are known here."""
    from tocsin.seal import signers

    there = signers.everybody(folder())
    rows = [(one.signer.name, one.signer.fingerprint, "yes" if one.key_file else "no") for one in there]
    listing.show(("name", "fingerprint", "signs here"), rows, f"Nobody is known yet in {folder()}.")


@app.command()
def show(name: Annotated[str, typer.Argument(metavar="NAME|FINGERPRINT")]) -> None:
    """Show a person's key: the line to give to others, and where the private key is."""
    from tocsin.seal import signers

    known: Known = signers.find(folder(), name)
    typer.echo(f"{shown(known.signer.name)}")
    typer.echo(f"  fingerprint  {known.signer.fingerprint}")
    typer.echo(f"  public key   {known.signer.key}")
    typer.echo(f"  private key  {shown(known.key_file) or 'not here'}")
    typer.echo(f"  added        {shown(known.added_at)}")
