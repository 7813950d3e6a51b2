"""Keeps cases: a folder each, with a log that is only added to, and where it stands derived from that."""

from __future__ import annotations

from tocsin.cases.changes import (
    add_task,
    attach,
    close,
    decide,
    document,
    finish_task,
    hand_over,
    incident_of,
    new_case,
    note,
    open_case,
    refuse_to_close,
    register,
    reopen,
    saw,
    say,
)
from tocsin.cases.derive import digest as digest_of
from tocsin.cases.derive import open_tasks, undecided
from tocsin.cases.derive import subject as subject_of
from tocsin.cases.find import Listed, entries_of, everything, find
from tocsin.cases.folder import kept
from tocsin.cases.join import merge, split
from tocsin.cases.responsible import NO, propose, refuse_another, sign, standing
from tocsin.cases.verify import CLOSE, YES, Verdict, trusted, verify
from tocsin.cases.writer import WAIT_S, Writer, writing

__all__ = [
    "CLOSE",
    "NO",
    "WAIT_S",
    "YES",
    "Listed",
    "Verdict",
    "Writer",
    "add_task",
    "attach",
    "close",
    "decide",
    "digest_of",
    "document",
    "entries_of",
    "everything",
    "find",
    "finish_task",
    "hand_over",
    "incident_of",
    "kept",
    "merge",
    "new_case",
    "note",
    "open_case",
    "open_tasks",
    "propose",
    "refuse_another",
    "refuse_to_close",
    "register",
    "reopen",
    "saw",
    "say",
    "sign",
    "split",
    "standing",
    "subject_of",
    "trusted",
    "undecided",
    "verify",
    "writing",
]
