"""`tocsin share serve`, `offer`, `token`, `pull` and `push`: objects between nations over TAXII 2.1."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tocsin.cli import node, passphrase, person, share, share_exchange, share_nodes, share_remote
from tocsin.cli.case_options import By
from tocsin.cli.detect import Quiet
from tocsin.cli.share_remote import Authority, Certificate, Key, TokenFile, Url, User
from tocsin.errors import IndicatorError, SettingsError, ShareError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.model.guest import Guest
    from tocsin.seal import keys
    from tocsin.share.taxii.asking import Ask
    from tocsin.share.taxii.client import Posted, Pulled
    from tocsin.share.taxii.place import Ours, Place

PORT: Final = 8043
STORE: Final = "TOCSIN_TAXII_STORE"
_MOST_TOLD: Final = 10  # reasons

Site = Annotated[
    Path, typer.Argument(metavar="SITE", help="The file that says what is served to whom (docs/taxii.md).")
]
Store = Annotated[
    str,
    typer.Option(
        metavar="URL",
        envvar=STORE,
        show_envvar=True,
        help="postgresql://... for a team; if not given, a file below $XDG_DATA_HOME/tocsin/share.",
    ),
]


def serve(
    site: Site,
    *,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Beyond this machine only with a certificate.")
    ] = f"127.0.0.1:{PORT}",
    store: Store = "",
    certificate: Certificate = None,
    key: Key = None,
    authority: Authority = None,
    passphrase_fd: person.PassphraseFd = None,
) -> None:
    """Serve collections over TAXII 2.1. Each peer is told what their agreement lets them have, and nothing else.

    Where we have a node, it takes messages of the nodes that agreements name, and answers them.
    """
    host, port = _listen(listen)
    from tocsin.share.taxii import serving

    if (certificate is None) != (key is None):
        raise SettingsError("--certificate and --key go together", hint="Give both, as files in PEM.")
    place = _place(site, store, _node(passphrase_fd))
    serving.check(place, host, encrypted=certificate is not None, authority=authority is not None)
    typer.echo(f"serving {shown(str(site))} on {host}:{port}, from {serving.START} on", err=True)
    serving.serve(place, host, port, complain=_complain, certificate=certificate, key=key, authority=authority)


def offer(
    site: Site,
    bundle: share.Bundle,
    collection: Annotated[str, typer.Option(metavar="ID", help="The id or the alias of the collection.")],
    *,
    store: Store = "",
) -> None:
    """Put a bundle of ours into a collection of ours. What each peer may read of it, their agreement decides."""
    import orjson

    from tocsin.border.bundles import read_objects
    from tocsin.share.taxii import feeds, intake, rights

    objects, _ = read_objects(bundle)
    place = _place(site, store)
    named = rights.by_name(place.site).get(collection)
    if named is None:
        hint = "There are: " + ", ".join(sorted(rights.by_name(place.site)))
        raise SettingsError(f"--collection {collection}: there is none", hint=hint)
    feeds.settle(place)
    told = intake.post(place, _us(named), named, [orjson.dumps(one) for one in objects])
    typer.echo(f"{told['success_count']:,} are there, {told['failure_count']:,} are not")
    for one in told["failures"][:_MOST_TOLD]:
        typer.echo(f"  {shown(one['id'], 80)}: {shown(one['message'], 300)}")


def token() -> None:
    """Make a token for a guest: the first line is for them alone, the second for the file of the site."""
    from tocsin.share.taxii import rights

    secret, digest = rights.token()
    typer.echo(f"{secret}\n{digest}")


def pull(
    url: Url,
    name: Annotated[str, typer.Option("--as", metavar="NAME", help="What their collection is called here.")],
    *,
    token_file: TokenFile = None,
    user: User = "",
    authority: Authority = None,
    certificate: Certificate = None,
    key: Key = None,
    of_node: Annotated[
        str,
        typer.Option("--node", metavar="PEER", help="Their node, by its name here: exchange messages with it."),
    ] = "",
    lake: share_exchange.Lake = None,
    by_authority: share_exchange.ByAuthority = "",
    passphrase_fd: person.PassphraseFd = None,
    by: By = None,
    quiet: Quiet = False,
) -> None:
    """Fetch what is new in a partner's collection, and hunt for it where a lake is given."""
    if not name or not name.replace("-", "").replace("_", "").isalnum():
        raise SettingsError(f"--as {name}: is no name", hint="Letters, digits, - and _.")
    share_exchange.check_hunt(lake, by_authority)
    from tocsin.share.taxii import client
    from tocsin.share.taxii.asking import asking

    remote = share_remote.remote(url, token_file, user, authority, certificate, key)
    folder = share.folder() / "pulled" / name
    with asking(remote) as ask:
        found = client.pull(ask, url, folder)
        _tell_pulled(found, name)
        if of_node:
            share_exchange.with_node(ask, url, of_node, passphrase.once(passphrase_fd), quiet=quiet)
    if lake is not None:
        _hunt(folder, name, lake, by_authority, by, quiet=quiet)
        if of_node:
            share_exchange.hunt(of_node, lake, by_authority, by, quiet=quiet)


