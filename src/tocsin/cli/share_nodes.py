"""`tocsin share give|take|revoke|log`: what this node hands to others and takes from them, and what it takes back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tocsin.cli import listing, node, passphrase, person
from tocsin.cli.case_options import By
from tocsin.cli.node import Json
from tocsin.errors import SettingsError, ShareError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.model.peer import Peer
    from tocsin.model.release import Release
    from tocsin.seal import keys
    from tocsin.share.nodes.folder import Folder
    from tocsin.share.nodes.receiving import Received

HERE = "here"


def give(
    name: Annotated[str, typer.Argument(metavar="PEER", help="A node that is trusted here, by name or fingerprint.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write what is for them.")],
    *,
    passphrase_fd: person.PassphraseFd = None,
) -> None:
    """Write what a peer's node does not know yet: entries, heads, proofs, what it was told, receipts."""
    from tocsin.output.files import save
    from tocsin.seal import decisions
    from tocsin.share.nodes import acting, messages, receiving
    from tocsin.share.nodes import folder as kept

    with kept.held(node.folder()) as here:
        to = node.trusted(here, name)
        key = acting.speaking(here, passphrase.asker(passphrase_fd))
        told = receiving.answer(here, key, to, at=decisions.now(), mark=node.mark())
        content = messages.written(told).decode()
    save(out, lambda file: file.writelines([content]))
    typer.echo(f"written: {shown(str(out))}, for {shown(name)} alone")
    counts = {"entries": len(told.entries), "heads": len(told.heads), "proofs": len(told.forks)}
    more = {"objects and letters told to them": len(told.payloads)}
    typer.echo("  " + ", ".join(f"{count:,} {what}" for what, count in (counts | more).items()))


def take(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What peers' nodes handed over.")],
    *,
    as_json: Json = False,
) -> None:
    """Take what peers handed over: check it, keep it, and tell what was taken back, kept back or said twice."""
    from tocsin.seal import decisions
    from tocsin.share.nodes import folder as kept
    from tocsin.share.nodes import messages, receiving, telling

    told: list[dict[str, Any]] = []
    unsigned: list[Path] = []
    for path in files:
        with kept.held(node.folder()) as here:
            due = set(telling.unconfirmed(here))
            try:
                message = messages.read(_content(path))
                one = receiving.receive(here, message, at=decisions.now(), mark=node.mark())
            except ShareError as error:
                raise ShareError(f"{path}: {error.message}", hint=error.hint) from error
            unsigned += [] if one.signed else [path]
            told.append(tell_received(here, one, due, quiet=as_json))
    if as_json:
        typer.echo(json.dumps(told, indent=1))
    if unsigned:
        hint = "If they took a new key, or came back from a backup: give them what there is here, and take again."
        raise ShareError(f"{unsigned[0]}: is not signed with the key that speaks for its sender now", hint=hint)


def tell_received(here: Folder, one: Received, due: set[str], *, quiet: bool) -> dict[str, Any]:
    """Write the bundles of what is in force, and tell what came of a message; the same for programs is given back.

    Args:
        due: revocations that were not confirmed before it.
    """
    from tocsin.cli import node_pages
    from tocsin.share.nodes import received

    force = received.keep(here)
    gone = _taken_back(here, due)
    plain = _plain(one, force[one.of].revoked, gone)
    if quiet:
        return plain
    for line in node_pages.received(here, one, force[one.of]):
        typer.echo(line)
    for sender, entry, letters in gone:
        for line in node_pages.taken_back(entry, letters, here.trusted[sender].name):
            typer.echo(line)
    if gone:
        _what_follows(here, {letter_id for _, _, letters in gone for letter_id in _ids(letters)})
    for named, count in sorted(received.seen_of_ours(here, force[one.of]).items()):
        typer.echo(shown(f"  what we told them was seen there: {named}, {count:,} sightings", 300))
    place = received.place(here, one.of)
    if place.exists():
        typer.echo(f"  what it told, and is in force: {shown(str(place))}")
    return plain


def _content(path: Path) -> bytes:
    from tocsin.share.nodes import messages

    try:
        with path.open("rb") as file:
            return file.read(messages.MOST_BYTES + 1)
    except OSError as error:
        raise ShareError(f"{path}: {error.strerror or error}", hint="Name a file that can be read.") from error


_Gone = list[tuple[str, Any, list[Mapping[str, Any]]]]


def _taken_back(here: Folder, before: set[str]) -> _Gone:
    """Revocations about what we were told that were not known before this message."""
    from tocsin.share.nodes import telling

    due = set(telling.unconfirmed(here)) - before
    return [
        (sender, entry, telling.letters_of(here, entry))
        for sender, book in sorted(here.known.books.items())
        for entry in book.standing()
        if entry.digest in due
    ]


def _ids(letters: Sequence[Mapping[str, Any]]) -> list[str]:
    found = []
    for letter in letters:
        objects = letter.get("objects")
        found += [str(one.get("id")) for one in objects if isinstance(one, dict)] if isinstance(objects, list) else []
    return found


def _what_follows(here: Folder, ids: set[str]) -> None:
    typer.echo("    nothing live is found by it from now on; lakes still answer for it, and say that it was taken back")
    typer.echo("    blocks stay: `tocsin contain CASE --status --indicators FILE` tells whose lifting is proposed")
    passed = sorted(
        {sent.peer for entry, sent in here.sent() if entry.kind == "objects" for one in sent.objects if one[0] in ids}
    )
    if passed:
        typer.echo(
            shown(
                f"    passed on by us to {', '.join(passed)}: take it back there too, with `tocsin share revoke`", 300
            )
        )


