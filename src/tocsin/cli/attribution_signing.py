"""The options of `tocsin attribute` by which people decide who is held responsible: propose, show, sign, refuse."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import typer

from tocsin import attribution, cases
from tocsin.cli import person
from tocsin.cli.attribution_pages import Pages
from tocsin.cli.case_options import known
from tocsin.cli.case_whole import role_of
from tocsin.errors import CaseError
from tocsin.model.statement import Standing
from tocsin.output.screen import shown

_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """The case, who asks, and what they say."""

    case: str
    root: Path
    by: str | None
    role: str
    reason: str
    passphrase_fd: int | None


def about(asked: Asked, propose: str, sign: str, refuse: str) -> None:
    """Do the one thing that was asked; nothing of these if only the statement is to be shown."""
    if Path(asked.case).is_file() or asked.case.endswith(".json"):
        raise CaseError(f"{asked.case}: is no case", hint="A statement is proposed and signed in a case: name one.")
    folder = cases.find(asked.root, asked.case)
    if propose:
        _propose(asked, folder, propose)
    elif sign or refuse:
        _decide(asked, folder, sign or refuse, cases.YES if sign else cases.NO)
    else:
        typer.echo("\n".join(_shown(cases.standing(folder, known()))))


def _propose(asked: Asked, folder: Path, who: str) -> None:
    _need_reason(asked)
    seen = attribution.observed(asked.case, asked.root)
    compared, _ = attribution.pooled(attribution.known(), asked.root, without=[seen.id])
    found = attribution.weigh(seen, compared)
    told = msgspec.json.format(msgspec.json.encode(found, order="deterministic")) + b"\n"
    signer, key = person.signing(asked.by, asked.passphrase_fd)
    with cases.writing(folder) as log:
        digest = cases.propose(
            log, signer, key, responsible=who, reason=asked.reason, attribution=told, answer=found.answer.text
        )
    typer.echo(digest)
    typer.echo("proposed; it stands once two others have signed it: --statement shows it to them, --sign", err=True)


def _decide(asked: Asked, folder: Path, digest: str, choice: str) -> None:
    _need_reason(asked)
    role = role_of(asked.role)
    now = cases.standing(folder, known())
    cases.refuse_another(now, digest)  # before anybody types a passphrase
    typer.echo("\n".join(_shown(now)), err=True)
    signer, key = person.signing(asked.by, asked.passphrase_fd)
    with cases.writing(folder) as log:
        standing = cases.sign(
            log, signer, key, digest=digest, choice=choice, role=role, reason=asked.reason, known=known()
        )
    typer.echo("\n".join(line for line in Pages(width=_WIDTH).standing(standing) if line))


def _need_reason(asked: Asked) -> None:
    if not asked.reason.strip():
        raise CaseError("the reason is empty", hint="Say why, with --reason: it is kept with what is signed.")


def _shown(standing: Standing) -> Iterator[str]:
    """To those who decide, and to nobody else: until then these words say nothing."""
    statement = standing.statement
    if statement is None:
        yield "No statement was proposed." if not standing.digest else "The statement is not there, or was changed."
    else:
        words = "DECIDED" if standing.held else "PROPOSED, NOT DECIDED: not to be told to anybody as if it were"
        yield f"Statement {standing.digest[:16]} on {shown(statement.case)}  {words}"
        for name, text in (
            ("responsible", statement.responsible),
            ("because", statement.reason),
            ("proposed by", f"{statement.by}, {statement.key}"),
            ("the comparison", statement.answer),
        ):
            yield from textwrap.wrap(
                f"  {name:15} {shown(text)}", _WIDTH, subsequent_indent=" " * 18, break_on_hyphens=False
            )
        yield f"  {'kept as':15} kept/{standing.digest}"
    for why in standing.because:
        yield from textwrap.wrap(f"  - {shown(why)}", _WIDTH, subsequent_indent="    ")
