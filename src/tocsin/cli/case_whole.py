"""The verbs of `tocsin case` that decide on a case or change it whole: decide, close, reopen, merge, split."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from tocsin.cli import person
from tocsin.cli.case_options import By, Name, Reason, Root, TellingFile, done, known, place, writing
from tocsin.cli.person import PassphraseFd
from tocsin.errors import CaseError, SettingsError
from tocsin.model.decision import ROLES, Role
from tocsin.output.screen import shown

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)

RoleName = Annotated[str, typer.Option("--role", metavar="ROLE", help=f"In which role: {', '.join(ROLES)}.")]


def decide(
    name: Name,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="What is decided on, as one word: publish.")],
    choice: Annotated[str, typer.Argument(metavar="CHOICE", help="What is chosen: yes, no, later.")],
    *,
    role: RoleName,
    reason: Reason,
    root: Root = None,
    by: By = None,
    seen: Annotated[
        str,
        typer.Option(
            "--seen", metavar="FILE|SHA256", help="What you had before you; where the case stands, if not given."
        ),
    ] = "",
    passphrase_fd: PassphraseFd = None,
) -> None:
    """Sign a decision with your key; it holds what was written before it, too."""
    from tocsin import cases

    as_role, digest = role_of(role), _seen(seen)
    signer, key = person.signing(by, passphrase_fd)
    with writing(root, name) as log:
        entry = cases.decide(log, signer, key, subject=subject, choice=choice, role=as_role, reason=reason, seen=digest)
        done(entry.n)


def close(
    name: Name,
    reason: Reason,
    *,
    role: RoleName = "lead",
    root: Root = None,
    by: By = None,
    passphrase_fd: PassphraseFd = None,
    telling: TellingFile = None,
) -> None:
    """Close a case: all tasks are done, telling all whom it touches is decided on, and you sign it with your key."""
    from tocsin import cases, tell

    as_role = role_of(role)
    folder = cases.find(place(root), name)
    # Before anybody types a passphrase.
    cases.refuse_to_close(cases.entries_of(folder)[1], whole=False)
    tell.refuse_to_close(folder, tell.desk(telling, known()), person.whoever(by))
    signer, key = person.signing(by, passphrase_fd)
    with writing(root, name) as log:
        cases.refuse_to_close(log.case)
        cases.decide(log, signer, key, subject=cases.CLOSE, choice=cases.YES, role=as_role, reason=reason)
        done(cases.close(log, by=signer.name, reason=reason).n)


def reopen(name: Name, reason: Reason, root: Root = None, by: By = None) -> None:
    """Open a closed case again; closing it once more takes a new decision."""
    from tocsin import cases

    with writing(root, name) as log:
        done(cases.reopen(log, by=person.whoever(by), reason=reason).n)


def merge(
    into: Annotated[str, typer.Argument(metavar="CASE", help="The case that goes on.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The case that becomes part of it.")],
    reason: Reason,
    root: Root = None,
    by: By = None,
) -> None:
    """Make one case of two: the other's log, documents and open tasks go to the first; its folder stays as it is."""
    from tocsin import cases

    folder = place(root)
    case = cases.merge(cases.find(folder, into), cases.find(folder, other), by=person.whoever(by), reason=reason)
    typer.echo(shown(case.id))


def split(
    name: Name,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="Of the new case.")],
    *,
    reason: Reason,
    part: Annotated[
        list[str] | None,
        typer.Option("--part", metavar="TEXT", help="What goes to the new case: a host, an account, a finding."),
    ] = None,
    task: Annotated[list[str] | None, typer.Option("--task", metavar="N", help="A task that goes on there.")] = None,
    root: Root = None,
    by: By = None,
) -> None:
    """Make a case of its own out of a part of one; the new one keeps the documents of the old one."""
    from tocsin import cases

    folder = cases.find(place(root), name)
    _, new = cases.split(
        folder, title, by=person.whoever(by), reason=reason, parts=tuple(part or ()), tasks=tuple(task or ())
    )
    typer.echo(shown(new.id))


def role_of(role: str) -> Role:
    """A role that there is."""
    if role not in ROLES:
        raise SettingsError(f"--role {role}: there is no such role", hint=f"There are {', '.join(ROLES)}.")
    return role


def _seen(seen: str) -> str:
    """A digest as it is, or that of a file."""
    if not seen or _DIGEST.fullmatch(seen):
        return seen
    try:
        with Path(seen).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        hint = "Name a file, or 64 hexadecimal digits."
        raise CaseError(f"--seen {seen}: cannot be read: {error.strerror or error}", hint=hint) from error