def push(
    bundle: share.Bundle,
    url: Url,
    to: Annotated[Path, typer.Option("--to", metavar="AGREEMENT", help="The file of the peer (docs/sharing.md).")],
    *,
    own: share.Own = None,
    assets: share.Assets = None,
    people: share.People = None,
    sightings: Annotated[
        str, typer.Option(metavar="REASON", help="Tell them what was seen here, this time: signed with your key.")
    ] = "",
    token_file: TokenFile = None,
    user: User = "",
    authority: Authority = None,
    certificate: Certificate = None,
    key: Key = None,
    by: By = None,
    passphrase_fd: person.PassphraseFd = None,
) -> None:
    """Send a peer what they may have of a bundle, after an entry in the journal.

    Where we have a node it stands in our log, and can be taken back; where they have one, too, both exchange messages.
    """
    import hashlib

    from tocsin import share as room
    from tocsin.border.agreement import read_agreement
    from tocsin.border.bundles import as_bundle
    from tocsin.seal import decisions
    from tocsin.share.taxii import client
    from tocsin.share.taxii.asking import asking

    asked = share.bundle_of(bundle, own, assets, people)
    peer, agreement = read_agreement(to)
    signed = share.sightings_decided(asked, peer, sightings, by, passphrase_fd) if sightings else None
    release = asked.release(peer, sightings=signed is not None)
    share.show_release(release)
    if not release.objects:
        raise ShareError(f"nothing of {bundle} may go to {peer.name}", hint="The table says why of each object.")
    sent = hashlib.sha256(as_bundle(release.objects).encode()).hexdigest()
    secret = passphrase.once(passphrase_fd)
    entry = share.entry(asked, release, agreement, person.whoever(by), sent)
    with asking(share_remote.remote(url, token_file, user, authority, certificate, key)) as ask:
        room.add(share.folder(), entry | {"to": url} | ({"decision": signed} if signed else {}))
        logged = share_nodes.enter(peer, release, share.going(release), secret)
        told = client.post(ask, url, release.objects)
        counts = {"taken": told.taken, "refused": told.refused}
        answered = {"what": "answered", "at": decisions.now(), "to": url, "objects": counts}
        room.add(share.folder(), entry | answered | {"statuses": list(told.statuses)})
        _tell_posted(told)
        if logged and peer.node:
            _tell_node(ask, url, peer.node, secret)


def _tell_node(ask: Ask, url: str, fingerprint: str, secret: keys.Ask) -> None:
    """The objects were taken; what their node does not take now goes with the next message."""
    try:
        share_exchange.with_node(ask, url, fingerprint, secret, quiet=False)
    except ShareError as why:
        hint = "`tocsin share exchange` tries again, `tocsin share give` writes it as a file"
        typer.echo(f"note: not exchanged with their node: {shown(why.message, 500)}; {hint}", err=True)


def _place(site: Path, store: str, ours: Ours | None = None) -> Place:
    from tocsin.border.site import read_site
    from tocsin.share.taxii import place
    from tocsin.share.taxii.store import address

    folder = share.folder()
    return place.opened(read_site(site), folder, store or address(folder / "taxii.db"), ours)


def _node(descriptor: int | None) -> Ours | None:
    """Our node, with its passphrase if it has one: asked for now, since nobody is there later."""
    from tocsin.share.nodes import acting
    from tocsin.share.nodes import folder as kept
    from tocsin.share.taxii.place import Ours

    if not kept.is_there(node.folder()):
        return None
    secret = passphrase.once(descriptor)
    with kept.held(node.folder()) as here:
        acting.speaking(here, secret)
        typer.echo(f"the node {shown(here.about.name)} takes messages, too", err=True)
    return Ours(root=node.folder(), mark=node.mark(), ask=secret)


def _us(collection: str) -> Guest:
    from tocsin.model.guest import Guest, Right

    rights: dict[str, frozenset[Right]] = {collection: frozenset({"write"})}
    return Guest(id="", peer=None, agreement="", tokens=(), certificates=(), rights=rights, a_minute=1)


def _complain(what: str) -> None:
    typer.echo(f"tocsin: share serve: {shown(what, 2000)}", err=True)


def _listen(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError(f"--listen {text}: is no address", hint=f"Write it as 127.0.0.1:{PORT}, or [::1]:{PORT}.")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _tell_pulled(found: Pulled, name: str) -> None:
    typer.echo(f"{found.new:,} new from {name}, {found.known:,} known already, {sum(found.refused.values()):,} refused")
    for why, count in list(found.refused.items())[:_MOST_TOLD]:
        typer.echo(f"  refused {count:,}: {shown(why, 300)}")
    for path in found.files:
        typer.echo(f"  kept: {shown(str(path))}")


def _tell_posted(told: Posted) -> None:
    typer.echo(f"sent: they took {told.taken:,} and refused {told.refused:,}")
    for why in told.reasons[:_MOST_TOLD]:
        typer.echo(f"  refused: {shown(why, 300)}")


def _hunt(folder: Path, name: str, lake: Path, authority: str, by: str | None, *, quiet: bool) -> None:
    """Ask the lake for what came and was not asked yet; its journal names the files that came beside the answer."""
    from tocsin.cli import hunt
    from tocsin.share.taxii import checkpoint

    files = checkpoint.not_hunted(folder, lake)
    if not files:
        return
    names, purpose = [str(path) for path in files], f"what {name} shared"
    try:
        hunt.hunt(names, authority=authority, purpose=purpose, lake=lake, by=by, quiet=quiet, out=None)
    except IndicatorError as error:
        typer.echo(f"nothing to hunt for: {shown(error.message, 500)}", err=True)
    checkpoint.hunted(folder, lake, files)


COMMANDS: Final[tuple[Any, ...]] = (serve, offer, token, pull, push, share_exchange.exchange)
