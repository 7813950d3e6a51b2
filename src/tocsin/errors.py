"""Every deliberate error: a message in plain words, a hint what to do, and the exit code of the command line.

TocsinError                 exit 1
├── EvidenceError           exit 3   a log that cannot be read at all (a damaged record is data, not an error)
├── RuleError               exit 4   a rule, or a pack of rules, that cannot be used
├── IndicatorError          exit 4   a file of indicators, or of known-good lists, that cannot be used
├── CacheError              exit 1   a cache of compiled rules that is damaged or foreign (rebuilt, never fatal)
├── SettingsError           exit 2   a setting or an option that makes no sense
├── OutputError             exit 5   a result that cannot be written
├── ListError               exit 9   a list such as assets.csv that is not as it should be
├── LakeError               exit 10  a lake that cannot be used, is damaged, or that somebody else is writing in
├── ActError                exit 11  something that cannot be done in the world, or that was left half done
├── ShareError              exit 12  what cannot be shared, or does not hold that a node was handed
│   └── NodeBusyError       exit 12  a node that somebody else holds: try again
├── SealError               exit 6   a key, a signature or a passphrase that cannot be used
└── CaseError               exit 7   a case that cannot be used, or that was changed behind our back
    └── BusyError           exit 8   a case that somebody else is writing in: try again
"""

from __future__ import annotations


class TocsinError(Exception):
    """Something a person can mend: `message` names the file, rule or peer; `hint` says what to do."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class EvidenceError(TocsinError):
    exit_code = 3


class RuleError(TocsinError):
    exit_code = 4


class IndicatorError(TocsinError):
    exit_code = 4


class CacheError(TocsinError):
    exit_code = 1


class SettingsError(TocsinError):
    exit_code = 2


class OutputError(TocsinError):
    exit_code = 5


class ListError(TocsinError):
    exit_code = 9


class LakeError(TocsinError):
    exit_code = 10


class ShareError(TocsinError):
    exit_code = 12


class NodeBusyError(ShareError):
    pass


class ActError(TocsinError):
    exit_code = 11


class SealError(TocsinError):
    exit_code = 6


class CaseError(TocsinError):
    exit_code = 7


class BusyError(CaseError):
    exit_code = 8