def _plain(one: Any, revoked: Sequence[str], gone: _Gone) -> dict[str, Any]:
    plain = asdict(one) | {"forks": [{"node": fork.node, "sequence": fork.sequence} for fork in one.forks]}
    letters = [{"of": sender, "entry": entry.digest, "letters": said} for sender, entry, said in gone]
    return plain | {"revoked": list(revoked), "taken_back": letters}


def revoke(
    ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Of objects, as they are here or as they were sent.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="WHY", help="It goes to those whom they had reached.")],
    *,
    by: By = None,
    as_json: Json = False,
    passphrase_fd: person.PassphraseFd = None,
) -> None:
    """Take back what was told, from everybody whom it had reached; `tocsin peers` shows who knows."""
    from tocsin import share
    from tocsin.seal import decisions
    from tocsin.share.nodes import acting, standing, telling
    from tocsin.share.nodes import folder as kept

    if not reason.strip() or len(reason) > 2000:
        raise SettingsError(
            "--reason: is empty, or longer than 2,000 characters", hint="Those who must act need to know why."
        )
    at, who = decisions.now(), person.whoever(by)
    with kept.held(node.folder()) as here:
        key = acting.signing(here, passphrase.asker(passphrase_fd))
        telling.reached(here, ids)
        journal = {
            "what": "revoked",
            "version": 1,
            "at": at,
            "by": who,
            "peer": "",
            "reason": reason,
            "ids": sorted(ids),
        }
        share.add(node.folder().parent / "share", journal)
        done = telling.take_back(here, key, ids, reason, by=who, at=at, mark=node.mark())
        told = next(one for one in standing.revocations(here) if one["entry"] == done.entry.digest)
    if as_json:
        typer.echo(json.dumps(told, indent=1))
        return
    first, more = ", ".join(told["objects"][:3]), len(told["objects"]) - 3
    named = f"{first} and {more:,} more" if more > 0 else first
    typer.echo(shown(f"entry {told['sequence']:,} takes back {named}", 500))
    typer.echo(shown(f"  they had reached {', '.join(told['reached'])}", 500))
    typer.echo("  hand it over with `tocsin share give PEER --out FILE`; `tocsin peers` shows who has confirmed it")


def show_log(of: str, *, verify: bool, as_json: bool, forks: Path | None) -> None:
    """The log of a node, checked: of this one (`here`) or of one that is trusted."""
    from tocsin.cli import node_pages
    from tocsin.share.nodes import folder as kept
    from tocsin.share.nodes import forks as proofs

    with kept.held(node.folder(), verify=verify) as here:
        name = here.node if of == HERE else node.trusted(here, of)
        book = here.known.books[name]
    standing = {one.digest for one in book.standing()}
    entries = sorted(book.entries.values(), key=lambda one: (one.sequence, one.branch, one.digest))
    if forks is not None:
        _write_proof(forks, book.fork)
        return
    if as_json:
        plain = [
            {"sequence": one.sequence, "branch": one.branch, "kind": one.kind, "at": one.at, "key": one.key}
            | {"digest": one.digest, "prev": one.prev, "counts": one.digest in standing}
            for one in entries
        ]
        fork = proofs.plain(book.fork) if book.fork is not None else None
        typer.echo(json.dumps({"node": name, "verified": verify, "entries": plain, "fork": fork}, indent=1))
        return
    rows = [node_pages.entry(one, counts=one.digest in standing) for one in entries]
    listing.show(node_pages.LOG, rows, "Nothing of its log is known here yet.")
    if book.fork is not None:
        typer.echo(f"FORK: {proofs.in_words(book.fork)}; --forks FILE writes the proof")
    if verify:
        typer.echo(f"{len(entries):,} signatures hold, and every entry follows from the one before it", err=True)


def _write_proof(path: Path, fork: Any) -> None:
    from tocsin.output.files import save
    from tocsin.share.nodes import forks as proofs

    if fork is None:
        raise ShareError("no fork of that node's log is known", hint="`tocsin peers` shows of which nodes one is.")
    save(path, lambda file: file.writelines([proofs.written(fork).decode()]))
    typer.echo(
        f"written: {shown(str(path))}; whoever has it checks it with `tocsin node check {shown(str(path))} --key KEY`"
    )


def enter(peer: Peer, release: Release, ids: Sequence[str], secret: keys.Ask) -> bool:
    """Enter a release in the log of this node; False where there is no node here.

    Args:
        ids: of the objects of the release as they are here, in its order.
    """
    from tocsin.border.bundles import as_object
    from tocsin.seal import decisions
    from tocsin.share.nodes import acting, telling
    from tocsin.share.nodes import folder as kept

    if not kept.is_there(node.folder()):
        return False
    objects = [
        (here_id, str(one["id"]), as_object(one).encode()) for here_id, one in zip(ids, release.objects, strict=True)
    ]
    with kept.held(node.folder()) as here:
        key = acting.signing(here, secret)
        telling.tell(here, key, objects, peer=peer.id, node=peer.node, at=decisions.now(), mark=node.mark())
    return True


def tell(peer: Peer, release: Release, ids: Sequence[str], out: Path, descriptor: int | None) -> Path | None:
    """Enter a release in the log of this node, and write what is for the peer's node; None where one has no node."""
    from tocsin.output.files import save
    from tocsin.seal import decisions
    from tocsin.share.nodes import acting, messages, receiving
    from tocsin.share.nodes import folder as kept

    secret = passphrase.once(descriptor)
    if not enter(peer, release, ids, secret) or not peer.node:
        return None
    with kept.held(node.folder()) as here:
        key = acting.signing(here, secret)
        content = messages.written(receiving.answer(here, key, peer.node, at=decisions.now(), mark=node.mark()))
    beside = out.with_name(f"{out.stem}.node.json")
    save(beside, lambda file: file.writelines([content.decode()]))
    return beside
