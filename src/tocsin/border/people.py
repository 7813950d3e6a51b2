"""people.csv in, the people out: what each column may hold is in docs/assets-and-people.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tocsin.border.sheet import Row, Sheet, read, several
from tocsin.model.person import People, Person

COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "name": ("person", "full name"),
    "id": ("number", "staff number"),
    "accounts": ("account", "user", "username", "users"),
    "mailboxes": ("mailbox", "mail", "email", "e mail", "emails"),
    "role": ("position", "function"),
    "language": ("languages",),
    "contact": ("out of band contact", "out of band", "phone", "telephone"),
}
_MAILBOX: Final = re.compile(r"[^\s@<>|,;]{1,64}@[^\s@<>|,;]{1,255}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", re.ASCII)


def read_people(path: Path) -> tuple[People, tuple[str, ...]]:
    """The people, and what should be known about the list.

    Raises:
        ListError: something in it is wrong; all of it is told, with its lines.
    """
    sheet = read(path, COLUMNS)
    people = [_person(row, sheet) for row in sheet.rows]
    _compare(people, sheet)
    sheet.raise_faults()
    return People(people), tuple(sheet.notes)


def _person(row: Row, sheet: Sheet) -> Person:
    cells = row.cells
    if not cells["name"]:
        sheet.fault(row.line, "the person has no name", "Write the name as it stands on a letter.")
    mailboxes = several(cells["mailboxes"], "|\n ,;")
    for mailbox in mailboxes:
        if not _MAILBOX.fullmatch(mailbox):
            sheet.fault(row.line, f"{mailbox[:80]} is no mailbox", "Write name@example.org; several are divided by |.")
    if cells["language"] and not _LANGUAGE.fullmatch(cells["language"]):
        hint = "Write a tag of BCP 47: en, mi, en-NZ, pt-BR."
        sheet.fault(row.line, f"language {cells['language'][:40]!r}", hint)
    if cells["contact"] and cells["contact"].casefold() in [mailbox.casefold() for mailbox in mailboxes]:
        sheet.note(row.line, f"{cells['name']}: the contact is a mailbox that an intruder may be reading")
    return Person(
        id=cells["id"] or f"line {row.line}",
        name=cells["name"],
        accounts=several(cells["accounts"]),
        mailboxes=mailboxes,
        role=cells["role"],
        language=cells["language"],
        contact=cells["contact"],
        line=row.line,
    )


def _compare(people: Sequence[Person], sheet: Sheet) -> None:
    """What is one person's must be told from what is another's: a letter must not reach the wrong one."""
    seen: dict[tuple[str, str], Person] = {}
    for person in people:
        other = seen.setdefault(("id", person.id.casefold()), person)
        if other is not person:
            sheet.fault(person.line, f"id {person.id} is in line {other.line} too", "One person, one row, one id.")
        for kind, values in (("account", person.accounts), ("mailbox", person.mailboxes), ("name", (person.name,))):
            for value in values:
                other = seen.setdefault((kind, value.casefold()), person)
                if other is not person and value:
                    sheet.note(person.line, f"the {kind} {value} is also that of {other.name} in line {other.line}")
