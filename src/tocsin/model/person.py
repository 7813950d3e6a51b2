"""Whom an intrusion may concern: people with their accounts and mailboxes, and how to reach them by another way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    r"""What the list leaves out is '' or empty: not known.

    Args:
        id: what the list calls the row, or its line there: two people may share a name.
        accounts: as logs write them: `DOMAIN\user`, a user principal name, a SID.
        mailboxes: addresses that are theirs, normal forms.
        language: a tag of BCP 47, such as `mi` or `en-NZ`.
        contact: how to reach them outside of everything that may be in an intruder's hands.
        line: where in the list they stand.
    """

    id: str
    name: str
    accounts: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()
    role: str = ""
    language: str = ""
    contact: str = ""
    line: int = 0


class People:
    """The people of a list. More than one answer is never a choice for the reader to make: somebody must be asked."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self.all: tuple[Person, ...] = tuple(people)
        self._by_account: dict[str, list[Person]] = {}
        self._by_mailbox: dict[str, list[Person]] = {}
        self._by_name: dict[str, list[Person]] = {}
        for person in self.all:
            self._by_name.setdefault(person.name.casefold(), []).append(person)
            for account in {account.casefold() for account in person.accounts}:
                self._by_account.setdefault(account, []).append(person)
            for mailbox in {mailbox.casefold() for mailbox in person.mailboxes}:
                self._by_mailbox.setdefault(mailbox, []).append(person)

    def with_account(self, account: str) -> tuple[Person, ...]:
        """By the whole name of an account: `user` alone is another account in each domain."""
        return tuple(self._by_account.get(account.strip().casefold(), ()))

    def with_mailbox(self, address: str) -> tuple[Person, ...]:
        return tuple(self._by_mailbox.get(address.strip().casefold(), ()))

    def named(self, name: str) -> tuple[Person, ...]:
        return tuple(self._by_name.get(name.strip().casefold(), ()))
