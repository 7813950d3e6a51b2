"""`tocsin share exchange`: what our node and a peer's have for each other, over their server, until both have it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tocsin.cli import node, passphrase, person, share_nodes, share_remote
from tocsin.cli.case_options import By
from tocsin.cli.detect import Quiet
from tocsin.cli.node import Json
from tocsin.cli.share_remote import Authority, Certificate, Key, TokenFile, Url, User
from tocsin.errors import IndicatorError, SettingsError, ShareError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.seal import keys
    from tocsin.share.taxii.asking import Ask

HUNTED: Final = "hunted.json"  # beside what came: for each lake and file the digest that it was last asked with

Lake = Annotated[
    Path | None,
    typer.Option("--lake", metavar="DIR", help="Hunt at once for what is new in every year of this lake."),
]
ByAuthority = Annotated[
    str,
    typer.Option("--by-authority", metavar="TEXT", help="By which authority is hunted; it stands in the journal."),
]


def exchange(
    name: Annotated[str, typer.Argument(metavar="PEER", help="A node that is trusted here, by name or fingerprint.")],
    url: Url,
    *,
    token_file: TokenFile = None,
    user: User = "",
    authority: Authority = None,
    certificate: Certificate = None,
    key: Key = None,
    lake: Lake = None,
    by_authority: ByAuthority = "",
    by: By = None,
    as_json: Json = False,
    quiet: Quiet = False,
    passphrase_fd: person.PassphraseFd = None,
) -> None:
    """Give a peer's node what is for it and take what it has for ours, over their server: entries, heads, proofs."""
    check_hunt(lake, by_authority)
    from tocsin.share.taxii.asking import asking

    secret = passphrase.once(passphrase_fd)
    with asking(share_remote.remote(url, token_file, user, authority, certificate, key)) as ask:
        told = with_node(ask, url, name, secret, quiet=as_json or quiet)
    if as_json:
        typer.echo(json.dumps(told, indent=1))
    if lake is not None:
        hunt(name, lake, by_authority, by, quiet=quiet or as_json)


def check_hunt(lake: Path | None, by_authority: str) -> None:
    if lake is not None and not by_authority.strip():
        raise SettingsError(
            "--lake needs --by-authority", hint="Say by which authority is hunted: a law, an order, a case."
        )


def with_node(ask: Ask, url: str, name: str, secret: keys.Ask, *, quiet: bool) -> list[dict[str, Any]]:
    """Exchange messages with a trusted node's server, and tell what came of each that brought something.

    Raises:
        ShareError: nobody here trusts such a node, they refuse, or what they say does not hold.
    """
    from tocsin.share.nodes import folder as kept
    from tocsin.share.taxii import handing
    from tocsin.share.taxii.place import Ours

    with kept.held(node.folder()) as here:
        fingerprint = node.trusted(here, name)
    ours = Ours(root=node.folder(), mark=node.mark(), ask=secret)
    told: list[dict[str, Any]] = []
    signed = True
    for here, one, due in handing.hand_over(ask, url, ours, fingerprint):
        signed = one.signed
        again = one.signed and told and not (one.new or one.given_back or one.payloads or one.forks)
        told.append(share_nodes.tell_received(here, one, due, quiet=quiet or bool(again)))
    if not signed:
        hint = "If they took a new key, or came back from a backup, exchange again; if it stays so, telephone."
        raise ShareError(f"{url}: its answer is not signed with the key that speaks for {shown(name)} now", hint=hint)
    return told


def hunt(name: str, lake: Path, authority: str, by: str | None, *, quiet: bool) -> None:
    """Ask a lake for what a node told, if that is not what it was asked for last; what was taken back says so."""
    from tocsin.cli import hunt as hunts
    from tocsin.seal import durable
    from tocsin.share.nodes import folder as kept
    from tocsin.share.nodes import received

    with kept.held(node.folder()) as here:
        path = received.place(here, node.trusted(here, name))
    noted_at = path.with_name(HUNTED)
    noted = _noted(noted_at)
    question = f"{lake.resolve()} {path.name}"
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
    if not digest or noted.get(question) == digest:
        return
    try:
        purpose = f"what the node {name} told"
        hunts.hunt([str(path)], authority=authority, purpose=purpose, lake=lake, by=by, quiet=quiet, out=None)
    except IndicatorError as error:
        typer.echo(f"nothing to hunt for: {shown(error.message, 500)}", err=True)
    durable.replace(noted_at, json.dumps(noted | {question: digest}, indent=1).encode() + b"\n", mode=0o600)


def _noted(path: Path) -> dict[str, str]:
    import msgspec

    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else {}
    except (OSError, msgspec.MsgspecError) as error:
        raise ShareError(f"{path}: {error}", hint="Move it away to hunt for everything anew.") from error
