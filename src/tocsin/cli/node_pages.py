"""What is known of nodes and of what they handed over in, lines for people out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.model.node import Entry
    from tocsin.share.nodes.folder import Folder
    from tocsin.share.nodes.received import InForce
    from tocsin.share.nodes.receiving import Received
    from tocsin.share.nodes.standing import Standing

PEERS: Final = ("peer", "log", "last heard", "how it stands", "told us", "taken back by us")
LOG: Final = ("number", "at", "what", "digest", "counts")
_MOST: Final = 20  # of one kind of line


def peer(one: Standing) -> tuple[str, ...]:
    told = _objects(one.told) + (f", {one.taken_back:,} taken back" if one.taken_back else "")
    taken = f"{one.knows} of {one.revocations} confirmed" if one.revocations else ""
    return (
        one.name,
        f"{one.entries:,} entries",
        one.heard_at[:16] or "never",
        stands(one),
        told if one.told else "",
        taken,
    )


def stands(one: Standing) -> str:
    words = []
    if one.forked_at is not None:
        words.append(f"its key SIGNED TWO LOGS: nothing from entry {one.forked_at:,} on counts")
    if one.behind_since:
        gap = f"shows entry {one.shown:,}, others have {one.furthest:,}"
        words.append(f"behind since {one.behind_since[:16]}: {gap}")
    if one.restored:
        words.append(f"restored from a backup {one.restored} time{'s' if one.restored > 1 else ''}")
    if one.aside:
        words.append(f"{one.aside} branch under a key that was handed on does not count")
    return "; ".join(words) or ("in step" if one.heard_at else "nothing came from it yet")


def waiting(revocations: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Which revocations somebody has not confirmed."""
    for one in revocations:
        if one["does_not_yet"]:
            objects = ", ".join(one["objects"][:3]) + (" ..." if len(one["objects"]) > 3 else "")
            yield shown(f"not confirmed by {', '.join(one['does_not_yet'])}: entry {one['sequence']:,}, {objects}", 300)


def received(folder: Folder, one: Received, force: InForce) -> Iterator[str]:
    names = {node: trusted.name for node, trusted in folder.trusted.items()}
    of = names[one.of]
    news = ", ".join(f"{count:,} of {shown(names.get(node, 'this node'))}" for node, count in one.new.items())
    yield f"{shown(of)}: new entries: {news or 'none'}; {one.payloads:,} objects and letters came"
    if not one.signed:
        yield "  NOT SIGNED with the key that speaks for it now: only what holds by itself was kept"
    if one.old:
        yield "  it says nothing newer of its sender: sent twice, or overtaken by a later one"
    if one.given_back:
        yield f"  {one.given_back:,} entries of our own came back that this folder did not remember"
    for fork in one.forks:
        who = "THIS NODE" if fork.node == folder.node else shown(names.get(fork.node, fork.node))
        yield f"  FORK: the key of {who} signed two logs; nothing from its entry {fork.sequence:,} on counts"
    if one.withholds:
        yield "  it shows a head and does not hand over the entries up to it"
    if one.ahead:
        yield "  its clock is more than a day ahead of ours, or ours behind; nothing is ordered by it"
    if one.foreign:
        yield f"  {one.foreign:,} payloads are left out: no entry of its sender names them"
    for note in one.refused[:_MOST]:
        yield shown(f"  left out: {note.kind} {note.sequence:,} of {names.get(note.node, note.node)}: {note.why}", 300)
    if len(one.refused) > _MOST:
        yield f"  and {len(one.refused) - _MOST:,} more statements were left out"
    if force.quarantined:
        yield f"  {force.quarantined:,} objects and letters are quarantined: they came under a key that signed two logs"
    if force.unread:
        yield f"  {force.unread:,} payloads are no objects and are in no bundle"


def taken_back(entry: Entry, letters: Sequence[Mapping[str, Any]], name: str) -> Iterator[str]:
    """One revocation of a peer that is about something we were told."""
    yield shown(f"  {name} takes back (entry {entry.sequence:,}, {entry.at[:16]}):", 200)
    if not letters:
        yield "    why is not said: its letter has not come"
    for letter in letters:
        objects = letter.get("objects")
        told = [str(one.get("id")) for one in objects if isinstance(one, dict)] if isinstance(objects, list) else []
        for named in told[:_MOST]:
            yield shown(f"    {named}", 200)
        if len(told) > _MOST:
            yield f"    and {len(told) - _MOST:,} more"
        yield shown(f"    because: {letter.get('reason')}", 500)


def entry(one: Entry, *, counts: bool) -> tuple[str, ...]:
    number = f"{one.sequence:,}" + (f" in {one.branch[:8]}" if one.branch else "")
    return number, one.at[:16], words(one), one.digest[:16], "yes" if counts else "no"


def words(one: Entry) -> str:
    from tocsin.model import node as nouns

    match one.body:
        case nouns.Objects(payloads=found):
            return f"{_objects(len(found))} told"
        case nouns.Revocation(takes_back=found):
            return f"{_objects(len(found))} taken back"
        case nouns.Rotation(why="first"):
            return "begins"
        case nouns.Rotation(why="ended"):
            return "ends: nothing signs any more"
        case nouns.Rotation(why=why):
            return f"hands on to a new key ({why})"
        case nouns.Restored(remembers=last):
            return f"restored from a backup that ends at {last:,}"
        case nouns.Receipt(of=found):
            return f"{len(found):,} revocation{'s' * (len(found) != 1)} of others confirmed"
        case _:
            known = len(one.body.known)
            return f"knows {known:,} log{'s' * (known != 1)} of others"


def _objects(count: int) -> str:
    return f"{count:,} object{'s' * (count != 1)}"
