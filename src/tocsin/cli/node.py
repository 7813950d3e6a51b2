"""`tocsin node`: who we are to other nodes, whom we trust, and what becomes of keys; and `tocsin peers`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tocsin.cli import folders, listing, passphrase, person
from tocsin.cli.case_options import By
from tocsin.errors import SettingsError, ShareError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.share.nodes.folder import Folder

Json = Annotated[bool, typer.Option("--json", help="As one JSON document.")]
_REASONS: Final = ("planned", "stolen", "ended")

app = typer.Typer(help="This node: its key and its log, and the nodes whose fingerprints somebody here has heard.")


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def folder() -> Path:
    return folders.data() / "node"


def mark() -> Path:
    """Apart from the folder on purpose: a backup that brings back the one must not bring back the other."""
    return folders.state() / "node-head.json"


def trusted(here: Folder, name: str) -> str:
    """The fingerprint of a node by the name that it has here, or by itself."""
    for one in here.trusted.values():
        if name == one.node or name.casefold() == one.name.casefold():
            return one.node
    names = ", ".join(sorted(one.name for one in here.trusted.values())) or "nobody yet"
    raise ShareError(
        f"{name}: no such node is trusted here", hint=f"Trusted are: {names}. `tocsin node trust` adds one."
    )


@app.command()
def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As others shall see it.")],
    *,
    protect: Annotated[
        bool, typer.Option("--protect", help="Keep its key under a passphrase. Then it signs nothing unattended.")
    ] = False,
    passphrase_fd: person.PassphraseFd = None,
) -> None:
    """Make this node: a key, and the first entry of its log."""
    from tocsin.seal import decisions, signers
    from tocsin.share.nodes import acting
    from tocsin.share.nodes import folder as kept

    name = signers.checked_name(name)
    secret = passphrase.chosen(name, passphrase_fd) if protect and not kept.is_there(folder()) else b""
    first = acting.begin(folder(), name, at=decisions.now(), passphrase=secret)
    with kept.held(folder()) as here:
        acting.remember(here, mark())
    typer.echo(f"{shown(name)}: the node is made")
    typer.echo(f"  fingerprint  {first.node}")
    typer.echo(f"  kept in      {shown(str(folder()))}")
    typer.echo("Tell others the fingerprint by another way than its log will take, such as by telephone.")


@app.command("id")
def show(*, as_json: Json = False) -> None:
    """Show what names this node, which key signs now, and how far its log goes."""
    from tocsin.seal import keys
    from tocsin.share.nodes import acting
    from tocsin.share.nodes import folder as kept

    with kept.held(folder()) as here:
        book, last = here.known.books[here.node], acting.tip(here)
        signs = book.after[last.digest]
        told: dict[str, Any] = {
            "name": here.about.name,
            "node": here.node,
            "signs": signs,
            "public_key": keys.public_text(book.keys[signs]) if signs else None,
            "entries": len(here.own),
            "head": asdict(last),
            "made_at": here.about.made_at,
            "folder": str(here.root),
            "forked": book.fork is not None,
        }
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    typer.echo(shown(told["name"]))
    typer.echo(f"  fingerprint  {told['node']}   it names the node, for good")
    typer.echo(f"  signs now    {'the same key' if signs == told['node'] else signs or 'none: this node has ended'}")
    typer.echo(f"  public key   {told['public_key'] or 'none'}")
    branch = f", in the branch {last.branch[:8]} since it was restored" if last.branch else ""
    typer.echo(f"  log          {told['entries']:,} entries up to number {last.sequence:,}{branch}")
    typer.echo(f"  head         {last.digest}")
    typer.echo(f"  kept in      {shown(told['folder'])}")
    if told["forked"]:
        typer.echo("THE KEY OF THIS NODE SIGNED TWO LOGS: somebody else has it, or a backup wrote on unsaid.")
        typer.echo("Tell your peers over another way, make a node anew, and have them trust it with --follows.")


@app.command()
def trust(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As it shall be called here.")],
    fingerprint: Annotated[
        str,
        typer.Argument(metavar="FINGERPRINT", help="As its people said it, by another way than its log."),
    ] = "",
    *,
    follows: Annotated[
        str, typer.Option("--follows", metavar="NAME", help="The node of the same people that it takes the place of.")
    ] = "",
    remove: Annotated[bool, typer.Option("--remove", help="No longer: what it said counts no more here.")] = False,
    by: By = None,
) -> None:
    """Trust a node by its fingerprint, or no longer. Nothing is taken from nodes that nobody here trusts."""
    import re

    from tocsin.model.node import Trusted
    from tocsin.seal import decisions, signers
    from tocsin.share.nodes import folder as kept
    from tocsin.share.nodes import received

    name = signers.checked_name(name)
    with kept.held(folder()) as here:
        if remove:
            node = trusted(here, name)
            path = received.place(here, node)
            kept.distrust(here.root, node)
            path.unlink(missing_ok=True)
            typer.echo(f"{shown(name)}: is trusted no longer; what it told is in no bundle here any more")
            return
        if not re.fullmatch(r"SHA256:[A-Za-z0-9+/]{43}", fingerprint):
            hint = "It is what `tocsin node id` shows them: SHA256: and 43 characters."
            raise SettingsError(f"{fingerprint or 'nothing'}: is no fingerprint", hint=hint)
        for one in here.trusted.values():
            if (one.name.casefold() == name.casefold()) != (one.node == fingerprint):
                hint = "--remove it first, or choose a name that can be told apart."
                raise ShareError(f"{one.name}: is trusted already, as {one.node}", hint=hint)
        if fingerprint == here.node:
            raise ShareError("that is this node itself", hint="Ask for the fingerprint of theirs.")
        before = trusted(here, follows) if follows else ""
        at, who = decisions.now(), person.whoever(by)
        kept.trust(here.root, Trusted(node=fingerprint, name=name, by=who, added_at=at, follows=before))
    typer.echo(f"{shown(name)}: is trusted from now on, as {fingerprint}")


@app.command()
def rotate(
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="WHY", help="`planned`, `stolen`, or `ended`: no key signs any more."),
    ] = "planned",
    *,
    protect: Annotated[
        bool, typer.Option("--protect", help="Put the new key under a passphrase, as a protected one is anyway.")
    ] = False,
    passphrase_fd: person.PassphraseFd = None,
) -> None:
    """Hand on to a new key, signed by the old one and by itself; or to none, which ends the node."""
    from tocsin.seal import decisions
    from tocsin.share.nodes import acting
    from tocsin.share.nodes import folder as kept

    if reason not in _REASONS:
        raise SettingsError(f"--reason {reason}: is none", hint=f"Reasons are {', '.join(_REASONS)}.")
    with kept.held(folder()) as here:
        given: list[bytes] = []

        def ask(question: str) -> bytes:
            given.append(passphrase.asker(passphrase_fd)(question))
            return given[-1]

        key = acting.signing(here, ask)
        # A key that was protected is followed by one that is, under the same passphrase.
        secret = given[-1] if given else b""
        if protect and not given and reason != "ended":
            secret = passphrase.chosen(here.about.name, passphrase_fd)
        entry = acting.rotate(here, key, reason, at=decisions.now(), mark=mark(), passphrase=secret)  # type: ignore[arg-type]
        signs = here.known.books[here.node].after[entry.digest]
    typer.echo(f"entry {entry.sequence:,}: {f'from here on signs {signs}' if signs else 'the node has ended'}")
    if signs:
        typer.echo("The old key is deleted here. Its copies, if there are any, are worth deleting too.")
    typer.echo("Others learn of it with the log (`tocsin share give`); its fingerprint stays what it is.")
    if reason == "stolen":
        typer.echo(
            "Tell your peers by another way too: until they have this entry, whoever has the old key speaks for you."
        )


@app.command()
def restored(passphrase_fd: person.PassphraseFd = None) -> None:
    """Say that this folder came back from a backup, where no peer could give back what is missing.

    Take what peers hand over first (`tocsin share take`): that brings back what this node had written after the backup.
    """
    from tocsin.seal import decisions
    from tocsin.share.nodes import acting
    from tocsin.share.nodes import folder as kept

    with kept.held(folder()) as here:
        key = acting.signing(here, passphrase.asker(passphrase_fd))
        entry = acting.restored(here, key, at=decisions.now(), mark=mark())
    typer.echo(
        f"entry {entry.sequence:,}: the log goes on in the branch {entry.branch[:8]}, from entry {entry.sequence - 1:,}"
    )


@app.command()
def check(
    proof: Annotated[Path, typer.Argument(metavar="PROOF", help="Of a fork, as `tocsin share log --forks` writes.")],
    key: Annotated[
        str,
        typer.Option("--key", metavar="KEY", help="The public key it must be of, its fingerprint, or a file."),
    ] = "",
) -> None:
    """Check a proof that a key signed two logs: offline, by anybody, with nothing but the file and the public key."""
    from tocsin.seal import keys
    from tocsin.share.nodes import forks

    try:
        with proof.open("rb") as file:
            content = file.read(forks.MOST_BYTES + 1)
    except OSError as error:
        raise ShareError(f"{proof}: {error.strerror or error}", hint="Name a file that can be read.") from error
    fork = forks.of_file(content)
    found = keys.fingerprint(keys.public(fork.key))
    if key:
        wanted = key
        if not key.startswith("SHA256:"):
            wanted = keys.fingerprint(keys.public(key) if key.startswith("ssh-") else keys.load_public(Path(key)))
        if wanted != found:
            raise ShareError(
                f"{proof}: is about the key {found}, and not {wanted}", hint="It says nothing of that key."
            )
    typer.echo(f"proven: {forks.in_words(fork)}")
    typer.echo(f"  node  {fork.node}")
    if not key:
        typer.echo("Whose key that is, the proof cannot say: compare the fingerprint, or give it with --key.")


def peers(*, as_json: Json = False) -> None:
    """Show the nodes that are trusted: who is behind, whose key signed two logs, who knows what was taken back."""
    from tocsin.cli import node_pages
    from tocsin.share.nodes import folder as kept
    from tocsin.share.nodes import standing

    with kept.held(folder()) as here:
        told, gone = standing.peers(here), standing.revocations(here)
    if as_json:
        typer.echo(json.dumps({"peers": [asdict(one) for one in told], "revocations": gone}, indent=1))
        return
    listing.show(
        node_pages.PEERS, [node_pages.peer(one) for one in told], "No node is trusted yet: `tocsin node trust`."
    )
    for line in node_pages.waiting(gone):
        typer.echo(line)
